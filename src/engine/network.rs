//! Changes of the machine's network, as the system tells of them.
//!
//! Linux does so by messages to a socket (rtnetlink(7)): a link comes up, an address or a route
//! is there. What exactly has changed is not looked at: whoever could not connect tries again.

use std::io;
use std::time::Duration;

use crate::census::{Census, Counted, Kind};

/// Learns of changes, for a thread that waits for them.
#[derive(Debug)]
pub(crate) struct NetworkWatch {
    system: system::Watch,
    _counted: Counted,
}

impl NetworkWatch {
    /// Begins to watch; fails where the system has nothing to tell, or tells nobody, as in a
    /// sandbox.
    pub(crate) fn open(census: &Census) -> io::Result<Self> {
        Ok(Self { system: system::Watch::open()?, _counted: census.count(Kind::Socket) })
    }

    /// Waits for a change, for at most `timeout` or until it is [woken](Self::wake); returns
    /// whether there was one.
    pub(crate) fn wait(&self, timeout: Duration) -> io::Result<bool> {
        self.system.wait(timeout)
    }

    /// Wakes the thread that waits, or the next one.
    pub(crate) fn wake(&self) {
        self.system.wake();
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
    use rustix::io::{Errno, read, write};
    use rustix::net::netlink::SocketAddrNetlink;
    use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};

    /// Links, and the addresses and routes of both families: `RTMGRP_LINK`,
    /// `RTMGRP_IPV4_IFADDR`, `RTMGRP_IPV4_ROUTE`, `RTMGRP_IPV6_IFADDR` and `RTMGRP_IPV6_ROUTE` of
    /// `linux/rtnetlink.h`.
    const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

    #[derive(Debug)]
    pub(super) struct Watch {
        messages: OwnedFd,
        bell: OwnedFd,
    }

    impl Watch {
        pub(super) fn open() -> io::Result<Self> {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            // No protocol is the first one, `NETLINK_ROUTE`.
            let messages = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
            bind(&messages, &SocketAddrNetlink::new(0, GROUPS))?;
            let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            Ok(Self { messages, bell })
        }

        pub(super) fn wait(&self, timeout: Duration) -> io::Result<bool> {
            let fd = |fd| PollFd::new(fd, PollFlags::IN);
            let mut fds = [fd(&self.messages), fd(&self.bell)];
            match poll(&mut fds, Timespec::try_from(timeout).ok().as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let [told, rung] = fds.map(|fd| !fd.revents().is_empty());
            if rung {
                // It counts how often it was rung, and begins anew.
                let _ = read(&self.bell, &mut [0; 8]);
            }
            if told { self.take_messages() } else { Ok(false) }
        }

        /// Takes all that has come; returns whether anything has.
        fn take_messages(&self) -> io::Result<bool> {
            let mut any = false;
            loop {
                // Of a message that is longer, the rest is dropped.
                match recv(&self.messages, &mut [0; 64], RecvFlags::empty()) {
                    // There were more than the socket holds.
                    Ok(_) | Err(Errno::NOBUFS) => any = true,
                    Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) => return Ok(any),
                    Err(error) => return Err(error.into()),
                }
            }
        }

        pub(super) fn wake(&self) {
            // It always takes one more.
            let _ = write(&self.bell, &1_u64.to_ne_bytes());
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use std::io;
    use std::time::Duration;

    /// There is none.
    #[derive(Debug)]
    pub(super) enum Watch {}

    impl Watch {
        pub(super) fn open() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(super) fn wait(&self, _timeout: Duration) -> io::Result<bool> {
            match *self {}
        }

        pub(super) fn wake(&self) {
            match *self {}
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::Instant;

    use super::*;

    const HANG: Duration = Duration::from_secs(20);
    const SLICE: Duration = Duration::from_millis(20);

    #[test]
    fn who_waits_for_a_change_is_woken_once() {
        let Ok(watch) = NetworkWatch::open(&Census::default()) else {
            println!("skipped: the system tells this process of no change of the network");
            return;
        };
        watch.wake();
        watch.wake();
        let began = Instant::now();
        // Whether the network has changed meanwhile is another program's affair.
        watch.wait(HANG).unwrap();
        assert!(began.elapsed() < HANG);
        // It was for both, so that the next one is not woken.
        let sleeps = || {
            let began = Instant::now();
            watch.wait(SLICE).unwrap();
            began.elapsed() >= SLICE
        };
        assert!((0..100).any(|_| sleeps()));
    }
}
