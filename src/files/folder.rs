//! Where temporary files go.

use std::path::Path;
use std::sync::Once;
use std::{env, fs, io};

use crate::error::{Error, ErrorKind};
use crate::files::failure::{Action, failed};
use crate::{log, program};

/// Creates a file in the user's cache folder, or if that cannot be, in the system's folder
/// for temporary files.
pub(super) fn first_that_works<T>(create: impl Fn(&Path) -> Result<T, Error>) -> Result<T, Error> {
    let preferred = program::cache_folder();
    first_of(preferred.as_deref(), &env::temp_dir(), create)
}

/// Creates a file in `preferred`, which is created if it is missing, or in `fallback`.
pub(super) fn first_of<T>(
    preferred: Option<&Path>,
    fallback: &Path,
    create: impl Fn(&Path) -> Result<T, Error>,
) -> Result<T, Error> {
    let refused = match preferred.map(|folder| create_with_folder(folder, &create)) {
        Some(Ok(created)) => return Ok(created),
        // Not about the folder: a full disk is not helped by filling the memory.
        Some(Err(error))
            if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::OutOfResources) =>
        {
            return Err(error);
        }
        Some(Err(error)) => error.to_string(),
        None => "this user has no home folder".to_owned(),
    };
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        log::warn!("downloads go to {}: {refused}", fallback.display());
    });
    create(fallback)
}

fn create_with_folder<T>(
    folder: &Path,
    create: impl Fn(&Path) -> Result<T, Error>,
) -> Result<T, Error> {
    match create(folder) {
        Err(error) if error.kind() == ErrorKind::FolderDoesNotExist => {
            create_private(folder).map_err(|reason| failed(Action::Create, folder, reason))?;
            create(folder)
        }
        created => created,
    }
}

/// Creates a folder, and those it lies in, for this user only.
fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
