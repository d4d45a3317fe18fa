//! Where the daemon of a state folder is: whoever has the same state folder has the same daemon.
//!
//! ```text
//! state folder of the user / daemon
//!     lock        locked by the daemon that runs, with its number in it; it stays
//!     log, log.1  what has happened
//!     socket      where it listens
//!     address     where it listens instead
//! ```
//!
//! The daemon of the user's own state folder listens in `$XDG_RUNTIME_DIR`, as what lies there is
//! never on a file system of another machine; `address` says so to programs that have another
//! environment. All folders are for this user only, who alone can make or replace what lies in
//! them. Whatever is there is only touched by who has the lock.

use std::env;
use std::ffi::OsStr;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{self, Path, PathBuf};
use std::{fs, io};

use super::local_socket;
use crate::census::Census;
use crate::checksum::fnv64;
use crate::error::{Error, ErrorKind};
use crate::files::{check_own_folder, make_own_folder, private};
use crate::program;

/// No path is longer, on any system.
const LONGEST_PATH: u64 = 4096;

/// The place of one daemon.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    state: PathBuf,
    folder: PathBuf,
    /// Where folders for sockets are, if this is the user's own state folder.
    runtime: Option<PathBuf>,
}

impl Place {
    /// Returns the place of the daemon for a state folder: this one, or without it the user's.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotSupported`] if nothing lasts where this program runs.
    pub(crate) fn of(state: Option<&Path>) -> Result<Self, Error> {
        let users = program::state_folder();
        let state =
            state.map(Path::to_owned).or_else(|| users.clone()).ok_or_else(nothing_lasts)?;
        // The process may be in another folder later.
        let state = path::absolute(&state).unwrap_or(state);
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let runtime = runtime.filter(|_| users.as_ref() == Some(&state));
        let runtime = runtime.filter(|path| path.is_absolute() && path.to_str().is_some());
        Ok(Self { folder: state.join("daemon"), state, runtime })
    }

    /// Returns the state folder.
    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    /// Makes the daemon's folder, which is this user's alone.
    ///
    /// # Errors
    ///
    /// Those of files; [`ErrorKind::CannotOpenFile`] if something else is in its place.
    pub(crate) fn make(&self, census: &Census) -> Result<(), Error> {
        let (base, name) =
            self.state.parent().zip(self.state.file_name()).ok_or_else(nothing_lasts)?;
        make_own_folder(base, &[name, OsStr::new("daemon")], census).map(drop)
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub(crate) fn earlier_log(&self) -> PathBuf {
        self.folder.join("log.1")
    }

    /// Listens, for whoever has the [lock](Self::lock); returns where, as well.
    ///
    /// # Errors
    ///
    /// Those of files and sockets; [`ErrorKind::CannotOpenFile`] if something is in the place of
    /// the socket that is no socket of this user's.
    pub(crate) fn listen(&self, census: &Census) -> Result<(UnixListener, PathBuf), Error> {
        let address = self.folder.join("address");
        let elsewhere = self.runtime_socket(census)?;
        let socket = elsewhere.clone().unwrap_or_else(|| self.folder.join("socket"));
        remove_socket(&socket)?;
        let listener = local_socket::listen(&socket)?;
        let told = match elsewhere.as_deref().and_then(Path::to_str) {
            Some(path) => {
                private::replace(&address, &self.folder.join("address.new"), path.as_bytes())
            }
            None => private::try_remove(&address).map_err(|error| cannot(&address, error)),
        };
        told.inspect_err(|_| drop(remove_socket(&socket)))?;
        Ok((listener, socket))
    }

    /// Returns the path of the socket in the runtime folder, if that is one of this user's alone
    /// (XDG Base Directory Specification).
    fn runtime_socket(&self, census: &Census) -> Result<Option<PathBuf>, Error> {
        let Some(runtime) = &self.runtime else { return Ok(None) };
        let own = rustix::process::geteuid().as_raw();
        let is_own = |found: &fs::Metadata| {
            found.is_dir() && found.uid() == own && found.mode() & 0o077 == 0
        };
        if !fs::symlink_metadata(runtime).is_ok_and(|found| is_own(&found)) {
            return Ok(None);
        }
        let folder = make_own_folder(runtime, &["urlsession"], census)?;
        // Other state folders have other daemons.
        let hash = fnv64(self.state.as_os_str().as_encoded_bytes());
        Ok(Some(folder.join(format!("{hash:016x}.socket"))))
    }

    /// Connects to the daemon; none if none answers.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::CannotOpenFile`] if it, or its folder, belongs to another user; those of files
    /// and sockets.
    pub(crate) fn connect(&self) -> Result<Option<UnixStream>, Error> {
        if !check_own_folder(&self.state)? || !check_own_folder(&self.folder)? {
            return Ok(None);
        }
        let socket = match private::read(&self.folder.join("address"), LONGEST_PATH)? {
            Some(path) => PathBuf::from(path),
            None => self.folder.join("socket"),
        };
        let Some(folder) = socket.parent() else { return Ok(None) };
        if !check_own_folder(folder)? {
            return Ok(None);
        }
        local_socket::connect(&socket)
    }
}

/// Removes what a daemon has left at `path` that did not leave by itself.
///
/// # Errors
///
/// [`ErrorKind::CannotOpenFile`] if it is no socket of this user's; those of files.
pub(crate) fn remove_socket(path: &Path) -> Result<(), Error> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(|error| cannot(path, error))?,
    };
    let is_own = found.uid() == rustix::process::geteuid().as_raw();
    if !is_own || !found.file_type().is_socket() {
        let what = match found.file_type() {
            _ if !is_own => "belongs to another user",
            kind if kind.is_symlink() => "is a symbolic link",
            _ => "is no socket",
        };
        let detail = format!("{} {what}, and no daemon listens there: remove it", path.display());
        return Err(Error::new(ErrorKind::CannotOpenFile, detail));
    }
    private::try_remove(path).map_err(|error| cannot(path, error))
}

fn cannot(path: &Path, error: io::Error) -> Error {
    let detail = format!("cannot remove {}", path.display());
    Error::new(ErrorKind::CannotOpenFile, detail).by_system(error)
}

fn nothing_lasts() -> Error {
    let detail = "a daemon needs a place that lasts: this user has no home folder, or this is a \
                  build script; set URLSESSION_HOME";
    Error::new(ErrorKind::NotSupported, detail)
}
