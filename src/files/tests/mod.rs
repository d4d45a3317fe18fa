//! The room from outside: what lies where, after what.

mod destinations;
mod downloaded_files;
mod failures;
mod folders;
mod races;
#[cfg(unix)]
mod systems;
mod temporary_files;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, process};

use crate::census::Census;
use crate::error::{Error, ErrorKind};
use crate::files::{DownloadedFile, Existing, PartialFile, Target, temporary as temporaries};

/// A new, empty folder, which is removed with this.
pub(in crate::files) struct Scratch(PathBuf);

impl Scratch {
    pub(in crate::files) fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("urlsession-files-{}-{number}", process::id()));
        fs::create_dir(&path).unwrap();
        // On some systems the way there leads over a symbolic link.
        Self(path.canonicalize().unwrap())
    }

    fn path(&self) -> &Path {
        &self.0
    }

    pub(in crate::files) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn folder(&self, name: &str) -> PathBuf {
        let path = self.join(name);
        fs::create_dir(&path).unwrap();
        path
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn names(&self) -> Vec<String> {
        names_in(self.path())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What lies in a folder, sorted.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A file that is written for a place.
#[derive(Debug)]
struct Destination {
    file: PartialFile,
    target: Target,
}

impl Destination {
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes)
    }

    fn finish(mut self) -> Result<DownloadedFile, Error> {
        self.file.finish(&self.target)
    }

    /// Gives it the name that it has at once on systems that have no files without.
    fn named(mut self) -> Self {
        self.file.name(&|number| self.target.name_beside(number)).unwrap();
        self
    }
}

fn temporary(folder: &Path, content: &str) -> PartialFile {
    let mut file = temporaries::create(Some(folder), &Census::default()).unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

/// One that has a name already.
fn named(folder: &Path, content: &str) -> PartialFile {
    let mut file = temporary(folder, content);
    file.name(&temporaries::name).unwrap();
    file
}

fn downloaded(folder: &Path, content: &str) -> DownloadedFile {
    temporary(folder, content).finish_temporary().unwrap()
}

fn destination(path: &Path, existing: Existing) -> Result<Destination, Error> {
    let target = Target::new(path, existing, &Census::default())?;
    Ok(Destination { file: target.create_beside()?, target })
}

fn begun(path: &Path, existing: Existing, content: &str) -> Destination {
    let mut destination = destination(path, existing).unwrap();
    destination.write_all(content.as_bytes()).unwrap();
    destination
}

fn kind<T>(outcome: Result<T, Error>) -> Option<ErrorKind> {
    outcome.err().map(|error| error.kind())
}

fn content(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

#[cfg(unix)]
fn mode(path: impl AsRef<Path>) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}
