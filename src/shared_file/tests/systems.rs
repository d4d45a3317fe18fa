//! Disks without room, and users who may not.

use std::env;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::tests::anew::{self, passes_on_volume, place as given};

const ROOM: &str = "shared_file::tests::systems::";

#[test]
fn without_room_it_goes_on_in_memory_until_there_is_some() {
    let Some(volume) = given() else {
        let test = format!("{ROOM}without_room_it_goes_on_in_memory_until_there_is_some");
        return passes_on_volume("size=64k", &test);
    };
    let file = another(&volume);
    file.set("a", 1);
    file.flush();
    assert!(!file.has_trouble());
    let ballast = volume.join("ballast");
    // Whatever room there is.
    fs::write(&ballast, [0; 128 * 1024]).unwrap_err();
    file.set("b", 2);
    file.flush();
    file.flush();
    assert!(file.has_trouble());
    assert_eq!((file.get("a"), file.get("b")), (Some(1), Some(2)));
    assert_eq!(on_disk(&volume), numbers([("a", 1)]));
    fs::remove_file(&ballast).unwrap();
    file.set("c", 3);
    file.flush();
    assert!(!file.has_trouble());
    assert_eq!(on_disk(&volume), numbers([("a", 1), ("b", 2), ("c", 3)]));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn it_is_its_users_alone_and_who_may_not_goes_on_in_memory() {
    let test = format!("{ROOM}it_is_its_users_alone_and_who_may_not_goes_on_in_memory");
    if let Some(place) = given() {
        return refused_to_this_user(&place);
    }
    if !rustix::process::geteuid().is_root() {
        return println!("skipped: only root can become somebody else");
    }
    let scratch = Scratch::new();
    let state = scratch.join("state");
    let file = another(&state);
    file.set("a", 1);
    file.flush();
    let program = state.join("program");
    let modes = [&state, &program, &program.join("numbers"), &program.join("numbers.lock")];
    assert_eq!(modes.map(|path| mode(path)), [0o700, 0o700, 0o600, 0o600]);
    // As if somebody had opened the folders: the file is still closed.
    for folder in [&state, &program] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    // The folder that the program was built in may be closed to others.
    let copy = scratch.join("copy");
    fs::copy(env::current_exe().unwrap(), &copy).unwrap();
    let other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    assert!(anew::passes(&copy, &other, &test, scratch.path(), &[]));
    assert_eq!(on_disk(&state), numbers([("a", 1)]));
    // Whoever writes next closes them again.
    file.set("b", 2);
    file.flush();
    assert_eq!(modes.map(|path| mode(path)), [0o700, 0o700, 0o600, 0o600]);
}

fn refused_to_this_user(place: &Path) {
    let state = place.join("state");
    fs::read(state.join("program").join("numbers")).unwrap_err();
    // A folder of another user's, one that is not there and cannot be made.
    for state in [state, place.join("closed")] {
        let file = another(&state);
        assert_eq!(file.get("a"), None);
        file.set("b", 2);
        file.flush();
        assert_eq!((file.get("b"), file.has_trouble()), (Some(2), true), "{}", state.display());
    }
}
