//! It is nobody's: nothing of who has started it lives on in it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Detached, Scratch, answering};

/// Starts a daemon as a careless program would, which leaves files open, and has secrets in its
/// environment.
fn start_carelessly(scratch: &Scratch) -> Detached {
    let leaked = scratch.path().join("leaked");
    fs::write(&leaked, "").unwrap();
    let script = "umask 000; exec 3<\"$LEAKED\" 7>>\"$LEAKED\" 200<\"$LEAKED\"; exec \"$@\"";
    let mut shell = Command::new("bash");
    shell.args(["-c", script, "bash", env!("CARGO_BIN_EXE_urlsessiond"), "run", "--detached"]);
    shell.args(["--idle", "600", "--state"]).arg(scratch.state());
    shell.current_dir(scratch.path()).env("LEAKED", &leaked);
    shell.env("AWS_SECRET_ACCESS_KEY", "secret").env("XDG_CACHE_HOME", scratch.path());
    shell.env_remove("XDG_RUNTIME_DIR").env_remove("URLSESSION_HOME");
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    Detached(answering(&scratch.state()).unwrap())
}

fn proc(daemon: &Detached, name: &str) -> PathBuf {
    Path::new("/proc").join(daemon.0.to_string()).join(name)
}

/// Returns what a file of the system says behind a name.
fn field(text: &str, name: &str) -> String {
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned()
}

#[test]
fn nothing_of_who_has_started_it_lives_on() {
    let scratch = Scratch::new();
    let daemon = start_carelessly(&scratch);
    let folder = scratch.state().join("daemon");

    let mut files = BTreeSet::new();
    for entry in fs::read_dir(proc(&daemon, "fd")).unwrap() {
        let target = fs::read_link(entry.unwrap().path()).unwrap();
        // Sockets have no name.
        if target.is_absolute() {
            files.insert(target);
        }
    }
    let expected = ["/dev/null".into(), folder.join("lock"), folder.join("log")];
    assert_eq!(files, BTreeSet::from(expected));

    let environment = fs::read(proc(&daemon, "environ")).unwrap();
    let environment = String::from_utf8(environment).unwrap();
    for entry in environment.split_terminator('\0') {
        let name = entry.split('=').next().unwrap();
        let known = ["HOME", "TMPDIR", "LANG", "URLSESSIOND_ROLE"];
        assert!(known.contains(&name) || name.starts_with("XDG_"), "{entry}");
    }
    assert!(environment.contains("XDG_CACHE_HOME="));

    assert_eq!(fs::read_link(proc(&daemon, "cwd")).unwrap(), Path::new("/"));
    let status = fs::read_to_string(proc(&daemon, "status")).unwrap();
    assert_eq!(field(&status, "Umask:"), "0077");
    // Behind the name: state, parent, group, session, terminal.
    let stat = fs::read_to_string(proc(&daemon, "stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    assert_eq!(fields[3], daemon.0.to_string());
    assert_eq!(fields[4], "0");

    for (name, mode) in [("", 0o700), ("lock", 0o600), ("log", 0o600), ("socket", 0o700)] {
        let found = fs::symlink_metadata(folder.join(name)).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, mode, "{name}");
    }
}

#[test]
fn it_wakes_up_for_nothing() {
    let scratch = Scratch::new();
    let daemon = start_carelessly(&scratch);
    let switches = || {
        let tasks = fs::read_dir(proc(&daemon, "task")).unwrap();
        let of_task = |task: PathBuf| {
            let status = fs::read_to_string(task.join("status")).unwrap();
            ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"]
                .map(|name| field(&status, name).parse::<u64>().unwrap())
        };
        tasks.map(|task| of_task(task.unwrap().path())).collect::<BTreeSet<_>>()
    };
    // Who has asked for it has gone, and its thread as well.
    crate::process::wait_until(|| fs::read_dir(proc(&daemon, "task")).unwrap().count() == 2);
    let before = switches();
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(switches(), before);
}
