//! Tasks, and what happened to them.

use serde_json::Value;

use super::{
    Fields, date, duration, error, is_set, milliseconds, number, path, path_value, put,
    read_request, response, since_1970, text, write_request,
};
use crate::background::job::{Ending, Event, Job, Outcome, Phase, Work};
use crate::download::{Digest, Expected, StartOver};
use crate::files::Existing;
use crate::session::Schedule;

const RUNS: &str = "runs";
const SUSPENDED: &str = "suspended";

const REASONS: [(StartOver, &str); 5] = [
    (StartOver::Changed, "changed"),
    (StartOver::NoRanges, "no-ranges"),
    (StartOver::NoValidator, "no-validator"),
    (StartOver::WrongDigest, "wrong-digest"),
    (StartOver::Lost, "lost"),
];

/// Writes a task; its secrets only if they may be.
pub(in crate::background) fn write(job: &Job, with_secrets: bool) -> Value {
    let mut fields = Fields::new();
    fields.insert("id".to_owned(), job.id.into());
    let mut request = write_request(&job.request, with_secrets);
    if let (Some(request), false) = (request.as_object_mut(), job.omitted.is_empty()) {
        // What was lost before is still missing.
        request.insert("omitted".to_owned(), job.omitted.clone().into());
    }
    fields.insert("request".to_owned(), request);
    write_work(&mut fields, &job.work);
    put(&mut fields, "description", job.description.as_deref());
    put(&mut fields, "priority", Some(f64::from(job.priority)));
    write_schedule(&mut fields, &job.schedule);
    put(&mut fields, "begun", job.has_begun.then_some(true));
    put(&mut fields, "spent", Some(milliseconds(job.spent)));
    put(&mut fields, "sent", job.may_have_sent.then_some(true));
    put(&mut fields, "response", job.response.as_ref().map(response::write));
    let phase = match &job.phase {
        Phase::Suspended => SUSPENDED.into(),
        Phase::Running => RUNS.into(),
        Phase::Ended(ending) => write_ending(ending),
    };
    fields.insert("phase".to_owned(), phase);
    fields.into()
}

/// Writes what a task does among its fields.
pub(in crate::background) fn write_work(fields: &mut Fields, work: &Work) {
    match work {
        Work::Download { place, expected, segments } => {
            write_download(fields, place.as_ref(), expected);
            put(fields, "segments", (*segments > 1).then_some(*segments as u64));
        }
        Work::Upload { length } => put(fields, "upload", Some(*length)),
    }
}

pub(in crate::background) fn write_schedule(fields: &mut Fields, schedule: &Schedule) {
    put(fields, "begins", schedule.begins.map(since_1970));
    put(fields, "sends", schedule.sends);
    put(fields, "receives", schedule.receives);
}

pub(in crate::background) fn read_schedule(fields: &Fields) -> Schedule {
    Schedule {
        begins: number(fields, "begins").and_then(date),
        sends: number(fields, "sends"),
        receives: number(fields, "receives"),
    }
}

fn write_download(
    fields: &mut Fields,
    place: Option<&(std::path::PathBuf, Existing)>,
    expected: &Expected,
) {
    if let Some((place, existing)) = place {
        fields.insert("place".to_owned(), path_value(place));
        put(fields, "replaces", matches!(existing, Existing::Replace).then_some(true));
    }
    put(fields, "length", expected.length);
    let digest = expected.digest.as_ref();
    put(fields, "digest", digest.map(|digest| format!("{}:{}", digest.name(), digest.digits())));
}

fn write_ending(ending: &Ending) -> Value {
    let mut fields = Fields::new();
    fields.insert("event".to_owned(), ending.number.into());
    match &ending.outcome {
        Outcome::File(length) => put(&mut fields, "file", Some(*length)),
        Outcome::Answer(length) => put(&mut fields, "answer", Some(*length)),
        Outcome::Failed(error) => put(&mut fields, "error", Some(error::write(error))),
    }
    put(&mut fields, "told", ending.is_told.then_some(true));
    put(&mut fields, "taken", ending.is_taken.then_some(true));
    fields.into()
}

/// Reads a task.
pub(in crate::background) fn read(value: &Value) -> Option<Job> {
    let fields = value.as_object()?;
    let (request, omitted) = read_request(fields.get("request")?)?;
    let phase = match fields.get("phase")? {
        Value::String(phase) if phase == RUNS => Phase::Running,
        Value::String(_) => Phase::Suspended,
        ending => Phase::Ended(read_ending(ending.as_object()?)?),
    };
    Some(Job {
        id: number(fields, "id")?,
        request,
        omitted,
        work: read_work(fields)?,
        description: text(fields, "description").map(str::to_owned),
        priority: read_priority(fields),
        schedule: read_schedule(fields),
        has_begun: is_set(fields, "begun"),
        phase,
        spent: duration(fields, "spent").unwrap_or_default(),
        may_have_sent: is_set(fields, "sent"),
        response: fields.get("response").and_then(response::read),
    })
}

/// Reads what a task does.
pub(in crate::background) fn read_work(fields: &Fields) -> Option<Work> {
    match number(fields, "upload") {
        Some(length) => Some(Work::Upload { length }),
        None => read_download(fields),
    }
}

fn read_download(fields: &Fields) -> Option<Work> {
    let existing = if is_set(fields, "replaces") { Existing::Replace } else { Existing::Refuse };
    let place = match fields.get("place") {
        Some(place) => Some((path(place)?, existing)),
        None => None,
    };
    let digest = match text(fields, "digest").map(|digest| digest.split_once(':')) {
        None => None,
        Some(digest) => {
            let (name, digits) = digest?;
            Some(Digest::parse(name, digits).ok()?)
        }
    };
    let expected = Expected { length: number(fields, "length"), digest };
    let segments = number(fields, "segments").and_then(|count| usize::try_from(count).ok());
    Some(Work::Download { place, expected, segments: segments.unwrap_or(0) })
}

fn read_ending(fields: &Fields) -> Option<Ending> {
    let outcome = if let Some(length) = number(fields, "file") {
        Outcome::File(length)
    } else if let Some(length) = number(fields, "answer") {
        Outcome::Answer(length)
    } else {
        Outcome::Failed(error::read(fields.get("error")?)?)
    };
    Some(Ending {
        number: number(fields, "event")?,
        outcome,
        is_told: is_set(fields, "told"),
        is_taken: is_set(fields, "taken"),
    })
}

/// Reads a priority; what is none is the usual one.
pub(in crate::background) fn read_priority(fields: &Fields) -> f32 {
    let priority = fields.get("priority").and_then(Value::as_f64).map(|number| number as f32);
    priority.filter(|priority| priority.is_finite()).unwrap_or(0.5)
}

/// Writes something that happened.
pub(in crate::background) fn write_event(event: &Event) -> Value {
    let mut fields = Fields::new();
    match event {
        Event::Moved { response, to } => {
            put(&mut fields, "moved", Some(to.as_str()));
            put(&mut fields, "response", Some(response::write(response)));
        }
        Event::Resumed { offset, total } => {
            put(&mut fields, "resumed", Some(*offset));
            put(&mut fields, "total", *total);
        }
        Event::StartedOver(reason) => {
            let name = REASONS.iter().find(|(known, _)| known == reason).map(|(_, name)| *name);
            put(&mut fields, "started-over", Some(name.unwrap_or("changed")));
        }
        Event::WillRetry { attempt, delay, cause } => {
            put(&mut fields, "attempt", Some(*attempt));
            put(&mut fields, "delay", Some(milliseconds(*delay)));
            put(&mut fields, "cause", Some(error::write(cause)));
        }
    }
    fields.into()
}

/// Reads something that happened.
pub(in crate::background) fn read_event(value: &Value) -> Option<Event> {
    let fields = value.as_object()?;
    if let Some(to) = text(fields, "moved") {
        let response = response::read(fields.get("response")?)?;
        return Some(Event::Moved { response, to: to.to_owned() });
    }
    if let Some(offset) = number(fields, "resumed") {
        return Some(Event::Resumed { offset, total: number(fields, "total") });
    }
    if let Some(reason) = text(fields, "started-over") {
        let reason = REASONS.iter().find(|(_, name)| *name == reason)?.0;
        return Some(Event::StartedOver(reason));
    }
    Some(Event::WillRetry {
        attempt: u32::try_from(number(fields, "attempt")?).ok()?,
        delay: duration(fields, "delay")?,
        cause: error::read(fields.get("cause")?)?,
    })
}
