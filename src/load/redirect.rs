//! Decides about one redirect, as the Fetch standard does (HTTP-redirect fetch), and what
//! of a request may go along.
//!
//! Nothing here acts: [`next`] looks at one response and says what to do; [`strip`] takes
//! from a request's headers what the next hop must not see. The caller keeps the headers
//! that are left for the rest of the chain, so what was stripped stays stripped when the
//! chain returns to the first origin (CVE-2024-45336 of Go's client).

use std::borrow::Cow;

use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, percent_encode};
use url::Url;

use crate::error::{Error, ErrorKind, Stage};
use crate::headers::Headers;
use crate::hsts::HstsStorage;
use crate::request::{self, Redirects};
use crate::wire::Head;

/// The request that was answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hop<'a> {
    pub(crate) url: &'a Url,
    pub(crate) method: &'a Method,
    /// How many redirects of this load were followed before.
    pub(crate) followed: usize,
    pub(crate) redirects: Redirects,
    /// No `http` URL is loaded at all.
    pub(crate) https_only: bool,
    /// A redirect may lead from `https` to `http`.
    pub(crate) allows_insecure_redirects: bool,
    /// Which hosts are loaded from by `https` alone.
    pub(crate) hsts: Option<&'a HstsStorage>,
}

/// What to do with a response.
#[derive(Debug)]
pub(crate) enum Step {
    /// It is no redirect: it is what was asked for.
    Deliver,
    Follow {
        /// Without user name and password.
        url: Url,
        method: Method,
        /// Method and body go along as they were; else the body and what describes it go.
        keeps_body: bool,
        /// Scheme, host or port differ.
        crosses_origin: bool,
    },
    Refuse(Error),
}

/// Decides what to do with a response to `hop` that has `head`.
pub(crate) fn next(hop: &Hop<'_>, head: &Head) -> Step {
    let is_redirect = matches!(head.status.as_u16(), 301 | 302 | 303 | 307 | 308);
    if !is_redirect || !hop.redirects.are_followed {
        return Step::Deliver;
    }
    let location = match location(&head.headers) {
        Ok(Some(location)) => location,
        // Without a place to go, the response is all there is; browsers show it.
        Ok(None) => return Step::Deliver,
        Err(error) => return Step::Refuse(error.at(Stage::Redirecting).on(hop.url)),
    };
    let url = match target(hop.url, &location) {
        // RFC 6797 §8.3: a known host is nowhere but there.
        Ok(url) => hop.hsts.and_then(|hsts| hsts.secured(&url)).unwrap_or(url),
        Err(error) => return Step::Refuse(error.at(Stage::Redirecting).on(hop.url)),
    };
    match permit(hop, &url) {
        Err(error) => Step::Refuse(error.at(Stage::Redirecting).on(&url)),
        Ok(()) => {
            let method = method_after(head.status, hop.method);
            Step::Follow {
                keeps_body: method == *hop.method,
                method,
                crosses_origin: url.origin() != hop.url.origin(),
                url,
            }
        }
    }
}

/// Returns the one place that a response names; empty fields name none.
///
/// Fields that disagree are an attack on whoever reads the other one, so they are an error
/// as in Chromium and Firefox (RFC 9110 §5.3 forbids to repeat the field at all).
fn location(headers: &Headers) -> Result<Option<Cow<'_, str>>, Error> {
    let mut all = headers.get_all("location").map(str::trim).filter(|value| !value.is_empty());
    let Some(first) = all.next() else { return Ok(None) };
    if all.any(|other| other != first) {
        let detail = "the response has several location headers that differ";
        return Err(Error::new(ErrorKind::BadServerResponse, detail));
    }
    if first.is_ascii() {
        Ok(Some(Cow::Borrowed(first)))
    } else {
        Ok(Some(preserved(headers, first)))
    }
}

/// Returns a location that is not ASCII so that its bytes reach the server again as they
/// came: text in UTF-8 as it is, since a URL is escaped in UTF-8; other bytes, which
/// `text` shows as ISO-8859-1, escaped one by one.
fn preserved<'a>(headers: &Headers, text: &'a str) -> Cow<'a, str> {
    const NOT_ASCII: &AsciiSet = &AsciiSet::EMPTY;
    let mut fields = headers.get_all_bytes("location");
    match fields.find(|bytes| std::str::from_utf8(bytes).is_err()) {
        Some(bytes) => Cow::Owned(percent_encode(bytes.trim_ascii(), NOT_ASCII).to_string()),
        None => Cow::Borrowed(text),
    }
}

/// Resolves `location` against the URL that answered.
fn target(url: &Url, location: &str) -> Result<Url, Error> {
    // The text of the location is not repeated: it may hold a password.
    let mut target = url.join(location).map_err(|error| {
        let detail = format!("the location of a redirect is not a URL: {error}");
        Error::new(ErrorKind::BadServerResponse, detail).because(error)
    })?;
    // A server cannot give this client credentials to send elsewhere. These fail only for
    // URLs that cannot have them.
    let _ = target.set_username("");
    let _ = target.set_password(None);
    // RFC 9110 §10.2.2: the fragment is inherited unless there is another.
    if target.fragment().is_none() {
        target.set_fragment(url.fragment());
    }
    Ok(target)
}

fn permit(hop: &Hop<'_>, url: &Url) -> Result<(), Error> {
    let most = hop.redirects.most;
    if hop.followed >= most {
        let detail = format!("there were more than {most} redirects");
        return Err(Error::new(ErrorKind::TooManyRedirects, detail));
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if hop.https_only => {
            let detail = "a redirect leads to http, which https_only forbids";
            Err(Error::new(ErrorKind::SecureConnectionRequired, detail))
        }
        "http" if hop.url.scheme() == "https" && !hop.allows_insecure_redirects => {
            let detail = "a redirect leads from https to http, which needs \
                          allows_insecure_redirects";
            Err(Error::new(ErrorKind::SecureConnectionRequired, detail))
        }
        "http" => Ok(()),
        scheme => {
            let detail = format!("a redirect leads to the scheme {scheme:?}, not http or https");
            Err(Error::new(ErrorKind::UnsupportedUrl, detail))
        }
    }
}

/// Returns the method of the next request.
fn method_after(status: StatusCode, method: &Method) -> Method {
    match (status.as_u16(), method) {
        // RFC 9110 §15.4.4: a 303 asks for a GET, unless only the head was wanted.
        (303, &Method::HEAD) => Method::HEAD,
        (303, _) => Method::GET,
        // RFC 9110 §15.4.2, §15.4.3: rewriting POST is allowed for historical reasons, and
        // every browser does it.
        (301 | 302, &Method::POST) => Method::GET,
        _ => method.clone(),
    }
}

/// Headers that say something about the body, beside those that begin with `Content-`.
const OF_THE_BODY: &[&str] = &["digest", "expect", "repr-digest", "trailer", "transfer-encoding"];

/// Removes from a request's headers what the next hop must not see: on another origin
/// what is secret, the headers named by `sensitive` among it; after a change of method
/// what described the body that is gone.
pub(crate) fn strip(
    headers: &mut Headers,
    sensitive: &[Box<str>],
    crosses_origin: bool,
    rewritten: bool,
) {
    if crosses_origin {
        request::drop_what_is_of_one_origin(headers, sensitive);
    }
    if rewritten {
        let mut found = Vec::new();
        for (name, _) in headers.iter() {
            if name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("content-")) {
                found.push(name.to_owned());
            }
        }
        for name in OF_THE_BODY {
            headers.remove(name);
        }
        for name in found {
            headers.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests;
