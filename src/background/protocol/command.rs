//! [`Command`]: what a program does with its tasks.

use serde_json::Value;

use super::message::message;
use crate::background::form::{
    Fields, number, put, read_priority, read_schedule, read_whole_error, read_whole_request,
    read_work, text, write_schedule, write_whole_error, write_whole_request, write_work,
};
use crate::background::host::{Command, Settings};

pub(super) fn write(command: &Command) -> Value {
    let of = |kind, task: u64| message(kind, |fields| put(fields, "task", Some(task)));
    match command {
        Command::Withdraw(task) => of("withdraw", *task),
        Command::Update(task, settings) => message("update", |fields| {
            put(fields, "task", Some(*task));
            put(fields, "settings", Some(write_settings(settings)));
        }),
        Command::Resume(task, settings) => message("resume", |fields| {
            put(fields, "task", Some(*task));
            put(fields, "settings", settings.as_ref().map(write_settings));
        }),
        Command::Suspend(task) => of("suspend", *task),
        Command::Cancel(task, why) => message("cancel", |fields| {
            put(fields, "task", Some(*task));
            put(fields, "error", why.as_ref().map(write_whole_error));
        }),
        Command::Interrupt(task) => of("interrupt", *task),
        Command::Prioritize(task, priority) => message("prioritize", |fields| {
            put(fields, "task", Some(*task));
            put(fields, "priority", Some(f64::from(*priority)));
        }),
        Command::Renew(task, request, why) => message("renew", |fields| {
            put(fields, "task", Some(*task));
            put(fields, "request", request.as_ref().map(write_whole_request));
            put(fields, "error", Some(write_whole_error(why)));
        }),
        Command::Begin(task, request) => message("begin", |fields| {
            put(fields, "task", Some(*task));
            put(fields, "request", request.as_ref().map(write_whole_request));
        }),
        Command::Heard(event) => message("heard", |fields| put(fields, "event", Some(*event))),
        Command::Acknowledge(task) => of("acknowledge", *task),
        Command::Taken(task) => of("taken", *task),
        Command::Halt => message("halt", |_| ()),
        Command::Forget => message("forget", |_| ()),
        Command::RenewConnections => message("renew-connections", |_| ()),
    }
}

pub(super) fn read(kind: &str, fields: &Fields) -> Option<Command> {
    let task = number(fields, "task");
    Some(match kind {
        "withdraw" => Command::Withdraw(task?),
        "update" => Command::Update(task?, read_settings(fields.get("settings")?)?),
        "resume" => Command::Resume(task?, optional(fields, "settings", read_settings)?),
        "suspend" => Command::Suspend(task?),
        "cancel" => Command::Cancel(task?, optional(fields, "error", read_whole_error)?),
        "interrupt" => Command::Interrupt(task?),
        "prioritize" => Command::Prioritize(task?, read_priority(fields)),
        "renew" => Command::Renew(
            task?,
            optional(fields, "request", read_whole_request)?,
            read_whole_error(fields.get("error")?)?,
        ),
        "begin" => Command::Begin(task?, optional(fields, "request", read_whole_request)?),
        "heard" => Command::Heard(number(fields, "event")?),
        "acknowledge" => Command::Acknowledge(task?),
        "taken" => Command::Taken(task?),
        "halt" => Command::Halt,
        "forget" => Command::Forget,
        "renew-connections" => Command::RenewConnections,
        _ => return None,
    })
}

/// Reads a field that may be left out; `None` if it is there and something else.
fn optional<T>(
    fields: &Fields,
    name: &str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Option<Option<T>> {
    fields.get(name).map_or(Some(None), |value| read(value).map(Some))
}

fn write_settings(settings: &Settings) -> Value {
    let mut fields = Fields::new();
    if let Some(work) = &settings.work {
        let mut of_work = Fields::new();
        write_work(&mut of_work, work);
        put(&mut fields, "work", Some(of_work));
    }
    put(&mut fields, "description", settings.description.as_deref());
    put(&mut fields, "priority", Some(f64::from(settings.priority)));
    write_schedule(&mut fields, &settings.schedule);
    fields.into()
}

fn read_settings(value: &Value) -> Option<Settings> {
    let fields = value.as_object()?;
    Some(Settings {
        work: optional(fields, "work", |work| read_work(work.as_object()?))?,
        description: text(fields, "description").map(str::to_owned),
        priority: read_priority(fields),
        schedule: read_schedule(fields),
    })
}
