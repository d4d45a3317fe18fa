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
mod downloaded;
mod failure;
mod folder;
mod kept;
mod moving;
mod own_path;
mod owner;
mod partial;
pub(crate) mod private;
mod stamp;
mod sweep;
mod target;
pub(crate) mod temporary;
#[cfg(test)]
mod tests;
mod writer;

pub use downloaded::DownloadedFile;
pub(crate) use kept::KeptFile;
pub(crate) use partial::PartialFile;
pub(crate) use stamp::Stamp;
pub(crate) use target::{Existing, Target};
pub(crate) use writer::FileWriter;
