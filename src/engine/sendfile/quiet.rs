//! `sendfile` without SIGPIPE.
//!
//! `send` can be told not to raise it where a connection breaks; `sendfile` cannot, and a
//! cancel breaks the connection, too. What the signal does is the program's to decide, at any
//! time and from any thread, so nothing can be known of it beforehand. It is raised for the
//! thread that makes the call: that thread holds it back meanwhile, and takes away what has
//! come before it lets go.

use std::fs::File;
use std::io;

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Holds SIGPIPE back.
#[derive(Debug)]
pub(super) struct Quiet {
    pipe: SigSet,
    /// Takes what is pending, without waiting.
    pending: SignalFd,
}

impl Quiet {
    /// Takes a descriptor of the system.
    pub(super) fn new() -> io::Result<Self> {
        let pipe = SigSet::from(Signal::SIGPIPE);
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let pending = SignalFd::with_flags(&pipe, flags)?;
        Ok(Self { pipe, pending })
    }

    /// Sends at most `most` bytes of `file`, from where it stands.
    pub(super) fn sendfile(
        &self,
        socket: &socket2::Socket,
        file: &File,
        most: usize,
    ) -> io::Result<usize> {
        let call = || rustix::fs::sendfile(socket, file, None, most);
        // One that has sent less may have found the connection broken in the middle.
        Ok(self.around(call, |sent| *sent == Ok(most))??)
    }

    /// Makes a call. One that `is_clean` has raised nothing for certain.
    fn around<T>(
        &self,
        call: impl FnOnce() -> T,
        is_clean: impl FnOnce(&T) -> bool,
    ) -> io::Result<T> {
        let before = self.pipe.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let outcome = call();
        let is_taken = is_clean(&outcome) || self.pending.read_signal().is_ok();
        // A signal that could not be taken stays where it is: blocked.
        if is_taken {
            // A mask that was read can be set.
            let _ = before.thread_set_mask();
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::raise;

    use super::*;

    fn blocked() -> bool {
        SigSet::thread_get_mask().unwrap().contains(Signal::SIGPIPE)
    }

    #[test]
    fn a_signal_that_a_call_raises_is_taken_away_and_the_mask_is_as_before() {
        let quiet = Quiet::new().unwrap();
        for blocks in [false, true] {
            if blocks {
                quiet.pipe.thread_block().unwrap();
            }
            for _ in 0..3 {
                let raised = quiet.around(|| raise(Signal::SIGPIPE), |_| false).unwrap();
                assert_eq!(raised, Ok(()));
                assert_eq!(blocked(), blocks);
                assert!(quiet.pending.read_signal().unwrap().is_none());
            }
        }
    }

    #[test]
    fn a_call_that_is_clean_is_not_looked_after() {
        let quiet = Quiet::new().unwrap();
        quiet.pipe.thread_block().unwrap();
        quiet.around(|| raise(Signal::SIGPIPE), |_| true).unwrap().unwrap();
        assert!(quiet.pending.read_signal().unwrap().is_some());
    }
}
