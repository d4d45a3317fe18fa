//! HTTP/1.1 over one connection: heads, framing, chunks, and bodies both ways.
//!
//! Heads are written here and parsed by `httparse`, or if it refuses them, leniently. This room knows a connection, and the
//! pool to which an answer that is whole gives it back; it makes none.

mod chunked;
mod codec;
mod duplex;
mod framing;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod grammar;
mod head;
mod incoming;
mod lenient;
mod outgoing;
mod piece;
mod upload;

use std::time::Duration;

use super::connection::{Connection, Kept};
use super::keep_alive;
use crate::error::Error;
use crate::headers::Headers;
use crate::wire::{Context, Head, WireRequest};
pub(super) use duplex::Duplex;
use framing::{Decision, Framing};
pub(super) use incoming::Incoming;
pub(super) use outgoing::Progress;

/// What came back: a head, and what follows it on the connection.
#[derive(Debug)]
pub(super) struct Exchanged {
    pub(super) head: Head,
    pub(super) decision: Decision,
}

/// Sends `request` over `duplex` and receives the head of the answer, before which not all of
/// the request may be out. If the load leaves its thread, a later call
/// goes on from where `progress` says.
pub(super) fn exchange(
    duplex: &mut Duplex,
    progress: &mut Progress,
    request: &WireRequest<'_>,
    context: &Context,
) -> Result<Exchanged, Error> {
    let head = outgoing::exchange(duplex, progress, request, context)?;
    let mut decision = framing::framing(request.method, head.status, head.version, &head.headers)?;
    decision.reusable &= !asks_to_close(request);
    if decision.hints {
        heed(duplex.connection(), &mut decision, &head.headers, context);
    }
    // A server that closes before it has read a body that it refuses resets the connection
    // (RFC 9112 §9.6). With TLS, such an end may be an attacker's (RFC 9112 §9.8).
    if decision.framing == Framing::UntilClose
        && request.body.is_some()
        && head.status.as_u16() >= REFUSALS
        && duplex.connection().is_plain()
    {
        decision.framing = Framing::UntilCloseOrReset;
    }
    Ok(Exchanged { head, decision })
}

/// Takes to heart how long the server keeps the connection.
#[cold]
fn heed(
    connection: &mut Connection,
    decision: &mut Decision,
    headers: &Headers,
    context: &Context,
) {
    let said = keep_alive::parse(headers.get_all("keep-alive"));
    decision.reusable &= !said.is_last;
    if let Some(timeout) = said.timeout {
        let told_at = context.clock.now();
        connection.keeps = Some(Box::new(Kept { timeout, told_at, before: Duration::ZERO }));
    }
}

/// An answer from here on says that the request is not acted on as it is.
const REFUSALS: u16 = 300;

/// RFC 9112 §9.6: whoever sends `close` does not use the connection again.
fn asks_to_close(request: &WireRequest<'_>) -> bool {
    // Almost nobody says anything.
    if !request.headers.contains("connection") {
        return false;
    }
    let mut options = request.headers.get_all("connection").flat_map(|value| value.split(','));
    options.any(|option| option.trim().eq_ignore_ascii_case("close"))
}
