//! Whose fault it is that a host cannot be reached: the host's, or that of this machine, which
//! has no network.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::error::ErrorKind;

/// Decides what a look-up means that the system has failed with.
pub(super) fn of_lookup(has_network: bool) -> ErrorKind {
    if has_network { ErrorKind::CannotFindHost } else { ErrorKind::NotConnectedToInternet }
}

/// Decides what it means that all of these attempts to connect failed. Whether there is a
/// network is asked only if none of them shows one: a host of the local network that is switched
/// off is `HostUnreachable`, and one with IPv6 addresses alone is `NetworkUnreachable` to a
/// machine without IPv6.
pub(super) fn of_attempts(failures: &[io::Error], has_network: impl FnOnce() -> bool) -> ErrorKind {
    let shows_none = |error| Evidence::of(error) >= Evidence::NoRoute;
    if !failures.is_empty() && failures.iter().all(shows_none) && !has_network() {
        ErrorKind::NotConnectedToInternet
    } else {
        ErrorKind::CannotConnectToHost
    }
}

/// Returns which of the failures says most about the host: the first of the best.
pub(super) fn deciding(failures: &[io::Error]) -> Option<usize> {
    (0..failures.len()).min_by_key(|&at| Evidence::of(&failures[at]))
}

/// How near to the host an attempt has come, the nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Evidence {
    /// It has answered.
    Answered,
    /// Something on the way to it has, or nothing.
    Sent,
    /// Nobody knows a way to it from the network that it should be in.
    NotThere,
    /// No route leads out of this machine.
    NoRoute,
    /// This machine does not even have an address of this family.
    NoFamily,
}

impl Evidence {
    fn of(error: &io::Error) -> Self {
        use io::ErrorKind as K;

        let no_family = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
        match error.kind() {
            K::ConnectionRefused | K::ConnectionReset | K::ConnectionAborted => Self::Answered,
            K::HostUnreachable => Self::NotThere,
            K::NetworkUnreachable | K::NetworkDown => Self::NoRoute,
            K::AddrNotAvailable => Self::NoFamily,
            _ if error.raw_os_error() == Some(no_family) => Self::NoFamily,
            _ => Self::Sent,
        }
    }
}

/// Whether a route leads out of this machine: to a server of the root of the name system, by
/// either family. Nothing is sent: to connect such a socket, the system only looks for a way.
pub(super) fn has_network() -> bool {
    let far: [(SocketAddr, SocketAddr); 2] = [
        ((Ipv4Addr::UNSPECIFIED, 0).into(), (Ipv4Addr::new(198, 41, 0, 4), 53).into()),
        (
            (Ipv6Addr::UNSPECIFIED, 0).into(),
            (Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30), 53).into(),
        ),
    ];
    far.iter().any(|(here, there)| {
        let found = UdpSocket::bind(here).and_then(|socket| socket.connect(there));
        found.err().is_none_or(|error| Evidence::of(&error) < Evidence::NotThere)
    })
}

#[cfg(test)]
mod tests {
    use io::ErrorKind as Io;

    use super::*;

    #[test]
    fn whose_fault_it_is_follows_from_all_attempts() {
        use ErrorKind::{CannotConnectToHost as Host, NotConnectedToInternet as Machine};

        // Errors; with and without a network; which error decides.
        for (failures, with, without, decides) in [
            (&[Io::ConnectionRefused][..], Host, Host, Some(0)),
            (&[Io::HostUnreachable], Host, Host, Some(0)),
            (&[Io::NetworkUnreachable], Host, Machine, Some(0)),
            (&[Io::NetworkDown], Host, Machine, Some(0)),
            (&[Io::AddrNotAvailable], Host, Machine, Some(0)),
            (&[Io::TimedOut], Host, Host, Some(0)),
            (&[Io::PermissionDenied], Host, Host, Some(0)),
            (&[Io::NetworkUnreachable, Io::ConnectionRefused], Host, Host, Some(1)),
            (&[Io::ConnectionRefused, Io::NetworkUnreachable], Host, Host, Some(0)),
            (&[Io::NetworkUnreachable, Io::HostUnreachable], Host, Host, Some(1)),
            (&[Io::AddrNotAvailable, Io::NetworkUnreachable], Host, Machine, Some(1)),
            (&[Io::HostUnreachable, Io::TimedOut, Io::TimedOut], Host, Host, Some(1)),
            (&[], Host, Host, None),
        ] {
            let errors: Vec<io::Error> = failures.iter().map(|&kind| kind.into()).collect();
            assert_eq!(of_attempts(&errors, || true), with, "{failures:?}");
            assert_eq!(of_attempts(&errors, || false), without, "{failures:?}");
            assert_eq!(deciding(&errors), decides, "{failures:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_machine_without_a_family_of_addresses_may_have_another() {
        let errors = [io::Error::from(rustix::io::Errno::AFNOSUPPORT)];
        assert_eq!(of_attempts(&errors, || true), ErrorKind::CannotConnectToHost);
        assert_eq!(of_attempts(&errors, || false), ErrorKind::NotConnectedToInternet);
    }

    #[test]
    fn a_name_is_not_found_where_there_is_a_network_to_look_in() {
        assert_eq!(of_lookup(true), ErrorKind::CannotFindHost);
        assert_eq!(of_lookup(false), ErrorKind::NotConnectedToInternet);
    }
}
