//! What a program and the daemon say to each other.
//!
//! A connection begins with [`Hello`] of the program and [`Welcome`] of the daemon, which agree on
//! the newest version of the protocol that both speak. Then the program opens a session, is
//! given all jobs of it, one after the other, and [`Note::Served`]. From then on it gives orders,
//! numbered from 1 by their place in the stream. What happens is told to it from its order to go
//! on, first of all that whose numbers it names. Orders are done in order; the daemon
//! says up to which they are done, at the latest when it has read all that has come. Whoever
//! connects again repeats those that are not: each may be done twice.
//!
//! A frame is a length of four bytes, the highest first, and so many bytes of JSON.
//!
//! # Frames
//!
//! The JSON has at most 4 MiB, of a program 1 MiB, and 4 KiB until the greeting is over. A longer
//! frame is refused by its length, before anything of it is read; one of a program whose values would
//! take more than 8 MiB of memory before they are made. Behind a frame that was refused nothing can be read any more, so the
//! connection ends.
//!
//! A message is an object with one field: its name is what is said, its value an object of the
//! fields below. A field that is not known is passed over; what is left out is none, `false` or
//! empty. A message that is not known, or that lacks something, is no message.
//!
//! Jobs, events and responses stand there as in the [journal](super), paths as well. Bytes that
//! are no text, as certificates, are in base64. Durations are in milliseconds, and those that are no
//! whole number of them pairs of seconds and nanoseconds.
//!
//! # Greetings
//!
//! They stay as they are, whatever the versions are.
//!
//! | message | fields |
//! |---|---|
//! | `hello` | `oldest` and `newest` version of the protocol, `release` of the crate |
//! | `welcome` | `protocol`: the version that is spoken; `release`; `process`: its number |
//! | `refused` | `error`, in place of a welcome or of anything later: the connection ends |
//!
//! # Orders
//!
//! | message | fields |
//! |---|---|
//! | `open` | `program`, `identifier`, `configuration`; `coming` and `held`: tasks of which the program has something in its hands, no task yet or a file |
//! | `go-on` | `untold`: numbers of events |
//! | `create` | `job`; `call` if that is answered by `known`; `besides` which task |
//! | `ask` | `call`, `question`: `flush`, `close`, `look`, `status` |
//! | `dispose` | `question`, `disposition` |
//! | `complete-launch` | |
//! | `leave` | |
//! | `update`, `resume` | `task`, `settings`: `work` as a job has it, `description`, `priority`, and when it begins and how much it takes as a job has that |
//! | `cancel` | `task`, `error` |
//! | `interrupt` | `task`: it is cancelled, and what has come of its file stays until `acknowledge` |
//! | `prioritize` | `task`, `priority` |
//! | `renew` | `task`, `request`, `error` |
//! | `begin` | `task`, `request` |
//! | `heard` | `event`: its number |
//! | `withdraw`, `suspend`, `acknowledge`, `taken` | `task` |
//! | `halt`, `forget`, `renew-connections` | |
//!
//! # Notes
//!
//! | message | fields |
//! |---|---|
//! | `job`, `ended` | `job` |
//! | `served` | `folder`, `untold`, `last-task`, `damage` |
//! | `done` | `orders`: how many |
//! | `known` | `call`, `task` |
//! | `seen` | `call`, `jobs`: some, of which the last come by `answered` |
//! | `answered` | `call`, and one of `done`; `seen`: jobs; `status`: sessions with `program`, `identifier`, `connected`, and the number of their `tasks` |
//! | `progress` | `task`, `sent`, `to-send`, `received`, `to-receive` |
//! | `responded` | `task`, `response` |
//! | `happened` | `number`, `task`, `event` |
//! | `challenged` | `question`, `task` if it is of one, `challenge` |
//! | `may-begin` | `task`, `request` |
//! | `needs-request` | `task`, `reason`: `refused`, `secrets-lost`; `error` |
//!
//! Of `seen`, each is an object of a `job`, of what it `waits` for and `another` so long: an object
//! of `for` (`retry`, `connectivity`, `room`, `place`, `request`), and `error` or `reason`. If it is
//! something that is not known, the job is seen without it.
//!
//! # What stands in them
//!
//! Both are processes of one user, and the kernel says so: secrets go along.
//!
//! | field of a `request`, beside those of the journal | what it says |
//! |---|---|
//! | `fields` | in place of `headers`: all of them, also secret ones; a value that is no UTF-8 is a list of its bytes |
//! | `marked` | names of all that are marked as sensitive |
//! | `relative` | the URL, if that is not resolved |
//! | `wrong` | an error: what is wrong with it |
//!
//! An `error` has the `body` of its response as well. What it was caused by stays where it was.
//!
//! | field of a `challenge` | what it says |
//! |---|---|
//! | `space` | `host`, `port`, `protocol`, `realm`, `method`; `proxy`; `names` of authorities; `trust`: a `host` and the `certificates` that were shown for it |
//! | `proposed` | a credential |
//! | `failures`, `response`, `error`, `token` | as [`Challenge`] has them |
//!
//! A `disposition` says what to `do`: `use` a `credential`, `default`, `without`, `cancel` or
//! `reject`. One that is not understood, or whose credential cannot be used, rejects.
//!
//! | field of a `credential` | what it says |
//! |---|---|
//! | `keeps` | whether it is kept for the session |
//! | `user`, `password` | of a user |
//! | `token` | of Negotiate or NTLM |
//! | `identity` | `certificates`, and the `key`, of a `kind`: `pkcs1`, `pkcs8`, `sec1` |
//! | `host`, `certificate` | trust in the server that has shown this one there: whoever has asked takes it for trust in what was asked about, if that is the same, and for no answer otherwise |
//!
//! A `configuration` is described by `form/configuration.rs`: each field of it has one.

mod challenge;
mod command;
mod credential;
mod disposition;
pub(super) mod frame;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod greeting;
mod message;
mod note;
mod order;
mod reader;
mod seen;

use std::path::PathBuf;

use serde_json::Value;

use super::engine::Hands;
use super::host::{Command, Waiting};
use super::job::{Event, Job};
use crate::credentials::{Challenge, Disposition};
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;
use crate::session::{NewRequestReason, Progress};

pub(super) use reader::Reader;

/// The version of this crate.
pub(super) const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// The oldest and the newest version that this one speaks.
pub(super) const VERSIONS: (u32, u32) = (1, 1);

/// What a program begins with.
#[derive(Clone, Debug)]
pub(super) struct Hello {
    pub(super) oldest: u32,
    pub(super) newest: u32,
    /// The version of this crate.
    pub(super) release: String,
}

/// What the daemon answers.
#[derive(Clone, Debug)]
pub(super) struct Welcome {
    /// The version that is spoken.
    pub(super) protocol: u32,
    pub(super) release: String,
    pub(super) process: u32,
}

/// What a program says.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub(super) enum Order {
    /// Opens a session of a program, with its configuration as `form` writes it.
    Open {
        program: String,
        identifier: String,
        configuration: Value,
        hands: Hands,
    },
    /// Tells once more what was not heard of, and starts what was running.
    GoOn {
        untold: Vec<u64>,
    },
    /// Takes on a job; answered by [`Note::Known`] if there is a call.
    Create {
        call: Option<u64>,
        job: Box<Job>,
        besides: Option<u64>,
    },
    Obey(Command),
    /// Asks something that is answered by [`Note::Answered`].
    Ask {
        call: u64,
        question: Question,
    },
    /// Answers a challenge; none if the delegate has not answered.
    Dispose {
        question: u64,
        disposition: Option<Disposition>,
    },
    /// The program is done with what the daemon has started it for.
    CompleteLaunch,
    /// Has the daemon hand its sessions over to a newer one, and leave.
    Leave,
}

/// What a program asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// That all is on the disk.
    Flush,
    /// That the session is closed.
    Close,
    /// What there is to be seen.
    Look,
    /// What the daemon hosts, for people.
    Status,
}

/// A job, and what it waits for.
pub(super) type Seen = (Job, Option<Waiting>);

/// What the daemon answers.
#[derive(Debug)]
pub(super) enum Reply {
    Done,
    Seen(Vec<Seen>),
    Status(Vec<Hosted>),
}

/// A session that the daemon hosts, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hosted {
    pub(super) program: String,
    pub(super) identifier: String,
    pub(super) is_connected: bool,
    pub(super) tasks: u64,
}

/// What the daemon says.
#[derive(Debug)]
pub(super) enum Note {
    /// The connection ends, as what was asked cannot be.
    Refused(Error),
    /// One job of the session that was opened.
    Job(Box<Job>),
    /// All of them were told.
    Served {
        folder: PathBuf,
        untold: Vec<u64>,
        last_task: u64,
        damage: Vec<String>,
    },
    /// So many orders of this connection are done.
    Done(u64),
    /// Whether there was a task with the same key.
    Known {
        call: u64,
        task: Option<u64>,
    },
    /// Some of what there is to be seen, as much as a frame holds; the rest is answered.
    Seen {
        call: u64,
        jobs: Vec<Seen>,
    },
    Answered {
        call: u64,
        reply: Reply,
    },
    Progress {
        task: u64,
        progress: Progress,
    },
    Responded {
        task: u64,
        response: Box<Response>,
    },
    Happened {
        number: u64,
        task: u64,
        event: Event,
    },
    Ended(Box<Job>),
    Challenged {
        question: u64,
        task: Option<u64>,
        challenge: Box<Challenge>,
    },
    MayBegin {
        task: u64,
        request: Box<Request>,
    },
    NeedsRequest {
        task: u64,
        reason: NewRequestReason,
        error: Error,
    },
}

#[cfg(test)]
mod tests;
