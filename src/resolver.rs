//! A program's own way to find addresses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::{fmt, io};

use crate::foreign::Foreign;

/// Replaces the system's look-up of host names.
///
/// The closure gets the host and the port of each new connection and returns the
/// addresses to try, best first. It is asked for IP addresses in URLs too, and on every
/// hop of a redirect, so it can also refuse addresses. Connections that need the same host
/// and port at the same time share one call; no answer is kept for later ones.
///
/// It runs on one of the session's look-up threads, may block, and is abandoned when the
/// load is cancelled or runs out of time. Eight of these threads work at once, two for the
/// same host; one that is held for more than 250 ms is replaced, until there are 64. If it
/// panics when it is called, the load fails with
/// [`ErrorKind::DelegatePanicked`](crate::ErrorKind::DelegatePanicked).
///
/// # Examples
///
/// ```
/// use std::net::SocketAddr;
/// use urlsession::{Configuration, Resolver};
///
/// let mut configuration = Configuration::ephemeral();
/// configuration.resolver = Some(Resolver::new(|host, port| match host {
///     "shop.test" => Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))]),
///     _ => Err(std::io::Error::other("only shop.test exists")),
/// }));
/// ```
#[derive(Clone)]
pub struct Resolver(Foreign<Arc<Resolve>>);

type Resolve = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

impl Resolver {
    /// Wraps `resolve`.
    pub fn new(
        resolve: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self(Foreign::new(Arc::new(resolve)))
    }

    pub(crate) fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        (self.0)(host, port)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}
