//! Sending a file straight from the system's cache of it.
//!
//! `sendfile` saves copying every byte into the memory of the process and out again. Linux
//! and Android have it in a form that needs no `unsafe`; elsewhere, and wherever the system
//! refuses, files are read and written.

#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "sendfile/none.rs")]
mod quiet;

use std::fs::File;
use std::io;

use super::socket::is_again;
use quiet::Quiet;

/// For less than this, preparing it costs more than it saves.
const LEAST: u64 = 512 * 1024;

/// How much is sent at a time. In between, the server is listened to, the timers begin anew
/// and progress is told.
const AT_A_TIME: u64 = 256 * 1024;

/// What it takes to have the system send a file, from where it stands.
#[derive(Debug)]
pub(super) struct Sendfile {
    quiet: Quiet,
}

/// What a call has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// So many bytes are sent; none if there is no room for any.
    Sent(usize),
    /// The file has to be read: the system does not send files of its kind, or to such a
    /// socket, or reading tells what is wrong with it.
    Refused,
}

impl Sendfile {
    /// Prepares to send a file of which so much is left; `None` if it is to be read.
    pub(super) fn of(left: u64) -> Option<Self> {
        if left < LEAST {
            return None;
        }
        Some(Self { quiet: Quiet::new().ok()? })
    }

    /// Sends at most `most` bytes, and moves the file on by as much.
    pub(super) fn send(
        &self,
        socket: &socket2::Socket,
        file: &File,
        most: usize,
    ) -> io::Result<Turn> {
        judge(self.quiet.sendfile(socket, file, most))
    }
}

/// Returns how much of what is left is sent next.
pub(super) fn at_a_time(left: u64) -> usize {
    left.min(AT_A_TIME) as usize
}

/// Decides what follows from a call.
fn judge(outcome: io::Result<usize>) -> io::Result<Turn> {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};

    match outcome {
        // The file's end. Some file systems say so wrongly; reading shows it.
        Ok(0) => Ok(Turn::Refused),
        Ok(count) => Ok(Turn::Sent(count)),
        Err(error) if is_again(&error) => Ok(Turn::Sent(0)),
        Err(error) => match error.kind() {
            BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected => Err(error),
            _ => Ok(Turn::Refused),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_not_the_connections_fault_is_left_to_reading() {
        use io::ErrorKind as Kind;

        for (outcome, expected) in [
            (Ok(1), Some(Turn::Sent(1))),
            (Ok(0), Some(Turn::Refused)),
            (Err(Kind::WouldBlock), Some(Turn::Sent(0))),
            (Err(Kind::Interrupted), Some(Turn::Sent(0))),
            // EINVAL, ENOSYS, and a disk that fails
            (Err(Kind::InvalidInput), Some(Turn::Refused)),
            (Err(Kind::Unsupported), Some(Turn::Refused)),
            (Err(Kind::Other), Some(Turn::Refused)),
            (Err(Kind::BrokenPipe), None),
            (Err(Kind::ConnectionReset), None),
            (Err(Kind::NotConnected), None),
        ] {
            let case = format!("{outcome:?}");
            assert_eq!(judge(outcome.map_err(io::Error::from)).ok(), expected, "{case}");
        }
    }

    #[test]
    fn only_large_files_are_sent_in_this_way_and_in_small_portions() {
        assert!(Sendfile::of(LEAST - 1).is_none());
        let sends = cfg!(any(target_os = "linux", target_os = "android"));
        assert_eq!(Sendfile::of(LEAST).is_some(), sends);
        for (left, expected) in [(1, 1), (AT_A_TIME, 262_144), (u64::MAX, 262_144)] {
            assert_eq!(at_a_time(left), expected);
        }
    }
}
