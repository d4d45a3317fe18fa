//! Sessions: what a program holds to load things.
//!
//! A [`Session`] is a cheap clone of what its tasks share: the wire with its connections,
//! the rules that the configuration gave it, the pool with its waiting line, and the queue
//! on which the program is called. `shared` holds these together, `task` is one transfer,
//! `line` decides who is next and `pool` who runs; `delegate` is what a program implements.
//!
//! Threads: callers make tasks and run blocking ones; workers run the others, one each,
//! from the first byte to the last; a queue's thread calls the program; a timer ends tasks
//! that wait for too long. No lock is held while anything waits or the program is called.

mod bytes;
mod data;
mod delegate;
mod download;
mod inside;
mod line;
mod making;
mod pool;
mod settings;
mod shared;
mod task;
mod timer;
mod transfers;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use self::inside::is_inside;
use self::shared::{Made, Shared};
#[cfg(feature = "test-util")]
use crate::census::Census;
use crate::configuration::Configuration;
use crate::delivery::DeliveryQueue;
use crate::error::{Error, ErrorKind};
use crate::request;

pub use bytes::Bytes;
pub use data::Data;
pub use delegate::{Delegate, ResponseDisposition};
pub use download::Download;
pub use making::Tasks;
pub use task::{
    DataTask, DownloadTask, Finished, Progress, Task, TaskState, Update, Updates, UploadTask,
};

/// Loads things over shared connections.
///
/// Cloning is cheap, and clones are the same session. It may be used from any number of
/// threads; each blocking call runs on its caller's. Tasks keep their session. When the
/// last handle of a session and of its tasks is dropped, that acts as
/// [`finish_tasks_and_invalidate`](Self::finish_tasks_and_invalidate): what runs goes on,
/// and is told of; what is suspended can never be resumed, and is cancelled.
///
/// A program that ends takes its tasks with it: call
/// [`wait_until_idle`](Self::wait_until_idle) before `main` returns.
///
/// # Examples
///
/// ```
/// # use urlsession::testing::{Answer, Server};
/// # let server = Server::start();
/// # server.enqueue(Answer::ok("hello"));
/// # let url = server.url("/");
/// use urlsession::{Configuration, Session};
///
/// let session = Session::new(Configuration::ephemeral())?;
/// let data = session.data(&url)?;
/// assert_eq!(data.response.status(), 200);
/// assert_eq!(data.text(), "hello");
/// # Ok::<(), urlsession::Error>(())
/// ```
#[doc(alias = "URLSession")]
#[doc(alias = "NSURLSession")]
pub struct Session {
    shared: Arc<Shared>,
}

impl Session {
    /// Makes a session without a delegate from a copy of `configuration`. Nothing is
    /// opened or started yet. Closures are called on a serial queue of its own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotSupported`] for a background configuration, which this version
    /// cannot serve yet, for TLS versions that exclude each other, and for
    /// [`uses_netrc`](Configuration::uses_netrc) without the feature `netrc`;
    /// [`ErrorKind::InvalidRequest`] for `Content-Length` or `Transfer-Encoding` among the
    /// [`additional_headers`](Configuration::additional_headers), which follow from each
    /// body;
    /// [`ErrorKind::ServerCertificateUntrusted`] if one of
    /// [`additional_roots`](Configuration::additional_roots) is no certificate.
    #[doc(alias = "sessionWithConfiguration")]
    pub fn new(configuration: Configuration) -> Result<Self, Error> {
        Self::with_queue(configuration, DeliveryQueue::serial())
    }

    /// Makes a session without a delegate, whose closures are called on `queue`.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    #[doc(alias = "delegateQueue")]
    pub fn with_queue(configuration: Configuration, queue: DeliveryQueue) -> Result<Self, Error> {
        Self::make(configuration, Made { delegate: None, queue, is_everybodys: false })
    }

    /// Makes a session whose delegate is told, and asked, on `queue`.
    ///
    /// The session keeps the delegate until it is invalid, and calls
    /// [`did_become_invalid`](Delegate::did_become_invalid) last.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    #[doc(alias = "init(configuration:delegate:delegateQueue:)")]
    pub fn with_delegate(
        configuration: Configuration,
        delegate: Arc<dyn Delegate>,
        queue: DeliveryQueue,
    ) -> Result<Self, Error> {
        let delegate = Some(delegate);
        Self::make(configuration, Made { delegate, queue, is_everybodys: false })
    }

    fn make(configuration: Configuration, made: Made) -> Result<Self, Error> {
        if configuration.identifier.is_some() {
            let detail = "background sessions are not built yet";
            return Err(Error::new(ErrorKind::NotSupported, detail));
        }
        if configuration.uses_netrc && !cfg!(feature = "netrc") {
            let detail = "uses_netrc needs the feature netrc of this crate";
            return Err(Error::new(ErrorKind::NotSupported, detail));
        }
        for (name, _) in configuration.additional_headers.iter() {
            request::framing_is_ours(name)?;
        }
        Shared::new(configuration, made).map(|shared| Self::of(&shared))
    }

    /// Returns the session that the whole program shares, made with the default
    /// configuration and without a delegate. It cannot be invalidated.
    ///
    /// # Panics
    ///
    /// Never: the default configuration can always be served.
    #[doc(alias = "sharedSession")]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Session> = OnceLock::new();
        SHARED.get_or_init(|| {
            let made = Made { delegate: None, queue: DeliveryQueue::serial(), is_everybodys: true };
            Self::make(Configuration::default(), made)
                .expect("the default configuration can be served")
        })
    }

    fn of(shared: &Arc<Shared>) -> Self {
        shared.hold();
        Self { shared: Arc::clone(shared) }
    }

    /// Returns a copy of the configuration that the session was made with.
    pub fn configuration(&self) -> Configuration {
        self.shared.configuration.clone()
    }

    /// Returns the delegate; `None` if there is none, or the session is invalid.
    pub fn delegate(&self) -> Option<Arc<dyn Delegate>> {
        self.shared.delegate()
    }

    /// Returns the queue on which the program is called.
    #[doc(alias = "delegateQueue")]
    pub fn delivery_queue(&self) -> DeliveryQueue {
        self.shared.program_queue()
    }

    /// Returns the program's own label of the session.
    #[doc(alias = "sessionDescription")]
    pub fn description(&self) -> Option<String> {
        self.shared.description.lock().clone()
    }

    /// Sets a label, which means nothing to the session.
    #[doc(alias = "sessionDescription")]
    pub fn set_description(&self, description: impl Into<String>) {
        let before = self.shared.description.lock().replace(description.into());
        drop(before);
    }

    // ---- the end ----

    /// Waits until no task runs and everything was told, for at most `timeout`; returns
    /// whether that is so.
    ///
    /// Tasks that are suspended after they have begun count as running. With a manual
    /// queue somebody has to call [`run_pending`](DeliveryQueue::run_pending) meanwhile.
    /// Inside of what the session calls it returns at once, as that has not ended.
    pub fn wait_until_idle(&self, timeout: Duration) -> bool {
        if is_inside(&self.shared) {
            return self.shared.pool().is_quiet();
        }
        self.shared.pool().wait_until_quiet(timeout)
    }

    /// Takes no new tasks from now on; those that were resumed run to their end. Then the
    /// delegate is told [`did_become_invalid`](Delegate::did_become_invalid), and let go
    /// of; connections are closed.
    ///
    /// Returns at once. A task that is made or resumed after that ends with
    /// [`ErrorKind::SessionInvalidated`]. The [`shared`](Self::shared) session is left as
    /// it is.
    #[doc(alias = "finishTasksAndInvalidate")]
    pub fn finish_tasks_and_invalidate(&self) {
        if !self.shared.is_everybodys {
            self.shared.close();
        }
    }

    /// Cancels all tasks that were resumed, and blocking calls, and does what
    /// [`finish_tasks_and_invalidate`](Self::finish_tasks_and_invalidate) does.
    #[doc(alias = "invalidateAndCancel")]
    pub fn invalidate_and_cancel(&self) {
        if !self.shared.is_everybodys {
            self.shared.cancel_all();
        }
    }

    /// Empties what the session keeps; every later exchange uses a new connection. Tasks
    /// that run are not disturbed. Done when this returns.
    ///
    /// That is which credentials servers have accepted, and everything in the
    /// configuration's [`credential_storage`](Configuration::credential_storage), which other
    /// sessions may use too. This version keeps no cookies or caches yet.
    #[doc(alias = "reset(completionHandler:)")]
    pub fn reset(&self) {
        self.shared.rules.stores.authenticator.reset();
        self.shared.engine.renew();
    }

    /// Does the same as [`reset`](Self::reset), then has `completion` called on the
    /// session's queue.
    #[doc(alias = "reset(completionHandler:)")]
    pub fn reset_with(&self, completion: impl FnOnce() + Send + 'static) {
        self.reset();
        self.shared.call("the completion of reset_with", completion);
    }

    /// Writes to disk what is to be kept; every later exchange uses a new connection.
    /// Tasks that run are not disturbed. Done when this returns.
    ///
    /// This version keeps nothing on disk yet.
    #[doc(alias = "flush(completionHandler:)")]
    pub fn flush(&self) {
        self.shared.engine.renew();
    }

    /// Does the same as [`flush`](Self::flush), then has `completion` called on the
    /// session's queue.
    #[doc(alias = "flush(completionHandler:)")]
    pub fn flush_with(&self, completion: impl FnOnce() + Send + 'static) {
        self.flush();
        self.shared.call("the completion of flush_with", completion);
    }

    /// Returns what the session owns at this moment, for [`testing`](crate::testing).
    #[cfg(feature = "test-util")]
    pub(crate) fn census(&self) -> &Census {
        &self.shared.census
    }
}

impl Clone for Session {
    fn clone(&self) -> Self {
        Self::of(&self.shared)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.release();
    }
}

impl PartialEq for Session {
    /// Sessions are equal if they are the same.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl Eq for Session {}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("configuration", &self.shared.configuration)
            .finish_non_exhaustive()
    }
}
