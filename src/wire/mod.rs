//! The seam between what a load decides and how bytes move.
//!
//! A [`Wire`] sends one request and returns one head and a reader of the body behind it.
//! It decides nothing: no redirect is followed, no body decoded. It speaks the crate's own
//! words, never a codec's, so that another protocol can stand beside HTTP/1.1.
//!
//! A wire may be used from any number of threads; each call blocks its own. What bounds an
//! exchange stands in its [`Context`]; whoever started the load is told and asked through
//! its [`Dialogue`].

mod context;
mod dialogue;
mod question;
mod repeat;
mod route;

use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode, Version};
use url::Url;

pub(crate) use context::{Context, Deadline, Pauses, Timer, Wait};
pub(crate) use dialogue::{DelegateDecision, DelegateId, Dialogue};
pub(crate) use question::Question;
pub(crate) use repeat::{Loss, may_send_again};
pub(crate) use route::{Route, RouteKey};

use crate::body::Body;
use crate::error::Error;
use crate::headers::Headers;
use crate::response::Ends;
use crate::splice::SplicePipe;

/// Moves one request out and one response in.
pub(crate) trait Wire: Send + Sync {
    /// Sends `request` and returns the final response's head with its body unread.
    ///
    /// If the load [leaves](Context::leaves) its thread, which is an error here, what has begun
    /// is in `paused`; nothing is if nothing was sent.
    fn exchange(
        &self,
        request: &WireRequest<'_>,
        context: &Context,
        paused: &mut Paused,
    ) -> Result<WireResponse, Error>;

    /// Returns a wire whose exchanges go over one connection, which no other load gets and
    /// which goes with it: for what holds for a connection once it was said there, as who
    /// somebody is does with NTLM and Negotiate.
    fn reserved(&self) -> Box<dyn Wire>;
}

/// What goes on with an exchange that was left.
pub(crate) type Paused = Option<Box<dyn PausedExchange>>;

/// An exchange that has begun and waits for nothing, on no thread. Dropped, it closes the
/// connection.
pub(crate) trait PausedExchange: Send {
    /// Goes on with it as [`Wire::exchange`] would have, with the same request and context.
    fn go_on(
        self: Box<Self>,
        request: &WireRequest<'_>,
        context: &Context,
        paused: &mut Paused,
    ) -> Result<WireResponse, Error>;
}

/// One request as it goes out, complete.
#[derive(Debug)]
pub(crate) struct WireRequest<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    /// The way to its server, decided by the load.
    pub(crate) route: Route<'a>,
    /// All headers but those that frame the message.
    pub(crate) headers: &'a Headers,
    /// What this sending alone has beside them: `Cookie`, `Authorization`,
    /// `Proxy-Authorization`.
    pub(crate) added: &'a Headers,
    pub(crate) body: Option<&'a Body>,
}

impl WireRequest<'_> {
    /// Decides whether it may be sent again.
    pub(crate) fn may_be_sent_again(&self, loss: Loss) -> bool {
        may_send_again(loss, self.method, self.headers, self.body)
    }
}

/// One response, its body still on the wire.
#[derive(Debug)]
pub(crate) struct WireResponse {
    pub(crate) head: Head,
    /// Between whom it comes.
    pub(crate) ends: Option<Arc<Ends>>,
    /// It came over TLS, and nothing is wrong with the server's certificate.
    pub(crate) is_trusted: bool,
    pub(crate) body: Box<dyn WireBody>,
}

/// A response's status line and headers.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) headers: Headers,
}

/// Whether whoever reads waits for bytes that have not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Waits,
    None,
}

/// A response's body as it comes over the wire.
///
/// Of the request, not all may be out yet: reading sends the rest too, and nothing else does.
/// Dropped before its end, it closes the connection.
pub(crate) trait WireBody: Send {
    /// Reads some bytes; none means the body is whole, and the request is out.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error>;

    /// Reads some bytes that are here; `None` if it would have to wait for them, or for the rest
    /// of the request to go out.
    fn read_now(&mut self, _buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        Ok(None)
    }

    /// Whether what comes next may be moved on by [`splice`](Self::splice).
    fn may_be_spliced(&mut self) -> bool {
        false
    }

    /// Moves some bytes into `pipe`, which is empty, but at most `most`: waits and fails as
    /// reading them would. `None` if they have to be read.
    fn splice(&mut self, _pipe: &mut SplicePipe, _most: usize) -> Result<Option<usize>, Error> {
        Ok(None)
    }

    /// Returns how many bytes are still to come, if that is known.
    fn remaining(&self) -> Option<u64>;

    /// Gives away what came behind a body that is whole, if anything did.
    fn trailers(&mut self) -> Option<Headers> {
        None
    }

    /// Ends a body that nobody wants: reads it if that keeps a connection, else closes it.
    fn discard(self: Box<Self>);
}

impl fmt::Debug for dyn WireBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireBody").field("remaining", &self.remaining()).finish()
    }
}
