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
mod exchange;
mod home;
mod http1;
mod keep_alive;
mod lookup;
mod network;
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
use connector::{Connector, Making};
use exchange::{Beginning, Candidate, Point};
use home::{Berth, Reserved};
#[cfg(any(test, fuzzing))]
pub(crate) use http1::fuzz;
pub(crate) use network::NetworkWatch;
pub(crate) use pool::IdleLimits;
use pool::Pool;
use tls::Terms;

use crate::census::Census;
use crate::clock::Clock;
#[cfg(feature = "tls")]
use crate::credentials::CredentialStorage;
use crate::error::Error;
use crate::log;
use crate::resolver::Resolver;
#[cfg(feature = "tls")]
use crate::trust::{Certificate, PublicKeyPins, TlsVersion};
use crate::wire::{Context, Loss, Paused, Question, Route, Wire, WireRequest, WireResponse};

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
pub(crate) struct Engine(Arc<Works>);

/// What an engine works with, as long as an exchange is under way.
#[derive(Debug)]
struct Works {
    pool: Arc<Pool>,
    connector: Connector,
    census: Census,
}

/// What an exchange is asked to do.
struct Call<'a> {
    request: &'a WireRequest<'a>,
    context: &'a Context,
    /// Where the load has its own connection, if it has one.
    berth: Option<&'a Arc<Berth>>,
}

impl Engine {
    /// Makes an engine; nothing is opened or started yet.
    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        let (idle, clock) = (settings.idle.clone(), settings.clock.clone());
        let census = settings.census.clone();
        let pool = Arc::new(Pool::new(idle, clock, census.clone()));
        Ok(Self(Arc::new(Works { pool, connector: Connector::new(settings)?, census })))
    }

    /// Has every later exchange use a new connection.
    pub(crate) fn renew(&self) {
        self.0.pool.renew();
    }

    /// Closes all idle connections and sends idle helpers home; connections that are busy
    /// are closed when they become idle.
    pub(crate) fn close(&self) {
        self.0.pool.close();
        self.0.connector.close();
    }
}

impl Works {
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
    /// has a place for its own; over the one about which somebody is `asked` already, if that
    /// says so.
    fn exchange_over(
        self: &Arc<Self>,
        mut asked: Option<Box<Candidate>>,
        call: &Call<'_>,
        paused: &mut Paused,
    ) -> Result<WireResponse, Error> {
        let &Call { request, context, berth } = call;
        context.check()?;
        loop {
            let (mut connection, mut question) = match asked.take() {
                Some(candidate) => *candidate,
                None => match self.at_hand(berth, request, context) {
                    Some(connection) => (connection, Question::default()),
                    None => break,
                },
            };
            match self.connector.confirm(&mut connection, &mut question, request, context) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(error) => {
                    if context.leaves(&error) {
                        *paused =
                            self.left(Point::Confirming(Box::new((connection, question))), berth);
                    } else if berth.is_none() {
                        // Others have no reason to leave it.
                        self.pool.put(connection);
                    }
                    return Err(error);
                }
            }
            let beginning = Beginning::Anew(connection, berth.cloned());
            match self.attempt(beginning, request, context, paused) {
                Ok(response) => return Ok(response),
                Err(failed) if failed.may_be_repeated => {
                    log::debug!("a kept-alive connection was dead; trying once on a new one");
                    break;
                }
                Err(failed) => return Err(failed.error),
            }
        }
        self.exchange_anew(Making::new(context), call, paused)
    }

    /// One exchange over a new connection.
    fn exchange_anew(
        self: &Arc<Self>,
        mut making: Making,
        call: &Call<'_>,
        paused: &mut Paused,
    ) -> Result<WireResponse, Error> {
        let &Call { request, context, berth } = call;
        let mut connection = match self.connector.connect(&mut making, request, context) {
            Ok(connection) => connection,
            Err(error) => {
                if context.leaves(&error) {
                    *paused = self.left(Point::Connecting(Box::new(making)), berth);
                }
                return Err(error);
            }
        };
        self.pool.admit(&mut connection);
        let beginning = Beginning::Anew(connection, berth.cloned());
        self.attempt(beginning, request, context, paused).map_err(|failed| failed.error)
    }
}

impl Wire for Engine {
    fn exchange(
        &self,
        request: &WireRequest<'_>,
        context: &Context,
        paused: &mut Paused,
    ) -> Result<WireResponse, Error> {
        self.0.exchange_over(None, &Call { request, context, berth: None }, paused)
    }

    fn reserved(&self) -> Box<dyn Wire> {
        Box::new(Reserved::new(self.0.clone()))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}
