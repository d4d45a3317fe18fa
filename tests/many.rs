//! A hundred thousand tasks that wait for one host: what they cost. A program of its own with
//! one test, because it counts all memory that the process has allocated.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod counting;

use std::env;
use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{Configuration, DataTask, DeliveryQueue, ErrorKind, Session};

use crate::counting::{live, peak};

const MANY: usize = 100_000;
const FEW: usize = 1_000;
const HANG: Duration = Duration::from_secs(60);

/// Set in the process that runs under valgrind: how many tasks it makes.
const COUNT: &str = "URLSESSION_TEST_TASKS";

/// Makes a URL of 60 bytes.
fn url_of_60_bytes(base: &str) -> String {
    let url = format!("{base}{}", "x".repeat(60 - base.len()));
    assert_eq!(url.len(), 60);
    url
}

// Never inlined: the instructions that these run are found by their names.

#[inline(never)]
fn create_all(session: &Session, url: &str, ended: &Arc<AtomicUsize>, tasks: &mut Vec<DataTask>) {
    for _ in 0..tasks.capacity() {
        let ended = Arc::clone(ended);
        tasks.push(session.data_task_with(url, move |outcome| {
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Cancelled);
            ended.fetch_add(1, Ordering::SeqCst);
        }));
    }
}

#[inline(never)]
fn resume_all(tasks: &[DataTask]) {
    for task in tasks {
        task.resume();
    }
}

#[inline(never)]
fn cancel_all(tasks: &[DataTask]) {
    for task in tasks {
        task.cancel();
    }
}

/// Cancels those that run last, so that nobody else gets their places.
fn cancel_waiting_then_running(tasks: &[DataTask]) {
    let (running, waiting) = tasks.split_at(6);
    cancel_all(waiting);
    cancel_all(running);
}

/// How many threads of the process have that name, cut off as the system does it.
fn threads_named(name: &str) -> usize {
    let name = &name[..name.len().min(15)];
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|found| found.trim() == name)
        .count()
}

fn memory_and_threads() {
    let server = Server::start();
    server.handle(|_| Answer::ok("never").stall_before_head());
    let session = Session::new(Configuration::ephemeral()).unwrap();
    let counters = Counters::of(&session);
    let url = url_of_60_bytes(&server.url("/"));
    let ended = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::with_capacity(MANY);

    let before = live();
    create_all(&session, &url, &ended, &mut tasks);
    let created = (live() - before) / MANY as isize;
    resume_all(&tasks);
    server.wait_until(|stats| stats.stalled == 6);
    let waiting = (live() - before) / MANY as isize;
    println!("heap of each of {MANY} tasks: {created} bytes created, {waiting} bytes waiting");
    assert!(waiting < 1024, "{waiting} bytes each");
    assert_eq!(session.all_tasks().len(), MANY);

    assert_eq!(server.stats().connections, 6);
    assert_eq!(counters.sockets(), 6);
    let workers = threads_named("urlsession-worker");
    println!("threads: {workers} workers, {} in all", counters.threads());
    assert!(workers <= 6, "{workers} workers");
    // Beside them one delivers, and one watches those that wait.
    assert!(counters.threads() <= 8, "{} threads", counters.threads());

    cancel_waiting_then_running(&tasks);
    // It was there before, and is emptied only.
    tasks.clear();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(ended.load(Ordering::SeqCst), MANY, "each completion is told once");
    assert_eq!(server.stats().connections, 6, "no task that waited has got a turn");
    println!("heap at the most: {} MiB", peak() >> 20);
    // The queue's thread gives back what it has no use for after the last call.
    let guard = Instant::now() + HANG;
    while live() - before >= 1 << 20 && Instant::now() < guard {
        thread::park_timeout(Duration::from_millis(1));
    }
    let left = live() - before;
    println!("heap when all have ended: {left} bytes more than before");
    assert!(left < 1 << 20, "{left} bytes are left");
}

/// What runs under valgrind: nothing but the tasks, and a host that never answers.
fn only_tasks(count: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = url_of_60_bytes(&format!("http://{}/", listener.local_addr().unwrap()));
    let session = Session::with_queue(Configuration::ephemeral(), DeliveryQueue::inline()).unwrap();
    let ended = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::with_capacity(count);
    create_all(&session, &url, &ended, &mut tasks);
    resume_all(&tasks);
    cancel_waiting_then_running(&tasks);
    assert!(session.wait_until_idle(HANG));
    assert_eq!(ended.load(Ordering::SeqCst), count);
}

/// Instructions per task of creating, resuming and cancelling `count` of them.
fn instructions(count: usize) -> [f64; 3] {
    let profile = env::temp_dir().join(format!("urlsession-many-{}-{count}", std::process::id()));
    let done = Command::new("valgrind")
        .args(["--tool=callgrind", "--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(env::current_exe().unwrap())
        .env(COUNT, count.to_string())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = fs::read_to_string(&profile).unwrap();
    fs::remove_file(&profile).unwrap();
    ["create_all", "resume_all", "cancel_all"]
        .map(|name| inclusive(&text, name) as f64 / count as f64)
}

/// Adds up what calls of the function `name` cost, by the profile's format: behind the line
/// `cfn=` with the callee and the line `calls=` comes one with a place and the cost.
fn inclusive(profile: &str, name: &str) -> u64 {
    let mut lines = profile.lines();
    let mut sum = 0;
    while let Some(line) = lines.next() {
        let called = line.strip_prefix("cfn=").and_then(|name| name.split("::").nth(1));
        // A function that calls itself would be counted again; these do not.
        if called == Some(name) {
            let cost = lines.find(|line| line.starts_with("calls=")).and_then(|_| lines.next());
            let cost = cost.and_then(|line| line.split_whitespace().nth(1)).unwrap();
            sum += cost.parse::<u64>().unwrap();
        }
    }
    assert!(sum > 0, "no call of {name} in the profile");
    sum
}

fn time_per_task() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return println!("skipped: valgrind is not installed");
    }
    // What is not optimised takes minutes under valgrind, so it has to do with a tenth.
    let count = if cfg!(debug_assertions) { MANY / 10 } else { MANY };
    let few = instructions(FEW);
    let many = instructions(count);
    for (at, name) in ["create", "resume", "cancel"].into_iter().enumerate() {
        let ratio = many[at] / few[at];
        println!(
            "instructions per {name}: {:.0} at {FEW} tasks, {:.0} at {count}, ratio {ratio:.2}",
            few[at], many[at]
        );
        assert!(ratio <= 1.3, "{name}: {ratio:.2}");
    }
}

#[test]
fn a_hundred_thousand_tasks_can_wait_for_one_host() {
    if let Ok(count) = env::var(COUNT) {
        return only_tasks(count.parse().unwrap());
    }
    memory_and_threads();
    time_per_task();
}
