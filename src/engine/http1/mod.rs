//! HTTP/1.1 over one connection: heads, framing, chunks, and bodies both ways.
//!
//! Heads are written here and parsed by `httparse`, or if it refuses them, leniently. This room knows a connection, and the
//! pool to which an answer that is whole gives it back; it makes none.

mod chunked;
mod codec;
mod framing;
mod grammar;
mod head;
mod incoming;
mod lenient;
mod outgoing;

use crate::engine::connection::Connection;
use crate::error::Error;
use crate::wire::{Context, Head, WireRequest};
use framing::Decision;
pub(super) use incoming::Incoming;
use outgoing::Sent;

/// What came back: a head, and what follows it on the connection.
#[derive(Debug)]
pub(super) struct Exchanged {
    pub(super) head: Head,
    pub(super) decision: Decision,
}

/// Sends `request` over `connection` and receives the head of the answer.
pub(super) fn exchange(
    connection: &mut Connection,
    request: &WireRequest<'_>,
    context: &Context,
) -> Result<Exchanged, Error> {
    let Sent { head, whole } = outgoing::exchange(connection, request, context)?;
    let decision = framing::framing(request.method, head.status, head.version, &head.headers)?;
    let reusable = decision.reusable && whole && !asks_to_close(request);
    Ok(Exchanged { head, decision: Decision { reusable, ..decision } })
}

/// RFC 9112 §9.6: whoever sends `close` does not use the connection again.
fn asks_to_close(request: &WireRequest<'_>) -> bool {
    let mut options = request.headers.get_all("connection").flat_map(|value| value.split(','));
    options.any(|option| option.trim().eq_ignore_ascii_case("close"))
}
