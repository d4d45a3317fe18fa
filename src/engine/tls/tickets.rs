//! What a session remembers of its handshakes, to resume them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::NamedGroup;
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;

use crate::sync::{Mutex, Rank};

/// How many TLS sessions are remembered for resuming.
const REMEMBERED: usize = 64;

/// Remembers handshakes, but none with a server that wants a certificate of the client: it
/// would not ask again in a handshake that is resumed, and whoever decides about certificates
/// would be passed over.
pub(super) struct Tickets {
    remembered: ClientSessionMemoryCache,
    any_asks: AtomicBool,
    /// Few: those that want a certificate of the client.
    asking: Mutex<Vec<ServerName<'static>>>,
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").finish_non_exhaustive()
    }
}

impl Tickets {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            remembered: ClientSessionMemoryCache::new(REMEMBERED),
            any_asks: AtomicBool::new(false),
            asking: Mutex::new(Rank::Tickets, Vec::new()),
        })
    }

    /// From now on, nothing is remembered of `server`.
    pub(super) fn never_for(&self, server: &ServerName<'static>) {
        let mut asking = self.asking.lock();
        if !asking.contains(server) {
            asking.push(server.clone());
        }
        drop(asking);
        self.any_asks.store(true, Ordering::Release);
    }

    /// Forgets the handshakes with `server`, so that the next one is a new one.
    pub(super) fn forget(&self, server: &ServerName<'static>) {
        self.remembered.remove_tls12_session(server);
        while self.remembered.take_tls13_ticket(server).is_some() {}
    }

    fn may_resume(&self, server: &ServerName<'_>) -> bool {
        !self.any_asks.load(Ordering::Acquire) || !self.asking.lock().contains(&server.to_owned())
    }
}

impl ClientSessionStore for Tickets {
    fn set_kx_hint(&self, server: ServerName<'static>, group: NamedGroup) {
        self.remembered.set_kx_hint(server, group);
    }

    fn kx_hint(&self, server: &ServerName<'_>) -> Option<NamedGroup> {
        self.remembered.kx_hint(server)
    }

    fn set_tls12_session(&self, server: ServerName<'static>, value: Tls12ClientSessionValue) {
        if self.may_resume(&server) {
            self.remembered.set_tls12_session(server, value);
        }
    }

    fn tls12_session(&self, server: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        if self.may_resume(server) { self.remembered.tls12_session(server) } else { None }
    }

    fn remove_tls12_session(&self, server: &ServerName<'static>) {
        self.remembered.remove_tls12_session(server);
    }

    fn insert_tls13_ticket(&self, server: ServerName<'static>, value: Tls13ClientSessionValue) {
        if self.may_resume(&server) {
            self.remembered.insert_tls13_ticket(server, value);
        }
    }

    fn take_tls13_ticket(&self, server: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        if self.may_resume(server) { self.remembered.take_tls13_ticket(server) } else { None }
    }
}
