//! Downloads on whose way connections break, servers refuse, start anew and have other versions,
//! and programs are killed, at random: each ends with its file, whole and right, and nothing
//! beside it. What has come is not asked for again; after a kill, only what was not synced.
//!
//! What is decided at random follows from a seed, which is printed; `URLSESSION_TEST_SEED` sets
//! it, and `URLSESSION_TEST_DOWNLOAD` the number of the only download. When a kill strikes does
//! not follow from it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
#[path = "../dice/mod.rs"]
mod dice;
mod film;
mod origin;
mod parallel;
mod script;
mod story;
mod tally;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;
use std::{env, fs, process, thread};

use dice::seed;
use parallel::Parallel;
use story::Story;
use tally::Tally;

const DOWNLOADS: u64 = 300;
const THREADS: usize = 4;
const TEST: &str = "each_download_ends_whole_whatever_happens_on_its_way";

/// Makes the downloads of `numbers` one after the other, beside other threads.
fn download(numbers: &Mutex<impl Iterator<Item = u64>>, seed: u64, scratch: &Path) -> Tally {
    let mut tally = Tally::default();
    loop {
        let Some(number) = numbers.lock().unwrap().next() else { return tally };
        let place = scratch.join(number.to_string());
        let own_seed = seed.wrapping_add(number << 40);
        // Every fifth comes in several parts at once.
        let story = || match number % 5 {
            0 => Parallel::new(own_seed, place, TEST).run(),
            _ => Story::new(own_seed, place, TEST).run(),
        };
        match catch_unwind(AssertUnwindSafe(story)) {
            Ok(one) => tally += one,
            Err(panic) => {
                eprintln!("seed {seed}, download {number}");
                resume_unwind(panic);
            }
        }
    }
}

#[test]
fn each_download_ends_whole_whatever_happens_on_its_way() {
    client::download_if_asked();
    let seed = seed();
    let only = env::var("URLSESSION_TEST_DOWNLOAD").ok().map(|number| number.parse().unwrap());
    println!("seed {seed}");
    let scratch = env::temp_dir().join(format!("urlsession-resuming-{}", process::id()));
    fs::create_dir(&scratch).unwrap();
    let began = Instant::now();
    let all = only.map_or(0..DOWNLOADS, |number: u64| number..number + 1);
    let (count, numbers) = (all.end - all.start, Mutex::new(all));
    let tally = thread::scope(|scope| {
        let run = || download(&numbers, seed, &scratch);
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(run)).collect();
        threads.into_iter().fold(Tally::default(), |mut all, thread| {
            all += thread.join().unwrap_or_else(|panic| resume_unwind(panic));
            all
        })
    });
    println!("{count} downloads in {:?}: {tally}", began.elapsed());
    fs::remove_dir_all(&scratch).unwrap();
}
