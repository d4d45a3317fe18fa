//! Private files for bodies whose final place is not known yet.

use std::path::{self, Path};
use std::sync::Once;

use crate::census::Census;
use crate::clock::Clock;
use crate::error::Error;
use crate::files::folder;
use crate::files::partial::PartialFile;
use crate::files::sweep::{PREFIX, SUFFIX, sweep};

/// Creates a file in `folder`, or without one in the cache folder of the user, or where
/// that cannot be had, in the system's folder for temporary files.
pub(crate) fn create(folder: Option<&Path>, census: &Census) -> Result<PartialFile, Error> {
    match folder {
        Some(folder) => create_in(folder, census),
        None => folder::first_that_works(|folder| {
            sweep_once(folder);
            create_in(folder, census)
        }),
    }
}

fn create_in(folder: &Path, census: &Census) -> Result<PartialFile, Error> {
    // The process may be in another folder when the file is moved or removed.
    let folder = &path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    PartialFile::create(folder, &name, census)
}

/// Returns the name of a file.
pub(crate) fn name(number: u64) -> String {
    format!("{PREFIX}{number:016x}{SUFFIX}")
}

/// Sweeps the folder of this crate, once a process.
fn sweep_once(folder: &Path) {
    static SWEPT: Once = Once::new();
    SWEPT.call_once(|| sweep(folder, Clock::system().date()));
}
