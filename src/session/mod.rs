//! Sessions: what a program holds to load things.
//!
//! A [`Session`] is a cheap clone of what its tasks share. `task` is one transfer and its
//! life; `audience` tells and asks the program; `local` runs tasks in this process: the
//! waiting line, workers, transfers. A task knows whoever runs it as a `Scheduler`, and
//! `local` is one. `delegate` is what a program implements.
//!
//! Threads: callers make tasks and run blocking ones; workers run the others, one each,
//! from the first byte to the last; a queue's thread calls the program; a timer ends tasks
//! that wait for too long. No lock is held while anything waits or the program is called.

mod audience;
mod bytes;
mod data;
mod delegate;
mod finished;
mod handle;
mod hosting;
mod inside;
mod local;
mod making;
mod open;
mod settings;
#[cfg(feature = "test-util")]
mod steps;
mod task;
mod transfers;

use std::sync::Arc;
use std::time::Duration;

use self::inside::is_inside;
#[cfg(feature = "test-util")]
use crate::census::Census;
use crate::configuration::Configuration;
use crate::delivery::DeliveryQueue;

pub use audience::Updates;
#[cfg(feature = "background")]
pub(crate) use audience::{Completion, call_delegate, tell_invalid};
pub use bytes::Bytes;
pub use data::{Data, Download};
pub use delegate::{DelayedRequestDisposition, Delegate, NewRequestReason, ResponseDisposition};
pub use finished::Finished;
pub use handle::Session;
#[cfg(feature = "background")]
pub(crate) use handle::Shared;
pub(crate) use hosting::give_host;
pub use making::Tasks;
#[cfg(feature = "test-util")]
pub use steps::Steps;
#[cfg(feature = "background")]
pub(crate) use task::{Brought, Core, Kind, Locked, Product, Record, Schedule, Scheduler, Sends};
pub use task::{DataTask, DownloadTask, Progress, Task, TaskState, Update, UploadTask};

impl Session {
    /// Returns a copy of the configuration that the session was made with.
    pub fn configuration(&self) -> Configuration {
        self.shared.configuration.clone()
    }

    /// Returns the delegate; `None` if there is none, or the session is invalid.
    pub fn delegate(&self) -> Option<Arc<dyn Delegate>> {
        self.shared.delegate().map(|delegate| Arc::clone(&delegate))
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
    /// Tasks that are suspended after they have begun count as running; of a
    /// [background session](crate::Configuration::background) those that this run of the program has
    /// suspended. With a manual
    /// queue somebody has to call [`run_pending`](DeliveryQueue::run_pending) meanwhile.
    /// Inside of what the session calls it returns at once, as that has not ended.
    pub fn wait_until_idle(&self, timeout: Duration) -> bool {
        let timeout = if is_inside(&self.shared) { Duration::ZERO } else { timeout };
        self.shared.scheduler().wait_until_idle(timeout)
    }

    /// Takes no new tasks from now on; those that were resumed run to their end. Then the
    /// delegate is told [`did_become_invalid`](Delegate::did_become_invalid), and let go
    /// of; connections are closed.
    ///
    /// Returns at once. A task that is made or resumed after that ends with
    /// [`ErrorKind::SessionInvalidated`](crate::ErrorKind::SessionInvalidated). The [`shared`](Self::shared) session is left as
    /// it is.
    #[doc(alias = "finishTasksAndInvalidate")]
    pub fn finish_tasks_and_invalidate(&self) {
        if !self.shared.is_everybodys {
            self.shared.scheduler().invalidate(&self.shared);
        }
    }

    /// Cancels all tasks that were resumed, and blocking calls, and does what
    /// [`finish_tasks_and_invalidate`](Self::finish_tasks_and_invalidate) does.
    #[doc(alias = "invalidateAndCancel")]
    pub fn invalidate_and_cancel(&self) {
        if !self.shared.is_everybodys {
            let scheduler = self.shared.scheduler();
            // Before the first is cancelled and gives its place to the next.
            scheduler.halt();
            scheduler.invalidate(&self.shared);
            for core in scheduler.alive() {
                core.cancel();
            }
        }
    }

    /// Cancels all tasks that were resumed and have not finished, and blocking calls. The
    /// session, which may be the [`shared`](Self::shared) one, takes new tasks as before.
    ///
    /// Returns at once: each task ends with
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), as by
    /// [`Task::cancel`](crate::Task::cancel). Those that wait in line are cancelled first, so
    /// that none of them takes the place of another.
    ///
    /// ```
    /// use std::time::Duration;
    /// use urlsession::testing::{Answer, Server};
    /// use urlsession::{Configuration, Session};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::ok("").delay_head(std::time::Duration::from_secs(9)));
    /// let url = server.url("/");
    ///
    /// let session = Session::new(Configuration::ephemeral())?;
    /// session.data_task(&url).resume();
    /// session.cancel_all();
    /// assert!(session.wait_until_idle(Duration::from_secs(30)));
    /// Ok::<(), urlsession::Error>(())
    /// ```
    pub fn cancel_all(&self) {
        let alive = self.shared.scheduler().alive();
        let (queued, others): (Vec<_>, Vec<_>) =
            alive.into_iter().partition(|core| core.state.lock().dispatch.is_queued());
        for core in queued.into_iter().chain(others) {
            core.cancel();
        }
    }

    /// Empties what the session keeps; every later exchange uses a new connection. Tasks
    /// that run are not disturbed. Done when this returns.
    ///
    /// That is which credentials servers have accepted, everything in the configuration's
    /// [`credential_storage`](Configuration::credential_storage) and
    /// [`cookie_storage`](Configuration::cookie_storage), and which hosts want `https` alone
    /// ([`hsts`](Configuration::hsts)), in the file as well. Other sessions may use all of them,
    /// too. This version keeps no caches yet.
    #[doc(alias = "reset(completionHandler:)")]
    pub fn reset(&self) {
        self.shared.scheduler().forget();
        self.shared.scheduler().renew_connections();
    }

    /// Does the same as [`reset`](Self::reset), then has `completion` called on the
    /// session's queue.
    #[doc(alias = "reset(completionHandler:)")]
    pub fn reset_with(&self, completion: impl FnOnce() + Send + 'static) {
        self.reset();
        audience::call(&self.shared, "the completion of reset_with", completion);
    }

    /// Writes to disk what is to be kept; every later exchange uses a new connection.
    /// Tasks that run are not disturbed. Done when this returns.
    ///
    /// That is which hosts want `https` alone ([`hsts`](Configuration::hsts)), and the journal of a
    /// [background session](Configuration::background): what it was told to do. What cannot be
    /// written is a warning in the log, and written later.
    #[doc(alias = "flush(completionHandler:)")]
    pub fn flush(&self) {
        self.shared.scheduler().flush();
        self.shared.scheduler().renew_connections();
    }

    /// Does the same as [`flush`](Self::flush), then has `completion` called on the
    /// session's queue.
    #[doc(alias = "flush(completionHandler:)")]
    pub fn flush_with(&self, completion: impl FnOnce() + Send + 'static) {
        self.flush();
        audience::call(&self.shared, "the completion of flush_with", completion);
    }

    #[cfg(feature = "background")]
    pub(crate) fn scheduler(&self) -> &dyn Scheduler {
        self.shared.scheduler()
    }

    /// Returns what the session owns at this moment, for [`testing`](crate::testing).
    #[cfg(feature = "test-util")]
    pub(crate) fn census(&self) -> &Census {
        &self.shared.census
    }
}
