//! [`Order`]: what a program says.

use serde_json::Value;

use super::message::{Names, message, name, named, parts};
use super::{Order, Question, command, disposition};
use crate::background::engine::Hands;
use crate::background::form::{Fields, number, put, read_whole_job, text, write_whole_job};
use crate::credentials::Challenge;

const QUESTIONS: Names<Question, 4> = [
    (Question::Flush, "flush"),
    (Question::Close, "close"),
    (Question::Look, "look"),
    (Question::Status, "status"),
];

impl Order {
    pub(in crate::background) fn to_json(&self) -> Value {
        match self {
            Self::Open { program, identifier, configuration, hands } => message("open", |fields| {
                put(fields, "program", Some(&**program));
                put(fields, "identifier", Some(&**identifier));
                put(fields, "configuration", Some(configuration.clone()));
                put(fields, "coming", Some(hands.coming.clone()));
                put(fields, "held", Some(hands.held.clone()));
            }),
            Self::GoOn { untold } => message("go-on", |fields| {
                put(fields, "untold", Some(untold.clone()));
            }),
            Self::Create { call, job, besides } => message("create", |fields| {
                put(fields, "call", *call);
                put(fields, "job", Some(write_whole_job(job)));
                put(fields, "besides", *besides);
            }),
            Self::Obey(command) => command::write(command),
            Self::Ask { call, question } => message("ask", |fields| {
                put(fields, "call", Some(*call));
                put(fields, "question", name(&QUESTIONS, question));
            }),
            Self::Dispose { question, disposition } => message("dispose", |fields| {
                put(fields, "question", Some(*question));
                put(fields, "disposition", disposition.as_ref().map(disposition::write));
            }),
            Self::CompleteLaunch => message("complete-launch", |_| ()),
            Self::Leave => message("leave", |_| ()),
        }
    }

    /// Reads one; `asked` returns the challenge with this number, which an answer may speak of.
    pub(in crate::background) fn from_json(
        value: &Value,
        asked: impl FnOnce(u64) -> Option<Challenge>,
    ) -> Option<Self> {
        let (kind, fields) = parts(value)?;
        Some(match kind {
            "open" => Self::Open {
                program: text(fields, "program")?.to_owned(),
                identifier: text(fields, "identifier")?.to_owned(),
                configuration: fields.get("configuration")?.clone(),
                hands: Hands { coming: numbers(fields, "coming")?, held: numbers(fields, "held")? },
            },
            "go-on" => Self::GoOn { untold: numbers(fields, "untold")? },
            "create" => Self::Create {
                call: number(fields, "call"),
                job: Box::new(read_whole_job(fields.get("job")?)?),
                besides: number(fields, "besides"),
            },
            "ask" => Self::Ask {
                call: number(fields, "call")?,
                question: named(&QUESTIONS, text(fields, "question")?)?,
            },
            "dispose" => {
                let question = number(fields, "question")?;
                let given = fields.get("disposition");
                let disposition = given.map(|given| disposition::read(given, asked(question)));
                Self::Dispose { question, disposition }
            }
            "complete-launch" => Self::CompleteLaunch,
            "leave" => Self::Leave,
            _ => Self::Obey(command::read(kind, fields)?),
        })
    }
}

pub(super) fn numbers(fields: &Fields, name: &str) -> Option<Vec<u64>> {
    fields.get(name)?.as_array()?.iter().map(Value::as_u64).collect()
}
