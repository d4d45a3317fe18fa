//! A request as it goes out: what the program asked for, and what a session adds.

use http::Method;
use url::{Position, Url};

use super::{Rules, decode, redirect};
use crate::body::{Body, Form};
use crate::error::{Error, ErrorKind, Stage};
use crate::headers::Headers;
use crate::request::{self, CookieWishes, Redirects, Request, UserInfo, content};
use crate::wire::{Context, Question};

/// One hop's request, complete; redirects change it.
#[derive(Debug)]
pub(crate) struct Hop {
    pub(super) url: Url,
    pub(super) method: Method,
    pub(super) headers: Headers,
    pub(super) sensitive: Vec<Box<str>>,
    pub(super) body: Option<Body>,
    pub(super) redirects: usize,
    /// Whether they are followed, and how many.
    follows: Redirects,
    /// On which network interface the address of the URL is.
    pub(super) zone: Option<Box<str>>,
    /// What stood in the URL, for its origin only.
    pub(super) user_info: Option<Box<UserInfo>>,
    pub(super) cookies: CookieWishes,
    /// What the program says about codings.
    said_decodes: Option<bool>,
    /// What the session does about codings otherwise.
    decodes_by_default: bool,
    /// A redirect has led to another scheme, host or port, even if another led back.
    pub(super) has_crossed_origins: bool,
    /// This origin does not know `Expect: 100-continue`, which the request had.
    expects_no_leave: bool,
}

impl Hop {
    /// Returns the first hop of `request`.
    pub(crate) fn first(request: &Request, rules: &Rules) -> Result<Self, Error> {
        let url = checked(request, rules)?;
        let own = request.headers();
        let asks = decode::undoes(request.decodes(), rules.decodes_bodies, own);
        let headers = completed(own, &url, rules, asks);
        let mut hop = Self::of(request, url, headers, rules);
        if hop.body.is_some() {
            hop.label();
        }
        if rules.concerns_message || (!own.is_empty() && request::rules::concern(own)) {
            hop.settle()?;
        }
        Ok(hop)
    }

    /// Returns a hop to where redirects have led before: nothing is added to what `request` says
    /// but `Host`, as in [`next`](Self::next).
    pub(crate) fn where_led(request: &Request, rules: &Rules) -> Result<Self, Error> {
        let mut hop = Self::led(request, rules)?;
        // What may not be known any more is taken for so.
        hop.has_crossed_origins = true;
        Ok(hop)
    }

    fn led(request: &Request, rules: &Rules) -> Result<Self, Error> {
        let url = checked(request, rules)?;
        let own = request.headers();
        let mut headers =
            if own.contains("host") { Headers::new() } else { with_host(host_of(&url), own) };
        headers.append(own);
        let mut hop = Self::of(request, url, headers, rules);
        hop.settle()?;
        Ok(hop)
    }

    /// Returns the hop that comes after this one, which was answered by a redirect.
    ///
    /// Nothing is added to what `request` says but `Host`: what a session adds was in the
    /// first request, and what is missing now was taken out on purpose.
    pub(super) fn next(&mut self, request: &Request, rules: &Rules) -> Result<Self, Error> {
        let mut hop = Self::led(request, rules)?;
        let crosses =
            hop.url.origin() != self.url.origin() || request.zone() != self.zone.as_deref();
        hop.cookies = hop.cookies.or(std::mem::take(&mut self.cookies));
        hop.said_decodes = hop.said_decodes.or(self.said_decodes);
        hop.user_info = hop.user_info.or(self.user_info.take().filter(|_| !crosses));
        hop.has_crossed_origins = self.has_crossed_origins || crosses;
        hop.expects_no_leave = self.expects_no_leave && !crosses;
        hop.redirects = self.redirects + 1;
        hop.follows = request.redirects(self.follows);
        Ok(hop)
    }

    /// Has the headers that are about the message say what is sent.
    #[cold]
    fn settle(&mut self) -> Result<(), Error> {
        let settled = request::rules::settle(&mut self.headers, &mut self.body);
        settled.map_err(|error| error.on(&self.url))
    }

    /// Says what the body is, if nobody has and it is known.
    #[cold]
    fn label(&mut self) {
        let Some(body) = &self.body else { return };
        if content::is_taken_for_form(&self.method, &self.headers, body) {
            self.headers.push("Content-Type", Form::CONTENT_TYPE);
        }
    }

    fn of(request: &Request, url: Url, headers: Headers, rules: &Rules) -> Self {
        Self {
            url,
            method: request.method().clone(),
            headers,
            sensitive: request.sensitive().to_vec(),
            body: request.body_that_goes_out().cloned(),
            redirects: 0,
            follows: request.redirects(rules.redirects),
            zone: request.zone().map(Box::from),
            user_info: request.user_info(),
            cookies: request.cookie_wishes(),
            said_decodes: request.decodes(),
            decodes_by_default: rules.decodes_bodies,
            has_crossed_origins: false,
            expects_no_leave: false,
        }
    }

    /// Returns the URL if it is not the one of `request`, as its host is known to want `https`.
    pub(crate) fn secured(&self, request: &Request) -> Option<&Url> {
        let is_same = request.url().is_some_and(|url| url.scheme() == self.url.scheme());
        if is_same { None } else { Some(&self.url) }
    }

    /// Whether the codings of a response are undone: looked at where there are some.
    pub(super) fn decodes(&self) -> bool {
        decode::undoes(self.said_decodes, self.decodes_by_default, &self.headers)
    }

    /// Returns what the decision about the answer needs to know.
    pub(super) fn as_answered<'a>(&'a self, rules: &'a Rules) -> redirect::Hop<'a> {
        redirect::Hop {
            url: &self.url,
            method: &self.method,
            followed: self.redirects,
            redirects: self.follows,
            https_only: rules.https_only,
            allows_insecure_redirects: rules.allows_insecure_redirects,
            hsts: rules.stores.hsts.as_ref(),
        }
    }

    /// Whether the server is asked for leave to send the body (RFC 9110 §10.1.1).
    #[cold]
    pub(super) fn expects_leave(&self) -> bool {
        let mut expected = self.headers.get_all("expect");
        expected.any(|value| value.eq_ignore_ascii_case(LEAVE))
    }

    /// Asks this origin for leave no more.
    pub(super) fn expect_no_leave(&mut self) {
        self.headers.remove("expect");
        self.expects_no_leave = true;
    }

    /// Returns whether the body, if there is one, can be sent a second time.
    pub(super) fn can_send_again(&self) -> bool {
        self.body.as_ref().is_none_or(Body::can_rewind)
    }

    /// Makes the hop ready to be sent once more: what can be sent once is asked for anew.
    /// Returns whether there is a body to send, if there has to be one.
    pub(super) fn rewind(
        &mut self,
        question: &mut Question,
        context: &Context,
    ) -> Result<bool, Error> {
        if self.body.as_ref().is_none_or(Body::can_be_sent) {
            return Ok(true);
        }
        self.body = context.new_body(question)?.map(Body::untyped);
        let known = self.body.as_ref().and_then(|body| content::content_type(&self.headers, body));
        known.map_or(Ok(()), |value| self.headers.set("Content-Type", &value))?;
        Ok(self.body.is_some())
    }

    /// Returns the request for where a redirect leads.
    pub(super) fn follow(
        &self,
        url: Url,
        method: Method,
        keeps_body: bool,
        crosses_origin: bool,
    ) -> Request {
        let mut headers = self.headers.clone();
        // It follows from the URL, unless the program set another.
        if headers.get("host") == Some(host_of(&self.url)) {
            headers.remove("host");
        }
        // What the server of this URL does not know, that of another may.
        if self.expects_no_leave && crosses_origin {
            headers.push("Expect", LEAVE);
        }
        redirect::strip(&mut headers, &self.sensitive, crosses_origin, !keeps_body);
        let body = if keeps_body { self.body.clone() } else { None };
        // The server does not know what the zone is called here: its own address is where it
        // was.
        let zone = self.zone.clone().filter(|_| url.host() == self.url.host());
        Request::redirected(url, method, headers, self.sensitive.clone(), body).in_zone(zone)
    }
}

/// The one expectation that there is (RFC 9110 §10.1.1).
const LEAVE: &str = "100-continue";

/// Returns a list with `Host` alone and room for `others`; RFC 9110 §7.2: it comes first.
fn with_host(host: &str, others: &Headers) -> Headers {
    let mut headers = Headers::with_capacity(8 + others.len(), 256);
    headers.push("Host", host);
    headers
}

fn host_of(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

/// Returns the headers of the first hop: the program's, and those that every request has.
fn completed(own: &Headers, url: &Url, rules: &Rules, asks_for_codings: bool) -> Headers {
    let added = rules.added_headers(asks_for_codings);
    let mut headers = if own.contains("host") {
        Headers::new()
    } else {
        with_host(rules.host.as_deref().unwrap_or_else(|| host_of(url)), own)
    };
    headers.append(own);
    if own.is_empty() {
        headers.append(added);
    } else {
        for (name, value) in added.iter().filter(|(name, _)| !own.contains(name)) {
            headers.push(name, value);
        }
    }
    headers
}

/// Returns the URL of a request that can be sent, by which it is loaded.
fn checked(request: &Request, rules: &Rules) -> Result<Url, Error> {
    request.check()?;
    let Some(url) = request.url() else {
        return Err(Error::new(ErrorKind::BadUrl, "the request has no URL"));
    };
    let secured = rules.stores.hsts.as_ref().and_then(|hsts| hsts.secured(url));
    let url = secured.unwrap_or_else(|| url.clone());
    check_scheme(&url, rules).map_err(|error| error.on(&url))?;
    Ok(url)
}

/// Only `http` and `https` are loaded, and `http` only if it is allowed.
fn check_scheme(url: &Url, rules: &Rules) -> Result<(), Error> {
    let error = match url.scheme() {
        "https" => return Ok(()),
        "http" if !rules.https_only => return Ok(()),
        "http" => Error::new(
            ErrorKind::SecureConnectionRequired,
            "the configuration's https_only refuses an http URL",
        ),
        _ => Error::new(ErrorKind::UnsupportedUrl, request::unparsed::why_not_loaded(url)),
    };
    Err(error.at(Stage::Preparing))
}
