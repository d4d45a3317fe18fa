//! The handle of a session, and what it shares with its tasks.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use url::Url;

use super::delegate::HeldDelegate;
use super::task::seams::Scheduler;
use crate::census::Census;
use crate::configuration::Configuration;
use crate::delivery::{DeliveryQueue, Mailbox};
use crate::sync::{Mutex, Rank};

/// Loads things over shared connections.
///
/// # Making one
///
/// | By | It is |
/// |---|---|
/// | [`Session::shared`] | the one of the whole program, with default settings |
/// | [`Session::new`] | one with settings of its own, a [`Configuration`] |
/// | [`Session::with_queue`] | one whose closures are called where the program says |
/// | [`Session::with_delegate`] | one with a [`Delegate`](crate::Delegate) that is told and asked |
///
/// ```no_run
/// use urlsession::{Configuration, Session};
///
/// fn main() -> Result<(), urlsession::Error> {
///     let session = Session::new(Configuration::ephemeral())?;
///     let data = session.data("https://www.rust-lang.org/")?;
///     println!("{}: {}", data.response.status(), data.text());
///     Ok(())
/// }
/// ```
///
/// Make one and use it for everything that may share connections and credentials: a new session
/// has none of either.
///
/// # What it does
///
/// | | Blocks, and returns | Makes a task |
/// |---|---|---|
/// | body in memory | [`data`](Self::data) | [`data_task`](Self::data_task), [`data_task_with`](Self::data_task_with), [`data_task_to`](Self::data_task_to) |
/// | body as it comes | [`bytes`](Self::bytes) | [`DataTask::updates`](crate::DataTask::updates), a delegate |
/// | body to a file | [`download`](Self::download), [`download_to`](Self::download_to) | [`download_task`](Self::download_task), [`download_task_with`](Self::download_task_with), [`download_task_to`](Self::download_task_to) |
/// | with a body to send | [`upload`](Self::upload) | [`upload_task`](Self::upload_task), [`upload_task_with`](Self::upload_task_with), [`upload_task_to`](Self::upload_task_to) |
///
/// It may be used from any number of threads; each blocking call runs on its caller's.
///
/// # How long it lives
///
/// Cloning is cheap, and clones are the same session. Tasks keep their session. When the
/// last handle of a session and of its tasks is dropped, that acts as
/// [`finish_tasks_and_invalidate`](Self::finish_tasks_and_invalidate): what runs goes on,
/// and is told of; what is suspended can never be resumed, and is cancelled.
///
/// A program that ends takes its tasks with it: call
/// [`wait_until_idle`](Self::wait_until_idle) before `main` returns.
///
/// # After a fork
///
/// A process that `fork` makes leaves connections to the one that made them: the blocking
/// calls of a session that it has from there make connections of its own. It has none of the
/// threads that run tasks; for those it makes another session.
#[doc(alias = "URLSession")]
#[doc(alias = "NSURLSession")]
pub struct Session {
    pub(super) shared: Arc<Shared>,
}

impl Session {
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        shared.hold();
        Self { shared: Arc::clone(shared) }
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

/// What the handles of a session and its tasks share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) configuration: Configuration,
    pub(crate) census: Census,
    pub(crate) queue: DeliveryQueue,
    /// The same for the program, as long as it has a handle to ask for it.
    program_queue: Mutex<Option<DeliveryQueue>>,
    pub(super) description: Mutex<Option<String>>,
    /// What relative URLs are resolved against.
    pub(super) base_url: Option<Url>,
    /// The one that cannot be invalidated.
    pub(super) is_everybodys: bool,
    scheduler: Arc<dyn Scheduler>,
    /// Keeps the calls in order that belong to no task.
    pub(super) calls: Mailbox,
    /// Gone once the session is invalid.
    delegate: Mutex<Option<HeldDelegate>>,
    has_delegate: bool,
    last_id: AtomicU64,
    /// Handles of the session and of its tasks that the program has.
    handles: AtomicUsize,
    /// Tasks that were suspended after they had begun.
    suspended: AtomicIsize,
}

/// Whom a session calls, and where.
pub(super) struct Calls {
    pub(super) delegate: Option<HeldDelegate>,
    pub(super) queue: DeliveryQueue,
}

impl Shared {
    /// Makes a session whose tasks `scheduler` runs.
    pub(super) fn new(
        (configuration, census): (Configuration, Census),
        Calls { delegate, queue }: Calls,
        scheduler: Arc<dyn Scheduler>,
        is_everybodys: bool,
    ) -> Arc<Self> {
        let base_url = configuration.base_url.as_deref().and_then(|url| Url::parse(url).ok());
        Arc::new(Self {
            configuration,
            base_url,
            census,
            queue: queue.for_session(),
            calls: Mailbox::new(queue.for_session()),
            program_queue: Mutex::new(Rank::Session, Some(queue)),
            description: Mutex::new(Rank::Session, None),
            is_everybodys,
            scheduler,
            has_delegate: delegate.is_some(),
            delegate: Mutex::new(Rank::Session, delegate),
            last_id: AtomicU64::new(0),
            handles: AtomicUsize::new(0),
            suspended: AtomicIsize::new(0),
        })
    }

    pub(crate) fn now(&self) -> Instant {
        self.configuration.clock.now()
    }

    /// Returns how long a wait for something that has to come before `deadline` may block
    /// before the clock has to be looked at again.
    pub(crate) fn slice(&self, deadline: Option<Instant>, now: Instant) -> Duration {
        const FAR_AWAY: Duration = Duration::from_secs(3600);
        let left = deadline.map_or(FAR_AWAY, |at| at.saturating_duration_since(now));
        self.configuration.clock.slice(left)
    }

    /// Numbers tasks behind those of earlier runs of the program.
    #[cfg(feature = "background")]
    pub(crate) fn continue_ids(&self, last: u64) {
        self.last_id.store(last, Ordering::Relaxed);
    }

    /// Returns the number of the next task; the first has 1.
    pub(crate) fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn scheduler(&self) -> &dyn Scheduler {
        &*self.scheduler
    }

    pub(crate) fn has_delegate(&self) -> bool {
        self.has_delegate
    }

    pub(crate) fn delegate(&self) -> Option<HeldDelegate> {
        if self.has_delegate { self.delegate.lock().clone() } else { None }
    }

    /// Lets go of the delegate: the session is invalid.
    pub(super) fn take_delegate(&self) -> Option<HeldDelegate> {
        self.delegate.lock().take()
    }

    /// Returns the queue for the program.
    pub(super) fn program_queue(&self) -> DeliveryQueue {
        self.program_queue.lock().clone().unwrap_or_else(|| self.queue.clone())
    }

    /// Counts one more handle.
    pub(crate) fn hold(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one less. With the last one nobody can make or resume a task any more.
    pub(crate) fn release(self: &Arc<Self>) {
        if self.handles.fetch_sub(1, Ordering::AcqRel) > 1 || self.is_everybodys {
            return;
        }
        self.scheduler.invalidate(self);
        let queue = self.program_queue.lock().take();
        drop(queue);
        // Every call of the program has a handle for a while, so this is looked at often.
        // Those of a background session stay suspended for a later run.
        if self.suspended.load(Ordering::SeqCst) > 0 && self.scheduler.host().is_none() {
            for core in self.scheduler.alive() {
                core.cancel_if_suspended();
            }
        }
    }

    /// Counts tasks that are suspended after they have begun.
    pub(crate) fn count_suspended(&self, change: isize) {
        self.suspended.fetch_add(change, Ordering::SeqCst);
    }
}
