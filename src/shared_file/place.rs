//! Where the files of a program lie, and which of them this process has open.

use std::any::Any;
use std::path::{self, Path, PathBuf};
use std::sync::{Arc, Weak};

use super::{Content, SharedFile};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::log;
use crate::program::{self, file_name};
use crate::sync::{Mutex, Rank};

/// The folder of one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// What the state folder lies in.
    base: PathBuf,
    /// The names of the state folder and of the program's.
    names: [PathBuf; 2],
}

impl Place {
    /// Returns the folder of a program in `state`, or without one in the user's state folder.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotSupported`] if nothing lasts where this program runs.
    pub(crate) fn of(state: Option<&Path>, program: Option<&str>) -> Result<Self, Error> {
        let state = state.map(Path::to_owned).or_else(program::state_folder);
        let (state, program) = state.zip(program::name(program)).ok_or_else(nothing_lasts)?;
        // The process may be in another folder later.
        let state = path::absolute(&state).unwrap_or(state);
        let (base, name) = state.parent().zip(state.file_name()).ok_or_else(nothing_lasts)?;
        Ok(Self { base: base.to_owned(), names: [name.into(), file_name(&program).into()] })
    }

    /// Returns what is there already, or not, and the folders in it that are the program's alone.
    pub(super) fn parts(&self) -> (&Path, &[PathBuf]) {
        (&self.base, &self.names)
    }

    /// Returns where a file lies.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        let [state, program] = &self.names;
        self.base.join(state).join(program).join(name)
    }
}

fn nothing_lasts() -> Error {
    let detail = "this user has no home folder: set URLSESSION_HOME";
    Error::new(ErrorKind::NotSupported, detail)
}

/// What sessions of this process share. Those whose clock is turned by hand share nothing here:
/// a second is another one for each.
static OPEN: Mutex<Vec<(PathBuf, Weak<dyn Any + Send + Sync>)>> =
    Mutex::new(Rank::SharedFiles, Vec::new());

/// Returns the store of a program, in `state` or the user's state folder: the one that this
/// process has, if it has one. Where nothing lasts it is one in memory.
pub(crate) fn opened<C: Content>(
    state: Option<&Path>,
    program: Option<&str>,
    clock: &Clock,
) -> Arc<SharedFile<C>> {
    let place = match Place::of(state, program) {
        Ok(place) => place,
        Err(error) => {
            if !program::is_build_script() {
                log::warn!("what is to last of {} stays in memory: {error}", C::NAME);
            }
            return SharedFile::in_memory(clock.clone());
        }
    };
    if !clock.is_system() {
        return SharedFile::at(place, clock.clone());
    }
    let path = place.file(C::NAME);
    let mut open = OPEN.lock();
    open.retain(|(_, file)| file.strong_count() > 0);
    let known = open.iter().find(|(known, _)| *known == path);
    let known = known.and_then(|(_, file)| file.upgrade()?.downcast().ok());
    known.unwrap_or_else(|| {
        let file = SharedFile::at(place, clock.clone());
        let any: Arc<dyn Any + Send + Sync> = file.clone();
        open.push((path, Arc::downgrade(&any)));
        file
    })
}
