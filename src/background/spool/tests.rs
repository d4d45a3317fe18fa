use std::fs::OpenOptions;
use std::io::Write;

use super::*;
use crate::tests::{Scratch, names_in};

/// A spool, and a folder for files of the program.
fn spool(scratch: &Scratch) -> Spool {
    Spool::new(scratch.folder("spool"), &Census::default())
}

fn kind(outcome: Result<u64, Error>) -> (ErrorKind, String) {
    let error = outcome.unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn a_body_is_taken_as_it_is_and_stays_so() {
    let scratch = Scratch::new();
    let spool = spool(&scratch);
    let source = scratch.file("source", "before");
    assert_eq!(spool.take(7, &source).unwrap(), 6);
    fs::write(&source, "after").unwrap();
    fs::remove_file(&source).unwrap();
    assert_eq!(fs::read_to_string(spool.body(7)).unwrap(), "before");
    spool.check(7, 6).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(spool.body(7)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }
    assert_eq!(names_in(&spool.path), ["7.body"]);
    fs::write(spool.answer(7), "thanks").unwrap();
    spool.clear(7);
    spool.clear(7);
    assert_eq!(names_in(&spool.path), [""; 0]);
}

#[test]
fn every_length_is_copied_whole() {
    let scratch = Scratch::new();
    let spool = spool(&scratch);
    for (task, length) in (1..).zip([0, 1, 70_000, 16 * 1024 * 1024, 16 * 1024 * 1024 + 1]) {
        let bytes: Vec<u8> = (0..length).map(|at: u32| (at % 251) as u8).collect();
        let source = scratch.join("source");
        fs::write(&source, &bytes).unwrap();
        assert_eq!(spool.take(task, &source).unwrap(), u64::from(length));
        assert!(fs::read(spool.body(task)).unwrap() == bytes, "{length}");
    }
}

#[test]
fn what_an_earlier_start_has_left_is_replaced() {
    let scratch = Scratch::new();
    let spool = spool(&scratch);
    fs::write(spool.body(7), "what was half there, and longer").unwrap();
    assert_eq!(spool.take(7, &scratch.file("source", "new")).unwrap(), 3);
    assert_eq!(fs::read_to_string(spool.body(7)).unwrap(), "new");
}

#[test]
fn what_cannot_be_taken_says_why_and_leaves_nothing() {
    let scratch = Scratch::new();
    let spool = spool(&scratch);
    let (vanished, words) = kind(spool.take(7, &scratch.join("vanished")));
    assert_eq!(vanished, ErrorKind::FileDoesNotExist, "{words}");
    let (folder, words) = kind(spool.take(7, &scratch.folder("folder")));
    assert_eq!(folder, ErrorKind::FileIsDirectory, "{words}");
    #[cfg(unix)]
    {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let pipe = scratch.join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        for path in [&*pipe, Path::new("/dev/zero")] {
            let (kind, words) = kind(spool.take(7, path));
            assert_eq!(kind, ErrorKind::InvalidRequest);
            assert!(words.contains("is a pipe or a device"), "{words}");
        }
    }
    assert_eq!(names_in(&spool.path), [""; 0]);
}

#[test]
fn what_changes_meanwhile_is_not_taken() {
    let scratch = Scratch::new();
    let spool = spool(&scratch);
    let source = scratch.join("source");
    let write = |text: &[u8]| {
        OpenOptions::new().write(true).open(&source).unwrap().write_all(text).unwrap();
    };
    type Change<'a> = (&'a str, &'a dyn Fn());
    let changes: &[Change<'_>] = &[
        ("written", &|| write(b"after!")),
        ("longer", &|| write(b"after that")),
        ("shorter", &|| OpenOptions::new().write(true).open(&source).unwrap().set_len(2).unwrap()),
        // Not every Windows replaces what is open.
        #[cfg(unix)]
        ("replaced", &|| {
            let other = scratch.file("other", "after!");
            fs::rename(other, &source).unwrap();
        }),
    ];
    for (name, change) in changes {
        fs::write(&source, "before").unwrap();
        // So that a change is seen where clocks are coarse.
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(10);
        OpenOptions::new().write(true).open(&source).unwrap().set_modified(then).unwrap();
        let mut is_first = true;
        let taken = spool.take_while(7, &source, &mut || {
            if std::mem::take(&mut is_first) {
                change();
            }
        });
        assert!(taken.is_err(), "{name}");
        let (kind, words) = kind(taken);
        assert_eq!(kind, ErrorKind::ResourceUnavailable, "{name}");
        assert!(words.contains("was changed while it was copied"), "{name}: {words}");
        assert_eq!(names_in(&spool.path), [""; 0], "{name}");
    }
    // What is removed has come whole.
    fs::write(&source, "before").unwrap();
    let taken = spool.take_while(7, &source, &mut || drop(fs::remove_file(&source)));
    assert_eq!(taken.unwrap(), 6);
    assert_eq!(fs::read_to_string(spool.body(7)).unwrap(), "before");
}

#[test]
fn a_body_that_is_not_the_one_that_was_taken_is_found() {
    let scratch = Scratch::new();
    let spool = spool(&scratch);
    let source = scratch.file("source", "body");
    assert_eq!(spool.take(7, &source).unwrap(), 4);
    let refused = |kind, words: &str| {
        let error = spool.check(7, 4).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    };
    fs::write(spool.body(7), "bod").unwrap();
    refused(ErrorKind::ResourceUnavailable, "has another length now: create the task again");
    fs::remove_file(spool.body(7)).unwrap();
    refused(ErrorKind::FileDoesNotExist, "was removed: create the task again");
    fs::create_dir(spool.body(7)).unwrap();
    refused(ErrorKind::ResourceUnavailable, "is no file");
    fs::remove_dir(spool.body(7)).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&source, spool.body(7)).unwrap();
        refused(ErrorKind::ResourceUnavailable, "was replaced by a symbolic link");
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_lies_in_the_spool_is_not_followed() {
    let scratch = Scratch::new();
    let spool = spool(&scratch);
    let target = scratch.file("target", "others'");
    std::os::unix::fs::symlink(&target, spool.body(7)).unwrap();
    assert_eq!(spool.take(7, &scratch.file("source", "body")).unwrap(), 4);
    assert_eq!(fs::read_to_string(&target).unwrap(), "others'");
    spool.check(7, 4).unwrap();
    spool.clear(7);
    std::os::unix::fs::symlink(&target, spool.body(7)).unwrap();
    spool.clear(7);
    assert_eq!(fs::read_to_string(&target).unwrap(), "others'");
    assert_eq!(names_in(&spool.path), [""; 0]);
}

#[test]
fn whose_a_file_is_its_name_says() {
    for (name, is_left_of_others, is_left_at_all) in [
        ("7", true, false),
        ("7.body", true, false),
        ("7.answer", true, false),
        (".7.part", true, false),
        (".7.resume", true, false),
        (".7.resume.new", true, true),
        ("7.new", true, true),
        (".7.0123456789abcdef.part", true, true),
        (".7.0123456789abcde.part", true, false),
        ("18446744073709551616.body", false, false),
        ("+7.body", false, false),
        ("7a", false, false),
        (".body", false, false),
        ("", false, false),
        ("..", false, false),
    ] {
        assert_eq!(is_left(name, &|task| [1, 77].contains(&task)), is_left_of_others, "{name}");
        assert_eq!(is_left(name, &|task| [1, 7].contains(&task)), is_left_at_all, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_body_that_the_disk_has_no_room_for_leaves_nothing() {
    use crate::tests::anew::{passes_on_volume, place};
    let Some(volume) = place() else {
        let test = "background::spool::tests::a_body_that_the_disk_has_no_room_for_leaves_nothing";
        return passes_on_volume("size=64k", test);
    };
    let scratch = Scratch::new();
    let spool = Spool::new(volume.clone(), &Census::default());
    let large = scratch.file("large", &"x".repeat(100_000));
    let (kind, words) = kind(spool.take(7, &large));
    assert_eq!(kind, ErrorKind::StorageFull);
    assert!(words.contains("no space left"), "{words}");
    assert_eq!(names_in(&volume), [""; 0]);
    assert_eq!(spool.take(7, &scratch.file("small", "small")).unwrap(), 5);
}
