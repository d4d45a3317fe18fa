//! Sending a request, and receiving the head of its answer.

use std::time::Duration;

use super::REFUSALS;
use super::codec::{self, Sending};
use super::duplex::Duplex;
use super::head::{self, Heard, Informational};
use super::upload::Upload;
use crate::body::OpenBody;
use crate::error::{Error, ErrorKind, Stage};
use crate::wire::{Context, Head, WireRequest};

/// A body of at most this size goes out with the head in one write: the system takes as
/// much without waiting, so nothing can be missed meanwhile.
const SMALL: usize = 16 * 1024;

/// RFC 9110 §10.1.1: a client does not wait for a 100 indefinitely. curl waits as long.
const PATIENCE_FOR_100: Duration = Duration::from_secs(1);

/// How far an exchange is, beside what its connection knows.
#[derive(Debug, Default)]
pub(in crate::engine) struct Progress {
    informational: Informational,
    /// The head of the request was begun to be written.
    has_begun: bool,
    /// What was left while it was written.
    message: Option<Box<Message>>,
    /// What waits for leave to go out.
    held_back: Option<Box<Unsent>>,
}

/// What goes out in one write.
#[derive(Debug)]
struct Message {
    bytes: Vec<u8>,
    /// How much of the body is in it, at its end.
    body: usize,
    /// How much the connection has taken.
    gone: usize,
}

/// Sends `request` over `duplex` and receives the head of the answer, or goes on with that.
///
/// An answer from 300 on ends the sending; before an earlier one, it may still be going on.
pub(super) fn exchange(
    duplex: &mut Duplex,
    progress: &mut Progress,
    request: &WireRequest<'_>,
    context: &Context,
) -> Result<Head, Error> {
    let early = if progress.has_begun {
        go_on(duplex, progress, request, context)
    } else {
        progress.has_begun = true;
        begin(duplex, progress, request, context)
    };
    let head = early.map_err(|error| error.at(Stage::Sending)).and_then(|early| match early {
        Some(head) => Ok(head),
        None => receive(duplex, &mut progress.informational, context),
    });
    let head = head.map_err(|error| match duplex.why_broken() {
        // What broke first says more.
        Some(broken) if error.kind() == ErrorKind::NetworkConnectionLost => broken.clone(),
        _ => error,
    })?;
    duplex.is_answered = true;
    if head.status.as_u16() >= REFUSALS {
        duplex.stop_sending()?;
    }
    Ok(head)
}

fn receive(
    duplex: &mut Duplex,
    informational: &mut Informational,
    context: &Context,
) -> Result<Head, Error> {
    head::receive(duplex, informational, context).map_err(|error| {
        let sends = duplex.is_sending();
        error.at(if sends { Stage::Sending } else { Stage::WaitingForResponse })
    })
}

/// Sends the head, and the body with it if that is small; begins to send one that is not.
/// Returns the answer if it comes in place of the leave to send.
fn begin(
    duplex: &mut Duplex,
    progress: &mut Progress,
    request: &WireRequest<'_>,
    context: &Context,
) -> Result<Option<Head>, Error> {
    let body = request.body.map(|body| body.open()).transpose()?;
    let sending = match &body {
        None => Sending::Nothing,
        Some(body) => {
            context.sends(body.length)?;
            body.length.map_or(Sending::Chunked, Sending::Length)
        }
    };
    let mut out = duplex.connection().take_outbox();
    codec::write_head(request, sending, &mut out);
    match body {
        None => send_at_once(duplex, progress, out, &[], context).map(|()| None),
        // RFC 9110 §10.1.1: there is nothing to wait with if there is nothing to send.
        Some(body) if expects_100(request) && sending != Sending::Length(0) => {
            progress.held_back = Some(Box::new((body, sending)));
            send_at_once(duplex, progress, out, &[], context)?;
            send_with_leave(duplex, progress, request, context)
        }
        Some(body) => match body.small(SMALL) {
            Some(bytes) => send_at_once(duplex, progress, out, bytes, context).map(|()| None),
            None => duplex.send(Upload::new(out, body, sending)).map(|()| None),
        },
    }
}

/// Goes on where the thread was left.
#[cold]
fn go_on(
    duplex: &mut Duplex,
    progress: &mut Progress,
    request: &WireRequest<'_>,
    context: &Context,
) -> Result<Option<Head>, Error> {
    if let Some(message) = progress.message.take() {
        write(duplex, progress, *message, context)?;
    }
    send_with_leave(duplex, progress, request, context)
}

/// Sends head and body in one write.
fn send_at_once(
    duplex: &mut Duplex,
    progress: &mut Progress,
    mut out: Vec<u8>,
    body: &[u8],
    context: &Context,
) -> Result<(), Error> {
    out.extend_from_slice(body);
    write(duplex, progress, Message { bytes: out, body: body.len(), gone: 0 }, context)
}

#[inline]
fn write(
    duplex: &mut Duplex,
    progress: &mut Progress,
    mut message: Message,
    context: &Context,
) -> Result<(), Error> {
    let sent = duplex.write(&message.bytes, &mut message.gone, context);
    if sent.as_ref().is_err_and(|error| context.leaves(error)) {
        progress.message = Some(Box::new(message));
        return sent;
    }
    duplex.connection().return_outbox(message.bytes);
    sent?;
    let is_told = message.body > 0 && duplex.why_broken().is_none();
    if is_told { context.sent(message.body) } else { Ok(()) }
}

/// A body of which nothing was read, and how it is to be sent.
type Unsent = (OpenBody, Sending);

/// Begins to send a body that is held back once the server wants it. Returns the answer if
/// that comes first; a body that is not to be sent is given back.
#[cold]
fn send_with_leave(
    duplex: &mut Duplex,
    progress: &mut Progress,
    request: &WireRequest<'_>,
    context: &Context,
) -> Result<Option<Head>, Error> {
    if progress.held_back.is_none() {
        return Ok(None);
    }
    let is_broken = duplex.why_broken().is_some();
    let early = if is_broken {
        None
    } else {
        duplex.hold_back();
        let early = wait_for_leave(duplex, &mut progress.informational, context);
        early.map_err(|error| error.at(Stage::WaitingForResponse))?
    };
    let Some((unsent, sending)) = progress.held_back.take().map(|unsent| *unsent) else {
        return Ok(early);
    };
    // An answer that is no refusal leaves the body wanted as a 100 does.
    let is_refused = early.as_ref().is_some_and(|head| head.status.as_u16() >= REFUSALS);
    if !is_broken && !is_refused {
        duplex.send(Upload::new(Vec::new(), unsent, sending))?;
    } else if let Some(body) = request.body {
        body.take_back(unsent);
    }
    Ok(early)
}

/// Waits until the server wants the body, or has not said so for long enough. Returns the
/// answer if that comes first. Whoever leaves the thread has waited for nothing: the patience
/// begins anew.
fn wait_for_leave(
    duplex: &mut Duplex,
    informational: &mut Informational,
    context: &Context,
) -> Result<Option<Head>, Error> {
    let idle = context.idle.min(PATIENCE_FOR_100);
    let patience = Context { idle, ..context.clone() };
    loop {
        match head::receive_next(duplex, informational, &patience) {
            Ok(Heard::Informational(100)) => return Ok(None),
            Ok(Heard::Informational(_)) => {}
            Ok(Heard::Final(head)) => return Ok(Some(head)),
            // Whose time it was that ran out shows at the next wait.
            Err(error) if error.kind() == ErrorKind::TimedOut => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

fn expects_100(request: &WireRequest<'_>) -> bool {
    let mut values = request.headers.get_all("expect");
    values.any(|value| value.eq_ignore_ascii_case("100-continue"))
}
