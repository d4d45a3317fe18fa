//! There and back: what was read is what was written.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::{Hello, Note, Order, Reply, Welcome};
use super::samples::{challenges, commands, jobs, kind_of, notes, orders, requests};
use super::{frame, reader, sent};
use crate::background::form;
use crate::background::host::Command;
use crate::background::job::Job;

#[test]
fn greetings_come_over() {
    let hello = Hello { oldest: 1, newest: u32::MAX, release: "0.1.0".to_owned() };
    let json = hello.to_json();
    assert_eq!(json, json!({ "hello": { "oldest": 1, "newest": u32::MAX, "release": "0.1.0" } }));
    let read = Hello::from_json(&sent(&json)).unwrap();
    assert_eq!(format!("{read:?}"), format!("{hello:?}"));
    assert!(Welcome::from_json(&json).is_none());

    let welcome = Welcome { protocol: 1, release: "0.1.0".to_owned(), process: 7 };
    let json = welcome.to_json();
    assert_eq!(json, json!({ "welcome": { "protocol": 1, "release": "0.1.0", "process": 7 } }));
    let read = Welcome::from_json(&sent(&json)).unwrap();
    assert_eq!(format!("{read:?}"), format!("{welcome:?}"));
    assert!(Hello::from_json(&json).is_none());
}

#[test]
fn orders_come_over() {
    let mut kinds = BTreeSet::new();
    for order in orders() {
        let json = order.to_json();
        kinds.insert(kind_of(&json));
        let challenge = challenges().remove(0);
        let read =
            Order::from_json(&sent(&json), |_| Some(challenge)).unwrap_or_else(|| panic!("{json}"));
        assert_eq!(format!("{read:?}"), format!("{order:?}"), "{json}");
        assert_eq!(read.to_json(), json);
        match (&order, &read) {
            (Order::Create { job, .. }, Order::Create { job: read, .. }) => assert_same(read, job),
            (Order::Dispose { disposition, .. }, Order::Dispose { disposition: read, .. }) => {
                assert_eq!(read, disposition);
            }
            (
                Order::Obey(Command::Renew(_, request, _) | Command::Begin(_, request)),
                Order::Obey(Command::Renew(_, read, _) | Command::Begin(_, read)),
            ) => assert!(read == request, "{json}"),
            _ => {}
        }
    }
    let all = "acknowledge ask begin cancel complete-launch create dispose forget go-on halt heard \
               interrupt leave open prioritize renew renew-connections resume suspend taken update \
               withdraw";
    assert_eq!(kinds.into_iter().collect::<Vec<_>>().join(" "), all);
}

/// Every variant, so that a new one is not forgotten in the samples and above.
#[test]
fn there_is_a_sample_of_every_variant() {
    let order = |order: &Order| match order {
        Order::Open { .. } => 0,
        Order::GoOn { .. } => 1,
        Order::Create { .. } => 2,
        Order::Obey(_) => 3,
        Order::Ask { .. } => 4,
        Order::Dispose { .. } => 5,
        Order::Leave => 6,
        Order::CompleteLaunch => 7,
    };
    assert_eq!(orders().iter().map(order).collect::<BTreeSet<_>>().len(), 8);
    let command = |command: &Command| match command {
        Command::Withdraw(_) => 0,
        Command::Update(..) => 1,
        Command::Resume(..) => 2,
        Command::Suspend(_) => 3,
        Command::Cancel(..) => 4,
        Command::Prioritize(..) => 5,
        Command::Renew(..) => 6,
        Command::Heard(_) => 7,
        Command::Acknowledge(_) => 8,
        Command::Taken(_) => 9,
        Command::Halt => 10,
        Command::Forget => 11,
        Command::RenewConnections => 12,
        Command::Begin(..) => 13,
        Command::Interrupt(_) => 14,
    };
    assert_eq!(commands().iter().map(command).collect::<BTreeSet<_>>().len(), 15);
    let note = |note: &Note| match note {
        Note::Refused(_) => 0,
        Note::Job(_) => 1,
        Note::Served { .. } => 2,
        Note::Done(_) => 3,
        Note::Known { .. } => 4,
        Note::Answered { reply, .. } => match reply {
            Reply::Done => 5,
            Reply::Seen(_) => 6,
            Reply::Status(_) => 7,
        },
        Note::Progress { .. } => 8,
        Note::Responded { .. } => 9,
        Note::Happened { .. } => 10,
        Note::Ended(_) => 11,
        Note::Challenged { .. } => 12,
        Note::NeedsRequest { .. } => 13,
        Note::Seen { .. } => 14,
        Note::MayBegin { .. } => 15,
    };
    assert_eq!(notes().iter().map(note).collect::<BTreeSet<_>>().len(), 16);
}

#[test]
fn notes_come_over() {
    let mut kinds = BTreeSet::new();
    for note in notes() {
        let json = note.to_json();
        kinds.insert(kind_of(&json));
        let read = Note::from_json(&sent(&json), &reader()).unwrap_or_else(|| panic!("{json}"));
        assert_eq!(format!("{read:?}"), format!("{note:?}"), "{json}");
        assert_eq!(read.to_json(), json);
        match (&note, &read) {
            (Note::Job(job), Note::Job(read)) | (Note::Ended(job), Note::Ended(read)) => {
                assert_same(read, job);
            }
            (Note::MayBegin { request, .. }, Note::MayBegin { request: read, .. }) => {
                assert!(read == request, "{json}");
            }
            _ => {}
        }
    }
    let all = "answered challenged done ended happened job known may-begin needs-request progress \
               refused responded seen served";
    assert_eq!(kinds.into_iter().collect::<Vec<_>>().join(" "), all);
}

/// Of a request and an error, `Debug` does not show everything.
fn assert_same(read: &Job, job: &Job) {
    assert!(read.request == job.request, "{read:?} {job:?}");
    assert_eq!(format!("{:?}", read.request.headers()), format!("{:?}", job.request.headers()));
    assert_eq!(read.omitted, job.omitted);
    let error = |job: &Job| match job.ending().map(|ending| &ending.outcome) {
        Some(crate::background::job::Outcome::Failed(error)) => Some(error.clone()),
        _ => None,
    };
    let (read, meant) = (error(read), error(job));
    let body = |error: &Option<crate::error::Error>| {
        error.as_ref().and_then(|error| error.response_body()).map(<[u8]>::to_vec)
    };
    assert_eq!(body(&read), body(&meant));
    let text = |error: &Option<crate::error::Error>| error.as_ref().map(ToString::to_string);
    assert_eq!(text(&read), text(&meant));
}

#[test]
fn a_request_comes_over_with_its_secrets_and_goes_out_as_it_would_have() {
    let wire = |request: &crate::request::Request| {
        let mut bytes = Vec::new();
        request.headers().write_to(&mut bytes);
        bytes
    };
    for request in requests() {
        let read = form::read_whole_request(&sent(&form::write_whole_request(&request))).unwrap();
        assert!(read == request, "{request:?} {read:?}");
        assert_eq!(wire(&read), wire(&request));
        assert_eq!(read.secrets(), request.secrets());
        assert_eq!(read.sensitive(), request.sensitive());
        assert_eq!(read.zone(), request.zone());
        let says =
            |request: &crate::request::Request| request.check().map_err(|error| error.to_string());
        assert_eq!(says(&read), says(&request));
        let basic =
            |request: &crate::request::Request| request.user_info().map(|info| info.basic());
        assert_eq!(basic(&read), basic(&request));
    }
}

#[test]
fn the_journal_writes_less_of_a_request_and_reads_what_it_has_written() {
    for job in jobs() {
        for with_secrets in [false, true] {
            let json = form::write_job(&job, with_secrets);
            let request = json["request"].as_object().unwrap();
            for name in ["fields", "relative", "wrong"] {
                assert!(!request.contains_key(name), "{name}: {json}");
            }
            assert!(with_secrets || !request.contains_key("user"), "{json}");
            let read = form::read_job(&json).unwrap_or_else(|| panic!("{json}"));
            assert_eq!(form::write_job(&read, with_secrets), json);
            assert!(json["phase"].get("error").is_none_or(|error| error.get("body").is_none()));
        }
    }
}

#[test]
fn what_there_is_to_be_seen_comes_over_however_much_it_is() {
    for count in [0, 1, 3, 5_000] {
        let seen: Vec<_> = jobs().into_iter().cycle().take(count).map(|job| (job, None)).collect();
        let meant = format!("{seen:?}");
        let notes = Note::of_seen(7, seen);
        assert_eq!(notes.len() > 1, count > 3, "{count}");
        let mut read = Vec::new();
        for (left, note) in (0..notes.len()).rev().zip(&notes) {
            match Note::from_json(&sent(&note.to_json()), &reader()) {
                Some(Note::Seen { call: 7, jobs }) if left > 0 => read.extend(jobs),
                Some(Note::Answered { call: 7, reply: Reply::Seen(rest) }) if left == 0 => {
                    read.extend(rest);
                }
                other => panic!("{left} of {count}: {other:?}"),
            }
        }
        assert_eq!(format!("{read:?}"), meant, "{count}");
    }
    // One that is as large as can be does not take the others with it.
    let large = |bytes| Job { description: Some("a".repeat(bytes)), ..jobs().remove(0) };
    let seen = [1, frame::MOST - 10_000, 1, 1].map(|bytes| (large(bytes), None));
    let sizes = Note::of_seen(7, seen.into()).into_iter().map(|note| match note {
        Note::Seen { jobs, .. } | Note::Answered { reply: Reply::Seen(jobs), .. } => jobs.len(),
        other => panic!("{other:?}"),
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [1, 1, 2]);
}

#[test]
fn what_a_newer_version_says_is_passed_over() {
    let of = |mut json: Value, kind: &str| {
        json[kind]["new"] = json!({ "a": 1 });
        json
    };
    let (order, note) = (json!({ "heard": { "event": 7 } }), json!({ "done": { "orders": 7 } }));
    let read = Order::from_json(&of(order, "heard"), |_| None).unwrap();
    assert!(matches!(read, Order::Obey(Command::Heard(7))));
    let read = Note::from_json(&of(note, "done"), &reader()).unwrap();
    assert!(matches!(read, Note::Done(7)));

    for json in [
        json!(null),
        json!([]),
        json!({}),
        json!("leave"),
        json!({ "leave": null }),
        json!({ "leave": {}, "halt": {} }),
        json!({ "dance": { "task": 1 } }),
        json!({ "heard": { "event": -1 } }),
        json!({ "heard": { "event": 1.5 } }),
        json!({ "resume": { "task": 1, "settings": 7 } }),
        json!({ "cancel": { "task": 1, "error": {} } }),
        json!({ "ask": { "call": 1, "question": "why" } }),
        json!({ "answered": { "call": 1 } }),
        json!({ "answered": { "call": 1, "seen": [{}] } }),
        json!({ "needs-request": { "task": 1, "reason": "mood", "error": { "kind": "Unknown", "detail": "" } } }),
    ] {
        assert!(Order::from_json(&json, |_| None).is_none(), "{json}");
        assert!(Note::from_json(&json, &reader()).is_none(), "{json}");
    }
    // A task is to be seen, whatever it waits for.
    let job = form::write_whole_job(&jobs()[0]);
    let seen = json!([{ "job": job, "waits": { "for": "better times" } }]);
    let json = json!({ "answered": { "call": 1, "seen": seen } });
    let Some(Note::Answered { reply: Reply::Seen(seen), .. }) = Note::from_json(&json, &reader())
    else {
        panic!("{json}");
    };
    assert!(matches!(&*seen, [(_, None)]));
}
