//! Killed at every point, one after the other: each time the file is the one before, or the next.

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use super::*;
use crate::tests::anew::place as given;

const TEST: &str =
    "shared_file::tests::crashes::wherever_it_is_killed_the_next_start_goes_on_with_a_whole_file";

fn run(state: &Path, variable: &str, value: &str) -> Output {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture"])
        .env("URLSESSION_TEST_PLACE", state)
        .env(variable, value)
        .output()
        .unwrap()
}

#[test]
fn wherever_it_is_killed_the_next_start_goes_on_with_a_whole_file() {
    if let Some(state) = given() {
        let file = another(&state);
        for number in 1..=2 {
            file.set("a", number);
            file.flush();
            println!("\nstep");
        }
        return;
    }
    let (scratch, logs) = (Scratch::new(), Scratch::new());
    let log = logs.join("log");
    let output = run(&scratch.join("state"), "URLSESSION_CRASH_LOG", log.to_str().unwrap());
    assert!(output.status.success());
    let log = fs::read_to_string(log).unwrap();
    for name in ["folder.made", "lock_file.locked", "file.created", "file.synced", "file.replaced"]
    {
        assert!(log.contains(name), "{name} is none of the points:\n{log}");
    }
    for (number, point) in (1..).zip(log.lines()) {
        let scratch = Scratch::new();
        let state = scratch.join("state");
        let output = run(&state, "URLSESSION_CRASH_AT", &number.to_string());
        assert_eq!(output.status.signal(), Some(9), "{point}");
        let steps = String::from_utf8_lossy(&output.stdout);
        let steps = steps.lines().filter(|line| *line == "step").count() as u64;
        let found = on_disk(&state).get("a").copied().unwrap_or(0);
        assert!(found == steps || found == steps + 1, "{point}: {found} after {steps}");
        let file = another(&state);
        file.set("b", 7);
        file.flush();
        assert!(!file.has_trouble(), "{point}");
        let mut expected = numbers([("b", 7)]);
        expected.extend((found > 0).then(|| ("a".to_owned(), found)));
        assert_eq!(on_disk(&state), expected, "{point}");
        let names = crate::tests::names_in(&state.join("program"));
        assert_eq!(names, ["numbers", "numbers.lock"], "{point}");
    }
}
