//! Where temporary files go.

use std::path::{Path, PathBuf};
use std::sync::Once;
use std::{env, fs, io};

use crate::error::{Error, ErrorKind};
use crate::files::failure::{Action, failed};
use crate::log;

/// Whose conventions decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    /// Linux and the other Unixes: the XDG base directories.
    Xdg,
    Mac,
    Windows,
}

impl System {
    const CURRENT: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_vendor = "apple") {
        Self::Mac
    } else {
        Self::Xdg
    };
}

/// What the environment says about folders; an empty value says nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Surroundings {
    /// `URLSESSION_HOME`, which moves everything that this crate keeps.
    pub(super) urlsession_home: Option<PathBuf>,
    /// The home folder of the user.
    pub(super) home: Option<PathBuf>,
    /// `XDG_CACHE_HOME`
    pub(super) xdg_cache_home: Option<PathBuf>,
    /// `LOCALAPPDATA`
    pub(super) local_app_data: Option<PathBuf>,
}

impl Surroundings {
    fn of_process() -> Self {
        let variable = |name| env::var_os(name).map(PathBuf::from);
        Self {
            urlsession_home: variable("URLSESSION_HOME"),
            home: env::home_dir(),
            xdg_cache_home: variable("XDG_CACHE_HOME"),
            local_app_data: variable("LOCALAPPDATA"),
        }
    }

    /// Returns the folder for temporary files: in the cache folder of the user, which is
    /// on a disk, where the system's own folder may be memory.
    ///
    /// On Windows that is what `LOCALAPPDATA` names, to which the Known Folder
    /// `FOLDERID_LocalAppData` is equal for whoever has logged in, and which a caller may set for
    /// what it starts. Who has none, as some services, gets the default place of that folder
    /// (MSDN, `KNOWNFOLDERID`) in the profile, which std asks the system for
    /// (`GetUserProfileDirectory`) where `USERPROFILE` is not set either. A call of
    /// `SHGetKnownFolderPath` would need `unsafe`, and load the shell into the program.
    pub(super) fn cache_folder(self, system: System) -> Option<PathBuf> {
        let named = |path: Option<PathBuf>| path.filter(|path| !path.as_os_str().is_empty());
        if let Some(home) = named(self.urlsession_home) {
            return Some(home.join("cache"));
        }
        let home = named(self.home);
        let caches = match system {
            // A relative one is to be ignored (XDG Base Directory Specification).
            System::Xdg => named(self.xdg_cache_home)
                .filter(|path| path.is_absolute())
                .or_else(|| home.filter(|home| home.is_absolute()).map(|home| home.join(".cache"))),
            System::Mac => home.map(|home| home.join("Library").join("Caches")),
            System::Windows => named(self.local_app_data)
                .or_else(|| home.map(|home| home.join("AppData").join("Local"))),
        };
        Some(caches?.join("urlsession"))
    }
}

/// Creates a file in the user's cache folder, or if that cannot be, in the system's folder
/// for temporary files.
pub(super) fn first_that_works<T>(create: impl Fn(&Path) -> Result<T, Error>) -> Result<T, Error> {
    let preferred = Surroundings::of_process().cache_folder(System::CURRENT);
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
