//! Several processes that share a file.

use std::env;
use std::process::{Child, Command, Stdio};

use super::*;
use crate::tests::anew::place as given;

const ROOM: &str = "shared_file::tests::processes::";

/// Tells a test which of several processes it is.
const NUMBER: &str = "URLSESSION_TEST_NUMBER";

/// Starts a test of this file anew.
fn start(test: &str, state: &Path, number: u64) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", &format!("{ROOM}{test}"), "--nocapture"])
        .env("URLSESSION_TEST_PLACE", state)
        .env(NUMBER, number.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn eight_processes_lose_nothing_of_a_thousand_changes_each() {
    const PROCESSES: u64 = 8;
    const CHANGES: u64 = 1000;
    const TOGETHER: u64 = 100;
    if let Some(state) = given() {
        let number: u64 = env::var(NUMBER).unwrap().parse().unwrap();
        let file = another(&state);
        for change in 0..CHANGES {
            file.set(&format!("{number}-{change}"), change);
            file.set("last", number);
            if (change + 1) % TOGETHER == 0 {
                file.flush();
                assert!(!file.has_trouble(), "{change}");
            }
        }
        return;
    }
    let scratch = Scratch::new();
    let test = "eight_processes_lose_nothing_of_a_thousand_changes_each";
    let children: Vec<Child> =
        (0..PROCESSES).map(|number| start(test, scratch.path(), number)).collect();
    // Whoever reads meanwhile finds it whole.
    let mut children: Vec<_> = children.into_iter().map(Some).collect();
    while children.iter().any(Option::is_some) {
        on_disk(scratch.path());
        std::thread::sleep(Duration::from_millis(5));
        for child in &mut children {
            if child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_some()) {
                let output = child.take().unwrap().wait_with_output().unwrap();
                let errors = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{errors}");
            }
        }
    }
    let mut found = on_disk(scratch.path());
    assert!(found.remove("last").is_some_and(|number| number < PROCESSES));
    assert_eq!(found.len() as u64, PROCESSES * CHANGES);
    for (name, number) in found {
        assert_eq!(name.split_once('-').unwrap().1, number.to_string());
    }
    let names = crate::tests::names_in(&scratch.join("program"));
    assert_eq!(names, ["numbers", "numbers.lock"]);
}

/// Kills a process after each of 200 different times, several side by side: what it said was on
/// the disk is there, and maybe what came next, but nothing in between.
#[cfg(feature = "test-util")]
#[test]
fn whenever_a_writer_is_killed_a_whole_file_is_there() {
    use std::io::{BufRead, BufReader, Read};

    const KILLS: u64 = 200;
    const SIDES: u64 = 4;
    let test = "whenever_a_writer_is_killed_a_whole_file_is_there";
    if let Some(state) = given() {
        let file = another(&state);
        let first = file.get("a").map_or(0, |number| number + 1);
        for number in first.. {
            file.set("a", number);
            file.set("b", number);
            file.flush();
            println!("\nwritten {number}");
        }
    }
    std::thread::scope(|scope| {
        for side in 0..SIDES {
            scope.spawn(move || {
                let scratch = Scratch::new();
                for kill in (side..KILLS).step_by(SIDES as usize) {
                    let mut child = start(test, scratch.path(), kill);
                    let mut heard = BufReader::new(child.stdout.take().unwrap());
                    let mut text = String::new();
                    while !text.contains("written") {
                        assert!(heard.read_line(&mut text).unwrap() > 0, "{text}");
                    }
                    std::thread::sleep(Duration::from_micros(kill * 50));
                    child.kill().unwrap();
                    child.wait().unwrap();
                    heard.read_to_string(&mut text).unwrap();
                    let written = text.lines().filter_map(|line| line.strip_prefix("written "));
                    // The last one may have been cut.
                    let last = written.filter_map(|number| number.parse().ok()).max().unwrap_or(0);
                    let found = on_disk(scratch.path());
                    let (a, b) = (found["a"], found["b"]);
                    assert!(a == b && a >= last, "kill {kill}: {a} {b} after {last}");
                }
            });
        }
    });
}
