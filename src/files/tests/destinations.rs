use std::path::MAIN_SEPARATOR_STR;

use super::*;

#[test]
fn a_destination_is_written_beside_its_target_and_comes_there_whole() {
    let scratch = Scratch::new();
    let target = scratch.join("a.txt");
    let destination = begun(&target, Existing::Refuse, "body");
    if cfg!(target_os = "linux") {
        assert_eq!(scratch.names(), [""; 0]);
    }
    let destination = destination.named();
    let names = scratch.names();
    let [beside] = names.as_slice() else { panic!("{names:?}") };
    assert!(beside.starts_with(".a.txt.") && beside.ends_with(".part"), "{beside}");
    assert_eq!(destination.file.path(), scratch.join(beside));
    assert_eq!(destination.finish().unwrap().path(), target);
    assert_eq!(scratch.names(), ["a.txt"]);
    assert_eq!(content(target), "body");
}

#[test]
fn an_unfinished_destination_leaves_nothing() {
    let scratch = Scratch::new();
    let target = scratch.file("a.txt", "old");
    drop(begun(&target, Existing::Replace, "half of it"));
    drop(begun(&target, Existing::Replace, "half of it").named());
    assert_eq!(scratch.names(), ["a.txt"]);
    assert_eq!(content(target), "old");
}

#[test]
fn what_cannot_be_a_target_is_known_before_anything_is_written() {
    use ErrorKind::{FileAlreadyExists, FileIsDirectory, FolderDoesNotExist};
    use Existing::{Refuse, Replace};
    let scratch = Scratch::new();
    scratch.file("taken", "old");
    scratch.folder("folder");
    let cases = [
        ("taken", Refuse, Some(FileAlreadyExists)),
        ("taken", Replace, None),
        ("free", Refuse, None),
        ("free", Replace, None),
        ("folder", Refuse, Some(FileIsDirectory)),
        ("folder", Replace, Some(FileIsDirectory)),
        ("free/", Refuse, Some(FileIsDirectory)),
        ("folder/..", Replace, Some(FileIsDirectory)),
        ("missing/a", Refuse, Some(FolderDoesNotExist)),
        ("taken/a", Replace, Some(FolderDoesNotExist)),
    ];
    for (name, existing, expected) in cases {
        // As it is: to join it would take the last separator away from a path of Windows.
        let name = format!("/{name}").replace('/', MAIN_SEPARATOR_STR);
        let mut path = scratch.path().as_os_str().to_owned();
        path.push(&name);
        let outcome = Target::new(Path::new(&path), existing, &Census::default());
        assert_eq!(kind(outcome), expected, "{name}, {existing:?}");
        assert_eq!(scratch.names(), ["folder", "taken"], "{name}, {existing:?}");
    }
}

#[test]
fn a_target_that_came_in_the_meantime_is_not_replaced() {
    let scratch = Scratch::new();
    let target = scratch.join("a.txt");
    let destination = begun(&target, Existing::Refuse, "new");
    scratch.file("a.txt", "quicker");
    let error = destination.finish().unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::FileAlreadyExists, -3000));
    assert_eq!(content(target), "quicker");
    assert_eq!(scratch.names(), ["a.txt"]);
}

#[test]
fn a_target_is_replaced_if_that_was_asked_for() {
    let scratch = Scratch::new();
    let target = scratch.file("a.txt", "old");
    let destination = begun(&target, Existing::Replace, "new");
    assert_eq!(content(&target), "old");
    drop(destination.finish().unwrap());
    assert_eq!(content(&target), "new");
    assert_eq!(scratch.names(), ["a.txt"]);
}

#[test]
fn a_target_that_became_a_directory_is_an_error() {
    for existing in [Existing::Refuse, Existing::Replace] {
        let scratch = Scratch::new();
        let destination = begun(&scratch.join("a"), existing, "new");
        scratch.folder("a");
        let expected = match existing {
            Existing::Refuse => ErrorKind::FileAlreadyExists,
            Existing::Replace => ErrorKind::FileIsDirectory,
        };
        assert_eq!(kind(destination.finish()), Some(expected));
        assert_eq!(scratch.names(), ["a"]);
    }
}

#[cfg(unix)]
#[test]
fn a_link_at_the_target_is_never_followed() {
    use std::os::unix::fs::symlink;
    for (existing, planted) in [
        (Existing::Refuse, "before"),
        (Existing::Refuse, "after"),
        (Existing::Replace, "before"),
        (Existing::Replace, "after"),
    ] {
        for to in ["victim", "nothing"] {
            let scratch = Scratch::new();
            let (victim, target) = (scratch.file("victim", "private"), scratch.join("target"));
            let plant = || symlink(scratch.join(to), &target).unwrap();
            if planted == "before" {
                plant();
            }
            let outcome = destination(&target, existing).and_then(|mut destination| {
                if planted == "after" {
                    plant();
                }
                destination.write_all(b"new")?;
                destination.finish()
            });
            assert_eq!(content(&victim), "private", "{existing:?}, {planted}, {to}");
            assert_eq!(scratch.names(), ["target", "victim"], "{existing:?}, {planted}, {to}");
            if existing == Existing::Refuse {
                assert_eq!(kind(outcome), Some(ErrorKind::FileAlreadyExists), "{planted}, {to}");
                assert!(target.is_symlink(), "{planted}, {to}");
            } else {
                drop(outcome.unwrap());
                assert!(!target.is_symlink(), "{planted}, {to}");
                assert_eq!(content(&target), "new", "{planted}, {to}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_socket_is_not_replaced() {
    let scratch = Scratch::new();
    let path = scratch.join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let error = destination(&path, Existing::Replace).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileAlreadyExists);
    assert!(error.to_string().contains("device, pipe or socket"), "{error}");
    assert_eq!(scratch.names(), ["socket"]);
}

// Windows lets nobody remove a folder with an open file.
#[cfg(unix)]
#[test]
fn a_folder_that_vanished_is_an_error_of_its_own() {
    let scratch = Scratch::new();
    let folder = scratch.folder("folder");
    for has_name in [false, true] {
        let mut destination = begun(&folder.join("a"), Existing::Refuse, "half");
        if has_name {
            destination = destination.named();
        }
        fs::remove_dir_all(&folder).unwrap();
        destination.write_all(b" of it").unwrap();
        let error = destination.finish().unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::FolderDoesNotExist, -3000));
        assert!(error.to_string().contains("vanished"), "{error}");
        fs::create_dir(&folder).unwrap();
    }
    fs::remove_dir(&folder).unwrap();
    assert_eq!(scratch.names(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_partial_file_that_was_swapped_is_not_taken_for_ours() {
    let scratch = Scratch::new();
    let destination = begun(&scratch.join("a"), Existing::Refuse, "ours").named();
    let beside = destination.file.path().to_owned();
    fs::rename(&beside, scratch.join("moved away")).unwrap();
    fs::write(&beside, "a stranger's").unwrap();
    assert_eq!(kind(destination.finish()), Some(ErrorKind::CannotMoveFile));
    assert!(!scratch.join("a").exists());
    assert_eq!(content(beside), "a stranger's");
}

#[test]
fn a_name_as_long_as_the_system_allows_is_a_target() {
    let scratch = Scratch::new();
    // 255 bytes, and byte 200 lies inside a letter.
    for name in ["x".repeat(255), format!("y{}", "ä".repeat(127))] {
        let target = scratch.join(&name);
        drop(begun(&target, Existing::Refuse, "body").finish().unwrap());
        assert_eq!(content(target), "body");
    }
    assert_eq!(scratch.names().len(), 2);
}
