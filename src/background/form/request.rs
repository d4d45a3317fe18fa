//! Requests.

use serde_json::Value;

use super::{
    Fields, duration, each_pair, is_set, milliseconds, number, octets, pairs, put, read_octets,
    retry, text, texts,
};
use crate::request::{Kept, Request};

/// Writes a request without its body; its secrets only if they may be, among them the user name of
/// a URL, which may be a token.
pub(in crate::background) fn write(request: &Request, with_secrets: bool) -> Value {
    let mut fields = Fields::new();
    fields.insert("method".to_owned(), request.method().as_str().into());
    put(&mut fields, "url", request.url().map(|url| url.as_str()));
    let secret = request.secrets();
    let is_written = |name: &str| with_secrets || !request.is_secret(name);
    let headers = request.headers().iter().filter(|(name, _)| is_written(name));
    fields.insert("headers".to_owned(), pairs(headers));
    let omitted = (!with_secrets && !secret.is_empty()).then_some(secret);
    put(&mut fields, "omitted", omitted);
    put(&mut fields, "idle", request.timeout_interval().map(milliseconds));
    put(&mut fields, "connect", request.connect_timeout_interval().map(milliseconds));
    put(&mut fields, "resource", request.resource_timeout_interval().map(milliseconds));
    put(&mut fields, "decodes", request.decodes());
    let redirects = request.own_redirects();
    put(&mut fields, "follows", redirects.0);
    put(&mut fields, "redirects", redirects.1.map(|most| most as u64));
    put(&mut fields, "repeatable", request.is_repeatable().then_some(true));
    let cookies = request.cookie_wishes();
    put(&mut fields, "handles-cookies", (!cookies.are_handled()).then_some(false));
    put(&mut fields, "main-document", cookies.main_document().map(|url| url.as_str()));
    put(&mut fields, "key", request.own_task_key());
    let Kept { sensitive, user_info, zone, accepted, retry_policy } = request.kept();
    let marked: Vec<&str> = sensitive.iter().map(|name| &**name).collect();
    put(&mut fields, "marked", (with_secrets && !marked.is_empty()).then_some(marked));
    put(&mut fields, "user", user_info.filter(|_| with_secrets).map(write_user));
    put(&mut fields, "zone", zone.as_deref());
    put(&mut fields, "accepts", accepted.map(|ranges| write_ranges(&ranges)));
    put(&mut fields, "retry", retry_policy.as_ref().map(retry::write));
    fields.into()
}

/// Reads one, and which headers were left out of it.
pub(in crate::background) fn read(value: &Value) -> Option<(Request, Vec<String>)> {
    let fields = value.as_object()?;
    let mut request = Request::new(text(fields, "method")?, text(fields, "url").unwrap_or(""));
    for (name, value) in each_pair(fields.get("headers")) {
        request = request.add_header(name, value);
    }
    if let Some(timeout) = duration(fields, "idle") {
        request = request.timeout_for_request(timeout);
    }
    if let Some(timeout) = duration(fields, "connect") {
        request = request.connect_timeout(timeout);
    }
    if let Some(timeout) = duration(fields, "resource") {
        request = request.timeout_for_resource(timeout);
    }
    if let Some(decodes) = fields.get("decodes").and_then(Value::as_bool) {
        request = request.decodes_body(decodes);
    }
    if let Some(follows) = fields.get("follows").and_then(Value::as_bool) {
        request = request.follows_redirects(follows);
    }
    if let Some(most) = number(fields, "redirects") {
        request = request.maximum_redirects(usize::try_from(most).unwrap_or(usize::MAX));
    }
    if is_set(fields, "repeatable") {
        request = request.may_repeat(true);
    }
    if let Some(handles) = fields.get("handles-cookies").and_then(Value::as_bool) {
        request = request.handles_cookies(handles);
    }
    if let Some(url) = text(fields, "main-document") {
        request = request.main_document_url(url);
    }
    if let Some(key) = text(fields, "key") {
        request = request.task_key(key);
    }
    // What is there must be understood: nothing is sent with less than the program has said.
    let request = request.with_kept(Kept {
        sensitive: texts(fields, "marked").map(Into::into).collect(),
        user_info: read_if_there(fields, "user", read_user)?,
        zone: text(fields, "zone").map(Into::into),
        accepted: read_if_there(fields, "accepts", read_ranges)?,
        retry_policy: read_if_there(fields, "retry", retry::read)?,
    });
    let omitted = texts(fields, "omitted").map(str::to_owned).collect();
    Some((request, omitted))
}

/// Reads a field that may be left out; `None` if it is there and something else.
pub(super) fn read_if_there<T>(
    fields: &Fields,
    name: &str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Option<Option<T>> {
    match fields.get(name) {
        Some(value) => read(value).map(Some),
        None => Some(None),
    }
}

fn write_user((user, password): (Vec<u8>, Option<Vec<u8>>)) -> Value {
    [Some(user), password].into_iter().flatten().map(|part| octets(&part)).collect()
}

fn read_user(value: &Value) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    match value.as_array()?.as_slice() {
        [user] => Some((read_octets(user)?, None)),
        [user, password] => Some((read_octets(user)?, Some(read_octets(password)?))),
        _ => None,
    }
}

fn write_ranges(ranges: &[(u16, u16)]) -> Value {
    ranges.iter().map(|(first, last)| Value::from(vec![*first, *last])).collect()
}

fn read_ranges(value: &Value) -> Option<Vec<(u16, u16)>> {
    let number = |value: &Value| u16::try_from(value.as_u64()?).ok();
    let range = |value: &Value| match value.as_array()?.as_slice() {
        [first, last] => Some((number(first)?, number(last)?)),
        _ => None,
    };
    value.as_array()?.iter().map(range).collect()
}
