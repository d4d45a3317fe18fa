//! Writes downloaded bodies to files.
//!
//! A [`PartialFile`] is private (0600) and, where the system can have that, without a name as
//! long as it is written: in a folder of this crate, or in the one that the program wants the
//! file in. When it is whole it becomes a [`DownloadedFile`], which the program moves to where it
//! wants it, or which came to its [`Target`].
//!
//! What has a name has one that nobody can guess, unless the program asked for a file that the
//! next start goes on with, and is gone unless it came to its place: after an error, a panic, a
//! drop. It comes there by one renaming, after the bytes are on the disk, so that a file is whole
//! or is not there. What is there already is replaced only if the program asks for that, which
//! the system itself decides, in the same step as the renaming. A symbolic link at the place is
//! never followed; those among its folders are.

mod access;
#[cfg(feature = "background")]
mod append;
#[cfg(feature = "background")]
mod copy;
mod downloaded;
mod failure;
mod folder;
mod kept;
mod lock_file;
mod locking;
mod moving;
mod own_folder;
mod own_path;
mod owner;
mod partial;
pub(crate) mod private;
#[cfg(feature = "background")]
mod room;
#[cfg(all(feature = "daemon", unix))]
mod rotated;
mod stamp;
mod sweep;
mod target;
pub(crate) mod temporary;
#[cfg(test)]
mod tests;
mod writer;

#[cfg(feature = "background")]
pub(crate) use append::AppendFile;
#[cfg(feature = "background")]
pub(crate) use copy::copy_to_new;
#[cfg(feature = "background")]
pub(crate) use downloaded::Custody;
pub use downloaded::DownloadedFile;
pub(crate) use kept::KeptFile;
pub(crate) use lock_file::{Lock, LockFile};
#[cfg(all(feature = "daemon", unix))]
pub(crate) use own_folder::check_own_folder;
pub(crate) use own_folder::make_own_folder;
#[cfg(feature = "background")]
pub(crate) use owner::is_own;
pub(crate) use partial::PartialFile;
#[cfg(all(feature = "daemon", unix))]
pub(crate) use rotated::RotatedFile;
pub(crate) use stamp::Stamp;
pub(crate) use target::{Existing, Target};
pub(crate) use writer::FileWriter;

/// Removes from a folder partial files that nobody has gone on with for two weeks.
#[cfg(feature = "background")]
pub(crate) fn sweep_partial(folder: &std::path::Path) {
    sweep::sweep(folder, crate::clock::Clock::system().date());
}

/// Removes a file that was kept for somebody to look at, after two weeks.
#[cfg(feature = "background")]
pub(crate) fn remove_if_old(path: &std::path::Path) {
    sweep::remove_if_old(path, crate::clock::Clock::system().date());
}

/// Whether there is room on the volume of a folder, for more than a few records.
#[cfg(feature = "background")]
pub(crate) fn has_room(folder: &std::path::Path) -> bool {
    room::of(folder).is_none_or(|bytes| bytes >= room::LEAST)
}
