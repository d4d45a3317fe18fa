//! A program that talks to the daemon, as far as the handshake.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::process::HANG;

const HELLO: &str = r#"{"hello":{"oldest":1,"newest":1,"release":"0.1.0"}}"#;

pub(crate) struct Guest(pub(crate) UnixStream);

impl Guest {
    /// Connects to what lies at `socket`, and says nothing.
    pub(crate) fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(HANG))?;
        Ok(Self(stream))
    }

    /// Connects, and finishes the handshake.
    pub(crate) fn greeted(socket: &Path) -> io::Result<Self> {
        let mut guest = Self::connect(socket)?;
        guest.greet()?;
        Ok(guest)
    }

    pub(crate) fn greet(&mut self) -> io::Result<()> {
        let length = u32::try_from(HELLO.len()).unwrap().to_be_bytes();
        self.0.write_all(&[&length, HELLO.as_bytes()].concat())?;
        let mut length = [0; 4];
        self.0.read_exact(&mut length)?;
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut answer)?;
        assert!(answer.starts_with(br#"{"welcome":{"#), "{answer:?}");
        Ok(())
    }

    /// Waits until the daemon has closed the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.0.read_to_end(&mut Vec::new()) {
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    /// Whether it is open at this moment.
    pub(crate) fn is_open(&mut self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        let read = self.0.read(&mut [0]);
        self.0.set_nonblocking(false).unwrap();
        read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}
