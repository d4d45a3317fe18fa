//! Writes downloaded bodies to files.
//!
//! There are two ways for a body to become a file. A [`TemporaryFile`] is private, in a
//! folder of this crate, and becomes a [`DownloadedFile`], which the program moves to
//! where it wants it. A [`Destination`] is a file beside the place that the program named
//! beforehand, and is moved there when it is whole.
//!
//! Both are new files under names that nobody can guess, and are gone unless they came to
//! their place: after an error, a panic, a drop. Both come there by one renaming, after
//! the bytes are on the disk, so that a file is whole or is not there. What is there
//! already is replaced only if the program asks for that, which the system itself
//! decides, in the same step as the renaming. A symbolic link at the place is never
//! followed; those among its folders are.

mod access;
mod destination;
mod downloaded;
mod failure;
mod folder;
mod moving;
mod own_path;
mod partial;
mod sink;
mod target;
mod temporary;
#[cfg(test)]
mod tests;

use destination::Destination;
pub use downloaded::DownloadedFile;
pub(crate) use sink::{Sink, give_maker, maker};
pub(crate) use target::{Existing, Target};
use temporary::TemporaryFile;
