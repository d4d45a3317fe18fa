//! What others have put in its way, or try.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, process};

use crate::guest::Guest;
use crate::process::{
    Daemon, HANG, Scratch, as_another_user, command, complaint, log, may_be_another_user, socket,
    wait_until,
};

const ANOTHER: u32 = 65_534;

/// Makes the folder that a daemon has, for this user only.
fn daemon_folder(state: &Path) -> PathBuf {
    let folder = state.join("daemon");
    fs::create_dir_all(&folder).unwrap();
    for folder in [state, &folder] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
    folder
}

/// Asserts that neither `run` nor a program that wants one has what is at `path` moved.
fn assert_refused(state: &Path, path: &Path, what: &str) {
    let kind = fs::symlink_metadata(path).unwrap().file_type();
    for arguments in [&[][..], &["--detached"]] {
        let mut command = command("run", state);
        command.args(arguments);
        let (code, words) = complaint(command);
        assert_eq!(code, Some(1), "{words}");
        assert!(words.contains(&format!("{} {what}", path.display())), "{words}");
    }
    assert_eq!(fs::symlink_metadata(path).unwrap().file_type(), kind);
}

#[test]
fn what_is_in_place_of_the_socket_is_named_and_stays() {
    let scratch = Scratch::new();
    let state = scratch.state();
    let socket = daemon_folder(&state).join("socket");
    fs::write(&socket, "mine").unwrap();
    assert_refused(&state, &socket, "is no socket");
    assert_eq!(fs::read(&socket).unwrap(), b"mine");
    fs::remove_file(&socket).unwrap();
    fs::create_dir(&socket).unwrap();
    assert_refused(&state, &socket, "is no socket");
    fs::remove_dir(&socket).unwrap();
    symlink(scratch.path().join("elsewhere"), &socket).unwrap();
    assert_refused(&state, &socket, "is a symbolic link");
}

#[test]
fn what_is_in_place_of_its_folders_is_named_and_stays() {
    let scratch = Scratch::new();
    let (state, elsewhere) = (scratch.state(), scratch.path().join("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, &state).unwrap();
    assert_refused(&state, &state, "is a symbolic link");
    fs::remove_file(&state).unwrap();
    let folder = daemon_folder(&state);
    fs::remove_dir(&folder).unwrap();
    symlink(&elsewhere, &folder).unwrap();
    assert_refused(&state, &folder, "is a symbolic link");
    fs::remove_file(&folder).unwrap();
    fs::write(&folder, "").unwrap();
    assert_refused(&state, &folder, "is no folder");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn what_another_user_has_made_is_named_and_stays() {
    if !may_be_another_user() {
        return println!("skipped: this process may not be another user");
    }
    let scratch = Scratch::new();
    let state = scratch.state();
    let folder = daemon_folder(&state);
    let socket = folder.join("socket");
    drop(UnixListener::bind(&socket).unwrap());
    chown(&socket, Some(ANOTHER), None).unwrap();
    assert_refused(&state, &socket, "belongs to another user");
    fs::remove_file(&socket).unwrap();
    chown(&folder, Some(ANOTHER), None).unwrap();
    assert_refused(&state, &folder, "belongs to another user");
}

/// Says to a copy of this program, as another user, what it is to do at which socket.
const AS_ANOTHER: &str = "URLSESSION_TEST_AS_ANOTHER";

/// Runs this test as another user, who does something at `socket`.
fn another(scratch: &Scratch, test: &str, socket: &Path) -> Command {
    let program = scratch.path().join("another");
    if !program.exists() {
        fs::copy(env::current_exe().unwrap(), &program).unwrap();
        for path in [scratch.path(), &program] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    let mut command = as_another_user(program.as_os_str());
    command.args(["--exact", test, "--nocapture"]).env(AS_ANOTHER, socket);
    command
}

/// Opens what the permissions keep closed, to see what holds without them.
fn open_to_all(state: &Path) {
    let folder = state.join("daemon");
    for path in [state, &folder, &socket(state)] {
        if path.exists() {
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
        }
    }
}

#[test]
fn another_user_is_not_let_in() {
    if let Some(socket) = env::var_os(AS_ANOTHER) {
        let served = Guest::greeted(Path::new(&socket)).is_ok();
        process::exit(if served { 42 } else { 43 });
    }
    if !may_be_another_user() {
        return println!("skipped: this process may not be another user");
    }
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch.state());
    let socket = socket(daemon.state());
    let test = "neighbours::another_user_is_not_let_in";
    let try_it = || another(&scratch, test, &socket).output().unwrap().status.code();
    assert_eq!(try_it(), Some(43));
    let list = |folder: &Path| {
        let mut list = as_another_user("ls".as_ref());
        list.arg(folder).output().unwrap().status.success()
    };
    assert!(!list(daemon.state()) && !list(&daemon.state().join("daemon")));
    assert!(!log(daemon.state()).contains("65534"));
    // The permissions are not all that keeps them away.
    open_to_all(daemon.state());
    assert_eq!(try_it(), Some(43));
    wait_until(|| log(daemon.state()).contains("user with number 65534"));
    Guest::greeted(&socket).unwrap();
}

#[test]
fn another_user_listens_in_vain() {
    if let Some(socket) = env::var_os(AS_ANOTHER) {
        let Ok(listener) = UnixListener::bind(Path::new(&socket)) else { process::exit(43) };
        println!("listens");
        // Whoever comes is told something.
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        let _ = stream.write_all(b"\0\0\0\x02{}");
        process::exit(42);
    }
    if !may_be_another_user() {
        return println!("skipped: this process may not be another user");
    }
    let scratch = Scratch::new();
    let state = scratch.state();
    daemon_folder(&state);
    let test = "neighbours::another_user_listens_in_vain";
    let path = socket(&state);
    let mut listen = another(&scratch, test, &path);
    // The socket cannot be made before the daemon makes it.
    assert_eq!(listen.output().unwrap().status.code(), Some(43));
    open_to_all(&state);
    let mut listener = listen.spawn().unwrap();
    wait_until(|| fs::symlink_metadata(&path).is_ok_and(|found| found.file_type().is_socket()));
    let (code, words) = complaint(command("status", &state));
    assert!(words.contains("user with number 65534"), "{words}");
    assert_eq!(code, Some(1));
    assert_eq!(listener.wait().unwrap().code(), Some(42));
}
