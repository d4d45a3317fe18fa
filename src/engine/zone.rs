//! Addresses that mean something on one network interface alone (RFC 4007 §11).

use std::io;
use std::net::{Ipv6Addr, SocketAddr};

use crate::error::{Error, ErrorKind};

/// Returns the address of a port on the interface that `zone` names, or numbers.
pub(super) fn address(ip: Ipv6Addr, port: u16, zone: &str) -> Result<SocketAddr, Error> {
    resolve(ip, port, zone).map_err(|error| {
        let detail = format!("the URL's zone {zone:?} is no network interface of this machine");
        Error::new(ErrorKind::CannotFindHost, detail).because(error)
    })
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn resolve(ip: Ipv6Addr, port: u16, zone: &str) -> io::Result<SocketAddr> {
    use std::net::SocketAddrV6;

    use rustix::net::netdevice::name_to_index;
    use socket2::{Domain, Socket, Type};

    let asked = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
    let index = name_to_index(&asked, zone).or_else(|error| zone.parse().map_err(|_| error))?;
    Ok(SocketAddrV6::new(ip, port, 0, index).into())
}

/// The system's look-up knows zones, although not for every address.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn resolve(ip: Ipv6Addr, port: u16, zone: &str) -> io::Result<SocketAddr> {
    use std::net::ToSocketAddrs;

    let found = (&*format!("{ip}%{zone}"), port).to_socket_addrs()?.next();
    found.ok_or_else(|| io::ErrorKind::NotFound.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_the_name_of_an_interface_or_its_number() {
        let ip: Ipv6Addr = "fe80::1".parse().unwrap();
        let index = |zone| match address(ip, 80, zone).unwrap() {
            SocketAddr::V6(address) => address.scope_id(),
            SocketAddr::V4(_) => 0,
        };
        assert_eq!(address(ip, 80, "lo").unwrap().ip(), ip);
        // The loopback interface is the first one that a network namespace has.
        for (zone, expected) in [("lo", 1), ("1", 1), ("4294967295", u32::MAX)] {
            assert_eq!(index(zone), expected, "{zone}");
        }
        for zone in ["no-such-one", "-1", "4294967296", "a name that is far too long to be one"] {
            let error = address(ip, 80, zone).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CannotFindHost, "{zone}");
            assert!(error.to_string().contains(zone), "{error}");
        }
    }
}
