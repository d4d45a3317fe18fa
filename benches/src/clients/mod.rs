//! The clients, each behind the same two calls and with the same request head.

mod attohttpc;
mod libcurl;
mod reqwest;
mod socket;
mod ureq;
mod urlsession;

use std::fs::File;
use std::path::Path;

use crate::Failure;

/// The names `open` knows, in the order of the tables.
pub(crate) const NAMES: &[&str] =
    &["urlsession", "ureq", "reqwest", "attohttpc", "libcurl", "socket"];

/// How many idle connections a client may keep; every thread of a load wants one.
const CONNECTIONS: usize = 16;

/// The same words in every request, besides `Host` and `Accept: */*`.
const USER_AGENT: &str = "bench";
const ACCEPT_ENCODING: &str = "identity";

/// What the threads of a load have in common: a session, an agent, or only settings.
pub(crate) trait Shared: Send + Sync {
    /// Makes what one thread uses.
    fn for_thread(&self) -> Result<Box<dyn Client>, Failure>;
}

/// One thread's way to send requests.
pub(crate) trait Client {
    /// Sends a GET and returns the whole body; a status other than 200 is a failure.
    fn get(&mut self, url: &str) -> Result<Vec<u8>, Failure>;

    /// Sends a GET, reads the body `buffer` bytes at a time and returns its length.
    fn bulk(&mut self, url: &str, buffer: usize) -> Result<u64, Failure>;

    /// Sends a GET and writes the body to `file`, which is not there yet.
    fn download(&mut self, url: &str, file: &Path) -> Result<(), Failure>;

    /// Sends a GET, has the body written to a temporary file, deletes that and returns its
    /// length. Only a client that has such files can.
    fn download_temporary(&mut self, _url: &str) -> Result<u64, Failure> {
        Err("this client has no temporary files".into())
    }

    /// Sends `file` with a PUT and its length announced, and returns the body of the answer.
    fn upload(&mut self, url: &str, file: &Path) -> Result<Vec<u8>, Failure>;

    /// Sends `file` with a POST as `multipart/form-data` and returns the body of the answer.
    fn multipart(&mut self, _url: &str, _file: &Path) -> Result<Vec<u8>, Failure> {
        Err("this client is not asked for forms".into())
    }

    /// Sends a GET for each of `urls`, all at once, and returns the length of all bodies when
    /// the last is there. Only a client that has tasks can.
    fn tasks(&mut self, _urls: Vec<String>) -> Result<u64, Failure> {
        Err("this client has no tasks".into())
    }
}

/// Opens the client called `name`, which trusts `ca` and nothing else if one is given.
pub(crate) fn open(name: &str, ca: Option<&Path>) -> Result<Box<dyn Shared>, Failure> {
    match name {
        "urlsession" => urlsession::open(ca),
        // Of the same client, so in no table of its own.
        "urlsession-cookies" => urlsession::open_with_cookies(ca),
        "ureq" => ureq::open(ca),
        "reqwest" => reqwest::open(ca),
        "attohttpc" => attohttpc::open(ca),
        "libcurl" => Ok(libcurl::open(ca)),
        "socket" => socket::open(ca),
        _ => Err(format!("no client is called `{name}`; there are {}", NAMES.join(", ")).into()),
    }
}

/// Reads `body` to its end in pieces of `buffer` bytes and counts them.
fn drain(mut body: impl std::io::Read, buffer: usize) -> Result<u64, Failure> {
    let mut piece = vec![0; buffer];
    let mut total = 0;
    loop {
        match body.read(&mut piece)? {
            0 => return Ok(total),
            read => total += read as u64,
        }
    }
}

/// Copies `body` to the new file at `path` in the way that `std` has for it.
fn save(mut body: impl std::io::Read, path: &Path) -> Result<(), Failure> {
    std::io::copy(&mut body, &mut File::create_new(path)?)?;
    Ok(())
}

fn expect_ok(status: u16) -> Result<(), Failure> {
    if status == 200 { Ok(()) } else { Err(format!("the server answered {status}").into()) }
}
