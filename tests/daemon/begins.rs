//! How it begins: once, whatever was left, and wherever its state folder lies.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{fs, thread};

use crate::process::{
    Daemon, Detached, Scratch, answering, command, complaint, log, socket, text, wait_until,
};

#[test]
fn of_two_that_start_at_once_one_lives() {
    let scratch = Scratch::new();
    let state = scratch.state();
    for round in 0..20 {
        let mut two = [(); 2].map(|()| Daemon::spawn(&state, &["--idle", "600"]));
        let mut ended = [None; 2];
        wait_until(|| {
            ended = [two[0].ended(), two[1].ended()];
            ended.iter().any(Option::is_some)
        });
        let lives = usize::from(ended[0].is_some());
        assert_eq!(ended[1 - lives], Some(Ok(3)), "round {round}");
        wait_until(|| answering(&state) == Some(two[lives].id()));
        two[lives].signal("TERM");
        assert_eq!(two[lives].wait(), Ok(0), "round {round}");
    }
}

#[test]
fn what_a_killed_one_has_left_is_taken_over() {
    let scratch = Scratch::new();
    let mut killed = Daemon::start(&scratch.state());
    killed.signal("KILL");
    assert_eq!(killed.wait(), Err(9));
    assert!(socket(killed.state()).exists());
    assert_eq!(answering(killed.state()), None);
    let next = Daemon::start(&scratch.state());
    assert_eq!(answering(next.state()), Some(next.id()));
}

#[test]
fn who_wants_one_that_runs_has_it_also_if_many_do_at_once() {
    let scratch = Scratch::new();
    let state = scratch.state();
    let start = || {
        let mut command = command("run", &state);
        complaint({
            command.args(["--detached", "--idle", "600"]);
            command
        })
    };
    thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
        for one in all {
            assert_eq!(one.join().unwrap(), (Some(0), String::new()));
        }
    });
    let daemon = Detached(answering(&state).unwrap());
    assert_eq!(start().0, Some(0));
    assert_eq!(answering(&state), Some(daemon.0));
    assert_eq!(log(&state).matches(" runs for ").count(), 1);
}

#[test]
fn a_path_that_is_too_long_for_a_socket_is_none_too_long_for_a_state_folder() {
    let scratch = Scratch::new();
    let state = scratch.path().join("h".repeat(120)).join("state");
    let daemon = Daemon::start(&state);
    assert!(socket(&state).exists());
    drop(daemon);
    let started = complaint({
        let mut command = command("run", &state);
        command.args(["--detached", "--idle", "600"]);
        command
    });
    assert_eq!(started, (Some(0), String::new()));
    let _daemon = Detached(answering(&state).unwrap());
}

#[test]
fn a_state_folder_may_have_any_name() {
    let scratch = Scratch::new();
    let state = scratch
        .path()
        .join(OsStr::from_bytes(b"two words \xff"))
        .join(OsStr::from_bytes(b"a state \xff"));
    let _daemon = Daemon::start(&state);
    assert!(socket(&state).exists());
}

/// Prepares to run for the user's own state folder.
fn command_at_home(scratch: &Scratch, verb: &[&str], runtime: Option<&PathBuf>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_urlsessiond"));
    command.args(verb).env_clear().env("HOME", scratch.path());
    if let Some(runtime) = runtime {
        command.env("XDG_RUNTIME_DIR", runtime);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
#[cfg(target_os = "linux")]
fn the_users_own_listens_in_the_runtime_folder_and_is_found_without_it() {
    for (mode, is_there) in [(0o700, true), (0o755, false)] {
        let scratch = Scratch::new();
        let runtime = scratch.path().join("run");
        fs::DirBuilder::new().mode(0o700).create(&runtime).unwrap();
        fs::set_permissions(&runtime, fs::Permissions::from_mode(mode)).unwrap();
        let run = ["run", "--detached", "--idle", "600"];
        let started = complaint(command_at_home(&scratch, &run, Some(&runtime)));
        assert_eq!(started, (Some(0), String::new()));
        let state = scratch.path().join(".local/state/urlsession");
        let _daemon = Detached(answering(&state).unwrap());
        let sockets = fs::read_dir(runtime.join("urlsession")).map_or(0, Iterator::count);
        assert_eq!((sockets == 1, socket(&state).exists()), (is_there, !is_there), "{mode:o}");
        // Programs with any environment find the same one.
        for runtime in [Some(&runtime), None] {
            let status = command_at_home(&scratch, &["status"], runtime).output().unwrap();
            assert_eq!(status.status.code(), Some(0), "{status:?}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn one_whose_socket_is_taken_away_listens_anew() {
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch.state());
    fs::remove_file(socket(daemon.state())).unwrap();
    wait_until(|| answering(daemon.state()) == Some(daemon.id()));
    fs::rename(socket(daemon.state()), scratch.path().join("moved")).unwrap();
    wait_until(|| answering(daemon.state()) == Some(daemon.id()));
}

#[test]
#[cfg(target_os = "linux")]
fn one_whose_runtime_folder_is_cleared_listens_elsewhere() {
    let scratch = Scratch::new();
    let runtime = scratch.path().join("run");
    fs::DirBuilder::new().mode(0o700).create(&runtime).unwrap();
    let run = ["run", "--detached", "--idle", "600"];
    let started = complaint(command_at_home(&scratch, &run, Some(&runtime)));
    assert_eq!(started, (Some(0), String::new()));
    let state = scratch.path().join(".local/state/urlsession");
    let daemon = Detached(answering(&state).unwrap());
    // As at the end of a login.
    fs::remove_dir_all(&runtime).unwrap();
    wait_until(|| answering(&state) == Some(daemon.0));
    assert!(socket(&state).exists());
}

#[test]
#[cfg(target_os = "linux")]
fn one_whose_folder_is_taken_away_leaves() {
    let scratch = Scratch::new();
    let mut daemon = Daemon::start(&scratch.state());
    fs::remove_dir_all(scratch.state().join("daemon")).unwrap();
    assert_eq!(daemon.wait(), Ok(0));
    let next = Daemon::start(&scratch.state());
    assert_eq!(answering(next.state()), Some(next.id()));
}

#[test]
fn what_is_not_understood_is_said() {
    let run = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_urlsessiond")).args(arguments).output().unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, said, _) = run(&["--version"]);
    assert_eq!(code, Some(0));
    assert_eq!(said, format!("urlsessiond {}, protocol 1\n", env!("CARGO_PKG_VERSION")));
    let (code, said, _) = run(&["--help"]);
    assert!(code == Some(0) && said.contains("Exit codes:"), "{said}");
    let (code, said, complained) = run(&["dance"]);
    assert_eq!((code, &*said), (Some(2), ""));
    assert_eq!(complained, "urlsessiond: no verb is called dance; see urlsessiond --help\n");
}
