//! What belongs to tasks that are not over: bodies to send, and answers that have come.
//!
//! A body is taken over as it is when its task is made, so that the program may change or remove
//! its file afterwards. Names begin with the number of the task, so that a start knows whose each
//! file is: `7.body`, `7.answer`, and `7.new` for what is being written.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::body::Body;
use crate::census::Census;
use crate::error::{Error, ErrorKind};
use crate::files::{Stamp, copy_to_new, is_own, private};
use crate::log;

/// A folder of files of tasks.
#[derive(Debug)]
pub(crate) struct Spool {
    path: PathBuf,
    census: Census,
}

impl Spool {
    pub(super) fn new(path: PathBuf, census: &Census) -> Self {
        Self { path, census: census.clone() }
    }

    /// Returns where the body of a task lies.
    pub(crate) fn body(&self, task: u64) -> PathBuf {
        self.path.join(format!("{task}.body"))
    }

    /// Returns where the answer to an upload lies.
    pub(crate) fn answer(&self, task: u64) -> PathBuf {
        self.path.join(format!("{task}.answer"))
    }

    /// Returns the answer to an upload.
    pub(crate) fn read_answer(&self, task: u64) -> Vec<u8> {
        fs::read(self.answer(task)).unwrap_or_else(|error| {
            log::warn!("the answer of task {task} cannot be read: {error}");
            Vec::new()
        })
    }

    /// Takes the file at `source` as the body of a task, on the disk when this returns; returns
    /// its length.
    ///
    /// # Errors
    ///
    /// Those of a file to send; [`ErrorKind::InvalidRequest`] if it is a pipe or a device, which
    /// would be read once; [`ErrorKind::ResourceUnavailable`] if it was changed or replaced
    /// meanwhile; those of files. Then nothing of it is there.
    pub(crate) fn take(&self, task: u64, source: &Path) -> Result<u64, Error> {
        self.take_while(task, source, &mut || {})
    }

    /// The same, with what happens meanwhile.
    fn take_while(
        &self,
        task: u64,
        source: &Path,
        meanwhile: &mut dyn FnMut(),
    ) -> Result<u64, Error> {
        // Whoever writes into a pipe would see that it was opened.
        if fs::metadata(source).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Err(not_a_file(source));
        }
        let open = Body::file(source).open()?;
        let Some(file) = open.file() else { return Err(not_a_file(source)) };
        let cannot_look = |error| {
            let detail = format!("cannot read the file to send, {}", source.display());
            Error::new(ErrorKind::ResourceUnavailable, detail).by_system(error)
        };
        let before = Stamp::of(&file.metadata().map_err(cannot_look)?);
        let body = self.body(task);
        copy_to_new(file, before.length, &body, &self.census, meanwhile)?;
        let after = Stamp::of(&file.metadata().map_err(cannot_look)?);
        // What was removed was whole; what has taken its place is what is meant by now.
        let is_another = fs::metadata(source).is_ok_and(|found| Stamp::of(&found) != before);
        if after == before && !is_another {
            return Ok(before.length);
        }
        private::remove(&body);
        Err(changed(source))
    }

    /// Checks that the body of a task is the one that was taken, by its length.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FileDoesNotExist`] if it is not there; [`ErrorKind::ResourceUnavailable`] if
    /// it is another one, or none of this user's. A symbolic link is not followed.
    pub(crate) fn check(&self, task: u64, length: u64) -> Result<(), Error> {
        let path = self.body(task);
        let what = match fs::symlink_metadata(&path) {
            Ok(found) if is_own(&found) && found.len() == length => return Ok(()),
            Ok(found) => strangeness(&found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => "was removed",
            Err(_) => "cannot be looked at",
        };
        let kind = match what {
            "was removed" => ErrorKind::FileDoesNotExist,
            _ => ErrorKind::ResourceUnavailable,
        };
        let path = path.display();
        let detail = format!("{path}, which was kept to be sent, {what}: create the task again");
        Err(Error::new(kind, detail))
    }

    /// Removes what there is of a task.
    pub(crate) fn clear(&self, task: u64) {
        private::remove(&self.body(task));
        private::remove(&self.answer(task));
    }

    /// Removes the bodies of tasks behind the last that there is, but for these, that are coming.
    pub(super) fn sweep_beyond(&self, last: u64, coming: &[u64]) {
        for name in names_in(&self.path) {
            let task = name.strip_suffix(".body").and_then(|task| task.parse().ok());
            if task.is_some_and(|task: u64| task > last && !coming.contains(&task)) {
                private::remove(&self.path.join(name));
            }
        }
    }

    /// Removes what no task of these needs, as a start finds it before anything runs.
    pub(super) fn sweep(&self, is_known: &dyn Fn(u64) -> bool) {
        sweep(&self.path, is_known);
    }
}

/// Removes from a folder what no task of these needs.
pub(super) fn sweep(folder: &Path, is_known: &dyn Fn(u64) -> bool) {
    for name in names_in(folder) {
        if is_left(&name, is_known) {
            let path = folder.join(name);
            log::debug!("{} belongs to nobody any more", path.display());
            private::remove(&path);
        }
    }
}

/// Returns the names of what lies there. What cannot be read has none.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).inspect_err(|error| {
        log::warn!("cannot see what lies in {}: {error}", folder.display());
    });
    let entries = entries.into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Whether a file was left by a task that is none of those that are known, or by a step that was
/// not brought to its end. What has no name of ours is not ours to remove.
fn is_left(name: &str, is_known: &dyn Fn(u64) -> bool) -> bool {
    let visible = name.strip_prefix('.').unwrap_or(name);
    let (number, rest) = visible.split_once('.').unwrap_or((visible, ""));
    let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    let Some(task) = number.parse().ok().filter(|_| is_number) else { return false };
    let is_half = rest == "new" || rest.ends_with(".new") || is_nameless(rest);
    is_half || !is_known(task)
}

/// Whether it is what a file has behind the name of its place for as long as it is on its way
/// there: a number that nobody can guess.
fn is_nameless(rest: &str) -> bool {
    let number = rest.strip_suffix(".part");
    number.is_some_and(|number| {
        number.len() == 16 && number.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

fn strangeness(found: &Metadata) -> &'static str {
    match found.file_type() {
        kind if kind.is_symlink() => "was replaced by a symbolic link",
        kind if !kind.is_file() => "was replaced by something that is no file",
        _ if !is_own(found) => "was replaced by another user's",
        _ => "has another length now",
    }
}

fn not_a_file(source: &Path) -> Error {
    let detail = format!(
        "{} is a pipe or a device, which cannot be kept to be sent later: write it to a file first",
        source.display()
    );
    Error::new(ErrorKind::InvalidRequest, detail)
}

fn changed(source: &Path) -> Error {
    let detail = format!(
        "{} was changed while it was copied to be sent: create the task again when it is whole",
        source.display()
    );
    Error::new(ErrorKind::ResourceUnavailable, detail)
}

#[cfg(test)]
mod tests;
