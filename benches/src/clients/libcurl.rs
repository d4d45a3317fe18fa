//! libcurl: one easy handle a thread, since a handle must not be shared.

use std::path::{Path, PathBuf};

use curl::easy::{Easy2, Handler, HttpVersion, List, WriteError};

use super::{ACCEPT_ENCODING, Client, Shared, USER_AGENT, expect_ok};
use crate::Failure;

struct Settings {
    ca: Option<PathBuf>,
}

struct Handle(Easy2<Sink>);

/// Where the write callback puts the body.
#[derive(Default)]
struct Sink {
    kept: Vec<u8>,
    only_count: bool,
    counted: u64,
}

impl Handler for Sink {
    fn write(&mut self, piece: &[u8]) -> Result<usize, WriteError> {
        if self.only_count {
            self.counted += piece.len() as u64;
        } else {
            self.kept.extend_from_slice(piece);
        }
        Ok(piece.len())
    }
}

pub(super) fn open(ca: Option<&Path>) -> Box<dyn Shared> {
    Box::new(Settings { ca: ca.map(Path::to_owned) })
}

impl Shared for Settings {
    fn for_thread(&self) -> Result<Box<dyn Client>, Failure> {
        let mut easy = Easy2::new(Sink::default());
        let mut headers = List::new();
        headers.append(&format!("Accept-Encoding: {ACCEPT_ENCODING}"))?;
        easy.http_headers(headers)?;
        easy.useragent(USER_AGENT)?;
        easy.http_version(HttpVersion::V11)?;
        easy.proxy("")?;
        if let Some(path) = &self.ca {
            easy.cainfo(path)?;
        }
        Ok(Box::new(Handle(easy)))
    }
}

impl Client for Handle {
    fn get(&mut self, url: &str) -> Result<Vec<u8>, Failure> {
        self.0.url(url)?;
        self.0.perform()?;
        expect_ok(self.0.response_code()? as u16)?;
        Ok(std::mem::take(&mut self.0.get_mut().kept))
    }

    fn bulk(&mut self, url: &str, buffer: usize) -> Result<u64, Failure> {
        if buffer > 0 {
            self.0.buffer_size(buffer)?;
        }
        self.0.get_mut().only_count = true;
        self.0.url(url)?;
        self.0.perform()?;
        expect_ok(self.0.response_code()? as u16)?;
        Ok(self.0.get_ref().counted)
    }
}
