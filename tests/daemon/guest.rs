//! A program that talks to the daemon, frame by frame.

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
        self.say(HELLO)?;
        let answer = self.hear()?;
        assert_eq!(name(&answer), "welcome", "{answer}");
        Ok(())
    }

    pub(crate) fn say(&mut self, text: &str) -> io::Result<()> {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        self.0.write_all(&[&length, text.as_bytes()].concat())
    }

    /// Asks to open a session with this configuration.
    pub(crate) fn open(
        &mut self,
        program: &str,
        identifier: &str,
        configuration: &str,
    ) -> io::Result<()> {
        self.say(&format!(
            r#"{{"open":{{"program":"{program}","identifier":"{identifier}","coming":[],"held":[],
                "configuration":{configuration}}}}}"#
        ))
    }

    pub(crate) fn hear(&mut self) -> io::Result<String> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length)?;
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut answer)?;
        Ok(String::from_utf8(answer).unwrap())
    }

    /// Hears what is said up to something with this name; returns all names.
    pub(crate) fn hear_up_to(&mut self, last: &str) -> Vec<String> {
        let mut names = Vec::new();
        while names.last().is_none_or(|heard| heard != last) {
            let said = self.hear().unwrap_or_else(|error| panic!("{error} after {names:?}"));
            let name = name(&said);
            assert_ne!(name, "refused", "{said}");
            names.push(name.to_owned());
        }
        names
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

/// Returns what is said: the name of the one field of an object.
fn name(said: &str) -> &str {
    said.trim_start_matches("{\"").split('"').next().unwrap()
}
