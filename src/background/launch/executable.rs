//! Which executable is the daemon.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{self, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, fs};

use crate::error::{Error, ErrorKind};
use crate::program;

/// Its name.
const NAME: &str = "urlsessiond";

/// Whether this program has asked whether it is to be a daemon, and so would be one.
static OWN_SERVES: AtomicBool = AtomicBool::new(false);

/// Says that this program's own executable can be started as a daemon.
pub(in crate::background) fn own_executable_serves() {
    OWN_SERVES.store(true, Ordering::Relaxed);
}

/// Returns the executable to start.
///
/// # Errors
///
/// [`ErrorKind::NotSupported`] if there is none, or the one that was named is none.
pub(super) fn find(configured: Option<&Path>) -> Result<PathBuf, Error> {
    let own = program::executable();
    let serves = OWN_SERVES.load(Ordering::Relaxed);
    Surroundings {
        configured: configured.map(Path::to_owned),
        variable: env::var_os("URLSESSIOND").filter(|path| !path.is_empty()).map(PathBuf::from),
        beside: own.as_deref().and_then(Path::parent).map(|folder| folder.join(NAME)),
        search_path: env::var_os("PATH"),
        own: own.filter(|_| serves),
    }
    .choose(is_executable)
}

struct Surroundings {
    configured: Option<PathBuf>,
    variable: Option<PathBuf>,
    beside: Option<PathBuf>,
    search_path: Option<OsString>,
    own: Option<PathBuf>,
}

impl Surroundings {
    /// What was named is taken or is an error; what was not is looked for.
    fn choose(self, is_executable: impl Fn(&Path) -> bool) -> Result<PathBuf, Error> {
        let named = [(self.configured, "the configuration"), (self.variable, "URLSESSIOND")];
        let named = named.into_iter().find_map(|(path, whose)| Some((path?, whose)));
        if let Some((path, whose)) = named {
            // The process that is started has another working directory.
            let path = path::absolute(&path).unwrap_or(path);
            return if is_executable(&path) { Ok(path) } else { Err(is_none(&path, whose)) };
        }
        let searched = self.search_path.iter().flat_map(env::split_paths);
        // A relative one is another one in each working directory.
        let searched = searched.filter(|folder| folder.is_absolute()).map(|path| path.join(NAME));
        let mut found = self.beside.into_iter().chain(searched).chain(self.own);
        found.find(|path| is_executable(path)).ok_or_else(nowhere)
    }
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn is_none(path: &Path, whose: &str) -> Error {
    let detail = format!("{}, which {whose} names as urlsessiond, cannot be run", path.display());
    Error::new(ErrorKind::NotSupported, detail)
}

fn nowhere() -> Error {
    let detail = "there is no urlsessiond beside this program or in PATH: install it, set \
                  URLSESSIOND, or call background::run_daemon_if_asked first thing in main";
    Error::new(ErrorKind::NotSupported, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(places: [&str; 5], there: &[&str]) -> Result<PathBuf, ErrorKind> {
        let path = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
        let [configured, variable, beside, search_path, own] = places;
        let surroundings = Surroundings {
            configured: path(configured),
            variable: path(variable),
            beside: path(beside),
            search_path: (!search_path.is_empty()).then(|| search_path.into()),
            own: path(own),
        };
        let is_there = |path: &Path| there.iter().any(|known| path == Path::new(known));
        surroundings.choose(is_there).map_err(|error| error.kind())
    }

    #[test]
    fn the_executable_is_looked_for_in_order() {
        let all = ["/c", "/v", "/b/urlsessiond", "x:/p:/q", "/own"];
        let there = ["/c", "/v", "/b/urlsessiond", "/q/urlsessiond", "x/urlsessiond", "/own"];
        for (given, expected) in
            ["/c", "/v", "/b/urlsessiond", "/q/urlsessiond", "/own"].into_iter().enumerate()
        {
            let mut places = all;
            places[..given].fill("");
            assert_eq!(chosen(places, &there), Ok(expected.into()));
        }
        assert_eq!(chosen([""; 5], &there), Err(ErrorKind::NotSupported));
        // What was named is not passed over.
        assert_eq!(chosen(all, &["/v"]), Err(ErrorKind::NotSupported));
        assert_eq!(chosen(["", "/v", "/b", "", ""], &["/b"]), Err(ErrorKind::NotSupported));
        // What was not is.
        assert_eq!(chosen(["", "", "/b", "/p", "/own"], &["/own"]), Ok("/own".into()));
    }
}
