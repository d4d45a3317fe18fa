//! Bad guests keep no good one waiting.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::guest::Guest;
use crate::process::{Daemon, Scratch, socket};

#[test]
fn half_open_connections_give_way_to_who_says_something() {
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch.state());
    let socket = socket(daemon.state());
    let mut first = Guest::greeted(&socket).unwrap();
    let mut crowd: Vec<Guest> = (0..300)
        .map(|_| {
            let mut guest = Guest::connect(&socket).unwrap();
            guest.0.write_all(&[0, 0]).unwrap();
            guest
        })
        .collect();
    let began = Instant::now();
    let mut good = Guest::greeted(&socket).unwrap();
    println!("served within {:?} beside 300 half-open connections", began.elapsed());
    // 256 in all: the first and the good one, and the youngest of the others.
    let open: Vec<bool> = crowd.iter_mut().map(Guest::is_open).collect();
    let closed = 300 - 254;
    assert!(open[closed..].iter().all(|open| *open), "{open:?}");
    for gone in &mut crowd[..closed] {
        assert!(gone.is_closed());
    }
    assert!(first.is_open() && good.is_open());
}

#[test]
fn who_stops_in_the_middle_is_sent_away_and_who_is_silent_is_not() {
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch.state());
    let socket = socket(daemon.state());
    let mut silent = Guest::greeted(&socket).unwrap();
    let mut strangers = [(); 3].map(|()| Guest::connect(&socket).unwrap());
    strangers[1].0.write_all(&[0, 0]).unwrap();
    strangers[2].0.write_all(b"\0\0\0\x09{\"hel").unwrap();
    let mut halted = Guest::greeted(&socket).unwrap();
    halted.0.write_all(b"\0\0\0\x09{").unwrap();
    for gone in strangers.iter_mut().chain([&mut halted]) {
        assert!(gone.is_closed());
    }
    assert!(silent.is_open());
}

/// Says something again and again until it is over, to a daemon that may send it away.
fn flood(socket: &Path, text: &str, is_over: &AtomicBool) {
    while !is_over.load(Ordering::SeqCst) {
        let Ok(mut guest) = Guest::greeted(socket) else { continue };
        while guest.say(text).is_ok() && !is_over.load(Ordering::SeqCst) {}
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_hundred_who_flood_it_take_little_memory_and_keep_nobody_waiting() {
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch.state());
    let socket = socket(daemon.state());
    let peak = || {
        let status = fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    };
    let before = peak();
    let long = format!(r#"{{"create":{{"job":"{}"}}}}"#, "a".repeat(1_000_000));
    let dense = format!("[{}0]", r#"["",""],"#.repeat(23_000));
    let status = r#"{"ask":{"call":1,"question":"status"}}"#.to_owned();
    let texts = [long, dense, status];
    let (is_over, mut longest) = (AtomicBool::new(false), Duration::ZERO);
    thread::scope(|scope| {
        for at in 0..100 {
            let (socket, text, is_over) = (&socket, &texts[at % texts.len()], &is_over);
            scope.spawn(move || flood(socket, text, is_over));
        }
        for _ in 0..20 {
            let began = Instant::now();
            let mut good = Guest::greeted(&socket).unwrap();
            good.say(r#"{"ask":{"call":1,"question":"status"}}"#).unwrap();
            assert_eq!(good.hear_up_to("answered"), ["answered"]);
            longest = longest.max(began.elapsed());
        }
        is_over.store(true, Ordering::SeqCst);
    });
    println!("{before} MiB before, {} MiB at most, {longest:?} at most", peak());
    assert!(peak() - before < 40, "{} MiB", peak());
}
