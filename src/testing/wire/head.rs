//! Request heads, read strictly: what a server may have to forgive, this one refuses.

/// A parsed request head.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::testing) struct Head {
    pub(in crate::testing) method: String,
    pub(in crate::testing) target: String,
    pub(in crate::testing) version: &'static str,
    pub(in crate::testing) headers: Vec<(String, String)>,
    pub(in crate::testing) framing: Framing,
    pub(in crate::testing) expects_continue: bool,
    pub(in crate::testing) wants_close: bool,
}

/// How the end of a request body is found (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::testing) enum Framing {
    Nothing,
    Length(u64),
    Chunked,
}

/// Parses a whole head, the empty line included.
pub(super) fn parse(bytes: &[u8]) -> Result<Head, String> {
    let lines = lines_of(bytes)?;
    let (first, fields) = lines.split_first().ok_or("the head is empty")?;
    let (method, target, version) = request_line(first)?;
    let mut headers = Vec::with_capacity(fields.len());
    for line in fields {
        headers.push(field(line)?);
    }
    check_host(&headers, version)?;
    let framing = framing(&headers, version)?;
    let expects_continue = expectation(&headers, framing)?;
    let wants_close = version == "HTTP/1.0" || has_token(&headers, "connection", "close");
    Ok(Head { method, target, version, headers, framing, expects_continue, wants_close })
}

/// Returns the first value of a field; names are compared without regard to case.
pub(in crate::testing) fn first<'a>(
    headers: &'a [(String, String)],
    name: &str,
) -> Option<&'a str> {
    all(headers, name).next()
}

pub(in crate::testing) fn all<'a>(
    headers: &'a [(String, String)],
    name: &str,
) -> impl Iterator<Item = &'a str> {
    headers
        .iter()
        .filter(move |(given, _)| given.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// Returns whether a comma-separated field contains `token`.
pub(in crate::testing) fn has_token(headers: &[(String, String)], name: &str, token: &str) -> bool {
    all(headers, name)
        .flat_map(|value| value.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(token))
}

fn lines_of(bytes: &[u8]) -> Result<Vec<&[u8]>, String> {
    let head = bytes.strip_suffix(b"\r\n\r\n").ok_or("the head has no end")?;
    let mut lines = Vec::new();
    for line in head.split(|byte| *byte == b'\n') {
        lines.push(line.strip_suffix(b"\r").unwrap_or(line));
    }
    // RFC 9112 §2.2: a sender must not produce a bare CR, and a line ends with CRLF.
    match head.windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r')
        || lines.iter().any(|line| line.contains(&b'\r'))
    {
        true => Err("a line of the head does not end with CRLF".into()),
        false => Ok(lines),
    }
}

fn request_line(line: &[u8]) -> Result<(String, String, &'static str), String> {
    let text = || format!("the request line is {:?}", String::from_utf8_lossy(line));
    let parts: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [method, target, version] = parts[..] else {
        return Err(format!("{}: not three parts with one space between", text()));
    };
    if !is_token(method) {
        return Err(format!("{}: the method is not a token", text()));
    }
    let visible = |byte: &u8| (0x21..=0x7e).contains(byte) && *byte != b'#';
    if target.is_empty() || !target.iter().all(visible) {
        return Err(format!("{}: the target has bytes that no target has", text()));
    }
    let version = match version {
        b"HTTP/1.1" => "HTTP/1.1",
        b"HTTP/1.0" => "HTTP/1.0",
        _ => return Err(format!("{}: neither HTTP/1.1 nor HTTP/1.0", text())),
    };
    // RFC 9112 §3.2: four forms of target, two of which belong to one method each.
    let fits = match (method, target) {
        (b"CONNECT", _) => !target.contains(&b'/') && target.contains(&b':'),
        (b"OPTIONS", b"*") => true,
        _ => target[0] == b'/' || is_absolute(target),
    };
    match fits {
        true => Ok((ascii(method), ascii(target), version)),
        false => Err(format!("{}: the target has a form that the method cannot have", text())),
    }
}

fn is_absolute(target: &[u8]) -> bool {
    let text = ascii(target).to_ascii_lowercase();
    text.split_once("://").is_some_and(|(scheme, rest)| {
        !rest.is_empty() && !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

pub(super) fn field(line: &[u8]) -> Result<(String, String), String> {
    let text = || format!("the field line is {:?}", String::from_utf8_lossy(line));
    if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
        // RFC 9112 §5.2: a sender must not fold lines.
        return Err(format!("{}: folded", text()));
    }
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return Err(format!("{}: no colon", text()));
    };
    let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
    if !is_token(name) {
        return Err(format!("{}: the name is not a token", text()));
    }
    if !value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..)) {
        return Err(format!("{}: a control character in the value", text()));
    }
    Ok((ascii(name), text_of(value)))
}

/// UTF-8 if it is, else every byte one character (ISO 8859-1), so that nothing gets lost.
fn text_of(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => ascii(value),
    }
}

fn ascii(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// RFC 9110 §5.6.2.
fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// RFC 9112 §3.2: a request of HTTP/1.1 has exactly one `Host`, without user information.
fn check_host(headers: &[(String, String)], version: &str) -> Result<(), String> {
    let hosts: Vec<&str> = all(headers, "host").collect();
    match hosts[..] {
        [] if version == "HTTP/1.0" => Ok(()),
        [host] if !host.contains(['@', '/', '?', ' ', '\t', ',']) && host.is_ascii() => Ok(()),
        [host] => Err(format!("Host is {host:?}, which no host is")),
        _ => Err(format!("{} Host fields instead of one", hosts.len())),
    }
}

/// RFC 9112 §6: at most one of the two framings, said once and understood by all.
fn framing(headers: &[(String, String)], version: &str) -> Result<Framing, String> {
    let lengths: Vec<&str> = all(headers, "content-length").collect();
    let codings: Vec<&str> = all(headers, "transfer-encoding").collect();
    match (&lengths[..], &codings[..]) {
        ([], []) => Ok(Framing::Nothing),
        ([length], []) if !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit()) => {
            let length = length.parse().map_err(|_| format!("Content-Length is {length}"))?;
            Ok(Framing::Length(length))
        }
        ([], [coding]) if coding.eq_ignore_ascii_case("chunked") && version == "HTTP/1.1" => {
            Ok(Framing::Chunked)
        }
        _ => Err(format!(
            "in {version}, Content-Length {lengths:?} with Transfer-Encoding {codings:?}"
        )),
    }
}

/// RFC 9110 §10.1.1: no other expectation exists, and none without content.
fn expectation(headers: &[(String, String)], framing: Framing) -> Result<bool, String> {
    let expected: Vec<&str> = all(headers, "expect").collect();
    match (&expected[..], framing) {
        ([], _) => Ok(false),
        ([one], Framing::Length(1..) | Framing::Chunked)
            if one.eq_ignore_ascii_case("100-continue") =>
        {
            Ok(true)
        }
        _ => Err(format!("Expect is {expected:?}, and the body is {framing:?}")),
    }
}
