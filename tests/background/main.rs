//! Programs with background sessions that are killed before and after everything that they change
//! on the disk, one after the other: each transfer ends, once, with what was asked for.
//!
//! A run of which nothing is killed counts the points. Then one run after the other is killed at
//! each of them, and the next ones, some of which are killed as well, go on until all is done.
//!
//! Where a second kill strikes follows from a seed, which is printed, and which
//! `URLSESSION_TEST_SEED` sets; how threads meet does not.

#![cfg(all(unix, feature = "background"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[macro_use]
#[path = "../hosts/mod.rs"]
mod hosts;

mod catalogue;
mod diary;
#[path = "../dice/mod.rs"]
mod dice;
mod origin;
mod program;
mod story;
mod tally;
mod wishes;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use std::{env, fs, process, thread};

use hosts::Host;
use origin::Origin;
use story::Story;
use tally::Tally;
use wishes::Plot;

const THREADS: usize = 4;

/// So many runs in a row that pass fewer points than asked for are the end of a plot: how many
/// there are depends on how threads meet.
const BEYOND: u64 = 6;

/// The number of the first story whose program is killed at a point by name.
const BY_NAME: u64 = 100_000;

/// How many of them are told for one point.
const TRIES: u64 = 20;

/// A folder for the states of all programs. Each syncs some dozens of times, and what a kill
/// leaves does not depend on it: so they lie in memory, where the system has such a folder.
pub(crate) fn scratch(name: &str, plot: &Plot) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_owned() } else { env::temp_dir() };
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let scratch = base.join(format!("urlsession-{name}-{}-{number}", process::id()));
    let sources = program::sources(&scratch);
    fs::create_dir_all(&sources).unwrap();
    for wish in plot.wishes {
        fs::write(sources.join(wish.key), plot.bytes(wish)).unwrap();
    }
    scratch
}

/// Kills the programs of a plot at every point, and returns what has happened.
fn kill_at_every_point(test: &str, plot: &'static Plot, host: Host) -> Tally {
    program::run_if_asked(plot);
    let (scratch, origin, began) = (scratch(plot.name, plot), Origin::start(plot), Instant::now());
    let seed = dice::seed();
    println!("seed {seed}");
    let story = |number: u64, at: String| Story {
        number,
        at,
        test,
        plot,
        origin: &origin,
        scratch: &scratch,
        seed,
        host,
    };
    let points = story(0, String::new()).unharmed();
    // A daemon's are those of the program's own host, and more: a third of them at a time.
    let step = if host == Host::Program { 1 } else { 3 };
    let (next, beyond) = (AtomicU64::new(1 + seed % step), AtomicU64::new(0));
    let tell = || {
        let mut tally = Tally::default();
        while beyond.load(Ordering::SeqCst) < BEYOND {
            let number = next.fetch_add(step, Ordering::SeqCst);
            match catch_unwind(AssertUnwindSafe(|| story(number, number.to_string()).killed())) {
                Ok(one) => {
                    if one.kills == 0 {
                        beyond.fetch_add(1, Ordering::SeqCst);
                    }
                    tally += one;
                }
                Err(panic) => {
                    beyond.store(BEYOND, Ordering::SeqCst);
                    resume_unwind(panic);
                }
            }
        }
        tally
    };
    let mut tally = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(tell)).collect();
        threads.into_iter().fold(Tally::default(), |mut all, thread| {
            all += thread.join().unwrap_or_else(|panic| resume_unwind(panic));
            all
        })
    });
    // Some are passed here one time and there the next.
    let mut number = BY_NAME;
    for point in points.difference(&tally.points.clone()) {
        let last = number + TRIES;
        while !tally.points.contains(point) {
            assert!(number < last, "nothing was killed at {point}");
            tally += story(number, point.clone()).killed();
            number += 1;
        }
    }
    println!("{}: {tally} in {:?}", plot.name, began.elapsed());
    fs::remove_dir_all(&scratch).unwrap();
    fs::remove_dir_all(program::elsewhere(&scratch.join("0")).parent().unwrap()).unwrap();
    tally
}

#[test]
fn downloads_killed_at_every_point_end_once_with_their_files() {
    let test = "downloads_killed_at_every_point_end_once_with_their_files";
    let tally = kill_at_every_point(test, &wishes::DOWNLOADS, Host::Program);
    assert!(tally.kills >= 200, "{tally}");
}

#[test]
fn a_large_download_killed_at_every_point_goes_on_from_what_was_synced() {
    let test = "a_large_download_killed_at_every_point_goes_on_from_what_was_synced";
    let tally = kill_at_every_point(test, &wishes::LARGE, Host::Program);
    assert!(tally.kills >= 40 && tally.resumed > 0, "{tally}");
}

#[test]
fn uploads_killed_at_every_point_are_sent_once_unless_twice_does_no_harm() {
    let test = "uploads_killed_at_every_point_are_sent_once_unless_twice_does_no_harm";
    let tally = kill_at_every_point(test, &wishes::UPLOADS, Host::Program);
    assert!(tally.kills >= 200 && tally.interrupted > 0, "{tally}");
}

#[cfg(feature = "daemon")]
#[test]
fn downloads_of_a_daemon_end_once_when_it_or_its_program_is_killed() {
    let test = "downloads_of_a_daemon_end_once_when_it_or_its_program_is_killed";
    let tally = kill_at_every_point(test, &wishes::DOWNLOADS, Host::Daemon);
    assert!(tally.kills >= 100, "{tally}");
}

#[cfg(feature = "daemon")]
#[test]
fn a_large_download_of_a_daemon_goes_on_when_it_or_its_program_is_killed() {
    let test = "a_large_download_of_a_daemon_goes_on_when_it_or_its_program_is_killed";
    let tally = kill_at_every_point(test, &wishes::LARGE, Host::Daemon);
    assert!(tally.kills >= 20 && tally.resumed > 0, "{tally}");
}

#[cfg(feature = "daemon")]
#[test]
fn uploads_of_a_daemon_are_sent_once_when_it_or_its_program_is_killed() {
    let test = "uploads_of_a_daemon_are_sent_once_when_it_or_its_program_is_killed";
    let tally = kill_at_every_point(test, &wishes::UPLOADS, Host::Daemon);
    assert!(tally.kills >= 60 && tally.interrupted > 0, "{tally}");
}
