//! One exchange over one connection, which can be left in the middle and gone on with.

use std::sync::Arc;

use super::connection::Connection;
use super::connector::Making;
use super::home::{Berth, Home};
use super::http1::{self, Duplex, Exchanged, Incoming, Progress};
use super::{Call, Works};
use crate::body::Body;
use crate::cancel::Registered;
use crate::census::{Counted, Kind};
use crate::error::{Error, ErrorKind, Stage};
use crate::log;
use crate::wire::{Context, Loss, Paused, PausedExchange, Question, WireRequest, WireResponse};

/// An exchange that is under way, as far as its answer's head.
pub(super) struct Exchange {
    duplex: Duplex,
    progress: Progress,
    /// Has a cancel end what waits.
    registered: Option<Registered>,
    /// The file that is sent.
    _file: Option<Counted>,
    /// Where its connection goes, if not to the pool.
    berth: Option<Arc<Berth>>,
}

/// An exchange that failed.
pub(super) struct Failed {
    pub(super) error: Error,
    /// The connection was kept alive and had ended before the request came, which may be sent
    /// on another one.
    pub(super) may_be_repeated: bool,
}

impl Failed {
    /// The server had closed the idle connection, and said so.
    #[cold]
    fn timed_out_idle() -> Self {
        let detail = "the server closed the idle connection with a 408";
        Self { error: Error::new(ErrorKind::NetworkConnectionLost, detail), may_be_repeated: true }
    }
}

/// What an exchange begins with.
pub(super) enum Beginning {
    /// Over a connection that goes there afterwards, or else to the pool.
    Anew(Box<Connection>, Option<Arc<Berth>>),
    /// Where it was left.
    Left(Box<Exchange>),
}

impl Works {
    /// One exchange over one connection, as far as its answer's head.
    pub(super) fn attempt(
        self: &Arc<Self>,
        beginning: Beginning,
        request: &WireRequest<'_>,
        context: &Context,
        paused: &mut Paused,
    ) -> Result<WireResponse, Failed> {
        let mut exchange = match beginning {
            Beginning::Anew(connection, berth) => {
                let waker = || connection.waker();
                let registered = context.cancel.as_ref().map(|token| token.on_cancel(waker()));
                let sends_file = request.body.is_some_and(Body::is_file);
                let _file = sends_file.then(|| self.census.count(Kind::File));
                let (duplex, progress) = (Duplex::new(connection), Progress::default());
                Exchange { duplex, progress, registered, _file, berth }
            }
            Beginning::Left(exchange) => *exchange,
        };
        let Exchange { duplex, progress, .. } = &mut exchange;
        let exchanged =
            context.check().and_then(|()| http1::exchange(duplex, progress, request, context));
        let Exchanged { head, decision } = match exchanged {
            Ok(exchanged) => exchanged,
            Err(error) if context.leaves(&error) => {
                let berth = exchange.berth.clone();
                *paused = self.left(Point::Exchanging(Box::new(exchange)), berth.as_ref());
                return Err(Failed { error, may_be_repeated: false });
            }
            Err(error) => return Err(exchange.failed(error, request)),
        };
        let connection = exchange.duplex.connection();
        let loss = Loss::of_answer(head.status, connection.reused, decision.ends_connection());
        if loss.is_some_and(|loss| request.may_be_sent_again(loss)) {
            return Err(Failed::timed_out_idle());
        }
        self.connector.note_answer(connection, head.status);
        let (ends, is_trusted) = (connection.ends().cloned(), connection.is_trusted());
        let Exchange { duplex, registered, berth, .. } = exchange;
        let home = match berth {
            Some(berth) => Home::Reserved(berth),
            None => Home::Pool(self.pool.clone()),
        };
        let body = Incoming::new(duplex, decision, home, context.clone(), registered);
        Ok(WireResponse { head, ends, is_trusted, body: Box::new(body) })
    }
}

impl Exchange {
    #[cold]
    fn failed(self, error: Error, request: &WireRequest<'_>) -> Failed {
        let connection = self.duplex.into_connection();
        let on_stale = connection.reused && !connection.heard;
        let loss = Loss::of(&error).filter(|loss| on_stale && *loss == Loss::Broken);
        let may_be_repeated = loss.is_some_and(|loss| request.may_be_sent_again(loss));
        Failed { error: error.at(Stage::Sending), may_be_repeated }
    }
}

/// A connection that others have made, and the question whether the load may use it.
pub(super) type Candidate = (Box<Connection>, Question);

/// How far an exchange had come when its thread was left.
pub(super) enum Point {
    /// Somebody is asked about a connection that others have made.
    Confirming(Box<Candidate>),
    /// A connection is made.
    Connecting(Box<Making>),
    /// It is under way.
    Exchanging(Box<Exchange>),
}

/// An exchange that no thread goes on with, and what it goes on with.
struct Left {
    point: Point,
    works: Arc<Works>,
    berth: Option<Arc<Berth>>,
}

impl Works {
    /// Keeps what goes on later.
    #[cold]
    pub(super) fn left(self: &Arc<Self>, point: Point, berth: Option<&Arc<Berth>>) -> Paused {
        Some(Box::new(Left { point, works: self.clone(), berth: berth.cloned() }))
    }
}

impl PausedExchange for Left {
    fn go_on(
        self: Box<Self>,
        request: &WireRequest<'_>,
        context: &Context,
        paused: &mut Paused,
    ) -> Result<WireResponse, Error> {
        let Self { point, works, berth } = *self;
        let call = Call { request, context, berth: berth.as_ref() };
        let exchange = match point {
            Point::Confirming(candidate) => {
                return works.exchange_over(Some(candidate), &call, paused);
            }
            Point::Connecting(making) => {
                return works.exchange_anew(*making, &call, paused);
            }
            Point::Exchanging(exchange) => exchange,
        };
        match works.attempt(Beginning::Left(exchange), request, context, paused) {
            Ok(response) => Ok(response),
            Err(failed) if failed.may_be_repeated => {
                log::debug!("a kept-alive connection was dead; trying once on a new one");
                works.exchange_anew(Making::new(context), &call, paused)
            }
            Err(failed) => Err(failed.error),
        }
    }
}
