//! A daemon that is killed again and again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use urlsession::testing::{Event, Recorded, Recorder, Server};

use crate::away::{from, rest};
use crate::hosted::{HANG, Scene, close, is, wait_for};

const FILES: usize = 20;
const KILLS: usize = 50;
const LENGTH: usize = 400_000;

fn file(number: usize) -> Vec<u8> {
    (0..LENGTH).map(|at| (at * 31 + number * 7) as u8).collect()
}

#[test]
fn a_daemon_that_is_killed_fifty_times_brings_all_and_nothing_twice() {
    let scene = Scene::new("kills");
    let server = Server::builder().recording(false).start();
    let asked: Arc<Mutex<HashMap<usize, Vec<usize>>>> = Arc::default();
    let is_free = Arc::new(AtomicBool::new(false));
    let files: Vec<Vec<u8>> = (0..=FILES).map(file).collect();
    let (log, goes_on) = (Arc::clone(&asked), Arc::clone(&is_free));
    server.handle(move |request: &Recorded| {
        let number: usize = request.path().trim_start_matches('/').parse().unwrap();
        log.lock().unwrap().entry(number).or_default().push(from(request));
        let answer = rest(&files[number], request);
        if goes_on.load(Ordering::SeqCst) { answer } else { answer.stall_in_body_after(20_000) }
    });
    let recorder = Recorder::new();
    let session = scene.open(&recorder).unwrap();
    for number in 1..=FILES {
        let _ = session.download_task(server.url(&format!("/{number}"))).resume();
    }
    let count = || asked.lock().unwrap().values().map(Vec::len).sum::<usize>();
    let mut before = 0;
    for kill in 1..=KILLS {
        wait_for("something is asked for", || count() > before);
        let killed = scene.daemon();
        // The next one may ask as soon as this one is gone.
        before = count();
        is_free.store(kill == KILLS, Ordering::SeqCst);
        // One that is told to leave brings what has come to the disk.
        scene.kill(if kill % 5 == 4 { "-TERM" } else { "-9" });
        wait_for("the next one runs", || scene.daemon().is_some_and(|next| Some(next) != killed));
    }
    assert!(session.wait_until_idle(HANG), "{}", session.background_report().unwrap());
    let asked = asked.lock().unwrap();
    for number in 1..=FILES {
        let task = number as u64;
        let events = recorder.events_of(task);
        let ends = events.iter().filter(|event| **event == Event::done(task)).count();
        assert_eq!((ends, events.last()), (1, Some(&Event::done(task))), "{events:?}");
        assert!(is(&scene.taken(&number.to_string()), &file(number)), "{number}");
        // What is on the disk is never asked for again.
        assert!(asked[&number].is_sorted(), "{number}: {:?}", asked[&number]);
    }
    let synced = asked.values().filter(|starts| starts.last() > Some(&0)).count();
    assert!(synced > 0, "{asked:?}");
    close(&recorder, session);
    server.release();
}
