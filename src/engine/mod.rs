//! Moves bytes: HTTP/1.1 over sockets, TLS and a pool of connections. Heads are parsed by
//! `httparse`; the rest of the protocol is here.
//!
//! [`Engine`] is the crate's [`Wire`]. One exchange takes a connection from the pool or
//! makes one, sends the request, receives the head, and hands out a reader of the body,
//! which puts the connection back when the body is whole.
//!
//! This room knows the words and the wire. It does not know redirects, stores, sessions
//! or tasks, and decodes no body.
//!
//! Everything happens on the caller's thread, apart from look-ups, which have helpers, and
//! the closing of old connections. Cancelling shuts the socket down or rings an alarm; no
//! lock is held while anything waits.

mod alarm;
mod buffer;
mod connection;
mod connector;
mod home;
mod http1;
mod keep_alive;
mod lookup;
mod pool;
mod race;
mod reach;
mod sendfile;
mod socket;
mod spare;
mod stream;
#[cfg(all(test, feature = "test-util"))]
mod tests;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
mod tls;
mod zone;

use std::sync::Arc;

use connection::Connection;
use connector::Connector;
use home::{Berth, Home, Reserved};
#[cfg(any(test, fuzzing))]
pub(crate) use http1::fuzz;
use http1::{Duplex, Exchanged, Incoming};
pub(crate) use pool::IdleLimits;
use pool::Pool;
use tls::Terms;

use crate::body::Body;
use crate::census::{Census, Kind};
use crate::clock::Clock;
#[cfg(feature = "tls")]
use crate::credentials::CredentialStorage;
use crate::error::{Error, ErrorKind, Stage};
use crate::log;
use crate::resolver::Resolver;
#[cfg(feature = "tls")]
use crate::trust::{Certificate, PublicKeyPins, TlsVersion};
use crate::wire::{Context, Loss, Route, Wire, WireRequest, WireResponse};

/// What an engine is made with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) idle: IdleLimits,
    #[cfg(feature = "tls")]
    pub(crate) trust: Trust,
    /// Where client certificates come from and go to.
    #[cfg(feature = "tls")]
    pub(crate) credentials: Option<CredentialStorage>,
    pub(crate) resolver: Option<Resolver>,
    #[cfg(unix)]
    pub(crate) unix_socket: Option<std::path::PathBuf>,
    pub(crate) clock: Clock,
    pub(crate) census: Census,
}

/// Whom to trust, and how to speak to them.
#[cfg(feature = "tls")]
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    /// The oldest and the newest version to speak.
    pub(crate) versions: (TlsVersion, TlsVersion),
    pub(crate) roots: Vec<Certificate>,
    pub(crate) system_roots: bool,
    pub(crate) pins: Vec<PublicKeyPins>,
}

/// The wire of one session.
#[derive(Debug)]
pub(crate) struct Engine {
    pool: Arc<Pool>,
    connector: Connector,
    census: Census,
}

impl Engine {
    /// Makes an engine; nothing is opened or started yet.
    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        let (idle, clock) = (settings.idle.clone(), settings.clock.clone());
        let census = settings.census.clone();
        let pool = Arc::new(Pool::new(idle, clock, census.clone()));
        Ok(Self { pool, connector: Connector::new(settings)?, census })
    }

    /// Has every later exchange use a new connection.
    pub(crate) fn renew(&self) {
        self.pool.renew();
    }

    /// Closes all idle connections and sends idle helpers home; connections that are busy
    /// are closed when they become idle.
    pub(crate) fn close(&self) {
        self.pool.close();
        self.connector.close();
    }

    /// Takes a connection that is idle and that the load may use: its own, or one of the
    /// pool.
    fn at_hand(
        &self,
        berth: Option<&Arc<Berth>>,
        request: &WireRequest<'_>,
        context: &Context,
    ) -> Option<Box<Connection>> {
        if let Some(own) = berth.and_then(|berth| self.own(berth, request.route)) {
            return Some(own);
        }
        let allow = |terms: &Terms| self.connector.allows(terms, context);
        self.pool.take(request.route, allow, || request.may_be_sent_again(Loss::Broken))
    }

    /// Takes the load's own connection. One with another route is closed.
    fn own(&self, berth: &Berth, route: Route<'_>) -> Option<Box<Connection>> {
        let mut own = berth.take()?;
        let fits = own.route().as_route() == route && self.pool.would_keep(&own);
        let usable = fits && own.is_usable();
        usable.then(|| {
            own.wake_up();
            own
        })
    }

    /// One exchange over a connection of the pool or a new one, which the load keeps if it
    /// has a place for its own.
    fn exchange_over(
        &self,
        berth: Option<&Arc<Berth>>,
        request: &WireRequest<'_>,
        context: &Context,
    ) -> Result<WireResponse, Error> {
        context.check()?;
        while let Some(mut connection) = self.at_hand(berth, request, context) {
            match self.connector.confirm(&mut connection, request, context) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(error) => {
                    // Others have no reason to leave it.
                    if berth.is_none() {
                        self.pool.put(connection);
                    }
                    return Err(error);
                }
            }
            match self.attempt(connection, berth, request, context) {
                Ok(response) => return Ok(response),
                Err(failed) if failed.may_be_repeated => {
                    log::debug!("a kept-alive connection was dead; trying once on a new one");
                    break;
                }
                Err(failed) => return Err(failed.error),
            }
        }
        let mut connection = self.connector.connect(request, context)?;
        self.pool.admit(&mut connection);
        self.attempt(connection, berth, request, context).map_err(|failed| failed.error)
    }

    /// One exchange over one connection.
    fn attempt(
        &self,
        connection: Box<Connection>,
        berth: Option<&Arc<Berth>>,
        request: &WireRequest<'_>,
        context: &Context,
    ) -> Result<WireResponse, Attempt> {
        let registered = context.cancel.as_ref().map(|token| token.on_cancel(connection.waker()));
        let sends_file = request.body.is_some_and(Body::is_file);
        let _file = sends_file.then(|| self.census.count(Kind::File));
        let mut duplex = Duplex::new(connection);
        let exchanged =
            context.check().and_then(|()| http1::exchange(&mut duplex, request, context));
        match exchanged {
            Ok(Exchanged { head, decision }) => {
                let was_kept = duplex.connection().reused;
                let loss = Loss::of_answer(head.status, was_kept, decision.ends_connection());
                if loss.is_some_and(|loss| request.may_be_sent_again(loss)) {
                    return Err(Attempt::timed_out_idle());
                }
                self.connector.note_answer(duplex.connection(), head.status);
                let home = match berth {
                    Some(berth) => Home::Reserved(berth.clone()),
                    None => Home::Pool(self.pool.clone()),
                };
                let ends = duplex.connection().ends().cloned();
                let body = Incoming::new(duplex, decision, home, context.clone(), registered);
                Ok(WireResponse { head, ends, body: Box::new(body) })
            }
            Err(error) => {
                let connection = duplex.into_connection();
                let on_stale = connection.reused && !connection.heard;
                let loss = Loss::of(&error).filter(|loss| on_stale && *loss == Loss::Broken);
                let may_be_repeated = loss.is_some_and(|loss| request.may_be_sent_again(loss));
                Err(Attempt { error: error.at(Stage::Sending), may_be_repeated })
            }
        }
    }
}

/// An exchange that failed.
struct Attempt {
    error: Error,
    /// The connection was kept alive and had ended before the request came, which may be sent
    /// on another one.
    may_be_repeated: bool,
}

impl Attempt {
    /// The server had closed the idle connection, and said so.
    #[cold]
    fn timed_out_idle() -> Self {
        let detail = "the server closed the idle connection with a 408";
        Self { error: Error::new(ErrorKind::NetworkConnectionLost, detail), may_be_repeated: true }
    }
}

impl Wire for Engine {
    fn exchange(
        &self,
        request: &WireRequest<'_>,
        context: &Context,
    ) -> Result<WireResponse, Error> {
        self.exchange_over(None, request, context)
    }

    fn reserved(&self) -> Box<dyn Wire + '_> {
        Box::new(Reserved::new(self))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}
