//! Bad guests keep no good one waiting.

use std::io::Write;
use std::time::Instant;

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
