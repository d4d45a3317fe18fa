//! What the environment says about folders that last: pure, but for looking at it.

use std::env;
use std::path::PathBuf;

/// Whose conventions decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    /// Linux and the other Unixes: the XDG base directories.
    Xdg,
    Mac,
    Windows,
}

impl System {
    pub(super) const CURRENT: Self = if cfg!(windows) {
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
    /// `XDG_STATE_HOME`
    pub(super) xdg_state_home: Option<PathBuf>,
    /// `LOCALAPPDATA`
    pub(super) local_app_data: Option<PathBuf>,
    /// This process builds a program, for Cargo.
    pub(super) is_build_script: bool,
}

impl Surroundings {
    pub(super) fn of_process() -> Self {
        let variable = |name| env::var_os(name).map(PathBuf::from);
        Self {
            urlsession_home: variable("URLSESSION_HOME"),
            home: env::home_dir(),
            xdg_cache_home: variable("XDG_CACHE_HOME"),
            xdg_state_home: variable("XDG_STATE_HOME"),
            local_app_data: variable("LOCALAPPDATA"),
            // `OUT_DIR` alone says nothing: `cargo run` sets it, too, for a program that has a
            // build script.
            is_build_script: ["OUT_DIR", "NUM_JOBS"].iter().all(|name| env::var_os(name).is_some()),
        }
    }

    /// Returns the folder for what may be lost: in the cache folder of the user, which is
    /// on a disk, where the system's own folder may be memory.
    pub(super) fn cache_folder(self, system: System) -> Option<PathBuf> {
        if let Some(home) = self.moved() {
            return Some(home.join("cache"));
        }
        let caches = match system {
            System::Xdg => self.xdg(&self.xdg_cache_home, ".cache"),
            System::Mac => self.home().map(|home| home.join("Library").join("Caches")),
            System::Windows => self.local_app_data(),
        };
        Some(caches?.join("urlsession"))
    }

    /// Returns the folder for what lasts, as journals do, and is no setting; none for a build
    /// script, which leaves nothing behind that its output folder does not hold.
    pub(super) fn state_folder(self, system: System) -> Option<PathBuf> {
        if self.is_build_script {
            return None;
        }
        if let Some(home) = self.moved() {
            return Some(home.join("state"));
        }
        Some(match system {
            System::Xdg => self.xdg(&self.xdg_state_home, ".local/state")?.join("urlsession"),
            System::Mac => {
                self.home()?.join("Library").join("Application Support").join("urlsession")
            }
            // Beside what may be lost.
            System::Windows => self.local_app_data()?.join("urlsession").join("state"),
        })
    }

    fn moved(&self) -> Option<PathBuf> {
        named(&self.urlsession_home)
    }

    fn home(&self) -> Option<PathBuf> {
        named(&self.home)
    }

    /// A folder of the XDG Base Directory Specification, by which a relative one is ignored.
    fn xdg(&self, variable: &Option<PathBuf>, usual: &str) -> Option<PathBuf> {
        let usual = || self.home().filter(|home| home.is_absolute()).map(|home| home.join(usual));
        named(variable).filter(|path| path.is_absolute()).or_else(usual)
    }

    /// What `LOCALAPPDATA` names, to which the Known Folder `FOLDERID_LocalAppData` is equal for
    /// whoever has logged in, and which a caller may set for what it starts.
    ///
    /// Who has none, as some services, gets the default place of that folder (MSDN,
    /// `KNOWNFOLDERID`) in the profile, which std asks the system for (`GetUserProfileDirectory`)
    /// where `USERPROFILE` is not set either. A call of `SHGetKnownFolderPath` would need
    /// `unsafe`, and load the shell into the program.
    fn local_app_data(&self) -> Option<PathBuf> {
        let usual = || self.home().map(|home| home.join("AppData").join("Local"));
        named(&self.local_app_data).or_else(usual)
    }
}

fn named(path: &Option<PathBuf>) -> Option<PathBuf> {
    path.clone().filter(|path| !path.as_os_str().is_empty())
}
