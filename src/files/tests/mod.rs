//! The room from outside: what lies where, after what.

mod destinations;
mod downloaded_files;
mod failures;
mod folders;
mod races;
#[cfg(unix)]
mod systems;
mod temporary_files;

use std::fs;
use std::path::Path;

use crate::census::Census;
use crate::error::{Error, ErrorKind};
use crate::files::{DownloadedFile, Existing, PartialFile, Target, temporary as temporaries};
use crate::tests::Scratch;
#[cfg(unix)]
use crate::tests::names_in;

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
