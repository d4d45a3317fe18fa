//! TLS: whom a session trusts, what it agrees on, how a connection may end.

mod agreed;
mod bodies;
pub(crate) mod certificates;
mod endings;
mod faults;
mod resumed;
mod spoilt;
mod system_roots;
#[cfg(target_os = "linux")]
mod tickets;

use std::net::SocketAddr;
use std::time::Duration;

use urlsession::testing::{Authority, Server};
use urlsession::{Certificate, Configuration, Resolver, Session};

/// Settings that trust `authority` and nobody else.
fn trusting(authority: &Authority) -> Configuration {
    let mut configuration = Configuration::ephemeral();
    configuration.trusts_system_roots = false;
    configuration.additional_roots = vec![Certificate::from_der(authority.certificate_der())];
    // A guard: nothing here takes as long.
    configuration.timeout_for_resource = Duration::from_secs(60);
    configuration
}

fn session(configuration: Configuration) -> Session {
    Session::new(configuration).unwrap()
}

/// Finds every name at the address of `server`.
fn everywhere_is(server: &Server) -> Resolver {
    let address = server.address();
    Resolver::new(move |_, port| Ok(vec![SocketAddr::new(address.ip(), port)]))
}
