use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe};

use super::*;

#[test]
fn a_temporary_file_is_private_and_has_a_name_that_nobody_can_guess() {
    let scratch = Scratch::new();
    let files: Vec<_> = (0..100).map(|_| named(scratch.path(), "")).collect();
    let names: HashSet<_> = scratch.names().into_iter().collect();
    assert_eq!(names.len(), files.len());
    for name in names {
        let number = name.strip_prefix("urlsession-").and_then(|rest| rest.strip_suffix(".part"));
        let number = number.unwrap_or_else(|| panic!("{name}"));
        assert_eq!(number.len(), 16, "{name}");
        assert!(number.chars().all(|digit| digit.is_ascii_hexdigit()), "{name}");
        #[cfg(unix)]
        assert_eq!(mode(scratch.join(&name)), 0o600, "{name}");
    }
}

#[test]
fn pieces_lie_one_after_the_other() {
    let scratch = Scratch::new();
    let mut file = temporary(scratch.path(), "");
    assert_eq!(file.len(), 0);
    for piece in [&b"first, "[..], b"", b"second"] {
        file.write_all(piece).unwrap();
    }
    assert_eq!(file.len(), 13);
    assert_eq!(content(file.finish_temporary().unwrap().path()), "first, second");
}

#[test]
fn an_unfinished_file_is_gone_when_it_is_dropped() {
    let scratch = Scratch::new();
    drop(temporary(scratch.path(), "half of it"));
    drop(named(scratch.path(), "half of it"));
    assert_eq!(scratch.names(), [""; 0]);
}

#[test]
fn a_panic_while_writing_leaves_nothing() {
    let scratch = Scratch::new();
    let target = scratch.join("a.txt");
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        let _temporary = named(scratch.path(), "half of it");
        let _destination = begun(&target, Existing::Refuse, "half of it").named();
        assert_eq!(scratch.names().len(), 2);
        panic!("in the middle, on purpose");
    }));
    assert!(outcome.is_err());
    assert_eq!(scratch.names(), [""; 0]);
}

#[test]
fn a_folder_that_the_program_named_is_not_replaced_by_another() {
    let scratch = Scratch::new();
    let file = scratch.file("a", "");
    for folder in [scratch.join("missing"), file] {
        let outcome = temporaries::create(Some(&folder), &Census::default());
        assert_eq!(kind(outcome), Some(ErrorKind::FolderDoesNotExist), "{folder:?}");
    }
    assert_eq!(scratch.names(), ["a"]);
}

#[test]
fn another_file_in_the_place_of_ours_is_not_removed() {
    let scratch = Scratch::new();
    let file = named(scratch.path(), "ours");
    let path = file.path().to_owned();
    // Ours lives on under another name, so that its number is not given to the stranger.
    fs::rename(&path, scratch.join("ours")).unwrap();
    fs::write(&path, "a stranger's").unwrap();
    if cfg!(unix) {
        drop(file);
        assert_eq!(content(&path), "a stranger's");
    }
}

#[cfg(feature = "test-util")]
#[test]
fn every_open_file_is_counted() {
    use crate::census::Kind;
    let (scratch, census) = (Scratch::new(), Census::default());
    let files = || census.alive(Kind::File);
    let mut file = temporaries::create(Some(scratch.path()), &census).unwrap();
    assert_eq!(files(), 1);
    let target = Target::new(&scratch.join("b"), Existing::Refuse, &census).unwrap();
    assert_eq!(files(), 1);
    let mut destination = target.create_beside().unwrap();
    assert_eq!(files(), 2);
    let mut downloaded = file.finish_temporary().unwrap();
    drop(file);
    assert_eq!(files(), 1);
    drop(destination.finish(&target).unwrap());
    drop(destination);
    assert_eq!(files(), 0);
    downloaded.persist(scratch.join("a")).unwrap();
    assert_eq!(files(), 0);
}
