//! One sending of a request: the step in which what a session keeps takes part.
//!
//! A load may send a request several times: for a challenge, for a redirect. Each time
//! [`Sending::send`] goes the same way, and nothing else calls the wire:
//!
//! 1. What goes out beside the request's own headers is put together: `Cookie`,
//!    `Authorization`, `Proxy-Authorization`. It belongs to this sending alone; a redirect
//!    finds nothing of it to carry along.
//! 2. A cache is asked with the request as it would go out. What it serves does not reach
//!    the wire.
//! 3. The wire moves it, by the [`Route`] that is handed over.
//! 4. What came back is kept before anybody decides about it, as a redirect sets cookies
//!    too: cookies, HSTS, what the cache may have, and credentials that were accepted.
//!
//! Who takes part are the [`Stores`](super::rules::Stores) of the session; what is known of hosts
//! by HSTS is asked before, for the URL of each hop.

use http::StatusCode;

use super::authentication::Authentication;
use super::prepare::Hop;
use super::{Asked, Means};
use crate::credentials::Asker;
use crate::error::{Error, Redacted};
use crate::headers::Headers;
use crate::log;
use crate::wire::{Paused, Route, Wire, WireRequest, WireResponse};

/// The sendings of one load.
#[derive(Default)]
pub(super) struct Sending {
    authentication: Authentication,
    /// Boxed: few loads have one.
    own: Option<Box<OwnWire>>,
    /// The one that was left.
    left: Option<Box<Left>>,
}

/// A sending that was left before its answer came.
struct Left {
    added: Headers,
    /// None if nothing was sent.
    exchange: Paused,
}

/// A wire of one connection that no other load gets.
struct OwnWire {
    wire: Box<dyn Wire>,
    origin: url::Origin,
}

impl Sending {
    /// Sends the request of a hop once.
    pub(super) fn send(&mut self, hop: &Hop, means: &Means<'_>) -> Result<WireResponse, Error> {
        let (added, left) = match self.left.take() {
            None => (self.added(hop, means)?, None),
            Some(left) => (left.added, left.exchange),
        };
        let response = self.exchange(hop, added, left, means)?;
        self.keep(hop, response, means)
    }

    /// Puts together what goes out beside the request's own headers.
    fn added(&mut self, hop: &Hop, means: &Means<'_>) -> Result<Headers, Error> {
        let mut added = Headers::new();
        means.rules.stores.cookies.add_to(&mut added, hop, &means.context.clock);
        if let Some(authorization) = self.authentication.sign(hop, means)? {
            added.set_bytes(Asker::Server(&hop.url).answer_field(), &authorization)?;
        }
        Ok(added)
    }

    /// Has the wire move it, or go on with what was left.
    fn exchange(
        &mut self,
        hop: &Hop,
        added: Headers,
        left: Paused,
        means: &Means<'_>,
    ) -> Result<WireResponse, Error> {
        // Elsewhere its connection is of no use.
        self.own.take_if(|own| own.origin != hop.url.origin());
        let wire = self.own.as_ref().map_or(means.wire, |own| &*own.wire);
        let request = WireRequest {
            method: &hop.method,
            url: &hop.url,
            route: Route::direct(&hop.url, hop.zone.as_deref()),
            headers: &hop.headers,
            added: &added,
            body: hop.body.as_ref(),
        };
        let mut paused = None;
        let exchanged = match left {
            None => wire.exchange(&request, means.context, &mut paused),
            Some(left) => left.go_on(&request, means.context, &mut paused),
        };
        let response = match exchanged {
            Ok(response) => response,
            Err(error) => {
                if means.context.leaves(&error) {
                    self.left = Some(Box::new(Left { added, exchange: paused }));
                }
                return Err(error);
            }
        };
        let (url, status) = (Redacted(&hop.url), response.head.status.as_u16());
        log::debug!("{} {url}: {status}", hop.method);
        Ok(response)
    }

    /// Keeps what came back.
    #[inline]
    fn keep(
        &mut self,
        hop: &Hop,
        response: WireResponse,
        means: &Means<'_>,
    ) -> Result<WireResponse, Error> {
        means.rules.stores.cookies.keep(&response.head.headers, hop, &means.context.clock);
        // RFC 6797 §8.1: of a connection about which something is wrong, nothing is learned.
        if response.is_trusted
            && let Some(hsts) = &means.rules.stores.hsts
        {
            hsts.learn(&hop.url, &response.head.headers);
        }
        self.authentication.keep(hop, response, means)
    }

    /// Answers what a response asks for; returns whether the request is to be sent again, or
    /// the response is delivered.
    pub(super) fn answers(
        &mut self,
        hop: &mut Hop,
        response: &WireResponse,
        asked: &mut Asked,
        means: &Means<'_>,
    ) -> Result<bool, Error> {
        match response.head.status {
            StatusCode::UNAUTHORIZED => self.answers_challenge(hop, response, means),
            StatusCode::EXPECTATION_FAILED => self.answers_expectation(hop, asked, means),
            _ => Ok(false),
        }
    }

    /// RFC 9110 §10.1.1: a 417 says that somebody on the way does not know expectations, and
    /// the request is repeated without. One that had none got it for another reason.
    #[cold]
    fn answers_expectation(
        &mut self,
        hop: &mut Hop,
        asked: &mut Asked,
        means: &Means<'_>,
    ) -> Result<bool, Error> {
        if !hop.expects_leave() {
            return Ok(false);
        }
        if !hop.rewind(&mut asked.get_or_insert_default().body, means.context)? {
            log::debug!("a 417 asks for a body that cannot be sent again");
            return Ok(false);
        }
        log::debug!("the server does not know `Expect: 100-continue`: sending without");
        hop.expect_no_leave();
        self.authentication.say_again();
        Ok(true)
    }

    #[cold]
    fn answers_challenge(
        &mut self,
        hop: &mut Hop,
        response: &WireResponse,
        means: &Means<'_>,
    ) -> Result<bool, Error> {
        if !self.authentication.answers(hop, response, means)? {
            return Ok(false);
        }
        if self.authentication.binds_connection() && self.own.is_none() {
            let (wire, origin) = (means.wire.reserved(), hop.url.origin());
            self.own = Some(Box::new(OwnWire { wire, origin }));
        }
        Ok(true)
    }

    /// Begins another hop.
    pub(super) fn redirected(&mut self) {
        self.authentication.redirected();
    }
}
