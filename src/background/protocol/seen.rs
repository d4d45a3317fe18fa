//! What is to be seen of tasks, and of sessions.

use serde_json::Value;

use super::message::{Names, name, named};
use super::{Hosted, Seen};
use crate::background::form::{
    Fields, date, duration, is_set, milliseconds, number, put, read_whole_error, read_whole_job,
    since_1970, text, write_whole_error, write_whole_job,
};
use crate::background::report::WaitsFor;
use crate::session::{NewRequestReason, Progress};

const REASONS: Names<NewRequestReason, 2> =
    [(NewRequestReason::Refused, "refused"), (NewRequestReason::SecretsLost, "secrets-lost")];

pub(super) fn reason(reason: NewRequestReason) -> Option<&'static str> {
    name(&REASONS, &reason)
}

pub(super) fn read_reason(name: &str) -> Option<NewRequestReason> {
    named(&REASONS, name)
}

pub(super) fn write_progress(fields: &mut Fields, progress: &Progress) {
    put(fields, "sent", Some(progress.bytes_sent));
    put(fields, "to-send", progress.bytes_expected_to_send);
    put(fields, "received", Some(progress.bytes_received));
    put(fields, "to-receive", progress.bytes_expected_to_receive);
}

pub(super) fn read_progress(fields: &Fields) -> Option<Progress> {
    Some(Progress {
        bytes_sent: number(fields, "sent")?,
        bytes_expected_to_send: number(fields, "to-send"),
        bytes_received: number(fields, "received")?,
        bytes_expected_to_receive: number(fields, "to-receive"),
    })
}

/// Writes a job, and what it waits for.
pub(super) fn write((job, waiting): &Seen) -> Value {
    let mut fields = Fields::new();
    put(&mut fields, "job", Some(write_whole_job(job)));
    if let Some((what, left)) = waiting {
        put(&mut fields, "waits", Some(write_waits_for(what)));
        put(&mut fields, "another", left.map(milliseconds));
    }
    fields.into()
}

pub(super) fn read(value: &Value) -> Option<Seen> {
    let fields = value.as_object()?;
    // What it waits for may be something that is not known yet: the job is there all the same.
    let what = fields.get("waits").and_then(read_waits_for);
    let waiting = what.map(|what| (what, duration(fields, "another")));
    Some((read_whole_job(fields.get("job")?)?, waiting))
}

fn write_waits_for(what: &WaitsFor) -> Value {
    let mut fields = Fields::new();
    let (name, error, why) = match what {
        WaitsFor::Retry(error) => ("retry", Some(error), None),
        WaitsFor::Connectivity => ("connectivity", None, None),
        WaitsFor::Room => ("room", None, None),
        WaitsFor::Place(error) => ("place", Some(error), None),
        WaitsFor::Request(why) => ("request", None, reason(*why)),
        WaitsFor::BeginDate(_) => ("begin-date", None, None),
        WaitsFor::Disposition => ("disposition", None, None),
    };
    if let WaitsFor::BeginDate(date) = what {
        put(&mut fields, "date", Some(since_1970(*date)));
    }
    put(&mut fields, "for", Some(name));
    put(&mut fields, "error", error.map(write_whole_error));
    put(&mut fields, "reason", why);
    fields.into()
}

fn read_waits_for(value: &Value) -> Option<WaitsFor> {
    let fields = value.as_object()?;
    let error = || read_whole_error(fields.get("error")?);
    Some(match text(fields, "for")? {
        "retry" => WaitsFor::Retry(error()?),
        "connectivity" => WaitsFor::Connectivity,
        "room" => WaitsFor::Room,
        "place" => WaitsFor::Place(error()?),
        "begin-date" => WaitsFor::BeginDate(date(number(fields, "date")?)?),
        "disposition" => WaitsFor::Disposition,
        "request" => WaitsFor::Request(read_reason(text(fields, "reason")?)?),
        _ => return None,
    })
}

pub(super) fn write_hosted(hosted: &Hosted) -> Value {
    let mut fields = Fields::new();
    put(&mut fields, "program", Some(&*hosted.program));
    put(&mut fields, "identifier", Some(&*hosted.identifier));
    put(&mut fields, "connected", Some(hosted.is_connected));
    put(&mut fields, "tasks", Some(hosted.tasks));
    fields.into()
}

pub(super) fn read_hosted(value: &Value) -> Option<Hosted> {
    let fields = value.as_object()?;
    Some(Hosted {
        program: text(fields, "program")?.to_owned(),
        identifier: text(fields, "identifier")?.to_owned(),
        is_connected: is_set(fields, "connected"),
        tasks: number(fields, "tasks")?,
    })
}
