//! What a program knows of a body before it comes.

use super::digest::Digest;
use crate::error::{Error, ErrorKind};

/// What a whole body has to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) length: Option<u64>,
    pub(crate) digest: Option<Digest>,
}

impl Expected {
    /// Returns what this says, and where it says nothing the other.
    pub(crate) fn or(self, other: &Self) -> Self {
        Self {
            length: self.length.or(other.length),
            digest: self.digest.or_else(|| other.digest.clone()),
        }
    }

    /// Refuses a body of another length.
    pub(super) fn check_length(&self, length: u64) -> Result<(), Error> {
        match self.length {
            Some(expected) if expected != length => {
                let detail = format!(
                    "the body has {length} bytes, and {expected} were expected: it is another \
                     version, or not what was asked for"
                );
                Err(Error::new(ErrorKind::LengthMismatch, detail))
            }
            _ => Ok(()),
        }
    }
}
