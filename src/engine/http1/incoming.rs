//! The body of an answer, as it comes in.

use std::time::Duration;

use super::chunked::{Dechunker, Found};
use super::duplex::Duplex;
use super::framing::{Decision, Framing};
use crate::cancel::Registered;
use crate::engine::home::Home;
use crate::error::{Error, ErrorKind, Stage};
use crate::headers::Headers;
use crate::log;
use crate::splice::SplicePipe;
use crate::wire::{Context, Deadline, Patience, Timer, WireBody};

/// How much of an unwanted body is read to keep its connection, and for how long; beyond
/// that a new connection costs less.
const DISCARDED: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_millis(100);

/// A body on its way in; holds the connection until it is whole.
#[derive(Debug)]
pub(in crate::engine) struct Incoming {
    /// None once all is over, or broken.
    duplex: Option<Duplex>,
    rest: Rest,
    reusable: bool,
    /// The server has said that it closes the connection.
    closes: bool,
    /// The load goes on with another exchange.
    goes_on: bool,
    home: Home,
    context: Context,
    registered: Option<Registered>,
    /// What came behind the body, until somebody takes it.
    trailers: Option<Box<Headers>>,
}

/// What is still to come.
#[derive(Debug)]
enum Rest {
    Length { left: u64, any: bool },
    Chunks(Box<Dechunker>),
    UntilClose { or_reset: bool },
}

impl Incoming {
    pub(in crate::engine) fn new(
        duplex: Duplex,
        decision: Decision,
        home: Home,
        context: Context,
        registered: Option<Registered>,
    ) -> Self {
        let rest = match decision.framing {
            Framing::None => Rest::Length { left: 0, any: false },
            Framing::Length(left) => Rest::Length { left, any: false },
            Framing::Chunked => Rest::Chunks(Box::new(Dechunker::new())),
            Framing::UntilClose => Rest::UntilClose { or_reset: false },
            Framing::UntilCloseOrReset => Rest::UntilClose { or_reset: true },
        };
        let Decision { reusable, closes, .. } = decision;
        // Whether the load uses one of its own again shows when it goes on.
        let waits = matches!(home, Home::Reserved(_)) || !duplex.is_settled();
        let (duplex, goes_on) = (Some(duplex), false);
        let trailers = None;
        let mut body =
            Self { duplex, rest, reusable, closes, goes_on, home, context, registered, trailers };
        if body.is_whole() && !waits {
            body.finish();
        }
        body
    }

    fn is_whole(&self) -> bool {
        matches!(self.rest, Rest::Length { left: 0, .. })
    }

    /// The exchange is over: the connection may carry the next one.
    fn finish(&mut self) {
        // From here on a cancel must not reach a connection that another load may have.
        self.registered = None;
        let Some(duplex) = self.duplex.take() else { return };
        let in_step = duplex.is_in_step();
        let mut connection = duplex.into_connection();
        // What has arrived behind the body was not asked for; who sends it cannot be
        // trusted with another request.
        let may_be_kept = self.reusable && in_step && connection.is_silent();
        if !may_be_kept || self.context.check().is_err() {
            return;
        }
        match &self.home {
            Home::Pool(pool) => pool.put(connection),
            Home::Reserved(berth) if self.goes_on => berth.put(connection),
            Home::Reserved(_) => {}
        }
    }

    /// The body is whole: sends what is left of the request, and then all is over.
    fn finish_both(&mut self) -> Result<(), Error> {
        if let Rest::Chunks(dechunker) = &mut self.rest {
            self.trailers = dechunker.take_trailers().map(Box::new);
        }
        self.rest = Rest::Length { left: 0, any: true };
        if let Some(duplex) = &mut self.duplex {
            duplex.finish_sending(self.closes, &self.context)?;
        }
        self.finish();
        Ok(())
    }

    fn read_some(&mut self, buffer: &mut [u8], patience: Patience) -> Result<Option<usize>, Error> {
        if self.is_whole() {
            self.finish_both()?;
        }
        let Some(duplex) = &mut self.duplex else { return Ok(Some(0)) };
        // What has arrived is not handed out after a cancel either.
        self.context.check()?;
        let count = match &mut self.rest {
            Rest::Length { left, any } => {
                let most = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                let count = duplex.receive(&mut buffer[..most], patience, &self.context)?;
                let Some(count) = count else { return Ok(None) };
                if count == 0 {
                    return Err(cut_short(*any, &format!("{left} of its announced bytes")));
                }
                *left -= count as u64;
                *any = true;
                if *left == 0 && duplex.is_settled() {
                    self.finish();
                }
                return Ok(Some(count));
            }
            Rest::Chunks(dechunker) => {
                read_chunks(duplex, dechunker, buffer, patience, &self.context)?
            }
            Rest::UntilClose { or_reset } => {
                read_to_the_end(duplex, *or_reset, buffer, patience, &self.context)?
            }
        };
        if count == Some(0) {
            self.finish_both()?;
        }
        Ok(count)
    }

    fn splice_some(&mut self, pipe: &mut SplicePipe, most: usize) -> Result<Option<usize>, Error> {
        let most = self.remaining().map_or(most, |left| left.min(most as u64) as usize);
        let Some(duplex) = &mut self.duplex else { return Ok(None) };
        self.context.check()?;
        let spliced = duplex.connection().splice(pipe, most, &self.context)?;
        if let (Some(count), Rest::Length { left, any }) = (spliced, &mut self.rest) {
            *left -= count as u64;
            *any = true;
            if *left == 0 {
                self.finish();
            }
        }
        Ok(spliced)
    }

    /// Passes on what came of reading. Broken once is broken for good.
    fn pass_on<T>(&mut self, outcome: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &outcome
            && !self.context.leaves(error)
        {
            self.registered = None;
            self.duplex = None;
        }
        outcome.map_err(|error| error.at(Stage::Receiving))
    }
}

/// Reads content of chunks; none means that the last chunk has come.
///
/// Waits for the connection only if nothing that has arrived can be returned.
fn read_chunks(
    duplex: &mut Duplex,
    dechunker: &mut Dechunker,
    buffer: &mut [u8],
    patience: Patience,
    context: &Context,
) -> Result<Option<usize>, Error> {
    let mut filled = 0;
    loop {
        let space = buffer.len() - filled;
        let most = usize::try_from(dechunker.data_left()).unwrap_or(usize::MAX).min(space);
        if most > 0 && (filled == 0 || !duplex.inbox().is_empty()) {
            let count = duplex.receive(&mut buffer[filled..filled + most], patience, context)?;
            let Some(count) = count else { return Ok(None) };
            if count == 0 {
                return Err(cut_short(true, "its last chunk"));
            }
            dechunker.consume(count);
            filled += count;
            continue;
        }
        if filled > 0 && (space == 0 || duplex.inbox().is_empty()) {
            return Ok(Some(filled));
        }
        let found = match dechunker.advance(duplex.inbox().filled()) {
            // What came before is delivered first; asked again, it fails again.
            Err(_) if filled > 0 => return Ok(Some(filled)),
            found => found?,
        };
        let all = duplex.inbox().filled().len();
        match found {
            Found::Data(range) => duplex.inbox().consume(range.start),
            Found::Done { consumed } => {
                duplex.inbox().consume(consumed);
                return Ok(Some(filled));
            }
            Found::NeedMore => {
                duplex.inbox().consume(all);
                if filled == 0 && dechunker.data_left() == 0 {
                    match duplex.fill_by(patience, context)? {
                        None => return Ok(None),
                        Some(0) => return Err(cut_short(true, "its last chunk")),
                        Some(_) => {}
                    }
                }
            }
        }
    }
}

/// Reads what ends when the server closes the connection; none means that it has.
fn read_to_the_end(
    duplex: &mut Duplex,
    or_resets: bool,
    buffer: &mut [u8],
    patience: Patience,
    context: &Context,
) -> Result<Option<usize>, Error> {
    let read = match (duplex.receive(buffer, patience, context), duplex.hidden_reset()) {
        (Ok(Some(0)), Some(reset)) => Err(reset.clone()),
        (read, _) => read,
    };
    match read {
        Err(error) if or_resets && error.kind() == ErrorKind::NetworkConnectionLost => {
            log::debug!("the connection was reset behind the answer: {error}");
            Ok(Some(0))
        }
        read => read,
    }
}

fn cut_short(any: bool, missing: &str) -> Error {
    if any {
        let detail =
            format!("the connection was closed before the body was whole: {missing} missing");
        Error::new(ErrorKind::NetworkConnectionLost, detail)
    } else {
        let detail = "the connection was closed before the first byte of the announced body";
        Error::new(ErrorKind::ZeroByteResource, detail)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let Some(duplex) = self.duplex.take() else { return };
        if let Some(sent) = duplex.sent_so_far()
            && self.context.check().is_ok()
        {
            log::warn!(
                "nobody reads the answer any more, so the request's body ends too, after {sent} bytes"
            );
        }
        duplex.into_connection().abandon();
    }
}

impl WireBody for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = self.read_some(buffer, Patience::Waits);
        // Whoever waits is given some, or learns of the end.
        self.pass_on(read).map(Option::unwrap_or_default)
    }

    fn read_now(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        let is_sending = self.duplex.as_ref().is_some_and(|duplex| !duplex.is_settled());
        if is_sending || buffer.is_empty() {
            return Ok(None);
        }
        let read = self.read_some(buffer, Patience::None);
        self.pass_on(read)
    }

    fn may_be_spliced(&mut self) -> bool {
        // What a reset means where one may be an end is decided by whoever reads.
        let is_plain = matches!(
            self.rest,
            Rest::Length { left: 1.., .. } | Rest::UntilClose { or_reset: false }
        );
        is_plain && self.duplex.as_mut().is_some_and(Duplex::may_be_spliced)
    }

    fn splice(&mut self, pipe: &mut SplicePipe, most: usize) -> Result<Option<usize>, Error> {
        let spliced = self.splice_some(pipe, most);
        self.pass_on(spliced)
    }

    fn remaining(&self) -> Option<u64> {
        match self.rest {
            Rest::Length { left, .. } => Some(left),
            _ => None,
        }
    }

    fn trailers(&mut self) -> Option<Headers> {
        self.trailers.take().map(|trailers| *trailers)
    }

    fn discard(mut self: Box<Self>) {
        let much = self.remaining().is_some_and(|left| left > DISCARDED as u64);
        let is_settled = self.duplex.as_ref().is_some_and(Duplex::is_settled);
        if !is_settled || !self.reusable || much {
            return;
        }
        // If the load's own time runs out meanwhile, its next step sees it; no pause makes
        // this wait longer.
        self.goes_on = true;
        let now = self.context.clock.now();
        let at = now.checked_add(PATIENCE);
        self.context.deadline =
            at.map(|at| Deadline { at, timer: Timer::Resource, length: PATIENCE });
        self.context.dialogue = None;
        if let Some(duplex) = &mut self.duplex {
            // Whoever was asked about this answer may have thought for long.
            duplex.connection().was_idle_until(now);
        }
        let (mut buffer, mut read) = ([0; 4096], 0);
        while read < DISCARDED {
            match self.read(&mut buffer) {
                // If time ran out or the load was cancelled, its next step sees it.
                Ok(0) | Err(_) => return,
                Ok(count) => read += count,
            }
        }
    }
}
