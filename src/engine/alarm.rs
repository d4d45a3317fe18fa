//! What a cancel rings while a thread waits for several sockets at once.

use std::io;
#[cfg(not(unix))]
use std::net::{Ipv4Addr, UdpSocket};
#[cfg(unix)]
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags};

use crate::cancel::Wake;
use crate::error::{Error, ErrorKind};

/// A socket that becomes readable when it is rung, and stays so.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct Alarm {
    rung: UnixStream,
    bell: UnixStream,
}

/// One that is connected with itself, as Windows waits for sockets alone and has no pairs of
/// them. The system takes nothing in for it from anywhere else.
#[cfg(not(unix))]
#[derive(Debug)]
pub(super) struct Alarm {
    rung: UdpSocket,
}

impl Alarm {
    pub(super) fn new() -> Result<Self, Error> {
        Self::open().map_err(|error| {
            let detail = "the system has no descriptor left for a connection";
            Error::new(ErrorKind::OutOfResources, detail).by_system(error)
        })
    }

    #[cfg(unix)]
    fn open() -> io::Result<Self> {
        let (rung, bell) = UnixStream::pair()?;
        Ok(Self { rung, bell })
    }

    #[cfg(not(unix))]
    fn open() -> io::Result<Self> {
        let rung = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        rung.connect(rung.local_addr()?)?;
        Ok(Self { rung })
    }

    /// Returns what to wait for beside the sockets.
    pub(super) fn poll_fd(&self) -> PollFd<'_> {
        PollFd::new(&self.rung, PollFlags::IN)
    }
}

impl Wake for Alarm {
    fn wake(&self) {
        // One byte always fits; if it did not, the alarm would be ringing already.
        #[cfg(unix)]
        let _ = io::Write::write(&mut &self.bell, &[1]);
        #[cfg(not(unix))]
        let _ = self.rung.send(&[1]);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::socket::poll;

    #[test]
    fn an_alarm_is_silent_until_it_is_rung_and_rings_on() {
        let (one, other) = (Alarm::new().unwrap(), Alarm::new().unwrap());
        let rings = |alarm: &Alarm| {
            let mut fds = [alarm.poll_fd()];
            poll(&mut fds, Some(Duration::from_millis(1))).unwrap();
            !fds[0].revents().is_empty()
        };
        assert!(!rings(&one));
        for _ in 0..2 {
            one.wake();
            assert!(rings(&one) && rings(&one) && !rings(&other));
        }
    }
}
