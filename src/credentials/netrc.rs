//! Credentials of the user's `.netrc`, by the feature `netrc`.
//!
//! Only for the exact host, on whatever port; the caller asks for the host that the program
//! named, never for one that a redirect named. An entry `default` is not used: it would
//! show a password to every host that asks for one. The account and the macros of FTP are
//! passed over.

use std::ffi::OsString;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Once;

use super::Credential;

use crate::log;

/// The largest file that is read, as curl has it.
const LARGEST: u64 = 128 * 1024;

/// The entries of a file.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Netrc {
    entries: Vec<Entry>,
}

#[derive(Default, PartialEq, Eq)]
struct Entry {
    /// None for `default`.
    host: Option<String>,
    user: Option<String>,
    password: Option<String>,
}

/// Why a file is not used. It names no content of the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    TooLarge,
    NotText,
    /// A quote that is not closed, or a word without its value.
    Broken,
    Io(io::ErrorKind),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "it is larger than {} KiB", LARGEST / 1024),
            Self::NotText => f.write_str("it is not UTF-8"),
            Self::Broken => f.write_str("a quote or a word in it is not complete"),
            Self::Io(kind) => write!(f, "it cannot be read: {kind}"),
        }
    }
}

impl Netrc {
    /// Returns where the file is, by the variables of the environment: what `NETRC` says,
    /// else `.netrc` (`_netrc` on Windows) in the user's folder.
    pub(crate) fn path(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
        const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        const NAME: &str = if cfg!(windows) { "_netrc" } else { ".netrc" };
        let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        set("NETRC").or_else(|| set(HOME).map(|home| home.join(NAME)))
    }

    /// Reads the file; `None` if there is none or it cannot be used, which is logged once a
    /// program.
    pub(crate) fn open(path: &Path) -> Option<Self> {
        static BROKEN: Once = Once::new();
        static EXPOSED: Once = Once::new();
        match Self::read(path) {
            Ok((netrc, exposed)) => {
                if exposed {
                    EXPOSED.call_once(|| {
                        log::warn!(
                            "the netrc file can be read by other users: set its mode to 600"
                        );
                    });
                }
                Some(netrc)
            }
            Err(Unusable::Io(io::ErrorKind::NotFound)) => None,
            Err(why) => {
                BROKEN.call_once(|| log::warn!("the netrc file is not used: {why}"));
                None
            }
        }
    }

    /// Reads the file, and returns whether other users may do so too.
    fn read(path: &Path) -> Result<(Self, bool), Unusable> {
        let fail = |error: io::Error| Unusable::Io(error.kind());
        let file = File::open(path).map_err(fail)?;
        let exposed = file.metadata().is_ok_and(|metadata| is_exposed(&metadata));
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(fail)?;
        if bytes.len() as u64 > LARGEST {
            return Err(Unusable::TooLarge);
        }
        let text = String::from_utf8(bytes).map_err(|_| Unusable::NotText)?;
        Ok((Self::parse(&text)?, exposed))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// [`Unusable::Broken`]: nothing of a broken file is used, since a password could
    /// belong to another host than it seems.
    pub(crate) fn parse(text: &str) -> Result<Self, Unusable> {
        let mut words = Words { rest: text };
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(word) = words.next()? {
            let mut value = || words.value()?.ok_or(Unusable::Broken);
            match &*word.to_ascii_lowercase() {
                "machine" => {
                    let host = Some(value()?.to_ascii_lowercase());
                    entries.push(Entry { host, ..Entry::default() });
                }
                "default" => entries.push(Entry::default()),
                "macdef" => words.skip_macro(),
                name @ ("login" | "password" | "account") => {
                    let value = value()?;
                    // Before the first machine it belongs to nothing.
                    let Some(entry) = entries.last_mut() else { continue };
                    match name {
                        "login" => entry.user = Some(value),
                        "password" => entry.password = Some(value),
                        _ => {}
                    }
                }
                // What other programs have added to the format.
                _ => {}
            }
        }
        Ok(Self { entries })
    }

    /// Whether it has nothing for any host.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the credential for a host: the first entry with a password, of this user if
    /// the URL named one.
    ///
    /// An entry without a user name answers only where none is asked for, and then with an
    /// empty one; one with another user's name never answers.
    pub(crate) fn credential(&self, host: &str, user: Option<&str>) -> Option<Credential> {
        let here =
            |entry: &&Entry| entry.host.as_deref().is_some_and(|h| h.eq_ignore_ascii_case(host));
        let fits = |entry: &&Entry| user.is_none() || entry.user.as_deref() == user;
        let entry =
            self.entries.iter().filter(here).filter(fits).find(|entry| entry.password.is_some())?;
        let user = entry.user.as_deref().unwrap_or_default();
        Some(Credential::new(user, entry.password.as_deref()?))
    }
}

#[cfg(unix)]
fn is_exposed(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    metadata.mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_exposed(_: &Metadata) -> bool {
    false
}

/// The words of a file: separated by space, or in quotes.
struct Words<'a> {
    rest: &'a str,
}

impl Words<'_> {
    /// Returns the next word where one of the format is expected; a comment may stand there.
    fn next(&mut self) -> Result<Option<String>, Unusable> {
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('#') {
                break;
            }
            self.skip_line();
        }
        self.value()
    }

    /// Returns the next word, whatever it begins with: were `#` taken for a comment here, the
    /// words of the next line, and another host's password, would stand for it.
    fn value(&mut self) -> Result<Option<String>, Unusable> {
        self.rest = self.rest.trim_start();
        if let Some(quoted) = self.rest.strip_prefix('"') {
            self.rest = quoted;
            return self.quoted().map(Some);
        }
        let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok((!word.is_empty()).then(|| word.to_owned()))
    }

    /// As curl reads it: `\n`, `\r` and `\t` are those, other characters themselves.
    fn quoted(&mut self) -> Result<String, Unusable> {
        let mut word = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(word);
                }
                '\\' => word.push(match chars.next().ok_or(Unusable::Broken)?.1 {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    other => other,
                }),
                other => word.push(other),
            }
        }
        Err(Unusable::Broken)
    }

    fn skip_line(&mut self) {
        self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
    }

    /// A macro ends with an empty line.
    fn skip_macro(&mut self) {
        self.skip_line();
        while !self.rest.is_empty() && !self.rest.starts_with(['\n', '\r']) {
            self.skip_line();
        }
    }
}

impl fmt::Debug for Netrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Netrc").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
