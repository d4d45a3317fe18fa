//! The words of the command line.

use std::path::{Path, PathBuf};

use crate::Failure;

/// What to run, once the load itself is known.
pub(crate) struct Arguments {
    /// Which client carries the load.
    pub(crate) client: String,
    /// The resource to fetch; a query is appended to it.
    pub(crate) url: String,
    /// The only certificate authority to trust, as a PEM file.
    pub(crate) ca: Option<PathBuf>,
    /// The file to download to, which must not be there, or to upload.
    pub(crate) file: Option<PathBuf>,
    /// Whether the load waits until a file is on the disk, for a client that does not.
    pub(crate) sync: bool,
    /// How many requests to send in all.
    pub(crate) count: u64,
    /// How many threads send them.
    pub(crate) threads: u64,
    /// How many bytes to read at a time; 0 leaves the client's own choice.
    pub(crate) buffer: usize,
}

impl Arguments {
    /// Reads `--name value` pairs.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut found = Self {
            client: String::new(),
            url: String::new(),
            ca: None,
            file: None,
            sync: false,
            count: 1000,
            threads: 8,
            buffer: 64 * 1024,
        };
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name} wants a value"))?;
            match name.as_str() {
                "--client" => found.client = value,
                "--url" => found.url = value,
                "--ca" => found.ca = Some(value.into()),
                "--file" => found.file = Some(value.into()),
                "--sync" => found.sync = value.parse()?,
                "--count" => found.count = value.parse()?,
                "--threads" => found.threads = value.parse()?,
                "--buffer" => found.buffer = value.parse()?,
                _ => return Err(format!("unknown option {name}").into()),
            }
        }
        if found.client.is_empty() || found.url.is_empty() {
            return Err("--client and --url are needed".into());
        }
        Ok(found)
    }

    /// Returns the file, for a load that needs one.
    pub(crate) fn file(&self) -> Result<&Path, Failure> {
        Ok(self.file.as_deref().ok_or("--file is needed")?)
    }
}
