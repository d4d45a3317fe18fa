//! Connecting to the first of several addresses that answers (RFC 8305).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{io, mem};

use rustix::event::{PollFd, PollFlags};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::alarm::Alarm;
use super::reach;
use super::socket::{self, Link};
use crate::census::{Census, Counted, Kind};
use crate::error::{Error, ErrorKind};
use crate::wire::Context;

/// RFC 8305 §8: how long one attempt has the field to itself.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first address that answers.
pub(super) fn connect(
    addresses: &[SocketAddr],
    context: &Context,
    census: &Census,
) -> Result<Link, Error> {
    let targets = interleaved(addresses).into_iter().map(SockAddr::from).collect();
    Race::new(targets, context, census)?.run()
}

/// Connects to the Unix socket at `path`.
#[cfg(unix)]
pub(super) fn connect_unix(
    path: &std::path::Path,
    context: &Context,
    census: &Census,
) -> Result<Link, Error> {
    let target = SockAddr::unix(path).map_err(|error| {
        let detail = format!("{} cannot be the path of a socket", path.display());
        Error::new(ErrorKind::CannotConnectToHost, detail).because(error)
    })?;
    Race::new(vec![target], context, census)?.run()
}

/// Orders addresses for the race: families alternate, beginning with the family that the
/// look-up put first (RFC 8305 §4).
fn interleaved(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut order: Vec<SocketAddr> = Vec::with_capacity(addresses.len());
    loop {
        let pair = [preferred.next(), other.next()];
        if pair == [None, None] {
            return order;
        }
        for address in pair.into_iter().flatten() {
            if !order.contains(address) {
                order.push(*address);
            }
        }
    }
}

struct Race<'a> {
    context: &'a Context,
    census: &'a Census,
    alarm: Arc<Alarm>,
    waiting: std::vec::IntoIter<SockAddr>,
    running: Vec<(Socket, Counted)>,
    /// When the next attempt may start although others still run.
    next_start: Instant,
    failures: Vec<io::Error>,
}

impl<'a> Race<'a> {
    fn new(
        targets: Vec<SockAddr>,
        context: &'a Context,
        census: &'a Census,
    ) -> Result<Self, Error> {
        Ok(Self {
            context,
            census,
            alarm: Arc::new(Alarm::new()?),
            waiting: targets.into_iter(),
            running: Vec::new(),
            next_start: context.clock.now(),
            failures: Vec::new(),
        })
    }

    fn run(mut self) -> Result<Link, Error> {
        let _registered =
            self.context.cancel.as_ref().map(|token| token.on_cancel(self.alarm.clone()));
        let wait = self.context.wait();
        loop {
            let slice = wait.slice()?;
            let now = self.context.clock.now();
            if self.running.is_empty() || now >= self.next_start {
                self.start_next();
            }
            if self.running.is_empty() && self.waiting.as_slice().is_empty() {
                return Err(no_address(self.failures));
            }
            if self.running.is_empty() {
                continue;
            }
            let until_next = (!self.waiting.as_slice().is_empty()).then(|| {
                let left = self.next_start.saturating_duration_since(now);
                self.context.clock.slice(left)
            });
            let least = [slice, until_next].into_iter().flatten().min();
            if let Some(link) = self.poll(least)? {
                return Ok(link);
            }
        }
    }

    /// Starts attempts until one is under way or none is left.
    fn start_next(&mut self) {
        for target in self.waiting.by_ref() {
            match start(&target) {
                Ok(socket) => {
                    self.running.push((socket, self.census.count(Kind::Socket)));
                    break;
                }
                Err(error) => self.failures.push(error),
            }
        }
        self.next_start = self.context.clock.now() + HEAD_START;
    }

    /// Waits for attempts to end; returns the one that won.
    fn poll(&mut self, timeout: Option<Duration>) -> Result<Option<Link>, Error> {
        let mut fds = Vec::with_capacity(self.running.len() + 1);
        for (socket, _) in &self.running {
            fds.push(PollFd::new(socket, PollFlags::OUT));
        }
        fds.push(self.alarm.poll_fd());
        socket::poll(&mut fds, timeout)?;
        let ended: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        for ((socket, counted), ended) in mem::take(&mut self.running).into_iter().zip(ended) {
            if !ended {
                self.running.push((socket, counted));
                continue;
            }
            match finish(&socket) {
                Ok(()) => return Ok(Some(Link::new(socket, counted))),
                Err(error) => {
                    self.failures.push(error);
                    // RFC 8305 §5: a failed attempt lets the next one start at once.
                    self.next_start = self.context.clock.now();
                }
            }
        }
        Ok(None)
    }
}

/// Begins to connect.
fn start(target: &SockAddr) -> io::Result<Socket> {
    let domain = target.domain();
    let protocol = if domain == Domain::UNIX { None } else { Some(Protocol::TCP) };
    let socket = Socket::new(domain, Type::STREAM, protocol)?;
    socket.set_nonblocking(true)?;
    if protocol.is_some() {
        // Heads and bodies are put together before they are written.
        socket.set_tcp_nodelay(true)?;
    }
    match socket.connect(target) {
        Ok(()) => Ok(socket),
        // For a Unix socket this says that its line is full: nothing is under way.
        Err(error) if is_under_way(&error) && domain != Domain::UNIX => Ok(socket),
        Err(error) => Err(error),
    }
}

fn is_under_way(error: &io::Error) -> bool {
    if error.kind() == io::ErrorKind::WouldBlock {
        return true;
    }
    #[cfg(unix)]
    let under_way = rustix::io::Errno::INPROGRESS.raw_os_error();
    #[cfg(not(unix))]
    let under_way = rustix::io::Errno::WOULDBLOCK.raw_os_error();
    error.raw_os_error() == Some(under_way)
}

/// Looks how an attempt that has ended went.
fn finish(socket: &Socket) -> io::Result<()> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    socket.set_nonblocking(!socket::BLOCKS)
}

/// The error of a race that nobody has won.
#[cold]
fn no_address(mut failures: Vec<io::Error>) -> Error {
    let tried = failures.len();
    let Some(deciding) = reach::deciding(&failures) else {
        let detail = "the host has no address to connect to";
        return Error::new(ErrorKind::CannotConnectToHost, detail);
    };
    let kind = reach::of_attempts(&failures, reach::has_network);
    let detail = match (kind, tried) {
        (ErrorKind::NotConnectedToInternet, _) => "this machine has no network".to_owned(),
        (_, 1) => "cannot connect to the host".to_owned(),
        _ => format!("cannot connect to the host at any of its {tried} addresses"),
    };
    Error::new(kind, detail).by_system(failures.swap_remove(deciding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_alternate_beginning_with_the_first() {
        let order = |list: &[&str]| -> Vec<String> {
            let list: Vec<SocketAddr> = list.iter().map(|text| text.parse().unwrap()).collect();
            interleaved(&list).iter().map(SocketAddr::to_string).collect()
        };
        let mixed = ["[::1]:1", "[::2]:1", "[::3]:1", "1.0.0.1:1", "[::1]:1"];
        assert_eq!(order(&mixed), ["[::1]:1", "1.0.0.1:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(order(&["1.0.0.1:1", "[::1]:1"]), ["1.0.0.1:1", "[::1]:1"]);
        assert!(order(&[]).is_empty());
    }
}
