//! Why a task has failed.

use serde_json::Value;

use super::{Fields, put, text};
use crate::error::{Error, ErrorKind, Stage};

const STAGES: [Stage; 8] = [
    Stage::Preparing,
    Stage::LookingUp,
    Stage::Connecting,
    Stage::Securing,
    Stage::Sending,
    Stage::WaitingForResponse,
    Stage::Receiving,
    Stage::Redirecting,
];

pub(super) fn write(error: &Error) -> Value {
    let mut fields = Fields::new();
    fields.insert("kind".to_owned(), error.kind().name().into());
    fields.insert("detail".to_owned(), error.detail().into());
    put(&mut fields, "stage", error.stage().map(|stage| format!("{stage:?}")));
    put(&mut fields, "url", error.failing_url());
    put(&mut fields, "response", error.response().map(super::response::write));
    fields.into()
}

pub(super) fn read(value: &Value) -> Option<Error> {
    let fields = value.as_object()?;
    // A later version may know more kinds.
    let kind = ErrorKind::named(text(fields, "kind")?).unwrap_or(ErrorKind::Unknown);
    let response = fields.get("response").and_then(super::response::read);
    let error = match response.filter(|_| kind == ErrorKind::UnacceptableStatus) {
        Some(response) => response.refused(Vec::new()),
        None => Error::new(kind, text(fields, "detail")?.to_owned()),
    };
    let stage = text(fields, "stage")
        .and_then(|name| STAGES.into_iter().find(|stage| format!("{stage:?}") == name));
    let error = stage.into_iter().fold(error, Error::at);
    Some(match text(fields, "url") {
        Some(url) => error.on_text(url),
        None => error,
    })
}
