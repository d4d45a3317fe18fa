//! Removing what earlier runs of programs have left in the folder for temporary files.
//!
//! Where files have no name before they are whole, little is left by a kill: a file that was
//! whole and had not been given a place, and one that resume data was made of.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::files::owner::is_own;
#[cfg(feature = "background")]
use crate::files::private;
use crate::log;

/// How long a file waits for somebody who goes on with it.
const PATIENCE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Whose files a name says it is: every one has this before its number.
pub(super) const PREFIX: &str = "urlsession-";
pub(super) const SUFFIX: &str = ".part";

/// Whether a file is one that was left: of this crate by its name, and so old that nobody goes on
/// with it any more.
///
/// Age alone decides: whose owner has died cannot be told where processes have numbers of their
/// own, as in containers that share a folder, and a file that was written out as resume data has
/// no living owner.
fn is_left(name: &str, is_file: bool, modified: SystemTime, now: SystemTime) -> bool {
    let number = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    let is_ours = number.is_some_and(|number| {
        number.len() == 16 && number.bytes().all(|digit| digit.is_ascii_hexdigit())
    });
    is_ours && is_file && now.duration_since(modified).is_ok_and(|age| age > PATIENCE)
}

/// Removes the file at `path` if it is so old that nobody looks at it any more.
#[cfg(feature = "background")]
pub(super) fn remove_if_old(path: &Path, now: SystemTime) {
    let modified = fs::symlink_metadata(path).and_then(|found| found.modified());
    let age = modified.ok().and_then(|modified| now.duration_since(modified).ok());
    if age.is_some_and(|age| age > PATIENCE) {
        private::remove(path);
    }
}

/// Removes from `folder` what was left there by this user's programs. What cannot be removed
/// stays.
pub(super) fn sweep(folder: &Path, now: SystemTime) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        // Of a link, not of what it leads to.
        let Ok(found) = entry.metadata() else { continue };
        let name = entry.file_name();
        let (Some(name), Ok(modified)) = (name.to_str(), found.modified()) else { continue };
        if !is_left(name, found.is_file() && is_own(&found), modified, now) {
            continue;
        }
        let path = entry.path();
        match fs::remove_file(&path) {
            Ok(()) => log::debug!("removed {}, which nobody went on with", path.display()),
            Err(error) => log::debug!("cannot remove {}: {error}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_and_two_weeks_old_is_left() {
        let day = Duration::from_secs(24 * 60 * 60);
        let now = SystemTime::now();
        for (name, is_file, days, left) in [
            ("urlsession-0123456789abcdef.part", true, 15, true),
            ("urlsession-0123456789abcdef.part", true, 13, false),
            ("urlsession-0123456789abcdef.part", false, 15, false),
            ("urlsession-0123456789abcde.part", true, 15, false),
            ("urlsession-0123456789abcdeg.part", true, 15, false),
            ("urlsession-0123456789abcdef.txt", true, 15, false),
            (".film.mp4.part", true, 15, false),
            ("film.mp4", true, 15, false),
        ] {
            assert_eq!(is_left(name, is_file, now - days * day, now), left, "{name} {days}");
        }
        // Of a clock that was set back nothing follows.
        let later = now + 15 * day;
        assert!(!is_left("urlsession-0123456789abcdef.part", true, later, now));
    }
}
