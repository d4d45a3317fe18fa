//! libcurl: one easy handle a thread, since a handle must not be shared.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use curl::easy::{Easy2, Form, Handler, HttpVersion, List, ReadError, WriteError};

use super::{ACCEPT_ENCODING, Client, Shared, USER_AGENT, expect_ok};
use crate::Failure;

struct Settings {
    ca: Option<PathBuf>,
}

struct Handle(Easy2<Ends>);

/// How much it receives at a time where its own 16 KiB would be a handicap.
const BUFFER: usize = 64 * 1024;

/// Where the callbacks put the body of the answer, and take that of the request from.
#[derive(Default)]
struct Ends {
    kept: Vec<u8>,
    target: Target,
    counted: u64,
    source: Option<File>,
}

#[derive(Default)]
enum Target {
    #[default]
    Memory,
    Nowhere,
    File(File),
}

impl Handler for Ends {
    fn write(&mut self, piece: &[u8]) -> Result<usize, WriteError> {
        match &mut self.target {
            Target::Memory => self.kept.extend_from_slice(piece),
            Target::Nowhere => self.counted += piece.len() as u64,
            Target::File(file) => {
                if file.write_all(piece).is_err() {
                    // Another number than it gave ends the transfer.
                    return Ok(0);
                }
            }
        }
        Ok(piece.len())
    }

    fn read(&mut self, piece: &mut [u8]) -> Result<usize, ReadError> {
        self.source.as_mut().map_or(Ok(0), |file| file.read(piece).map_err(|_| ReadError::Abort))
    }
}

pub(super) fn open(ca: Option<&Path>) -> Box<dyn Shared> {
    Box::new(Settings { ca: ca.map(Path::to_owned) })
}

impl Shared for Settings {
    fn for_thread(&self) -> Result<Box<dyn Client>, Failure> {
        let mut easy = Easy2::new(Ends::default());
        let mut headers = List::new();
        headers.append(&format!("Accept-Encoding: {ACCEPT_ENCODING}"))?;
        // Nobody else waits for a 100 before a large body.
        headers.append("Expect:")?;
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
        self.0.get_mut().target = Target::Nowhere;
        self.0.url(url)?;
        self.0.perform()?;
        expect_ok(self.0.response_code()? as u16)?;
        Ok(self.0.get_ref().counted)
    }

    fn download(&mut self, url: &str, file: &Path) -> Result<(), Failure> {
        self.0.buffer_size(BUFFER)?;
        self.0.get_mut().target = Target::File(File::create_new(file)?);
        self.0.url(url)?;
        self.0.perform()?;
        expect_ok(self.0.response_code()? as u16)
    }

    fn upload(&mut self, url: &str, file: &Path) -> Result<Vec<u8>, Failure> {
        let file = File::open(file)?;
        self.0.upload(true)?;
        self.0.in_filesize(file.metadata()?.len())?;
        self.0.get_mut().source = Some(file);
        self.get(url)
    }

    fn multipart(&mut self, url: &str, file: &Path) -> Result<Vec<u8>, Failure> {
        let mut form = Form::new();
        form.part("tag_name").contents(b"bench").add()?;
        form.part("userfile").file(file).add()?;
        self.0.httppost(form)?;
        self.get(url)
    }
}
