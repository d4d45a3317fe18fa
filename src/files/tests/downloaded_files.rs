use std::io::Read;

use super::*;

#[test]
fn a_downloaded_file_is_deleted_when_it_is_dropped() {
    let scratch = Scratch::new();
    let file = downloaded(scratch.path(), "body");
    assert_eq!(content(file.path()), "body");
    drop(file);
    assert_eq!(scratch.names(), [""; 0]);
}

#[test]
fn a_kept_file_stays_where_it_is() {
    let scratch = Scratch::new();
    let file = downloaded(scratch.path(), "body");
    let path = file.path().to_owned();
    assert_eq!(file.keep(), path);
    assert_eq!(content(&path), "body");
    #[cfg(unix)]
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_persisted_file_lies_at_its_place_alone_and_stays() {
    let (scratch, folder) = (Scratch::new(), Scratch::new());
    let mut file = downloaded(scratch.path(), "body");
    file.persist(folder.join("photo.jpeg")).unwrap();
    assert_eq!(file.path(), folder.join("photo.jpeg"));
    assert_eq!(file.len(), 4);
    drop(file);
    assert_eq!(content(folder.join("photo.jpeg")), "body");
    assert_eq!((scratch.names(), folder.names()), (vec![], vec!["photo.jpeg".to_owned()]));
}

#[test]
fn a_file_can_be_persisted_again_elsewhere() {
    let scratch = Scratch::new();
    let mut file = downloaded(scratch.path(), "body");
    file.persist(scratch.join("a")).unwrap();
    file.persist(scratch.join("b")).unwrap();
    file.persist_over(scratch.join("b")).unwrap();
    drop(file);
    assert_eq!(scratch.names(), ["b"]);
    assert_eq!(content(scratch.join("b")), "body");
}

#[test]
fn a_refused_file_is_as_it_was_and_can_go_elsewhere() {
    let (scratch, folder) = (Scratch::new(), Scratch::new());
    folder.file("taken", "old");
    folder.folder("folder");
    let mut file = downloaded(scratch.path(), "new");
    let before = file.path().to_owned();
    let cases = [
        ("taken", ErrorKind::FileAlreadyExists),
        ("folder", ErrorKind::FileIsDirectory),
        ("folder/", ErrorKind::FileIsDirectory),
        ("..", ErrorKind::FileIsDirectory),
        ("missing/a", ErrorKind::FolderDoesNotExist),
        ("taken/a", ErrorKind::FolderDoesNotExist),
    ];
    for (name, expected) in cases {
        assert_eq!(kind(file.persist(folder.join(name))), Some(expected), "{name}");
        assert_eq!(file.path(), before, "{name}");
        assert_eq!(content(&before), "new", "{name}");
        #[cfg(unix)]
        assert_eq!(mode(&before), 0o600, "{name}");
    }
    assert_eq!(kind(file.persist("")), Some(ErrorKind::FileIsDirectory));
    assert_eq!(content(folder.join("taken")), "old");
    file.persist_over(folder.join("taken")).unwrap();
    assert_eq!(content(folder.join("taken")), "new");
    assert_eq!(folder.names(), ["folder", "taken"]);
    assert_eq!(scratch.names(), [""; 0]);
}

#[test]
fn an_open_file_is_read_from_its_beginning() {
    let scratch = Scratch::new();
    let file = downloaded(scratch.path(), "body");
    for _ in 0..2 {
        let mut text = String::new();
        file.open().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "body");
    }
    assert!(!file.is_empty());
    assert!(downloaded(scratch.path(), "").is_empty());
}

#[test]
fn debug_shows_the_path_and_the_length() {
    let scratch = Scratch::new();
    let file = downloaded(scratch.path(), "body");
    let shown = format!("DownloadedFile {{ path: {:?}, len: 4, .. }}", file.path());
    assert_eq!(format!("{file:?}"), shown);
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_the_file_is_neither_opened_nor_moved_nor_removed() {
    let scratch = Scratch::new();
    let victim = scratch.file("victim", "private");
    let mut file = downloaded(scratch.path(), "body");
    let path = file.path().to_owned();
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&victim, &path).unwrap();
    assert_eq!(kind(file.open()), Some(ErrorKind::CannotOpenFile));
    assert_eq!(kind(file.persist(scratch.join("a"))), Some(ErrorKind::CannotMoveFile));
    drop(file);
    assert!(path.is_symlink());
    assert_eq!(content(victim), "private");
    assert!(!scratch.join("a").exists());
}

#[test]
fn a_file_that_was_removed_says_so() {
    let scratch = Scratch::new();
    let mut file = downloaded(scratch.path(), "body");
    fs::remove_file(file.path()).unwrap();
    let error = file.persist(scratch.join("a")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CannotMoveFile);
    assert!(error.to_string().contains("was removed or replaced by another program"), "{error}");
    assert_eq!(kind(file.open()), Some(ErrorKind::CannotOpenFile));
}
