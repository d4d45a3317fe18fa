//! The words of the command line.

use std::path::PathBuf;

use crate::Failure;

/// What to run, once the load itself is known.
pub(crate) struct Arguments {
    /// Which client carries the load.
    pub(crate) client: String,
    /// The resource to fetch; a query is appended to it.
    pub(crate) url: String,
    /// The only certificate authority to trust, as a PEM file.
    pub(crate) ca: Option<PathBuf>,
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
}
