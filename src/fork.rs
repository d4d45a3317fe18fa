//! In which process something was made.
//!
//! `fork` copies a program with all of its memory, but not its threads, and both share what
//! the system has open. A connection that both went on using would carry records sealed
//! twice, and answers that the other one waits for. So whoever has one asks, and leaves it to
//! the process that made it.
//!
//! That is asked for each request, and asking the system for the process's number is a system
//! call. The C library is told of a fork instead, by `pthread_atfork`; asking is then reading
//! a counter. A copy that is made behind the C library's back is not noticed.

use forkguard::Guard;

/// The process that has made something.
#[derive(Clone, Debug)]
pub(crate) struct Maker(Option<Guard>);

impl Maker {
    /// Returns the process that this is.
    pub(crate) fn this_process() -> Self {
        // Without memory for a handler, forks are not noticed.
        Self(Guard::try_new().ok())
    }

    /// Whether this process is still that one, and no copy of it.
    #[inline]
    pub(crate) fn is_this_process(&self) -> bool {
        // A copy is asked: what was asked once says no the next time.
        !self.0.clone().is_some_and(|mut guard| guard.detected_fork())
    }
}

impl Default for Maker {
    fn default() -> Self {
        Self::this_process()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_was_not_forked_is_its_own() {
        let maker = Maker::this_process();
        assert!(maker.0.is_some());
        for _ in 0..3 {
            assert!(maker.is_this_process() && maker.clone().is_this_process());
        }
    }
}
