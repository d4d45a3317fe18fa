//! Carries one request through as many hops as it takes.
//!
//! [`Load::go_on`] is the whole story: [send](sending), answer a challenge, follow. What to do about
//! an answer is decided by pure functions over values; it carries that out.
//!
//! This room knows the words, a [`Wire`] and the load's [`Context`], through which it may ask. It does
//! not know sockets, codecs, sessions or tasks.
//!
//! A load runs on one thread at a time and holds no lock while it waits. What
//! bounds it stands in its [`Context`]; the wire's next wait sees it.

mod authentication;
mod cookies;
mod decode;
mod prepare;
mod redirect;
mod rules;
mod sending;
#[cfg(test)]
mod tests;

use std::fmt;

use http::Method;

use crate::error::{Error, Redacted};
use crate::headers::Headers;
use crate::log;
use crate::request::Request;
use crate::response::Response;
use crate::wire::{Context, Head, Question, Wire, WireBody, WireResponse};

pub(crate) use authentication::Authenticator;
pub(crate) use cookies::Cookies;
use decode::Coding;
pub(crate) use decode::Decoder;
#[cfg(all(feature = "gzip", any(test, fuzzing)))]
pub(crate) use decode::fuzz;
pub(crate) use prepare::Hop;
use redirect::Step;
pub(crate) use rules::Rules;
use sending::Sending;

/// A response, its body still to be read.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) response: Response,
    pub(crate) body: Decoder,
}

/// What a load is carried out with, the same from its beginning to its end.
pub(crate) struct Means<'a> {
    pub(crate) wire: &'a dyn Wire,
    pub(crate) rules: &'a Rules,
    pub(crate) context: &'a Context,
}

impl<'a> Means<'a> {
    fn authenticator(&self) -> &'a Authenticator {
        &self.rules.stores.authenticator
    }
}

/// A load on its way to the response that is delivered.
///
/// One that [leaves](Context::leaves) its thread goes on where it was, on whatever thread that is.
pub(crate) struct Load {
    hop: Hop,
    sending: Sending,
    /// A response that was left before it was decided what becomes of it.
    undecided: Option<Box<(WireResponse, Asked)>>,
}

/// What is asked about a response, if anything is.
type Asked = Option<Box<Questions>>;

/// What may be asked about a response.
#[derive(Default)]
struct Questions {
    /// Which request follows a redirect.
    redirect: Question,
    /// Which body is sent again.
    body: Question,
}

/// What becomes of a response.
enum Next {
    /// It is delivered.
    Deliver,
    /// Its request is sent again.
    SendAgain,
    Follow(Box<Request>),
}

impl fmt::Debug for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load")
            .field("url", &format_args!("{}", Redacted(&self.hop.url)))
            .finish_non_exhaustive()
    }
}

impl Load {
    /// Begins with a request that is prepared.
    #[inline(always)]
    pub(crate) fn new(hop: Hop) -> Self {
        Self { hop, sending: Sending::default(), undecided: None }
    }

    /// Loads until there is the response to [deliver](Self::deliver).
    pub(crate) fn go_on(&mut self, means: &Means<'_>) -> Result<WireResponse, Error> {
        loop {
            let mut asked = None;
            let response = match self.undecided.take() {
                Some(undecided) => {
                    let (response, questions) = *undecided;
                    asked = questions;
                    response
                }
                None => {
                    let sent = self.sending.send(&self.hop, means);
                    sent.map_err(|error| error.on(&self.hop.url))?
                }
            };
            match self.decide(&response, &mut asked, means) {
                Ok(Next::Deliver) => return Ok(response),
                Ok(Next::SendAgain) => response.body.discard(),
                Ok(Next::Follow(request)) => {
                    response.body.discard();
                    self.hop = self.hop.next(&request, means.rules)?;
                    self.sending.redirected();
                    means.context.arrive().map_err(|error| error.on(&self.hop.url))?;
                }
                Err(error) => {
                    if means.context.leaves(&error) {
                        self.undecided = Some(Box::new((response, asked)));
                    }
                    return Err(error.on(&self.hop.url));
                }
            }
        }
    }

    /// Decides what becomes of a response. If the load leaves its thread meanwhile, it is decided
    /// once more, and goes on with what was asked.
    #[inline]
    fn decide(
        &mut self,
        response: &WireResponse,
        asked: &mut Asked,
        means: &Means<'_>,
    ) -> Result<Next, Error> {
        if self.sending.answers(&mut self.hop, response, asked, means)? {
            return Ok(Next::SendAgain);
        }
        let request = follow(&mut self.hop, response, asked, means)?;
        Ok(request.map_or(Next::Deliver, |request| Next::Follow(Box::new(request))))
    }

    /// Delivers the response.
    #[inline(never)]
    pub(crate) fn deliver(
        self,
        response: WireResponse,
        context: &Context,
    ) -> Result<Loaded, Error> {
        let codings = codings(&self.hop, &response.head, &*response.body);
        let codings = codings.map_err(|error| error.on(&self.hop.url))?;
        let length = length(&self.hop, &response, &codings);
        let WireResponse { head, ends, body, .. } = response;
        let mut body = Decoder::new(body, &codings, context);
        let (line, url) = ((head.status, head.version), self.hop.url);
        let response = Response::new(url, line, head.headers, length, ends);
        if body.may_have_trailers() {
            body.tell_trailers_to(&response);
        }
        Ok(Loaded { response, body })
    }
}

/// Decides whether a response is a redirect that is followed, and asks whoever started the
/// load; `None` if it is delivered.
fn follow(
    hop: &mut Hop,
    response: &WireResponse,
    asked: &mut Asked,
    means: &Means<'_>,
) -> Result<Option<Request>, Error> {
    let &Means { rules, context, .. } = means;
    let (url, method, keeps_body, crosses_origin) =
        match redirect::next(&hop.as_answered(rules), &response.head) {
            Step::Follow { url, method, keeps_body, crosses_origin } => {
                (url, method, keeps_body, crosses_origin)
            }
            Step::Deliver => return Ok(None),
            Step::Refuse(error) => return Err(error),
        };
    let questions = asked.get_or_insert_default();
    if keeps_body && !hop.rewind(&mut questions.body, context)? {
        log::debug!("a redirect asks for a body that cannot be sent again");
        return Ok(None);
    }
    let proposed = hop.follow(url, method, keeps_body, crosses_origin);
    context.redirect(response_to(hop, response), proposed, &mut questions.redirect)
}

/// Returns the response that this is, if it is delivered or not.
fn response_to(hop: &Hop, response: &WireResponse) -> Response {
    let Head { status, version, ref headers } = response.head;
    let codings = codings(hop, &response.head, &*response.body);
    // One that cannot be decoded has no length that anybody could know.
    let length = codings.ok().and_then(|codings| length(hop, response, &codings));
    let ends = response.ends.clone();
    Response::new(hop.url.clone(), (status, version), headers.clone(), length, ends)
}

/// Returns the codings that are undone.
fn codings(hop: &Hop, head: &Head, body: &dyn WireBody) -> Result<Vec<Coding>, Error> {
    // Where there is no body, as after a HEAD, the headers still say how it is encoded.
    let is_plain = body.remaining() == Some(0) || !head.headers.contains("content-encoding");
    if is_plain || !hop.decodes() {
        return Ok(Vec::new());
    }
    decode::codings(&head.headers)
}

/// Returns how long the body is that is delivered, if that is known: nobody knows what
/// becomes of one by decoding.
fn length(hop: &Hop, response: &WireResponse, codings: &[Coding]) -> Option<u64> {
    // RFC 9110 §9.3.2: to a HEAD, the headers describe what a GET would bring.
    if hop.method == Method::HEAD {
        let headers = &response.head.headers;
        let is_decoded =
            hop.decodes() && decode::codings(headers).map_or(true, |all| !all.is_empty());
        return announced(headers).filter(|_| !is_decoded);
    }
    response.body.remaining().filter(|_| codings.is_empty())
}

/// Returns the length that the headers announce, if it is one (RFC 9110 §8.6).
fn announced(headers: &Headers) -> Option<u64> {
    let length = headers.get("content-length")?;
    // Digits alone: `parse` takes a sign too.
    if length.bytes().all(|byte| byte.is_ascii_digit()) { length.parse().ok() } else { None }
}
