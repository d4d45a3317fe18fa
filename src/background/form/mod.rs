//! How what is known of tasks stands in the journal, as JSON; the manual page of the room says
//! what each field means.
//!
//! What is read may be anything: it is taken as it is, or refused.

mod error;
mod job;
mod request;
mod response;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

pub(super) use job::{read as read_job, read_event, write as write_job, write_event};
pub(super) use request::{read as read_request, write as write_request};

/// The fields of one object.
pub(super) type Fields = Map<String, Value>;

/// Puts a field in that is there.
pub(super) fn put<T: Into<Value>>(fields: &mut Fields, name: &str, value: Option<T>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), value.into());
    }
}

pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str()
}

pub(super) fn number(fields: &Fields, name: &str) -> Option<u64> {
    fields.get(name)?.as_u64()
}

pub(super) fn is_set(fields: &Fields, name: &str) -> bool {
    fields.get(name).and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn duration(fields: &Fields, name: &str) -> Option<Duration> {
    number(fields, name).map(Duration::from_millis)
}

/// Milliseconds since 1970, none too early; what was before has come in any case.
fn since_1970(date: SystemTime) -> u64 {
    let since = date.duration_since(UNIX_EPOCH).unwrap_or_default();
    milliseconds(since.saturating_add(Duration::from_nanos(999_999)))
}

/// A date that the system knows.
fn date(since_1970: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(since_1970))
}

/// Texts, and on Unix, where a path may be any bytes, lists of those.
fn path_value(path: &Path) -> Value {
    #[cfg(unix)]
    if path.to_str().is_none() {
        use std::os::unix::ffi::OsStrExt;
        return path.as_os_str().as_bytes().into();
    }
    path.to_string_lossy().into_owned().into()
}

fn path(value: &Value) -> Option<PathBuf> {
    #[cfg(unix)]
    if let Some(bytes) = value.as_array() {
        use std::os::unix::ffi::OsStringExt;
        let bytes = bytes.iter().map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()));
        return bytes.collect::<Option<Vec<_>>>().map(std::ffi::OsString::from_vec).map(Into::into);
    }
    value.as_str().map(PathBuf::from)
}

/// Names with values, in order; bytes that are no UTF-8 stand as Latin-1.
fn pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    pairs.map(|(name, value)| Value::from(vec![name, value])).collect::<Vec<_>>().into()
}

fn each_pair(value: Option<&Value>) -> impl Iterator<Item = (&str, &str)> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(|pair| {
        let pair = pair.as_array()?;
        Some((pair.first()?.as_str()?, pair.get(1)?.as_str()?))
    })
}

fn texts<'a>(fields: &'a Fields, name: &str) -> impl Iterator<Item = &'a str> {
    fields.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
