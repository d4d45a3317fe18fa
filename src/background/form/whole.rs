//! Requests, jobs and errors as another process of the same user has to have them: with all
//! that the journal leaves out.

use serde_json::Value;

use super::{binary, error, exact, job, octets, put, read_binary, read_octets, request, text};
use crate::background::job::{Job, Outcome, Phase};
use crate::error::Error;
use crate::headers::Headers;
use crate::request::{Own, Request};

/// Writes a request without its body and its tag.
pub(in crate::background) fn write_request(request: &Request) -> Value {
    let Value::Object(mut fields) = request::write(request, true) else { return Value::Null };
    fields.remove("headers");
    put(&mut fields, "idle", request.timeout_interval().map(exact));
    put(&mut fields, "connect", request.connect_timeout_interval().map(exact));
    put(&mut fields, "resource", request.resource_timeout_interval().map(exact));
    let own = request.own();
    put(&mut fields, "fields", Some(write_headers(&own.headers)));
    put(&mut fields, "relative", own.relative.as_deref());
    put(&mut fields, "wrong", own.wrong.as_ref().map(write_error));
    fields.into()
}

/// Reads one.
pub(in crate::background) fn read_request(value: &Value) -> Option<Request> {
    let fields = value.as_object()?;
    let (request, _) = request::read(value)?;
    Some(request.with_own(Own {
        headers: read_headers(fields.get("fields")?)?,
        relative: text(fields, "relative").map(Into::into),
        wrong: request::read_if_there(fields, "wrong", read_error)?,
    }))
}

/// Names with values, in order, by the bytes that are sent.
pub(super) fn write_headers(headers: &Headers) -> Value {
    let pair = |(name, value): (&str, std::borrow::Cow<'_, [u8]>)| {
        Value::from(vec![Value::from(name), octets(&value)])
    };
    headers.iter_sent().map(pair).collect::<Vec<_>>().into()
}

pub(super) fn read_headers(value: &Value) -> Option<Headers> {
    let mut headers = Headers::new();
    for pair in value.as_array()? {
        let [name, value] = pair.as_array()?.as_slice() else { return None };
        headers.extend_sent(name.as_str()?, &read_octets(value)?);
    }
    Some(headers)
}

/// Writes an error with the body of the response that it is about.
pub(in crate::background) fn write_error(error: &Error) -> Value {
    let mut value = error::write(error);
    let body = error.response_body().filter(|body| !body.is_empty());
    if let Some(fields) = value.as_object_mut() {
        put(fields, "body", body.map(binary));
    }
    value
}

/// Reads one.
pub(in crate::background) fn read_error(value: &Value) -> Option<Error> {
    let error = error::read(value)?;
    let body = value.get("body").and_then(read_binary);
    let (Some(body), Some(response)) = (body, error.response()) else { return Some(error) };
    let again = response.clone().refused(body);
    let again = error.stage().into_iter().fold(again, Error::at);
    Some(error.failing_url().into_iter().fold(again, Error::on_text))
}

/// Writes a job.
pub(in crate::background) fn write_job(job: &Job) -> Value {
    let mut value = job::write(job, true);
    let mut request = write_request(&job.request);
    if let Some(request) = request.as_object_mut() {
        put(request, "omitted", (!job.omitted.is_empty()).then(|| job.omitted.clone()));
    }
    value["request"] = request;
    if let Some(Outcome::Failed(error)) = job.ending().map(|ending| &ending.outcome) {
        value["phase"]["error"] = write_error(error);
    }
    value
}

/// Reads one.
pub(in crate::background) fn read_job(value: &Value) -> Option<Job> {
    let mut job = job::read(value)?;
    job.request = read_request(value.get("request")?)?;
    if let Phase::Ended(ending) = &mut job.phase
        && let Outcome::Failed(error) = &mut ending.outcome
    {
        *error = read_error(value.get("phase")?.get("error")?)?;
    }
    Some(job)
}
