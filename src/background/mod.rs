//! Background sessions: transfers that outlive the program. A manual page, without code.
//!
//! What such a session is to do, and what has happened, stands in its `journal`, which is
//! written before anything follows from it. A start reads it and goes on. All that a session keeps
//! lies in a `folder` of its own, which one process at a time has.
//!
//! ```text
//! Session ── client ── Engine ── Session ── the network
//!   handles, delegates   │         retries, resumes, checks
//!                  ledger, journal, spool, finished files
//! ```
//!
//! The `client` is a `Scheduler` of tasks, beside the pool of threads: to the program a task of a
//! background session is the same as any other. The `engine` carries a task from its creation to
//! the moment at which the program has taken all that it brought; it transfers by an ordinary
//! session of this crate, and knows nothing of who hosts it but the `Program` that it tells and
//! asks. What the client knows of an engine is that it is a `Host`.
//!
//! # The folder
//!
//! | file | what it is |
//! |---|---|
//! | `lock` | locked by whoever has the session open, with the number of that process in it; it stays |
//! | `configuration` | with the feature `daemon`: that of the session, so that a daemon can go on with it |
//! | `journal` | what there is to do and what has happened; `journal.new` while it is written anew, `journal.damaged` is one in which something could not be read, which is kept until the next one, or for 14 days |
//! | `spool/N.body` | the file that task N uploads, as it was when the task was made |
//! | `spool/N.answer` | the body of the answer to that upload, until the program has heard of it |
//! | `finished/.N.part`, `finished/.N.resume` | what has come of download N, and what it is of, as every resumable download keeps it |
//! | `finished/urlsession-X.part` | what has come of a download that was cancelled for its resume data, which somebody may go on with for 14 days |
//! | `finished/N` | the file of download N, whole, until the program has taken it |
//! | `finished/kept-N` | one that the program has left there by `keep`: it is the program's |
//!
//! Folders are for this user only (0700), and so are files (0600). A file whose name begins with
//! the number of a task that the journal does not know is removed by a start; what has no name of
//! these kinds stays.
//!
//! # The journal
//!
//! Lines and sums are those of `journal`; the JSON of a record is one object of one of these
//! kinds. What a field would have as its default is left out. Records of no kind that is known
//! are passed over with a warning.
//!
//! | record | what it says |
//! |---|---|
//! | `{"task": {..}}` | a task, as it is from now on; takes the place of what was said of it before |
//! | `{"number": 7, "of": 1, "event": {..}}` | event 7 happened to task 1, and has to be told |
//! | `{"told": 7}` | the program has heard of event 7 |
//! | `{"gone": 1}` | the program has all of task 1; nothing has to be known of it or its events |
//! | `{"last-task": 3, "last-event": 9}` | numbers up to these were given away; the first record of a journal that was written anew |
//!
//! Tasks and events are numbered from 1, and no number is given twice. The end of a task is an
//! event as well, which stands in the task. Durations are in milliseconds.
//!
//! | field of a task | what it says |
//! |---|---|
//! | `id` | its number |
//! | `request` | what is asked for, see below |
//! | `place`, `replaces` | of a download: where its file is to come, and that it may replace what is there |
//! | `length`, `digest` | of a download: what its file is to have; the digest as `sha256:` and digits |
//! | `upload` | of an upload: the length of its body, which lies in the spool |
//! | `description`, `priority` | as the program has set them |
//! | `begins` | the date before which it does not begin, in milliseconds since 1970 |
//! | `begun` | that date had come, and the program was asked about it |
//! | `sends`, `receives` | how many bytes the program expects it to |
//! | `phase` | `"suspended"`, also if it was never resumed; `"runs"`; or how it has ended, see below |
//! | `spent` | how much of its time is over |
//! | `sent` | of an upload: a byte may have gone, and no server has answered |
//! | `response` | the head of the last answer whose body was received: `url`, `status`, `version`, `headers`, and `length` of its body if that is known |
//!
//! | field of an ended `phase` | what it says |
//! |---|---|
//! | `event` | the number of the event that is its end |
//! | `file` | the file is whole, and has so many bytes |
//! | `answer` | the server has answered the upload, by so many bytes |
//! | `error` | it has failed: `kind` as its [`ErrorKind`](crate::ErrorKind) is called, `detail`, and if they are known `stage`, `url` and `response` |
//! | `told` | the program has heard of it |
//! | `taken` | the program has the file, or there is none, or it is at its place |
//!
//! | field of an `event` | what it says |
//! |---|---|
//! | `moved`, `response` | a redirect has led to this URL; its head, as of a task |
//! | `resumed`, `total` | a download goes on behind so many bytes, of so many |
//! | `started-over` | a download begins anew: `changed`, `no-ranges`, `no-validator`, `wrong-digest`, `lost` |
//! | `attempt`, `delay`, `cause` | it is tried again for the so manieth time, after so long, because of this error |
//!
//! | field of a `request` | what it says |
//! |---|---|
//! | `method`, `url` | the URL whole, but for a user name and a password |
//! | `user` | with `persists_secrets`, the user name of the URL and the password, if there is one; each a text, or a list of bytes |
//! | `zone` | on which network interface the address of the URL is |
//! | `headers` | pairs of names and values, in order |
//! | `omitted` | names of secret headers that were not written down; `Authorization` stands for a user name of the URL as well, as that may be a token |
//! | `marked` | with `persists_secrets`, names of those that the program has marked as sensitive |
//! | `idle`, `connect`, `resource` | its own timers |
//! | `decodes`, `follows`, `redirects` | what it says of codings and redirects |
//! | `repeatable` | `may_repeat` |
//! | `accepts` | its `accepts_status`: pairs of the first status and the last |
//! | `retry` | its `retry_policy`, field by field |
//! | `key` | its `task_key` |
//!
//! A path is a text, or on Unix, if it is none, a list of its bytes.
//!
//! # The order
//!
//! *Data, journal, acknowledgement.* Calls of the program change the ledger and append to the
//! journal, which outlives the process from then on. The engine's thread has the journal synced
//! for all of them together, and only then starts transfers and tells ends:
//!
//! | before | what is on the disk |
//! |---|---|
//! | a transfer starts | that the task runs; of an upload its body |
//! | the first byte of an upload that must not go twice goes onto a connection | that it may have gone |
//! | the journal says how much of a download has come (`.N.resume`) | these bytes |
//! | the journal says that a file is whole | the file, under its name |
//! | the program hears of an end | that end |
//!
//! What the program has heard of and taken is appended when its method has returned, and synced with
//! what comes next: a kill does not undo it, a power cut may, and then it is told once more. What
//! happens on the way is written likewise.
//!
//! What the disk has no room for is kept in memory, and written as soon as it has; nothing starts
//! and no end is told before. A sync that has failed has the journal written anew.
//!
//! # A start
//!
//! The folder is locked, the journal read, and what lies in the folder without belonging to a task
//! is removed. Tasks come back with their numbers; those that ran are started, those that were suspended stay so.
//! What the program has not heard of is told again in the order of its numbers, ends whose file
//! was not taken among it, and then `did_finish_events`.
//!
//! A task that is to be started is decided about in this order (`engine/verdict.rs`):
//!
//! | if | then |
//! |---|---|
//! | its file lies in `finished/` | it came there right before a crash: it is compared once more with the length and digest that it is to have, or the length of the last answer, and the task has succeeded, or begins anew and tells so |
//! | its date has not come | it waits, and the date is looked at again every minute at least |
//! | its date has come, and the program was not asked | the program is asked how it begins |
//! | no time is left for it | `TimedOut` |
//! | a byte of its upload may have gone, and must not go twice | `UploadInterrupted` |
//! | headers were omitted | the program is asked for another request |
//! | otherwise | it is transferred |
//!
//! # What happens if
//!
//! | event | outcome |
//! |---|---|
//! | a kill between the data and the record of it | what the record vouches for is gone on with; the rest is asked for again |
//! | a kill between a rename and the record of it | the file is found whole, here or at its place, and its end told; one here that has another length or digest by then begins anew |
//! | a last line of the journal that is cut short | it is cut off, with a warning in the log |
//! | other damage in the journal | the rest is kept, and the damage told by the log and the report; the damaged file is kept |
//! | a journal of a newer version | making the session fails with `NotSupported`; nothing is changed |
//! | a second opener, in this process or another | `BackgroundSessionInUse`, until the session is invalid or its process has ended |
//! | a full disk | its tasks wait, and go on by themselves once 4 MiB are free; what has come stays |
//! | a partial file that is cut, also while it is written, or is another one | it begins anew, and tells so |
//! | a partial file that is removed | it begins anew |
//! | a symbolic link in place of a partial file | it is not followed: `CannotOpenFile` |
//! | a body in the spool that is removed or changed | `FileDoesNotExist`, `ResourceUnavailable` |
//! | something at the place of a download, which it may not replace | `FileAlreadyExists`, before anything is sent if it is there already; at the end the file is removed |
//! | the folder of a place is gone or may not be written | the file waits in `finished/`, and is tried again every 5 s |
//! | a clock that is set | timers are monotonic; the date of a task that has not begun is the clock's |
//! | another version at the server, an answer that is no rest | it begins anew by the table of every download, and tells so; two versions are never mixed |
//! | 401 or 403, when something that can be gone on with has come | the program is asked for another request; without one the task ends with `UnacceptableStatus` |
//! | 404, 410, another final status, a certificate, a scheme | the task ends with that error |
//! | 408, 425, 429, 5xx but 501 and 505; a connection that breaks, a timeout; no network | it waits, and is tried again |
//! | an upload whose connection breaks, and that must not be repeated | `UploadInterrupted` |
//! | a delegate's method that panics in an end | the end is told again by the next start |

#[cfg(feature = "background")]
mod client;
#[cfg(all(feature = "daemon", unix))]
mod daemon;
#[cfg(feature = "background")]
mod engine;
#[cfg(feature = "background")]
mod folder;
#[cfg(feature = "background")]
mod form;
#[cfg(feature = "background")]
mod host;
#[cfg(feature = "daemon")]
mod hosted;
#[cfg(feature = "background")]
mod job;
#[cfg(feature = "background")]
mod journal;
#[cfg(all(feature = "daemon", unix))]
mod kept;
#[cfg(all(feature = "daemon", unix))]
mod launch;
#[cfg(feature = "background")]
mod ledger;
#[cfg(all(feature = "daemon", unix))]
mod local_socket;
mod opening;
#[cfg(all(feature = "daemon", unix))]
mod place;
#[cfg(all(feature = "daemon", unix))]
mod protocol;
#[cfg(feature = "daemon")]
mod relaunch;
#[cfg(all(feature = "daemon", unix))]
mod remote;
#[cfg(feature = "background")]
mod report;
#[cfg(feature = "background")]
mod spool;

#[cfg(feature = "daemon")]
pub use hosted::{run_daemon_if_asked, urlsessiond};
#[cfg(any(test, fuzzing))]
#[cfg(feature = "background")]
pub(crate) use journal::fuzz;
#[cfg(any(test, fuzzing))]
#[cfg(all(feature = "daemon", unix))]
pub(crate) use protocol::fuzz as protocol_fuzz;
#[cfg(feature = "daemon")]
pub use relaunch::{LaunchCompletion, launched_for, register_launch, unregister_launch};
#[cfg(feature = "background")]
pub use report::{BackgroundHost, BackgroundReport, BackgroundTask, WaitsFor};
