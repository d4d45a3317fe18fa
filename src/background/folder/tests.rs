use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::{env, fs, process};

use super::*;
use crate::tests::{Scratch, names_in};

fn open(scratch: &Scratch, identifier: &str) -> Result<Folder, Error> {
    Folder::open(Some(&scratch.join("state")), Some("fetch"), identifier, &Census::default())
}

#[test]
fn a_folder_is_made_where_its_names_say_for_this_user_alone() {
    let scratch = Scratch::new();
    let folder = open(&scratch, "org.example/Films").unwrap();
    let path: PathBuf = [scratch.path(), Path::new("state/fetch/background/org.example%2f%46ilms")]
        .iter()
        .collect();
    assert_eq!(folder.path, path);
    assert_eq!(names_in(&path), ["finished", "lock", "spool"]);
    assert_eq!(fs::read_to_string(path.join("lock")).unwrap(), format!("{}\n", process::id()));
    assert_eq!(folder.journal(), path.join("journal"));
    #[cfg(unix)]
    for made in path.ancestors().take(4).chain([&*path.join("spool"), folder.finished()]) {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(made).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o700, "{made:?}");
    }
}

#[test]
fn an_identifier_is_open_once_and_free_again_when_that_is_dropped() {
    let scratch = Scratch::new();
    let folder = open(&scratch, "films").unwrap();
    let error = open(&scratch, "films").unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::BackgroundSessionInUse, -996));
    let words = "the background session \"films\" is open in this process already: invalidate it \
                 there, or use another identifier";
    assert_eq!(error.to_string(), words);
    let other = open(&scratch, "other films").unwrap();
    drop(folder);
    drop(open(&scratch, "films").unwrap());
    // Or when it was given back.
    let folder = open(&scratch, "films").unwrap();
    folder.unlock();
    folder.unlock();
    let again = open(&scratch, "films").unwrap();
    drop((folder, other));
    open(&scratch, "films").unwrap_err();
    drop(again);
}

#[test]
fn what_is_open_is_counted() {
    let (scratch, census) = (Scratch::new(), Census::default());
    let open = || Folder::open(Some(&scratch.join("state")), Some("fetch"), "films", &census);
    let folder = open().unwrap();
    open().unwrap_err();
    #[cfg(feature = "test-util")]
    assert_eq!(census.alive(crate::census::Kind::File), 1);
    drop(folder);
    #[cfg(feature = "test-util")]
    assert_eq!(census.alive(crate::census::Kind::File), 0);
}

/// Tells the test that it is the process that is to be killed, and where.
const PLACE: &str = "URLSESSION_TEST_PLACE";

#[test]
fn another_process_has_it_until_it_is_killed() {
    if let Some(place) = env::var_os(PLACE) {
        let state = Path::new(&place).join("state");
        let _folder =
            Folder::open(Some(&state), Some("fetch"), "films", &Census::default()).unwrap();
        println!("\nopen");
        loop {
            std::thread::park();
        }
    }
    let scratch = Scratch::new();
    let test = "background::folder::tests::another_process_has_it_until_it_is_killed";
    let mut child = Command::new(env::current_exe().unwrap())
        .args([OsStr::new("--exact"), OsStr::new(test), OsStr::new("--nocapture")])
        .env(PLACE, scratch.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    assert!(output.lines().any(|line| line.unwrap() == "open"));
    let error = open(&scratch, "films").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BackgroundSessionInUse);
    assert!(error.to_string().contains(&format!("open in process {} already", child.id())));
    // Nor has the refusal taken anything away.
    open(&scratch, "films").unwrap_err();
    child.kill().unwrap();
    child.wait().unwrap();
    let folder = open(&scratch, "films").unwrap();
    let lock = fs::read_to_string(folder.path.join("lock")).unwrap();
    assert_eq!(lock, format!("{}\n", process::id()));
}

#[cfg(unix)]
#[test]
fn what_others_have_laid_there_is_refused() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let scratch = Scratch::new();
    fs::create_dir(scratch.join("state")).unwrap();
    let target = scratch.join("target");
    fs::create_dir(&target).unwrap();
    symlink(&target, scratch.join("state/fetch")).unwrap();
    let error = open(&scratch, "films").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CannotOpenFile);
    assert!(error.to_string().contains("state/fetch is a symbolic link"), "{error}");
    assert_eq!(names_in(&target), [""; 0]);
    fs::remove_file(scratch.join("state/fetch")).unwrap();
    fs::write(scratch.join("state/fetch"), "").unwrap();
    let error = open(&scratch, "films").unwrap_err();
    assert!(error.to_string().contains("state/fetch is no folder"), "{error}");
    fs::remove_file(scratch.join("state/fetch")).unwrap();

    // A lock that leads elsewhere is not followed.
    let path = open(&scratch, "films").unwrap().path;
    fs::remove_file(path.join("lock")).unwrap();
    fs::write(target.join("file"), "others'").unwrap();
    symlink(target.join("file"), path.join("lock")).unwrap();
    assert_eq!(open(&scratch, "films").unwrap_err().kind(), ErrorKind::CannotOpenFile);
    assert_eq!(fs::read_to_string(target.join("file")).unwrap(), "others'");
    fs::remove_file(path.join("lock")).unwrap();

    // What is open to others is closed.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    drop(open(&scratch, "films").unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o700);
}

#[cfg(unix)]
#[test]
fn a_folder_of_another_user_is_refused() {
    use std::os::unix::fs::{MetadataExt, chown};
    let scratch = Scratch::new();
    if fs::metadata(scratch.path()).unwrap().uid() != 0 {
        return println!("skipped: only root makes folders of other users");
    }
    let state = scratch.join("state");
    fs::create_dir(&state).unwrap();
    chown(&state, Some(65534), None).unwrap();
    let error = open(&scratch, "films").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CannotOpenFile);
    let words = "state belongs to another user, and nothing is kept there: remove it, or set \
                 URLSESSION_HOME";
    assert!(error.to_string().ends_with(words), "{error}");
    assert_eq!(names_in(&state), [""; 0]);
}

#[test]
fn a_lock_that_was_removed_is_made_anew_and_locks() {
    let scratch = Scratch::new();
    let path = open(&scratch, "films").unwrap().path;
    fs::remove_file(path.join("lock")).unwrap();
    let folder = open(&scratch, "films").unwrap();
    assert_eq!(names_in(&path), ["finished", "lock", "spool"]);
    // Also for whoever looks past what this process knows of itself.
    let taken = LockFile::take(&path.join("lock"), &Census::default()).unwrap();
    assert!(matches!(taken, Lock::Held(Some(process)) if process == process::id()));
    drop(folder);
}

#[test]
fn what_is_left_of_tasks_that_nobody_knows_is_removed() {
    let scratch = Scratch::new();
    let folder = open(&scratch, "films").unwrap();
    for name in ["1.body", "2.body", "2.answer", "2.new", "3.answer", "notes.txt"] {
        fs::write(folder.path.join("spool").join(name), name).unwrap();
    }
    for name in ["1", "2", ".2.part", ".2.resume", ".2.resume.new", ".2.0123456789abcdef.part"] {
        fs::write(folder.finished().join(name), name).unwrap();
    }
    fs::create_dir(folder.finished().join("4")).unwrap();
    folder.sweep(&|task| [2, 5].contains(&task));
    assert_eq!(names_in(&folder.path.join("spool")), ["2.answer", "2.body", "notes.txt"]);
    assert_eq!(names_in(folder.finished()), [".2.part", ".2.resume", "2", "4"]);
}
