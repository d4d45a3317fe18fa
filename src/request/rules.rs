//! What a program may say in the headers that are about the message or its connection.
//!
//! One table, [`RULES`]: each row looks at what was said and at the body, and decides what goes
//! out. What is harmless does, or is written as it has to be; what no server must accept, or
//! what contradicts the message itself, is refused. Nothing here acts but [`settle`].

use std::borrow::Cow;
use std::net::Ipv6Addr;

use crate::body::Body;
use crate::error::{Error, ErrorKind};
use crate::headers::{Headers, is_token};

/// What becomes of a header.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    AsWritten,
    /// This one value takes the place of all.
    Instead(&'static str),
    /// It is left out.
    Nothing,
    /// It is left out, as the body says it: it is so long.
    Length(u64),
}

/// What a request says in one header.
struct Said<'a> {
    values: &'a [&'a str],
    /// Those of them that are lists (RFC 9110 §5.6.1), in one; empty ones left out.
    elements: &'a [&'a str],
    headers: &'a Headers,
    body: Option<&'a Body>,
}

/// Why a header is refused, and what to do: what follows on its name.
type Refusal = Cow<'static, str>;

type Rule = fn(&Said<'_>) -> Result<Sent, Refusal>;

const RULES: &[(&str, Rule)] = &[
    ("Host", host),
    ("Expect", expect),
    ("Connection", connection),
    ("Keep-Alive", harmless),
    ("Proxy-Connection", harmless),
    ("TE", te),
    ("Upgrade", upgrade),
    ("Trailer", trailer),
    ("Transfer-Encoding", transfer_encoding),
    ("Content-Length", content_length),
];

/// Headers that go along with an option of `Connection` of the same name (RFC 9110 §10.1.4,
/// §7.8).
const OF_THE_CONNECTION: &[&str] = &["TE", "Upgrade"];

/// Whether there is a rule for one of the headers.
pub(crate) fn concern(headers: &Headers) -> bool {
    let named = |name: &str| RULES.iter().any(|(known, _)| name.eq_ignore_ascii_case(known));
    headers.iter().any(|(name, _)| named(name))
}

/// Refuses headers that must not go out with this body.
#[cold]
pub(crate) fn check(headers: &Headers, body: Option<&Body>) -> Result<(), Error> {
    RULES.iter().try_for_each(|row| decide(row, headers, body).map(drop))
}

/// Refuses headers that must not go out with every request of a session.
pub(crate) fn check_of_session(headers: &Headers) -> Result<(), Error> {
    headers.check()?;
    // One body's length is not that of all.
    for name in ["Content-Length", "Transfer-Encoding"] {
        if let Some(name) = as_written(headers, name) {
            let detail = format!(
                "the header {name} follows from the body and cannot be set for a session: leave \
                 it out"
            );
            return Err(Error::new(ErrorKind::InvalidRequest, detail));
        }
    }
    check(headers, None)
}

/// Makes of headers what goes out with this body.
///
/// # Errors
///
/// As [`check`].
#[cold]
pub(crate) fn settle(headers: &mut Headers, body: &mut Option<Body>) -> Result<(), Error> {
    for row in RULES {
        match decide(row, headers, body.as_ref())? {
            None | Some(Sent::AsWritten) => {}
            Some(Sent::Instead(value)) => headers.set(row.0, value)?,
            Some(Sent::Nothing) => drop(headers.remove(row.0)),
            Some(Sent::Length(length)) => {
                headers.remove(row.0);
                // The length of a reader that does not know it.
                *body = body.take().map(|body| match body.length() {
                    None => body.with_length(length),
                    Some(_) => body,
                });
            }
        }
    }
    OF_THE_CONNECTION.iter().try_for_each(|name| name_option(headers, name))
}

/// Has `Connection` name a header that is there.
fn name_option(headers: &mut Headers, name: &str) -> Result<(), Error> {
    let said = headers.trimmed("Connection");
    let mut options = elements(&said);
    let is_named = options.iter().any(|option| option.eq_ignore_ascii_case(name));
    if is_named || !headers.contains(name) {
        return Ok(());
    }
    options.push(name);
    let all = options.join(", ");
    headers.set("Connection", &all)
}

/// Decides about one header, if it is there.
fn decide(
    &(name, rule): &(&str, Rule),
    headers: &Headers,
    body: Option<&Body>,
) -> Result<Option<Sent>, Error> {
    let values = headers.trimmed(name);
    if values.is_empty() {
        return Ok(None);
    }
    let refused = |why| {
        let shown = if headers.is_hidden(name) { String::new() } else { shown(&values) };
        let name = as_written(headers, name).unwrap_or(name);
        Error::new(ErrorKind::InvalidRequest, format!("the header {name}{shown} {why}"))
    };
    let elements = &elements(&values);
    rule(&Said { values: &values, elements, headers, body }).map(Some).map_err(refused)
}

/// Returns the name of a header as the program has written it, if it is there.
fn as_written<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.iter().map(|(written, _)| written).find(|written| written.eq_ignore_ascii_case(name))
}

/// Returns values for an error, cut; what may hold a user name and a password is left out.
fn shown(values: &[&str]) -> String {
    const MOST: usize = 60;
    if values.iter().any(|value| value.contains('@')) {
        return String::new();
    }
    let mut all = String::new();
    for value in values.iter().take(4) {
        all += if all.is_empty() { " (" } else { ", " };
        all += &match value.char_indices().nth(MOST) {
            Some((end, _)) => format!("\"{}...\"", &value[..end]),
            None => format!("{value:?}"),
        };
    }
    all + ")"
}

/// Returns the elements of a list (RFC 9110 §5.6.1), empty ones left out.
fn elements<'a>(values: &[&'a str]) -> Vec<&'a str> {
    let mut all = Vec::new();
    for value in values {
        all.extend(value.split(',').map(str::trim).filter(|one| !one.is_empty()));
    }
    all
}

impl Said<'_> {
    /// Whether there are bytes to send, as far as that is known.
    fn has_content(&self) -> bool {
        self.body.is_some_and(|body| body.known_length() != Some(0))
    }
}

fn harmless(_: &Said<'_>) -> Result<Sent, Refusal> {
    Ok(Sent::AsWritten)
}

/// RFC 9112 §3.2: a server answers 400 to two of them, and to one that is no host.
fn host(said: &Said<'_>) -> Result<Sent, Refusal> {
    match said.values {
        [host] if is_host(host) => Ok(Sent::AsWritten),
        [host] if host.contains('@') => {
            Err("has a user name before an @: use the host alone, and Request::basic_auth".into())
        }
        [_] => Err("is no host: use a name or an address, and perhaps a port, as in \
                    shop.test:8080"
            .into()),
        all => Err(format!("is there {} times: set it once", all.len()).into()),
    }
}

/// RFC 9110 §7.2, RFC 3986 §3.2.2. A comma, which the grammar has in names, is none here:
/// who joins headers reads two hosts.
fn is_host(text: &str) -> bool {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=".contains(&byte);
    let (is_right, rest) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address.parse::<Ipv6Addr>().is_ok(), rest),
        None => {
            let (name, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            (!name.is_empty() && name.bytes().all(in_name), rest)
        }
    };
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = |port: &str| port.is_empty() || digits(port) && port.parse::<u16>().is_ok();
    is_right && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

/// RFC 9110 §10.1.1: there is one expectation, and none without a body to wait with.
fn expect(said: &Said<'_>) -> Result<Sent, Refusal> {
    let is_known = |one: &str| one.eq_ignore_ascii_case("100-continue");
    if !said.elements.iter().copied().all(is_known) {
        return Err("is not 100-continue, the one expectation that there is: leave it out".into());
    }
    Ok(match said.values {
        _ if said.elements.is_empty() || !said.has_content() => Sent::Nothing,
        [one] if is_known(one) => Sent::AsWritten,
        _ => Sent::Instead("100-continue"),
    })
}

/// RFC 9110 §7.6.1: whoever passes the request on takes out what is named here.
fn connection(said: &Said<'_>) -> Result<Sent, Refusal> {
    const FOR_ALL: &[&str] = &[
        "authorization",
        "cache-control",
        "cookie",
        "date",
        "expect",
        "host",
        "origin",
        "range",
        "referer",
        "transfer-encoding",
        "user-agent",
    ];
    const FAMILIES: &[&str] = &["accept", "content-", "if-"];
    for &option in said.elements {
        if !is_token(option) {
            return Err("is no list of options: use names, such as close or keep-alive".into());
        }
        let begins = |family: &&str| {
            let start = option.as_bytes().get(..family.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(family.as_bytes()))
        };
        let is_for_all = FOR_ALL.iter().any(|known| known.eq_ignore_ascii_case(option));
        if is_for_all || FAMILIES.iter().any(begins) {
            let why = format!(
                "names {option}, which is for the server and would be taken out on the way: leave \
                 that name out"
            );
            return Err(why.into());
        }
    }
    let is_empty = said.elements.is_empty();
    Ok(if is_empty { Sent::Nothing } else { Sent::AsWritten })
}

/// RFC 9110 §10.1.4: what is asked for here has to be understood.
fn te(said: &Said<'_>) -> Result<Sent, Refusal> {
    /// The weights of what is not wanted (RFC 9110 §12.4.2).
    const NOTHING: &[&str] =
        &["q=0", "q=0.", "q=0.0", "q=0.00", "q=0.000", "Q=0", "Q=0.", "Q=0.0", "Q=0.00", "Q=0.000"];
    let (mut trailers, mut others) = (false, false);
    for one in said.elements {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let (name, weight) = (name.trim(), weight.trim());
        if name.eq_ignore_ascii_case("trailers") {
            trailers = true;
        } else if name.eq_ignore_ascii_case("chunked") || NOTHING.contains(&weight) {
            // Every server may send it, and nobody asks for it.
            others = true;
        } else {
            return Err("asks for a transfer coding, and chunked alone is undone here: leave it \
                        out, Accept-Encoding asks for compressed content"
                .into());
        }
    }
    Ok(match (trailers, others) {
        (true, false) => Sent::AsWritten,
        (true, true) => Sent::Instead("trailers"),
        (false, _) => Sent::Nothing,
    })
}

/// RFC 9110 §7.8: an invitation, which a server may pass over.
fn upgrade(said: &Said<'_>) -> Result<Sent, Refusal> {
    let is_protocol = |one: &str| match one.split_once('/') {
        Some((name, version)) => is_token(name) && is_token(version),
        None => is_token(one),
    };
    if !said.elements.iter().copied().all(is_protocol) {
        return Err("is no list of protocols: use names, as in websocket or IRC/6.9".into());
    }
    let is_empty = said.elements.is_empty();
    Ok(if is_empty { Sent::Nothing } else { Sent::AsWritten })
}

/// RFC 9110 §6.6.2: it announces fields behind the body, of which there are none.
fn trailer(_: &Said<'_>) -> Result<Sent, Refusal> {
    Ok(Sent::Nothing)
}

/// RFC 9112 §6.1, §11.2: two places that say where a body ends is how requests are smuggled.
fn transfer_encoding(said: &Said<'_>) -> Result<Sent, Refusal> {
    let is = |coding: &str| matches!(said.elements, [one] if one.eq_ignore_ascii_case(coding));
    if said.headers.contains("content-length") {
        return Err("goes with no Content-Length: leave both out, they follow from the body".into());
    }
    if said.elements.is_empty() || is("identity") || is("chunked") && said.body.is_some() {
        return Ok(Sent::Nothing);
    }
    Err(if is("chunked") {
        "says that a body comes, and the request has none: leave it out, or set a body"
    } else {
        "names a coding that no body is sent with: leave it out; what the body is encoded with \
         stands in Content-Encoding"
    }
    .into())
}

/// RFC 9110 §8.6: it is the length of the body and nothing else.
fn content_length(said: &Said<'_>) -> Result<Sent, Refusal> {
    // Digits alone: `parse` takes a sign too.
    let length = |one: &&str| one.parse().ok().filter(|_| !one.starts_with('+'));
    let mut lengths = said.elements.iter().map(length);
    let Some(announced) = lengths.next().flatten() else {
        return Err("is no length: leave it out, it follows from the body".into());
    };
    if lengths.any(|other| other != Some(announced)) {
        return Err("names several lengths: leave it out, it follows from the body".into());
    }
    let wrong = |is: u64, of: &str| {
        Err(format!(
            "announces {announced} bytes, and {of} {is}: leave it out, it follows from the body"
        )
        .into())
    };
    match said.body.map(Body::known_length) {
        None if announced > 0 => wrong(0, "without a body there are"),
        Some(Some(known)) if known != announced => wrong(known, "the body has"),
        _ => Ok(Sent::Length(announced)),
    }
}

#[cfg(test)]
mod tests;
