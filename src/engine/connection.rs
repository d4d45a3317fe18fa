//! One connection: a stream with one route, and what has arrived on it.

use std::mem::take;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::buffer::{Buffer, SIZE};
use super::keep_alive;
use super::socket::{Interest, Ready, Socket};
use super::spare::Spare;
use super::stream::Stream;
use super::tls::Terms;
use crate::body::Pipe;
use crate::error::Error;
use crate::response::Ends;
use crate::splice::SplicePipe;
use crate::wire::{Context, RouteKey, Wait};

/// A connection that loads with one route can share.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    inbox: Buffer,
    /// What is put together before it is written; kept for its memory.
    outbox: Vec<u8>,
    route: RouteKey,
    /// The pool's when it was made.
    pub(super) epoch: u64,
    /// It has carried an exchange before.
    pub(super) reused: bool,
    /// Something has arrived in the current exchange.
    pub(super) heard: bool,
    /// When it became idle.
    pub(super) idle_since: Option<Instant>,
    /// How long the server keeps it, as it has said last.
    pub(super) keeps: Option<Box<Kept>>,
}

/// How long a server keeps a connection that is idle.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) timeout: Duration,
    pub(super) told_at: Instant,
    /// How long it was idle before its load was done with it.
    pub(super) before: Duration,
}

/// Memory that an idle connection has given back is at most this large.
const IDLE_OUTBOX: usize = 1024;

impl Connection {
    pub(super) fn new(stream: Stream, route: RouteKey) -> Self {
        Self {
            stream,
            inbox: Buffer::default(),
            outbox: Vec::new(),
            route,
            epoch: 0,
            reused: false,
            heard: false,
            idle_since: None,
            keeps: None,
        }
    }

    pub(super) fn route(&self) -> &RouteKey {
        &self.route
    }

    pub(super) fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Returns who may use it, if not everybody.
    pub(super) fn terms(&self) -> Option<&Arc<Terms>> {
        self.stream.terms()
    }

    /// Whether it is secured, and by a certificate that is good.
    pub(super) fn is_trusted(&self) -> bool {
        match &self.stream {
            Stream::Plain(_) => false,
            Stream::Tls(tls) => !tls.terms().is_some_and(|terms| terms.make_an_exception()),
        }
    }

    /// Returns between whom it is.
    pub(super) fn ends(&self) -> Option<&Arc<Ends>> {
        self.stream.link().ends()
    }

    pub(super) fn waker(&self) -> Arc<Socket> {
        self.stream.waker()
    }

    /// Returns what has arrived and not been used.
    pub(super) fn inbox(&mut self) -> &mut Buffer {
        &mut self.inbox
    }

    /// Reads more into the inbox; zero bytes mean that the peer has closed.
    pub(super) fn fill(&mut self, context: &Context) -> Result<usize, Error> {
        let least = if self.inbox.is_empty() { SIZE } else { 1024 };
        let read = self.stream.read(self.inbox.room(least), context)?;
        self.inbox.fill(read);
        self.heard |= read > 0;
        Ok(read)
    }

    /// Reads what has arrived, else from the stream straight into `target`.
    pub(super) fn read(&mut self, target: &mut [u8], context: &Context) -> Result<usize, Error> {
        if !self.inbox.is_empty() {
            return Ok(self.inbox.copy_to(target));
        }
        // Little wishes are served from a full inbox, so that a reader that asks byte by
        // byte does not call the system for each.
        if target.len() < SIZE / 4 {
            self.fill(context)?;
            return Ok(self.inbox.copy_to(target));
        }
        self.stream.read(target, context)
    }

    /// Reads what has arrived, or what the stream gives without waiting, into `target`; `None`
    /// if there is nothing.
    pub(super) fn read_now(
        &mut self,
        target: &mut [u8],
        context: &Context,
    ) -> Result<Option<usize>, Error> {
        if !self.inbox.is_empty() {
            return Ok(Some(self.inbox.copy_to(target)));
        }
        read_now(&mut self.stream, target, context)
    }

    /// Moves some bytes from a plain stream into `pipe`, as [`read`](Self::read) would read them.
    /// `None` if they have to be read.
    pub(super) fn splice(
        &mut self,
        pipe: &mut SplicePipe,
        most: usize,
        context: &Context,
    ) -> Result<Option<usize>, Error> {
        match &mut self.stream {
            Stream::Plain(link) if self.inbox.is_empty() => link.splice(pipe, most, context),
            _ => Ok(None),
        }
    }

    /// Lends the memory in which a message is put together, empty.
    pub(super) fn take_outbox(&mut self) -> Vec<u8> {
        let mut outbox = take(&mut self.outbox);
        outbox.clear();
        outbox
    }

    /// Gives it back.
    pub(super) fn return_outbox(&mut self, outbox: Vec<u8>) {
        self.outbox = outbox;
    }

    /// Writes what has not `gone` of `bytes`, and keeps that up to date.
    pub(super) fn write_all(
        &mut self,
        bytes: &[u8],
        gone: &mut usize,
        context: &Context,
    ) -> Result<(), Error> {
        self.stream.write_all(bytes, gone, context)
    }

    /// Closes the connection in the middle of a body.
    pub(super) fn abandon(self) {
        self.stream.reset_when_closed();
    }

    /// Whether there is no TLS.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.stream, Stream::Plain(_))
    }

    /// Has what is sent at once wait for nothing, or ends that.
    pub(super) fn set_nonblocking(&self, nonblocking: bool) -> Result<(), Error> {
        self.stream.set_nonblocking(nonblocking)
    }

    /// Waits until something of interest can be done.
    pub(super) fn ready(&self, interest: Interest, context: &Context) -> Result<Ready, Error> {
        self.stream.ready(interest, context)
    }

    /// Waits until something can be received, or `pipe` may have something to read; returns
    /// whether it is the former.
    pub(super) fn ready_beside(
        &self,
        pipe: &Pipe,
        wait: &Wait<'_>,
        context: &Context,
    ) -> Result<bool, Error> {
        let readable = self.stream.holds_input() || self.stream.link().ready_beside(pipe, wait)?;
        context.check()?;
        Ok(readable)
    }

    /// Receives into the inbox what is there without waiting; `None` if nothing is, zero bytes
    /// mean that the peer has closed.
    pub(super) fn fill_now(&mut self, context: &Context) -> Result<Option<usize>, Error> {
        let read = read_now(&mut self.stream, self.inbox.room(SIZE), context)?;
        self.inbox.fill(read.unwrap_or(0));
        self.heard |= read.is_some_and(|count| count > 0);
        Ok(read)
    }

    /// Returns whether everything that has arrived was used: nothing stands behind the
    /// body, in plain or still sealed.
    pub(super) fn is_silent(&mut self) -> bool {
        self.inbox.is_empty() && self.stream.is_silent()
    }

    /// Looks whether an idle connection can be used again: it must be silent and open.
    pub(super) fn is_usable(&mut self) -> bool {
        self.stream.is_usable()
    }

    /// Begins another exchange on a connection that was idle.
    pub(super) fn wake_up(&mut self) {
        self.idle_since = None;
        self.reused = true;
        self.heard = false;
    }

    /// Returns when its server closes it if it stays idle, if that is known.
    pub(super) fn hinted_end(&self) -> Option<Instant> {
        let timeout = self.keeps.as_ref()?.timeout;
        self.idle_since?.checked_add(timeout)
    }

    /// Whether it has not been idle for too long to carry a request, for which is said whether
    /// it may be repeated.
    #[inline]
    pub(super) fn is_young(
        &self,
        now: Instant,
        limit: Duration,
        may_be_repeated: impl FnOnce() -> bool,
    ) -> bool {
        let Some(since) = self.idle_since else { return false };
        let idle = now.saturating_duration_since(since);
        idle < limit && (self.keeps.is_none() || self.serves(idle, may_be_repeated))
    }

    #[cold]
    fn serves(&self, idle: Duration, may_be_repeated: impl FnOnce() -> bool) -> bool {
        let serves = |keeps: &Kept| keep_alive::serves(keeps.timeout, idle, may_be_repeated());
        self.keeps.as_deref().is_none_or(serves)
    }

    /// Nothing was read since the head came: to the server, it was idle meanwhile.
    pub(super) fn was_idle_until(&mut self, now: Instant) {
        if let Some(keeps) = &mut self.keeps {
            keeps.before = now.saturating_duration_since(keeps.told_at);
        }
    }

    /// Begins to be idle; returns when its server closes it if it stays so, if that is known.
    pub(super) fn become_idle(&mut self, now: Instant) -> Option<Instant> {
        self.idle_since = Some(now);
        if self.keeps.is_some() { self.become_idle_before(now) } else { None }
    }

    #[cold]
    fn become_idle_before(&mut self, now: Instant) -> Option<Instant> {
        let before = take(&mut self.keeps.as_mut()?.before);
        self.idle_since = now.checked_sub(before).or(Some(now));
        self.hinted_end()
    }

    /// Takes memory for an exchange.
    pub(super) fn borrow_memory(&mut self, spare: &mut Spare) {
        spare.inboxes.lend(&mut self.inbox);
        self.stream.borrow_memory(&mut spare.sealed);
    }

    /// Gives memory back that an idle connection does not need.
    pub(super) fn return_memory(&mut self, spare: &mut Spare) {
        if self.outbox.capacity() > IDLE_OUTBOX {
            self.outbox = Vec::new();
        }
        spare.inboxes.keep(&mut self.inbox);
        self.stream.return_memory(&mut spare.sealed);
    }
}

/// A call that waits for nothing failed: because of a cancel, or because the connection broke.
pub(super) fn unless_cancelled(error: Error, context: &Context) -> Error {
    context.check().err().unwrap_or(error)
}

/// Reads what `stream` gives without waiting.
fn read_now(
    stream: &mut Stream,
    target: &mut [u8],
    context: &Context,
) -> Result<Option<usize>, Error> {
    let read = stream.read_now(target).map_err(|error| unless_cancelled(error, context))?;
    if read == Some(0) {
        // A socket that a cancel has shut down reads as closed.
        context.check()?;
    }
    Ok(read)
}

impl Drop for Connection {
    fn drop(&mut self) {
        // RFC 8446 §6.1: say so before closing. An idle connection only; one that is torn
        // down in the middle of a message has nothing to say.
        if self.idle_since.is_some() {
            self.stream.say_goodbye();
        }
    }
}
