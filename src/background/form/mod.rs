//! How what is known of tasks stands in the journal, as JSON; the manual page of the room says
//! what each field means.
//!
//! What is read may be anything: it is taken as it is, or refused.

#[cfg(all(feature = "daemon", unix))]
mod configuration;
mod error;
mod job;
mod request;
mod response;
mod retry;
#[cfg(all(feature = "daemon", unix))]
mod whole;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(all(feature = "daemon", unix))]
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Map, Value};

#[cfg(all(feature = "daemon", unix))]
pub(super) use configuration::{
    SharedStorages, read as read_configuration, refusal as configuration_refusal,
    write as write_configuration,
};
pub(super) use job::{read as read_job, read_event, write as write_job, write_event};
#[cfg(all(feature = "daemon", unix))]
pub(super) use job::{read_priority, read_schedule, read_work, write_schedule, write_work};
pub(super) use request::{read as read_request, write as write_request};
#[cfg(all(feature = "daemon", unix))]
pub(super) use response::{read as read_response, write as write_response};
#[cfg(all(feature = "daemon", unix))]
pub(super) use whole::{
    read_error as read_whole_error, read_job as read_whole_job, read_request as read_whole_request,
    write_error as write_whole_error, write_job as write_whole_job,
    write_request as write_whole_request,
};

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

pub(super) fn duration(fields: &Fields, name: &str) -> Option<Duration> {
    if let Some([seconds, nanoseconds]) = fields.get(name)?.as_array().map(Vec::as_slice) {
        let nanoseconds = nanoseconds.as_u64().filter(|part| *part < 1_000_000_000)?;
        return Some(Duration::new(seconds.as_u64()?, nanoseconds as u32));
    }
    number(fields, name).map(Duration::from_millis)
}

/// Milliseconds since 1970, none too early; what was before has come in any case.
pub(super) fn since_1970(date: SystemTime) -> u64 {
    let since = date.duration_since(UNIX_EPOCH).unwrap_or_default();
    milliseconds(since.saturating_add(Duration::from_nanos(999_999)))
}

/// A date that the system knows.
pub(super) fn date(since_1970: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(since_1970))
}

/// Milliseconds, and what is none in full: seconds and nanoseconds.
fn exact(duration: Duration) -> Value {
    let short = milliseconds(duration);
    if Duration::from_millis(short) == duration {
        return short.into();
    }
    vec![duration.as_secs(), duration.subsec_nanos().into()].into()
}

/// Texts, and on Unix, where a path may be any bytes, lists of those.
pub(super) fn path_value(path: &Path) -> Value {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        octets(path.as_os_str().as_bytes())
    }
    #[cfg(not(unix))]
    path.to_string_lossy().into_owned().into()
}

pub(super) fn path(value: &Value) -> Option<PathBuf> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        read_octets(value).map(std::ffi::OsString::from_vec).map(Into::into)
    }
    #[cfg(not(unix))]
    value.as_str().map(PathBuf::from)
}

/// Bytes that mostly are a text: that, or a list of them.
fn octets(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => bytes.into(),
    }
}

fn read_octets(value: &Value) -> Option<Vec<u8>> {
    if let Some(text) = value.as_str() {
        return Some(text.as_bytes().to_vec());
    }
    let bytes = value.as_array()?.iter();
    bytes.map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect()
}

/// Bytes that are no text, in base64.
#[cfg(all(feature = "daemon", unix))]
pub(super) fn binary(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

#[cfg(all(feature = "daemon", unix))]
pub(super) fn read_binary(value: &Value) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(value.as_str()?).ok()
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

pub(super) fn texts<'a>(fields: &'a Fields, name: &str) -> impl Iterator<Item = &'a str> {
    fields.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
