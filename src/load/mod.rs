//! Carries one request through as many hops as it takes.
//!
//! [`run`] is the whole story: prepare, exchange, answer a challenge, follow. What to do about an answer is
//! decided by pure functions over values; `run` carries it out.
//!
//! This room knows the words, a [`Wire`] and the load's [`Context`], through which it may ask. It does
//! not know sockets, codecs, sessions or tasks.
//!
//! A load runs on one thread from start to end and holds no lock while it waits. What
//! bounds it stands in its [`Context`]; the wire's next wait sees it.

mod authentication;
mod decode;
mod prepare;
mod redirect;

use http::Method;

use crate::error::Error;
use crate::headers::Headers;
use crate::request::Request;
use crate::response::Response;
use crate::wire::{Context, Head, Wire, WireResponse};

use authentication::Authentication;
pub(crate) use authentication::Authenticator;
pub(crate) use decode::Decoder;
use prepare::Hop;
use redirect::Step;

/// What a session demands of each of its loads.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Headers of every request that does not have them.
    added_headers: Headers,
    /// The one among them that comes first.
    host: Option<Box<str>>,
    pub(crate) https_only: bool,
    pub(crate) allows_insecure_redirects: bool,
    decodes_bodies: bool,
    pub(crate) authenticator: Authenticator,
}

impl Rules {
    /// Makes rules that refuse nothing that is not dangerous.
    pub(crate) fn new(additional_headers: &Headers, decodes_bodies: bool) -> Self {
        let accepted = if decodes_bodies { decode::accept_encoding() } else { "identity" };
        let mut added_headers = additional_headers.clone();
        let host = added_headers.get("host").map(Box::from);
        added_headers.remove("host");
        for (name, value) in [
            ("Accept", "*/*"),
            ("Accept-Encoding", accepted),
            ("User-Agent", concat!("urlsession/", env!("CARGO_PKG_VERSION"))),
        ] {
            if !added_headers.contains(name) {
                added_headers.push(name, value);
            }
        }
        Self {
            added_headers,
            host,
            https_only: false,
            allows_insecure_redirects: false,
            decodes_bodies,
            authenticator: Authenticator::new(None),
        }
    }
}

/// A response, its body still to be read.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) response: Response,
    pub(crate) body: Decoder,
}

/// Loads `request` over `wire`.
pub(crate) fn run(
    wire: &dyn Wire,
    rules: &Rules,
    request: &Request,
    context: &Context,
) -> Result<Loaded, Error> {
    let mut hop = Hop::first(request, rules)?;
    let mut authentication = Authentication::new(&rules.authenticator, context);
    loop {
        let exchanged = authentication.exchange(wire, &hop);
        let answer = exchanged.map_err(|error| error.on(&hop.url))?;
        log::debug!(
            "{} {}: {}",
            hop.method,
            crate::error::Redacted(&hop.url),
            answer.head.status.as_u16()
        );
        let answers = authentication.answers(&mut hop, &answer);
        if answers.map_err(|error| error.on(&hop.url))? {
            answer.body.discard();
            continue;
        }
        match redirect::next(&hop.as_answered(rules), &answer.head) {
            Step::Deliver => return deliver(hop, answer, rules),
            Step::Refuse(error) => return Err(error),
            Step::Follow { url, method, keeps_body, crosses_origin } => {
                if keeps_body && !hop.can_send_again() {
                    hop.body = context.new_body().map_err(|error| error.on(&hop.url))?;
                    if hop.body.is_none() {
                        // The answer is delivered as it is.
                        log::debug!("a redirect asks for a body that cannot be sent again");
                        return deliver(hop, answer, rules);
                    }
                }
                let response = response_to(&hop, &answer);
                let proposed = hop.follow(url, method, keeps_body, crosses_origin);
                match context.redirect(response, proposed).map_err(|error| error.on(&hop.url))? {
                    Some(request) => {
                        answer.body.discard();
                        hop = hop.next(&request, rules)?;
                        authentication.redirected();
                    }
                    None => return deliver(hop, answer, rules),
                }
            }
        }
    }
}

/// Returns the response that `answer` is, if it is delivered or not.
fn response_to(hop: &Hop, answer: &WireResponse) -> Response {
    let Head { status, version, ref headers } = answer.head;
    let length = answer.body.remaining();
    Response::new(hop.url.clone(), status, version, headers.clone(), length)
}

fn deliver(hop: Hop, answer: WireResponse, rules: &Rules) -> Result<Loaded, Error> {
    let WireResponse { head, body } = answer;
    // Where there is no body, as after a HEAD, the headers still say how it is encoded.
    let codings = if rules.decodes_bodies && body.remaining() != Some(0) {
        decode::codings(&head.headers).map_err(|error| error.on(&hop.url))?
    } else {
        Vec::new()
    };
    let length = match hop.method {
        // RFC 9110 §9.3.2: the headers describe what a GET would bring.
        Method::HEAD => announced(&head.headers),
        _ => body.remaining(),
    };
    let body = Decoder::new(body, &codings);
    let response = Response::new(hop.url, head.status, head.version, head.headers, length);
    Ok(Loaded { response, body })
}

/// Returns the length that the headers announce, if it is one (RFC 9110 §8.6).
fn announced(headers: &Headers) -> Option<u64> {
    let length = headers.get("content-length")?;
    // Digits alone: `parse` takes a sign too.
    if length.bytes().all(|byte| byte.is_ascii_digit()) { length.parse().ok() } else { None }
}
