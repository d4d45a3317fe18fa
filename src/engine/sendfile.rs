//! Sending a file straight from the system's cache of it.
//!
//! `sendfile` saves copying every byte into the memory of the process and out again. Linux
//! and Android have it in a form that needs no `unsafe`; elsewhere, and wherever the system
//! refuses, files are read and written.

use std::fs::{self, File};
use std::io;

use super::socket::is_again;

/// For less than this, finding out whether it is [harmless](is_harmless) costs more than it
/// saves.
const LEAST: u64 = 512 * 1024;

/// How much is sent at a time. In between, the server is listened to, the timers begin anew
/// and progress is told.
const AT_A_TIME: u64 = 256 * 1024;

/// What a call has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// So many bytes are sent; none if there is no room for any.
    Sent(usize),
    /// The file has to be read: the system does not send files of its kind, or to such a
    /// socket, or reading tells what is wrong with it.
    Refused,
}

/// Returns whether what is left of a file should be sent in this way.
pub(super) fn pays(left: u64) -> bool {
    left >= LEAST && is_harmless()
}

/// Returns how much of what is left is sent next.
pub(super) fn at_a_time(left: u64) -> usize {
    left.min(AT_A_TIME) as usize
}

/// Decides what follows from a call.
pub(super) fn judge(outcome: io::Result<usize>) -> io::Result<Turn> {
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

/// Sends at most `most` bytes of `file` from where it stands, and moves it on by as much.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn call(socket: &socket2::Socket, file: &File, most: usize) -> io::Result<usize> {
    Ok(rustix::fs::sendfile(socket, file, None, most)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn call(_: &socket2::Socket, _: &File, _: usize) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns whether a connection that breaks does no harm to the process.
///
/// `send` can be told not to raise SIGPIPE; `sendfile` cannot, and a cancel breaks the
/// connection, too. Rust's start-up code ignores the signal, but a program may have another
/// start, or want the signal; a signal mask or a handler would not leave it without a trace.
fn is_harmless() -> bool {
    cfg!(any(target_os = "linux", target_os = "android"))
        && fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_sigpipe(&status))
}

/// Reads a process's status, see proc_pid_status(5).
fn ignores_sigpipe(status: &str) -> bool {
    const SIGPIPE: u32 = 13;

    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (SIGPIPE - 1)) != 0)
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
    fn only_a_process_that_ignores_sigpipe_is_safe_from_it() {
        for (status, ignored) in [
            ("Name:\tx\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001000\n", true),
            ("SigIgn:\t0000000000001002\n", true),
            ("SigIgn:\t0000000000000000\nSigCgt:\t0000000000001000\n", false),
            ("SigBlk:\t0000000000001000\nSigIgn:\t0000000000002800\n", false),
            ("SigIgn:\tfffffffffffff\n", true),
            ("SigIgn:\tnothing\n", false),
            ("", false),
        ] {
            assert_eq!(ignores_sigpipe(status), ignored, "{status}");
        }
    }

    #[test]
    fn only_large_files_are_sent_in_this_way_and_in_small_portions() {
        assert!(!pays(LEAST - 1));
        // The tests are a program of Rust, which ignores SIGPIPE.
        assert_eq!(pays(LEAST), cfg!(any(target_os = "linux", target_os = "android")));
        for (left, expected) in [(1, 1), (AT_A_TIME, 262_144), (u64::MAX, 262_144)] {
            assert_eq!(at_a_time(left), expected);
        }
    }
}
