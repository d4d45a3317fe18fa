//! The clients, each behind the same two calls and with the same request head.

mod attohttpc;
mod libcurl;
mod socket;
mod ureq;
mod urlsession;

use std::path::Path;

use crate::Failure;

/// The names `open` knows, in the order of the tables.
pub(crate) const NAMES: &[&str] = &["urlsession", "ureq", "attohttpc", "libcurl", "socket"];

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
}

/// Opens the client called `name`, which trusts `ca` and nothing else if one is given.
pub(crate) fn open(name: &str, ca: Option<&Path>) -> Result<Box<dyn Shared>, Failure> {
    match name {
        "urlsession" => urlsession::open(ca),
        "ureq" => ureq::open(ca),
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

fn expect_ok(status: u16) -> Result<(), Failure> {
    if status == 200 { Ok(()) } else { Err(format!("the server answered {status}").into()) }
}
