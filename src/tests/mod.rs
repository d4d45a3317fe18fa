//! What unit tests of several rooms share.

#[cfg(unix)]
pub(crate) mod anew;
mod scratch;

pub(crate) use scratch::{Scratch, names_in};
