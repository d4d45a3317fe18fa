//! What is downloaded: a file of which there are versions.

use std::sync::LazyLock;

use urlsession::testing::Answer;

use crate::dice::Dice;

/// No file has more bytes.
pub(crate) const LARGEST: usize = 20_000_000;

/// All files are parts of this: no two that begin elsewhere have two bytes in a row in common,
/// except by chance.
static BLOCK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut dice = Dice::new(7);
    let numbers = 0..(LARGEST + VERSIONS * APART) / 8 + 1;
    numbers.flat_map(|_| dice.next().to_le_bytes()).collect()
});

const VERSIONS: usize = 50;
const APART: usize = 20_011;

/// By what a server names the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    Tag,
    Date,
    /// By nothing; but the program knows the digest.
    Digest,
}

/// One version of the file.
#[derive(Debug)]
pub(crate) struct Film {
    pub(crate) naming: Naming,
    version: usize,
    size: usize,
}

impl Film {
    pub(crate) fn new(size: usize, dice: &mut Dice) -> Self {
        let naming = match dice.below(6) {
            #[cfg(any(feature = "tls", feature = "digest"))]
            0 => Naming::Digest,
            1 => Naming::Date,
            _ => Naming::Tag,
        };
        Self { naming, version: dice.below(VERSIONS / 2), size }
    }

    pub(crate) fn bytes(&self) -> &'static [u8] {
        &BLOCK[self.version * APART..][..self.size]
    }

    /// Other bytes take its place, as many or not.
    pub(crate) fn change(&mut self, dice: &mut Dice) {
        self.version += 1;
        if dice.below(2) == 0 {
            self.size = 2 + dice.below(self.size);
        }
    }

    /// Returns what `If-Range` says of it.
    pub(crate) fn validator(&self) -> Option<String> {
        match self.naming {
            Naming::Tag => Some(format!("\"v{}\"", self.version)),
            Naming::Date => Some(format!("Sun, 06 Nov 1994 08:49:{:02} GMT", self.version)),
            Naming::Digest => None,
        }
    }

    /// Adds to an answer which version it is of.
    pub(crate) fn name(&self, answer: Answer) -> Answer {
        match (self.naming, self.validator()) {
            (Naming::Tag, Some(tag)) => answer.header("ETag", tag),
            (_, Some(date)) => {
                answer.header("Last-Modified", date).header("Date", "Mon, 07 Nov 1994 10:00:00 GMT")
            }
            (_, None) => answer,
        }
    }

    /// Returns the digest that the program knows.
    pub(crate) fn digest(&self) -> Option<String> {
        (self.naming == Naming::Digest).then(|| sha256(self.bytes()))
    }
}

#[cfg(any(feature = "tls", feature = "digest"))]
fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(not(any(feature = "tls", feature = "digest")))]
fn sha256(_bytes: &[u8]) -> String {
    unreachable!("no file is named by its digest")
}
