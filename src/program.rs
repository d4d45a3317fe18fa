//! Which program this is, and where what it keeps lies.
//!
//! | what | Linux | macOS | Windows | `URLSESSION_HOME` set |
//! |---|---|---|---|---|
//! | what may be lost | `$XDG_CACHE_HOME/urlsession` | `~/Library/Caches/urlsession` | `%LOCALAPPDATA%\\urlsession` | `$URLSESSION_HOME/cache` |
//! | what lasts | `$XDG_STATE_HOME/urlsession` | `~/Library/Application Support/urlsession` | `%LOCALAPPDATA%\\urlsession\\state` | `$URLSESSION_HOME/state` |
//!
//! What lasts is a program's own: it lies in a folder there that has the program's name.

mod file_name;
mod surroundings;
#[cfg(test)]
mod tests;

use std::env;
use std::path::{Path, PathBuf};

pub(crate) use file_name::file_name;
use surroundings::{Surroundings, System};

use crate::checksum::fnv64;

/// Returns the folder for what may be lost.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    Surroundings::of_process().cache_folder(System::CURRENT)
}

/// Returns the folder for what lasts; none for a build script, and for a user without a home.
pub(crate) fn state_folder() -> Option<PathBuf> {
    Surroundings::of_process().state_folder(System::CURRENT)
}

/// Whether this process builds a program, for Cargo.
pub(crate) fn is_build_script() -> bool {
    Surroundings::of_process().is_build_script
}

/// Returns the name of the program: the one that it was `given`, or one that follows from where
/// its executable lies, so that two programs do not share it by chance.
///
/// None if the system does not tell where that is.
pub(crate) fn name(given: Option<&str>) -> Option<String> {
    if let Some(given) = given {
        return Some(given.to_owned());
    }
    let path = env::current_exe().ok()?;
    Some(name_of(&path.canonicalize().unwrap_or_else(|_| in_place(&path))))
}

/// Returns where the executable of this process lies, or the one that has replaced it.
#[cfg(all(feature = "daemon", unix))]
pub(crate) fn executable() -> Option<PathBuf> {
    env::current_exe().ok().map(|path| in_place(&path))
}

fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    format!("{stem}-{:016x}", fnv64(path.as_os_str().as_encoded_bytes()))
}

/// An executable that was replaced while it runs, as by an update, is told of by Linux with a
/// note behind its path (proc_pid_exe(5)).
fn in_place(path: &Path) -> PathBuf {
    let text = path.to_str().and_then(|path| path.strip_suffix(" (deleted)"));
    text.map_or_else(|| path.to_owned(), PathBuf::from)
}
