//! What the programs transfer.

use std::sync::LazyLock;
use std::time::Duration;

use crate::dice::Dice;

/// What one kind of program does.
#[derive(Debug)]
pub(crate) struct Plot {
    pub(crate) name: &'static str,
    pub(crate) wishes: &'static [Wish],
}

/// One transfer.
#[derive(Debug)]
pub(crate) struct Wish {
    /// Its name in URLs, keys of tasks and files.
    pub(crate) key: &'static str,
    pub(crate) verb: Verb,
    pub(crate) size: usize,
    pub(crate) fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// With a tag of the version, or without.
    Get {
        tagged: bool,
    },
    Put,
    /// A POST that must not be repeated.
    Post,
    PostWithIdempotencyKey,
    PostThatMayBeRepeated,
}

/// What the program does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Runs,
    /// It is suspended once, and resumed.
    Pauses,
    /// It is never resumed.
    Stays,
    /// It is cancelled after it was resumed, or before.
    IsCancelled,
    IsWithdrawn,
}

const TAGGED: Verb = Verb::Get { tagged: true };
const PLAIN: Verb = Verb::Get { tagged: false };

const fn wish(key: &'static str, verb: Verb, size: usize, fate: Fate) -> Wish {
    Wish { key, verb, size, fate }
}

pub(crate) static DOWNLOADS: Plot = Plot {
    name: "downloads",
    wishes: &[
        wish("tagged", TAGGED, 300_000, Fate::Runs),
        wish("plain", PLAIN, 40_000, Fate::Runs),
        wish("small", TAGGED, 10, Fate::Runs),
        wish("empty", TAGGED, 0, Fate::Runs),
        wish("moved", TAGGED, 2_000, Fate::Runs),
        wish("busy", TAGGED, 70_000, Fate::Runs),
        wish("gone", TAGGED, 100, Fate::Runs),
        wish("paused", TAGGED, 30_000, Fate::Pauses),
        wish("placed", TAGGED, 20_000, Fate::Runs),
        wish("placed-elsewhere", TAGGED, 20_000, Fate::Runs),
        wish("delayed", TAGGED, 5_000, Fate::Runs),
        wish("kept", PLAIN, 9_000, Fate::Runs),
        wish("discarded", PLAIN, 9_000, Fate::Runs),
        wish("stays", TAGGED, 30_000, Fate::Stays),
        wish("cancelled-never-there", TAGGED, 100, Fate::IsCancelled),
        wish("withdrawn", TAGGED, 100, Fate::IsWithdrawn),
    ],
};

pub(crate) static LATER: Plot =
    Plot { name: "later", wishes: &[wish("later", TAGGED, 5_000, Fate::Runs)] };

pub(crate) static LARGE: Plot =
    Plot { name: "large", wishes: &[wish("large", TAGGED, 18_000_000, Fate::Runs)] };

pub(crate) static FILM: Plot =
    Plot { name: "film", wishes: &[wish("film", TAGGED, 300_000, Fate::Runs)] };

pub(crate) static UPLOAD: Plot =
    Plot { name: "upload", wishes: &[wish("put", Verb::Put, 5_000, Fate::Runs)] };

pub(crate) static MOVED: Plot =
    Plot { name: "moved", wishes: &[wish("moved", TAGGED, 2_000, Fate::Runs)] };

pub(crate) static POST: Plot =
    Plot { name: "post", wishes: &[wish("post", Verb::Post, 5_000, Fate::Runs)] };

pub(crate) static UPLOADS: Plot = Plot {
    name: "uploads",
    wishes: &[
        wish("put", Verb::Put, 200_000, Fate::Runs),
        wish("put-small", Verb::Put, 5, Fate::Runs),
        wish("post", Verb::Post, 60_000, Fate::Runs),
        wish("post-small", Verb::Post, 7, Fate::Runs),
        wish("post-with-key", Verb::PostWithIdempotencyKey, 5_000, Fate::Runs),
        wish("post-may-repeat", Verb::PostThatMayBeRepeated, 5_000, Fate::Runs),
        wish("post-gone", Verb::Post, 300, Fate::Runs),
        wish("put-paused", Verb::Put, 3_000, Fate::Pauses),
        wish("put-stays", Verb::Put, 3_000, Fate::Stays),
        wish("put-cancelled-never-there", Verb::Put, 100, Fate::IsCancelled),
        wish("put-withdrawn", Verb::Put, 100, Fate::IsWithdrawn),
    ],
};

/// All bodies are parts of this: no two have two bytes in a row in common, except by chance.
static BLOCK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut dice = Dice::new(11);
    (0..18_200_000 / 8).flat_map(|_| dice.next().to_le_bytes()).collect()
});

impl Plot {
    pub(crate) fn wish(&self, key: &str) -> &Wish {
        self.wishes.iter().find(|wish| wish.key == key).unwrap()
    }

    pub(crate) fn bytes(&self, wish: &Wish) -> &'static [u8] {
        let number = self.wishes.iter().position(|other| other.key == wish.key).unwrap();
        &BLOCK[number * 15_013..][..wish.size]
    }
}

impl Wish {
    pub(crate) fn is_upload(&self) -> bool {
        !matches!(self.verb, Verb::Get { .. })
    }

    /// Returns how it has to end, as it stands in the diary: one of these; none if it does not.
    pub(crate) fn ends(&self) -> &'static [&'static str] {
        match (self.fate, self.verb) {
            (Fate::Stays, _) => &[],
            (Fate::IsCancelled | Fate::IsWithdrawn, _) => &["Cancelled"],
            (_, Verb::Post) if self.is_gone() => &["ok 404", "UploadInterrupted"],
            (_, Verb::Post) => &["ok 200", "UploadInterrupted"],
            (_, Verb::Get { .. }) if self.is_gone() => &["UnacceptableStatus"],
            // The last answer may have brought a part.
            (_, Verb::Get { .. }) => &["ok 200", "ok 206"],
            _ => &["ok 200"],
        }
    }

    /// Whether its file comes to its place by itself.
    pub(crate) fn has_place(&self) -> bool {
        self.key.starts_with("placed")
    }

    /// Returns how long it waits before it begins, if it does.
    pub(crate) fn delay(&self) -> Option<Duration> {
        match self.key {
            "delayed" => Some(Duration::from_millis(50)),
            "later" => Some(Duration::from_secs(3600)),
            _ => None,
        }
    }

    /// Whether the server has nothing of that name.
    pub(crate) fn is_gone(&self) -> bool {
        self.key.ends_with("gone")
    }
}
