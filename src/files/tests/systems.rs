//! What depends on the process, its user and the volumes: each test starts the test
//! program anew for itself alone, as that needs it.

use std::env;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;
use crate::tests::anew::{self, place};

fn name_of(test: &str) -> String {
    format!("files::tests::systems::{test}")
}

fn passes_under(wrapper: &[&str], test: &str, place: &Path, variables: &[(&str, &str)]) -> bool {
    anew::passes_under(wrapper, &name_of(test), place, variables)
}

fn passes_on_volume(options: &str, test: &str) {
    anew::passes_on_volume(options, &name_of(test));
}

#[test]
fn a_full_disk_is_an_error_of_its_own_and_leaves_nothing() {
    let Some(volume) = place() else {
        return passes_on_volume(
            "size=64k",
            "a_full_disk_is_an_error_of_its_own_and_leaves_nothing",
        );
    };
    let (piece, target) = ([b'x'; 16 * 1024], volume.join("a"));
    let mut destination = destination(&target, Existing::Refuse).unwrap();
    let mut temporary = temporary(&volume, "");
    let error = (0..5).find_map(|_| destination.write_all(&piece).err()).unwrap();
    assert_eq!((error.kind(), error.code()), (ErrorKind::StorageFull, -3003));
    let text = error.to_string();
    assert!(text.contains("no space left: free some or choose another folder"), "{text}");
    assert_eq!(kind(temporary.write_all(&piece)), Some(ErrorKind::StorageFull));
    drop((destination, temporary));
    assert_eq!(names_in(&volume), [""; 0]);

    // What lies there makes room by going, and the volume is as good as before.
    drop(begun(&target, Existing::Refuse, &"y".repeat(48 * 1024)).finish().unwrap());
    assert_eq!(names_in(&volume), ["a"]);
}

#[test]
fn a_file_is_persisted_on_another_volume_whole_or_not_at_all() {
    let Some(volume) = place() else {
        return passes_on_volume(
            "size=64k",
            "a_file_is_persisted_on_another_volume_whole_or_not_at_all",
        );
    };
    let (scratch, small) = (Scratch::new(), "s".repeat(10_000));
    let mut file = downloaded(scratch.path(), &small);
    file.persist(volume.join("a")).unwrap();
    assert_eq!((file.path(), file.len()), (&*volume.join("a"), 10_000));
    assert_eq!(content(volume.join("a")), small);
    assert_eq!(mode(volume.join("a")), 0o666 & !umask());
    assert_eq!(scratch.names(), [""; 0]);

    let mut second = downloaded(scratch.path(), "second");
    assert_eq!(kind(second.persist(volume.join("a"))), Some(ErrorKind::FileAlreadyExists));
    assert_eq!(scratch.names().len(), 1);
    second.persist_over(volume.join("a")).unwrap();
    assert_eq!(content(volume.join("a")), "second");

    let mut big = downloaded(scratch.path(), &"b".repeat(100_000));
    assert_eq!(kind(big.persist(volume.join("b"))), Some(ErrorKind::StorageFull));
    assert_eq!(names_in(&volume), ["a"]);
    assert_eq!((content(big.path()).len(), mode(big.path())), (100_000, 0o600));

    // And back, although it was there to stay.
    second.persist(scratch.join("back")).unwrap();
    assert_eq!(names_in(&volume), [""; 0]);
    drop((file, second, big));
    assert_eq!(scratch.names(), ["back"]);
    assert_eq!(content(scratch.join("back")), "second");
}

#[test]
fn a_read_only_volume_is_refused_before_anything_moves() {
    let Some(volume) = place() else {
        return passes_on_volume("ro", "a_read_only_volume_is_refused_before_anything_moves");
    };
    let scratch = Scratch::new();
    let mut file = downloaded(scratch.path(), "body");
    let error = file.persist(volume.join("a")).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::CannotCreateFile, -3000));
    assert_eq!(content(file.path()), "body");
    let outcome = destination(&volume.join("a"), Existing::Replace);
    assert_eq!(kind(outcome), Some(ErrorKind::CannotCreateFile));
}

/// What a new file tells of the umask.
fn umask() -> u32 {
    let scratch = Scratch::new();
    0o666 & !mode(scratch.file("new", ""))
}

#[test]
fn the_umask_decides_who_may_read_a_file_at_its_place() {
    if let Some(place) = place() {
        let expected = 0o666 & !umask();
        let destination = begun(&place.join("a"), Existing::Refuse, "body");
        let destination = destination.named();
        assert_eq!(mode(destination.file.path()), 0o600 & !umask());
        assert_eq!(mode(destination.finish().unwrap().path()), expected);
        let mut file = downloaded(&place, "body");
        assert_eq!(mode(file.path()), 0o600 & !umask());
        file.persist(place.join("b")).unwrap();
        assert_eq!(mode(place.join("b")), expected);
        return;
    }
    for (umask, expected) in [("022", 0o644), ("077", 0o600), ("002", 0o664), ("000", 0o666)] {
        let scratch = Scratch::new();
        let script = format!(r#"umask {umask}; exec "$@""#);
        let test = "the_umask_decides_who_may_read_a_file_at_its_place";
        assert!(passes_under(&["sh", "-c", &script, "sh"], test, scratch.path(), &[]));
        for name in ["a", "b"] {
            assert_eq!(mode(scratch.join(name)), expected, "{name} under {umask}");
        }
        assert_eq!(scratch.names(), ["a", "b"], "{umask}");
    }
}

#[test]
fn what_this_user_may_not_is_refused_and_changes_nothing() {
    let test = "what_this_user_may_not_is_refused_and_changes_nothing";
    if let Some(place) = place() {
        return refused_to_this_user(&place);
    }
    let scratch = Scratch::new();
    if fs::metadata(scratch.path()).unwrap().uid() != 0 {
        return println!("skipped: only root has files that others may not touch");
    }
    let folders =
        [("own", 0o777), ("closed", 0o755), ("sticky", 0o1777), ("box", 0o733), ("group", 0o2777)];
    for (name, mode) in folders {
        let folder = scratch.folder(name);
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::write(scratch.join("sticky").join("taken"), "root's").unwrap();
    // The folder that the program was built in may be closed to others.
    let program = scratch.join("program");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    let other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    assert!(anew::passes(&program, &other, &name_of(test), scratch.path(), &[]));
    assert_eq!(names_in(&scratch.join("box")), ["a"]);
    let shared = fs::metadata(scratch.join("group").join("a")).unwrap();
    assert_eq!((shared.uid(), shared.gid()), (65534, 0));
    assert_eq!(names_in(&scratch.join("sticky")), ["taken"]);
    assert_eq!(content(scratch.join("sticky").join("taken")), "root's");
    assert_eq!(names_in(&scratch.join("closed")), [""; 0]);
    assert_eq!(names_in(&scratch.join("own")), [""; 0]);
}

fn refused_to_this_user(place: &Path) {
    let mut file = downloaded(&place.join("own"), "body");
    let before = file.path().to_owned();
    let closed = place.join("closed");
    let error = file.persist(closed.join("a")).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::CannotCreateFile, -3000));
    assert!(error.to_string().contains("this user may not"), "{error}");
    let outcome = destination(&closed.join("a"), Existing::Refuse);
    assert_eq!(kind(outcome), Some(ErrorKind::CannotCreateFile));
    let outcome = temporaries::create(Some(&closed), &Census::default());
    assert_eq!(kind(outcome), Some(ErrorKind::CannotCreateFile));

    // In a sticky folder others' files stay. By then ours has moved there, and goes back.
    let error = file.persist_over(place.join("sticky").join("taken")).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::CannotMoveFile, -3005));
    assert_eq!((file.path(), mode(&before)), (&*before, 0o600));
    assert_eq!(content(&before), "body");

    // A folder that takes files and shows none cannot be synced, and takes ours.
    file.persist(place.join("box").join("a")).unwrap();

    // This user is not in the group that new files get there; root's is.
    downloaded(&place.join("own"), "body").persist(place.join("group").join("a")).unwrap();
}

#[test]
fn a_file_gets_the_group_that_new_files_in_a_shared_folder_get() {
    let scratch = Scratch::new();
    if fs::metadata(scratch.path()).unwrap().uid() != 0 {
        return println!("skipped: only root gives files to groups that it is not in");
    }
    let shared = scratch.folder("shared");
    std::os::unix::fs::chown(&shared, None, Some(65534)).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o2775)).unwrap();
    let mut file = downloaded(scratch.path(), "body");
    file.persist(shared.join("a")).unwrap();
    assert_eq!(fs::metadata(shared.join("a")).unwrap().gid(), 65534);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_gets_the_access_list_that_new_files_in_its_folder_get() {
    use rustix::fs::{XattrFlags, lgetxattr, lsetxattr};
    use rustix::io::Errno;
    let scratch = Scratch::new();
    let folder = scratch.folder("folder");
    // acl(5) in the kernel's form: version 2, then tag, permissions and id of each entry.
    // The owner and user 1234 may read and write, the owning group and others may not.
    let entries: [(u16, u16, u32); 5] =
        [(1, 6, !0), (2, 6, 1234), (4, 0, !0), (0x10, 6, !0), (0x20, 0, !0)];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        list.extend([tag.to_le_bytes(), permissions.to_le_bytes()].concat());
        list.extend(id.to_le_bytes());
    }
    match lsetxattr(&folder, "system.posix_acl_default", &list, XattrFlags::empty()) {
        Err(Errno::NOTSUP) => return println!("skipped: no access lists in this file system"),
        set => set.unwrap(),
    }
    let list_of = |path: &Path| {
        let mut value = [0_u8; 256];
        let length = lgetxattr(path, "system.posix_acl_access", &mut value).unwrap();
        value[..length].to_vec()
    };
    fs::write(folder.join("new"), "").unwrap();
    downloaded(scratch.path(), "body").persist(folder.join("a")).unwrap();
    drop(begun(&folder.join("b"), Existing::Refuse, "body").finish().unwrap());
    for name in ["a", "b"] {
        assert_eq!(list_of(&folder.join(name)), list_of(&folder.join("new")), "{name}");
    }
    assert_eq!(names_in(&folder), ["a", "b", "new"]);
    assert_eq!(scratch.names(), ["folder"]);
}

#[test]
fn a_relative_target_is_where_it_was_named() {
    let test = "a_relative_target_is_where_it_was_named";
    let Some(place) = place() else {
        let scratch = Scratch::new();
        scratch.folder("elsewhere");
        assert!(passes_under(&["env"], test, scratch.path(), &[]));
        assert_eq!(scratch.names(), ["a", "b", "elsewhere"]);
        assert_eq!(names_in(&scratch.join("elsewhere")), [""; 0]);
        return;
    };
    env::set_current_dir(&place).unwrap();
    downloaded(&place, "body").persist("b").unwrap();
    let destination = begun(Path::new("a"), Existing::Refuse, "body");
    env::set_current_dir(place.join("elsewhere")).unwrap();
    assert_eq!(destination.finish().unwrap().path(), place.join("a"));
}

#[test]
fn temporary_files_go_to_the_cache_folder_that_the_environment_names() {
    let test = "temporary_files_go_to_the_cache_folder_that_the_environment_names";
    if let Some(place) = place() {
        let mut file = temporaries::create(None, &Census::default()).unwrap();
        file.name(&temporaries::name).unwrap();
        assert_eq!(file.path().parent(), Some(&*place));
        assert_eq!((mode(&place), mode(file.path())), (0o700, 0o600));
        return;
    }
    let scratch = Scratch::new();
    let home = scratch.path().to_str().unwrap();
    let place = scratch.join("cache");
    assert!(passes_under(&["env"], test, &place, &[("URLSESSION_HOME", home)]));
    assert_eq!(names_in(&place), [""; 0]);

    // What nobody has gone on with for two weeks goes.
    let [old, young] = ["urlsession-0000000000000001.part", "urlsession-0000000000000002.part"];
    for (name, days) in [(old, 15), (young, 13)] {
        let file = fs::File::create(place.join(name)).unwrap();
        let age = std::time::Duration::from_secs(days * 24 * 60 * 60);
        file.set_modified(std::time::SystemTime::now() - age).unwrap();
    }
    assert!(passes_under(&["env"], test, &place, &[("URLSESSION_HOME", home)]));
    assert_eq!(names_in(&place), [young]);
}
