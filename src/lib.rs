//! Apple's `URLSession` for synchronous Rust: a blocking HTTP client with sessions, tasks,
//! configurations and delegates, without an async runtime.
//!
//! ```no_run
//! use urlsession::Session;
//!
//! fn main() -> Result<(), urlsession::Error> {
//!     let data = Session::shared().data("https://www.rust-lang.org/")?;
//!     println!("{}: {}", data.response.status(), data.text());
//!     Ok(())
//! }
//! ```
//!
//! # What there is
//!
//! A [`Configuration`] is a bag of settings; a [`Session`] is made from a copy of it and
//! loads [`Request`]s. [`Session::data`] returns the [`Response`] with its whole body,
//! [`Session::bytes`] returns as soon as the head is there and is then read from. A URL is
//! a request, too: `session.data("https://…")`. What a request sends is a [`Body`], which a
//! [`Form`] and a [`Multipart`] become.
//!
//! A [`DataTask`] is a load that can be suspended, resumed and cancelled, and that runs on a
//! thread of its session. What it brings arrives as you choose:
//!
//! | How | By |
//! |---|---|
//! | return value | [`Session::data`], [`DataTask::run`] |
//! | closure | [`Session::data_task_with`] |
//! | one channel for many tasks | [`Session::data_task_to`] |
//! | iterator, piece by piece | [`DataTask::updates`] |
//! | delegate of the session or the task | [`Session::with_delegate`], [`Task::set_delegate`] |
//!
//! An [`UploadTask`] is one that sends a body of its own, and a [`DownloadTask`] writes what it
//! receives to a file; both have the same forms ([`Session::upload`], [`Session::download`] and
//! their like).
//!
//! A [`DeliveryQueue`] says on which thread closures and [`Delegate`] methods are called; a
//! [`Reply`] carries a decision back, at once or later. An [`Inbox`] brings messages of the
//! program's own from there to the loop of a GUI.
//!
//! | Configuration | Keeps |
//! |---|---|
//! | [`Configuration::default`] | what the program's other sessions keep: credentials and cookies, in memory, and which hosts want `https` alone, in a [file](crate::guide::trust_and_challenges) (a cache is not built yet) |
//! | [`Configuration::ephemeral`] | nothing beyond the session |
//! | [`Configuration::background`] | transfers beyond the program, in its [folder](Configuration::state_directory) |
//!
//! A background session writes down what it is to do, and goes on when the program makes it
//! again, whatever has ended it: [`guide::background`] has the life of a task, and what is
//! guaranteed. [`guide::downloads`] has the same of downloads.
//!
//! Who comes from another client finds its names, and what differs, in
//! [`guide::coming_from_ureq`], [`guide::coming_from_reqwest`],
//! [`guide::coming_from_urlsession_in_swift`] and
//! [`guide::coming_from_urlsession_in_objective_c`]; the listings that introductions to
//! `NSURLSession` show stand in [`guide::nsurlsession`].
//!
//! An example that ends in `Ok::<…>(())` is the body of a function that returns a `Result`; those
//! that start a loopback server of their own need the feature `test-util`, and run as they stand.
//!
//! # Features
//!
//! | Feature | Default | What it adds |
//! |---|---|---|
//! | `tls` | yes | `https` |
//! | `gzip` | yes | bodies compressed with gzip and deflate |
//! | `digest` | yes | answers to Digest challenges |
//! | `public-suffix` | yes | cookies for a domain are refused by the list of public suffixes, not only for one without a dot |
//! | `background` | yes | sessions whose transfers outlive the program |
//! | `daemon` | no | on Unix, sessions whose transfers go on in `urlsessiond` when the program ends; new, see its limits |
//! | `encrypted-keys` | | identities whose private key is encrypted with a pass phrase |
//! | `pkcs12` | | identities from PKCS #12 files |
//! | `netrc` | | credentials of the user's `.netrc`, for configurations that ask for it |
//! | `brotli` | | bodies compressed with brotli |
//! | `zstd` | | bodies compressed with zstd; compiles C |
//! | `json` | | JSON bodies of requests and responses, by serde |
//! | `charset` | | [`Data::text`] of every charset that browsers know |
//! | `test-util` | | [`testing`]: a loopback server with faults, a clock to turn by hand |
//!
//! A feature only adds what a configuration can ask for; none removes anything.
//!
//! # Trust and challenges
//!
//! A server's certificate is evaluated against the system's roots and the configuration's, and
//! a delegate may decide otherwise; it also answers servers that want to know who sends, by a
//! [`Credential`]: user name and password (Basic, Digest), a token, or an [`Identity`].
//! [`guide::trust_and_challenges`] has the order of questions.
//!
//! # Errors
//!
//! Whatever fails is an [`Error`], with an [`ErrorKind`] to decide by, the [`Stage`] it came
//! to, and the URL without secrets. A status of 400 or more is not an error, unless the
//! request [accepts](Request::accepts_status) others only, as a download to a place does, and one
//! of a background session. Such a session that is open already is
//! [`ErrorKind::BackgroundSessionInUse`], and an upload of it that must not go twice
//! [`ErrorKind::UploadInterrupted`].
//!
//! # Threads
//!
//! | Threads of | How many | What they do |
//! |---|---|---|
//! | the program | its own | blocking calls, from the first byte to the last |
//! | workers | one for each task that runs, started when needed; each leaves after five idle seconds | tasks that were resumed, one at a time each; a task that is suspended may go on with another one |
//! | delivery | one per [serial](DeliveryQueue::serial) queue, started with the first call to make; leaves after five idle seconds | closures and delegate methods |
//! | timer | one at most, while tasks wait in line, or to connect again | ends those whose time is over |
//! | background | one for each background session, started when needed; leaves after five idle seconds | brings the journal to the disk, starts transfers, tells ends |
//! | look-ups | eight at most; each leaves after five idle seconds | the system's look-up of names |
//! | reaper | one at most, while connections are kept | closes those that are old |
//!
//! All but the delivery thread are a session's own; a queue may serve several sessions.
//!
//! At most [`maximum_concurrent_tasks`](Configuration::maximum_concurrent_tasks) (64) tasks
//! run at once, and [`maximum_connections_per_host`](Configuration::maximum_connections_per_host)
//! (6) of them on one host. The others wait in line, by priority and then by age, and take no
//! thread. A blocking call brings its caller's thread and runs at once, unless the program has set
//! `maximum_connections_per_host`, which then binds blocking calls too: they wait in line, for
//! [`timeout_for_request`](Configuration::timeout_for_request) at most. After ten seconds a warning
//! in the log names the host and who holds its places. A task that is
//! suspended, or waits for a [`Reply`], gives its place to others and goes ahead of the line
//! afterwards; so does one whose own thread has called the program (by an
//! [inline](DeliveryQueue::inline) queue, or for a blocking call) for 20 ms, as long as others
//! wait. At most 256 of them keep their thread meanwhile, see
//! [`Task::suspend`]. A blocking call made by code that the session has called goes ahead of
//! the line and over these limits, so that it never waits for itself.
//!
//! At most 1 MiB of a body is received and not yet taken; then the transfer stops until some of
//! it is.
//!
//! Code of the program that is called (a delegate, a closure, a [`Resolver`], the reader of a
//! [`Body`]) may block, may call anything here, and may panic: that fails the task, and no other.
//! So may whatever of the program's is dropped here, which is caught and logged and changes
//! nothing, also where it comes with another panic; only a closure that is called once, to
//! complete a task, must not panic with something in it that panics when it is dropped, as
//! Rust itself ends the process then.
//! No lock is held while it runs. Calls of one task never overlap and keep their order, on every
//! queue.
//!
//! [`Task::cancel`] and a [`CancelToken`] end loads from any thread, at every stage. Dropping the
//! last handle of a session and of its tasks lets what runs end, and is
//! [`finish_tasks_and_invalidate`](Session::finish_tasks_and_invalidate) otherwise. After an
//! invalid session has called the program for the last time, its threads leave and its
//! connections are closed; a look-up that the system is still working on ends by itself.
//!
//! # Differences from Foundation
//!
//! * [`Session::data`] and its like run on their caller's thread and block it. They stand in line
//!   with the tasks, and tell the task's own delegate, on that thread. The session's is asked
//!   as for any task, but told little: see [`Delegate`].
//! * A session that nobody holds any more invalidates itself; it need not be done by hand.
//! * Making or resuming a task on an invalidated session is no exception: the task ends with
//!   [`ErrorKind::SessionInvalidated`].
//! * [`Session::all_tasks`] returns at once, and without tasks that were never resumed, but for
//!   those of a background session;
//!   [`Session::invalidate_and_cancel`] leaves those alone, too: resumed later, they end with an
//!   error. A task that was cancelled is among them until its end was told.
//! * A [`Reply`] that is dropped means what a missing method means: the next delegate is asked,
//!   then the default happens. One that is dropped by a panic fails the task.
//! * What a server offers is asked about strongest first, not in its order; a 401 to a request
//!   with an `Authorization` of the program's own is asked about, too, but never answered by
//!   default. A URL's user name and password are sent as Basic before the server asks.
//! * A server's certificate is asked about for every connection, also for one that resumes a TLS
//!   session; credentials are never permanent.
//! * Progress is told by one method for both directions, at most ten times a second
//!   ([`Configuration::progress_interval`]); tasks have a snapshot of it, nothing to observe.
//! * Tasks with a closure or a channel and blocking calls hold the body in memory, up to
//!   [`Configuration::maximum_body_in_memory`].
//! * A queue that makes calls on several threads is allowed: those of one task stay in order.
//! * Requests are equal if everything is that they ask for, headers and body among it.
//! * What is wrong with a URL or a header is reported by the load, not by a `nil`.
//! * [HSTS](Configuration::hsts) is on by default, and can be turned off.
//! * A redirect from `https` to `http` is refused unless
//!   [`allows_insecure_redirects`](Configuration::allows_insecure_redirects) is set.
//! * [`did_receive_response`](Delegate::did_receive_response) is asked for downloads, too; what a
//!   request [accepts](Request::accepts_status) is judged after it.
//! * A 305 and a 306 are delivered, not followed. A `HEAD` stays one after a 303.
//! * A header of the program's whose value is folded over two lines is refused, as is every control
//!   character; a folded line of a server's is read as one.
//! * No `Accept-Language` is sent. `User-Agent` is `urlsession/` and the version, unless the
//!   configuration or the request says otherwise.
//! * A `Content-Length` of the program's own is sent if it is right, and refused if it is not.
//! * A body whose `Content-Encoding` is not known is delivered as it came, and one with more than
//!   five layers is an error.
//! * `expectedContentLength` is `None` instead of -1.
//! * Background sessions transfer in the program, and stop while it is away, unless a daemon hosts
//!   them, which starts the program again if that has registered how.
//!   A file is its program's until it takes it, and is told of again otherwise. Tasks that were
//!   never resumed last, too. A task may have a delegate of its own, for as long as the program runs.
//!   Redirects are followed unasked, as there, and by the rules of the configuration. More stands in
//!   [`guide::background`].
//! * Settings that a desktop system cannot honour (cellular access, service types, persistent DNS)
//!   are absent, and so are partitions of cookies.

#![cfg_attr(docsrs, feature(doc_cfg))]
// Where the system asks for more, the crate goes through socket2 and rustix.
#![forbid(unsafe_code)]

#[cfg(not(feature = "daemon"))]
mod background;
#[cfg(feature = "daemon")]
#[cfg_attr(docsrs, doc(cfg(feature = "daemon")))]
pub mod background;
mod basic;
mod body;
mod calendar;
mod cancel;
mod census;
mod checksum;
mod clock;
mod configuration;
mod cookies;
mod crash;
mod credentials;
mod delivery;
mod download;
mod engine;
mod error;
mod files;
mod foreign;
mod fork;
mod headers;
mod hsts;
mod load;
mod log;
mod mime;
mod pair;
mod program;
mod random;
mod request;
mod resolver;
mod response;
mod retry;
mod session;
mod setters;
mod shared_file;
mod splice;
mod sync;
#[cfg(test)]
mod tests;
mod trust;
mod wire;

#[cfg(feature = "background")]
#[cfg_attr(docsrs, doc(cfg(feature = "background")))]
pub use background::{BackgroundHost, BackgroundReport, BackgroundTask, WaitsFor};
pub use body::{Body, Form, Multipart, Part};
pub use cancel::CancelToken;
pub use clock::Clock;
#[cfg(all(feature = "daemon", unix))]
pub use configuration::BackgroundDaemon;
pub use configuration::Configuration;
pub use cookies::{Cookie, CookieAcceptPolicy, CookieObserver, CookieStorage, SameSite};
pub use credentials::{
    AuthenticationMethod, Challenge, Credential, CredentialObserver, CredentialStorage,
    Disposition, Persistence, ProtectionSpace,
};
pub use delivery::{DeliveryQueue, Inbox, InboxSender, Reply};
pub use download::{ResumeData, StartOver};
pub use error::{Error, ErrorKind, Stage};
pub use files::DownloadedFile;
pub use headers::{HeaderFields, Headers};
pub use hsts::Hsts;
pub use pair::Pair;
pub use request::Request;
pub use resolver::Resolver;
pub use response::{ContentType, EntityTag, Link, Response};
pub use retry::{Retry, RetryPolicy};
pub use session::{
    Bytes, Data, DataTask, DelayedRequestDisposition, Delegate, Download, DownloadTask, Finished,
    NewRequestReason, Progress, ResponseDisposition, Session, Task, TaskState, Tasks, Update,
    Updates, UploadTask,
};
pub use trust::{
    Certificate, CertificateDetails, DistinguishedName, Identity, PublicKeyPins, ServerTrust,
    SubjectName, TlsVersion,
};

// Their types are in signatures here.
pub use {http, url};

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;

#[cfg(any(doc, doctest))]
pub mod guide;

#[cfg(feature = "test-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
pub mod testing;

/// The code in the README compiles.
#[cfg(all(doctest, feature = "test-util"))]
#[doc = include_str!("../README.md")]
struct Readme;
