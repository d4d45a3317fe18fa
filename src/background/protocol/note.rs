//! [`Note`]: what the daemon says.

use serde_json::Value;

use super::message::{message, parts};
use super::order::numbers;
use super::reader::Reader;
use super::{Note, Reply, Seen, challenge, frame, seen};
use crate::background::form::{
    Fields, is_set, number, path, path_value, put, read_event, read_response, read_whole_error,
    read_whole_job, read_whole_request, text, texts, write_event, write_response,
    write_whole_error, write_whole_job, write_whole_request,
};

impl Note {
    pub(in crate::background) fn to_json(&self) -> Value {
        match self {
            Self::Refused(error) => message("refused", |fields| {
                put(fields, "error", Some(write_whole_error(error)));
            }),
            Self::Job(job) => message("job", |fields| {
                put(fields, "job", Some(write_whole_job(job)));
            }),
            Self::Served { folder, untold, last_task, damage } => message("served", |fields| {
                put(fields, "folder", Some(path_value(folder)));
                put(fields, "untold", Some(untold.clone()));
                put(fields, "last-task", Some(*last_task));
                put(fields, "damage", (!damage.is_empty()).then(|| damage.clone()));
            }),
            Self::Done(orders) => message("done", |fields| put(fields, "orders", Some(*orders))),
            Self::Known { call, task } => message("known", |fields| {
                put(fields, "call", Some(*call));
                put(fields, "task", *task);
            }),
            Self::Seen { call, jobs } => message("seen", |fields| {
                put(fields, "call", Some(*call));
                put(fields, "jobs", Some(jobs.iter().map(seen::write).collect::<Value>()));
            }),
            Self::Answered { call, reply } => message("answered", |fields| {
                put(fields, "call", Some(*call));
                write_reply(fields, reply);
            }),
            Self::Progress { task, progress } => message("progress", |fields| {
                put(fields, "task", Some(*task));
                seen::write_progress(fields, progress);
            }),
            Self::Responded { task, response } => message("responded", |fields| {
                put(fields, "task", Some(*task));
                put(fields, "response", Some(write_response(response)));
            }),
            Self::Happened { number, task, event } => message("happened", |fields| {
                put(fields, "number", Some(*number));
                put(fields, "task", Some(*task));
                put(fields, "event", Some(write_event(event)));
            }),
            Self::Ended(job) => message("ended", |fields| {
                put(fields, "job", Some(write_whole_job(job)));
            }),
            Self::Challenged { question, task, challenge } => message("challenged", |fields| {
                put(fields, "question", Some(*question));
                put(fields, "task", *task);
                put(fields, "challenge", Some(challenge::write(challenge)));
            }),
            Self::MayBegin { task, request } => message("may-begin", |fields| {
                put(fields, "task", Some(*task));
                put(fields, "request", Some(write_whole_request(request)));
            }),
            Self::NeedsRequest { task, reason, error } => message("needs-request", |fields| {
                put(fields, "task", Some(*task));
                put(fields, "reason", seen::reason(*reason));
                put(fields, "error", Some(write_whole_error(error)));
            }),
        }
    }

    pub(in crate::background) fn from_json(value: &Value, reader: &Reader) -> Option<Self> {
        let (kind, fields) = parts(value)?;
        let task = number(fields, "task");
        let job = || read_whole_job(fields.get("job")?).map(Box::new);
        let error = || read_whole_error(fields.get("error")?);
        Some(match kind {
            "refused" => Self::Refused(error()?),
            "job" => Self::Job(job()?),
            "served" => Self::Served {
                folder: path(fields.get("folder")?)?,
                untold: numbers(fields, "untold")?,
                last_task: number(fields, "last-task")?,
                damage: texts(fields, "damage").map(str::to_owned).collect(),
            },
            "done" => Self::Done(number(fields, "orders")?),
            "known" => Self::Known { call: number(fields, "call")?, task },
            "seen" => {
                let jobs = fields.get("jobs")?.as_array()?.iter().map(seen::read);
                Self::Seen { call: number(fields, "call")?, jobs: jobs.collect::<Option<_>>()? }
            }
            "answered" => {
                Self::Answered { call: number(fields, "call")?, reply: read_reply(fields)? }
            }
            "progress" => Self::Progress { task: task?, progress: seen::read_progress(fields)? },
            "responded" => Self::Responded {
                task: task?,
                response: Box::new(read_response(fields.get("response")?)?),
            },
            "happened" => Self::Happened {
                number: number(fields, "number")?,
                task: task?,
                event: read_event(fields.get("event")?)?,
            },
            "ended" => Self::Ended(job()?),
            "challenged" => Self::Challenged {
                question: number(fields, "question")?,
                task,
                challenge: Box::new(challenge::read(fields.get("challenge")?, reader)?),
            },
            "may-begin" => Self::MayBegin {
                task: task?,
                request: Box::new(read_whole_request(fields.get("request")?)?),
            },
            "needs-request" => Self::NeedsRequest {
                task: task?,
                reason: seen::read_reason(text(fields, "reason")?)?,
                error: error()?,
            },
            _ => return None,
        })
    }
}

impl Note {
    /// Returns what there is to be seen as notes, each of which fits a frame if every job does.
    pub(in crate::background) fn of_seen(call: u64, jobs: Vec<Seen>) -> Vec<Self> {
        let (mut notes, mut part, mut room) = (Vec::new(), Vec::new(), frame::MOST / 2);
        for job in jobs {
            let size = frame::size(&seen::write(&job));
            if size > room && !part.is_empty() {
                notes.push(Self::Seen { call, jobs: std::mem::take(&mut part) });
                room = frame::MOST / 2;
            }
            room = room.saturating_sub(size);
            part.push(job);
        }
        notes.push(Self::Answered { call, reply: Reply::Seen(part) });
        notes
    }
}

fn write_reply(fields: &mut Fields, reply: &Reply) {
    match reply {
        Reply::Done => put(fields, "done", Some(true)),
        Reply::Seen(jobs) => {
            put(fields, "seen", Some(jobs.iter().map(seen::write).collect::<Value>()));
        }
        Reply::Status(sessions) => {
            let sessions = sessions.iter().map(seen::write_hosted);
            put(fields, "status", Some(sessions.collect::<Value>()));
        }
    }
}

fn read_reply(fields: &Fields) -> Option<Reply> {
    if is_set(fields, "done") {
        return Some(Reply::Done);
    }
    if let Some(jobs) = fields.get("seen") {
        return jobs.as_array()?.iter().map(seen::read).collect::<Option<_>>().map(Reply::Seen);
    }
    let sessions = fields.get("status")?.as_array()?.iter();
    sessions.map(seen::read_hosted).collect::<Option<_>>().map(Reply::Status)
}
