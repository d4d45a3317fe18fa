//! Killed at every point, one after the other: each time what was committed is there.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use super::*;

/// Tells the test that it is the process that is to be killed, and where.
const PLACE: &str = "URLSESSION_TEST_PLACE";

const TEST: &str = "background::journal::tests::crashes::\
                    whenever_it_is_killed_what_was_committed_is_there";

/// What the journal holds after each step, the first being that it is opened.
fn steps() -> Vec<Vec<Value>> {
    let appended = (0..4).map(|count| records(0..count));
    let compacted = (3..6).map(|count| records(1..count));
    appended.chain(compacted).collect()
}

/// Takes the steps, and says so after each of them.
fn take_steps(path: &Path) {
    let append = |journal: &Journal, number| {
        journal.commit(journal.append(&record(number)).unwrap()).unwrap();
        println!("\nstep");
    };
    let (journal, ..) = opened(path).unwrap();
    println!("\nstep");
    (0..3).for_each(|number| append(&journal, number));
    journal.compact(records(1..3)).unwrap();
    println!("\nstep");
    drop(journal);
    let (journal, ..) = opened(path).unwrap();
    (3..5).for_each(|number| append(&journal, number));
}

/// Runs the test anew, for its steps alone.
fn run(scratch: &Scratch, variable: &str, value: &str) -> Output {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture"])
        .env(PLACE, journal_in(scratch))
        .env(variable, value)
        .output()
        .unwrap()
}

#[test]
fn whenever_it_is_killed_what_was_committed_is_there() {
    if let Some(path) = env::var_os(PLACE) {
        return take_steps(Path::new(&path));
    }
    let steps = steps();
    let scratch = Scratch::new();
    let log = scratch.join("log");
    assert!(run(&scratch, "URLSESSION_CRASH_LOG", log.to_str().unwrap()).status.success());
    let log = fs::read_to_string(log).unwrap();
    for name in ["file.created", "file.synced", "file.replaced", "folder.synced", "journal.append"]
    {
        assert!(log.contains(name), "{name} is none of the points:\n{log}");
    }
    for (number, point) in (1..).zip(log.lines()) {
        let scratch = Scratch::new();
        let output = run(&scratch, "URLSESSION_CRASH_AT", &number.to_string());
        assert_eq!(output.status.signal(), Some(9), "{point}");
        let taken = String::from_utf8_lossy(&output.stdout);
        let taken = taken.lines().filter(|line| *line == "step").count();
        let found = whole(&journal_in(&scratch));
        // The step that it was killed in may have been taken; the first changes nothing.
        let expected = &steps[taken.saturating_sub(1)..steps.len().min(taken + 1)];
        assert!(expected.contains(&found), "{point}: {found:?} after {taken} steps");
        assert_eq!(scratch.names(), ["journal"], "{point}");
    }
}

#[test]
fn one_sync_is_enough_for_all_who_have_written() {
    const THREADS: usize = 8;
    if let Some(path) = env::var_os(PLACE) {
        let (journal, ..) = opened(Path::new(&path)).unwrap();
        let all_have_written = std::sync::Barrier::new(THREADS);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let sequence = journal.append(&record(0)).unwrap();
                    all_have_written.wait();
                    journal.commit(sequence).unwrap();
                });
            }
        });
        return;
    }
    let scratch = Scratch::new();
    drop(opened(&journal_in(&scratch)).unwrap());
    let log = scratch.join("log");
    let test = "background::journal::tests::crashes::one_sync_is_enough_for_all_who_have_written";
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test])
        .env(PLACE, journal_in(&scratch))
        .env("URLSESSION_CRASH_LOG", &log)
        .output()
        .unwrap();
    assert!(output.status.success());
    let log = fs::read_to_string(log).unwrap();
    let passed = |name| log.lines().filter(|line| line.ends_with(name)).count();
    assert_eq!((passed("journal.appended"), passed("file.synced")), (THREADS, 1), "{log}");
}
