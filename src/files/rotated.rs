//! A file of this user's alone for what happens, which begins anew when it has become long.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};
use crate::files::failure::{Action, failed};
use crate::files::owner::{follow_no_link, is_own};
use crate::files::partial::create_new;

/// A file to which lines are added; what was there is kept beside it once it is long.
#[derive(Debug)]
pub(crate) struct RotatedFile {
    path: PathBuf,
    before: PathBuf,
    longest: u64,
    open: Option<(File, u64)>,
}

impl RotatedFile {
    /// Opens or makes the file at `path`; what is longer than `longest` bytes is moved to `before`,
    /// in place of what was moved there earlier.
    ///
    /// # Errors
    ///
    /// Those of files; [`ErrorKind::CannotOpenFile`] if there is something else at its path.
    pub(crate) fn open(path: PathBuf, before: PathBuf, longest: u64) -> Result<Self, Error> {
        let open = open_at_end(&path)?;
        Ok(Self { path, before, longest, open: Some(open) })
    }

    /// Adds a line. One that finds no room is lost, and the next is tried again.
    pub(crate) fn write(&mut self, line: &str) {
        if self.open.as_ref().is_none_or(|(_, length)| *length >= self.longest) {
            self.begin_anew();
        }
        if let Some((file, length)) = &mut self.open {
            match file.write_all(line.as_bytes()) {
                Ok(()) => *length += line.len() as u64,
                Err(_) => self.open = None,
            }
        }
    }

    fn begin_anew(&mut self) {
        let is_long = self.open.take().is_some_and(|(_, length)| length >= self.longest);
        if is_long {
            // Otherwise the file goes on growing, which is the smaller loss.
            let _ = fs::rename(&self.path, &self.before);
        }
        self.open = open_at_end(&self.path).ok();
    }
}

fn open_at_end(path: &Path) -> Result<(File, u64), Error> {
    match create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        created => drop(created.map_err(|error| failed(Action::Create, path, error))?),
    }
    let cannot_open = |error| failed(Action::Open, path, error);
    let opened = follow_no_link(OpenOptions::new().append(true)).open(path);
    let file = opened.map_err(cannot_open)?;
    let metadata = file.metadata().map_err(cannot_open)?;
    if !is_own(&metadata) {
        let detail = format!("{} is no file of this user's: remove it", path.display());
        return Err(Error::new(ErrorKind::CannotOpenFile, detail));
    }
    Ok((file, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Scratch;

    #[test]
    fn what_has_become_long_is_kept_beside_once() {
        let scratch = Scratch::new();
        let (path, before) = (scratch.join("log"), scratch.join("log.1"));
        let text = |path| fs::read_to_string(path).unwrap();
        let mut file = RotatedFile::open(path.clone(), before.clone(), 8).unwrap();
        for line in ["one\n", "two\n", "three\n"] {
            file.write(line);
        }
        assert_eq!((text(&before), text(&path)), ("one\ntwo\n".to_owned(), "three\n".to_owned()));
        // Who opens it next goes on with it.
        let mut file = RotatedFile::open(path.clone(), before.clone(), 8).unwrap();
        for line in ["four\n", "five\n"] {
            file.write(line);
        }
        let expected = ("three\nfour\n".to_owned(), "five\n".to_owned());
        assert_eq!((text(&before), text(&path)), expected);
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let scratch = Scratch::new();
        let (victim, path) = (scratch.join("victim"), scratch.join("log"));
        fs::write(&victim, "").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        let error = RotatedFile::open(path, scratch.join("log.1"), 8).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CannotOpenFile);
    }
}
