//! What the handles of a session share, and how a session lives and ends.

use std::mem;
use std::sync::atomic::{AtomicIsize, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::delegate::Delegate;
use super::inside::Inside;
use super::line::Limits;
use super::pool::{Effects, Pool, Ready};
use super::task;
use super::timer::Timer;
use super::{Session, settings};
use crate::census::Census;
use crate::configuration::Configuration;
use crate::delivery::{DeliveryQueue, Mailbox, caught};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::load::Rules;
use crate::sync::{Mutex, Rank, assert_unlocked};

/// One session.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) configuration: Configuration,
    pub(crate) rules: Rules,
    pub(crate) engine: Engine,
    pub(crate) census: Census,
    pub(crate) queue: DeliveryQueue,
    /// The same for the program, as long as it has a handle to ask for it.
    program_queue: Mutex<Option<DeliveryQueue>>,
    pub(crate) description: Mutex<Option<String>>,
    /// The one that cannot be invalidated.
    pub(crate) is_everybodys: bool,
    pool: Pool,
    timer: Timer,
    /// Keeps the calls in order that belong to no task.
    calls: Mailbox,
    /// Gone once the session is invalid.
    delegate: Mutex<Option<Arc<dyn Delegate>>>,
    has_delegate: bool,
    last_id: AtomicU64,
    /// Handles of the session and of its tasks that the program has.
    handles: AtomicUsize,
    /// Tasks that were suspended after they had begun.
    suspended: AtomicIsize,
    me: Weak<Self>,
}

/// What a session is made with, beside its configuration.
pub(crate) struct Made {
    pub(crate) delegate: Option<Arc<dyn Delegate>>,
    pub(crate) queue: DeliveryQueue,
    pub(crate) is_everybodys: bool,
}

impl Shared {
    /// Makes a session; nothing is opened or started yet.
    pub(crate) fn new(configuration: Configuration, made: Made) -> Result<Arc<Self>, Error> {
        let Made { delegate, queue, is_everybodys } = made;
        let census = Census::default();
        queue.count_in(&census);
        let engine = Engine::new(settings::engine(&configuration, &census))?;
        let limits = Limits {
            in_all: configuration.maximum_concurrent_tasks,
            per_host: configuration.maximum_connections_per_host,
        };
        Ok(Arc::new_cyclic(|me| Self {
            rules: settings::rules(&configuration),
            engine,
            description: Mutex::new(Rank::Session, None),
            is_everybodys,
            pool: Pool::new(limits),
            timer: Timer::new(configuration.clock.clone(), census.clone()),
            calls: Mailbox::new(queue.for_session()),
            has_delegate: delegate.is_some(),
            delegate: Mutex::new(Rank::Session, delegate),
            last_id: AtomicU64::new(0),
            handles: AtomicUsize::new(0),
            suspended: AtomicIsize::new(0),
            me: me.clone(),
            configuration,
            census,
            queue: queue.for_session(),
            program_queue: Mutex::new(Rank::Session, Some(queue)),
        }))
    }

    pub(crate) fn now(&self) -> Instant {
        self.configuration.clock.now()
    }

    /// Returns the number of the next task; the first has 1.
    pub(crate) fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn has_delegate(&self) -> bool {
        self.has_delegate
    }

    pub(crate) fn delegate(&self) -> Option<Arc<dyn Delegate>> {
        if self.has_delegate { self.delegate.lock().clone() } else { None }
    }

    /// Returns the queue for the program.
    pub(crate) fn program_queue(&self) -> DeliveryQueue {
        self.program_queue.lock().clone().unwrap_or_else(|| self.queue.clone())
    }

    // ---- handles ----

    /// Counts one more handle.
    pub(crate) fn hold(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one less. With the last one nobody can make or resume a task any more.
    pub(crate) fn release(&self) {
        if self.handles.fetch_sub(1, Ordering::AcqRel) > 1 || self.is_everybodys {
            return;
        }
        self.close();
        let queue = self.program_queue.lock().take();
        drop(queue);
        // Every call of the program has a handle for a while, so this is looked at often.
        if self.suspended.load(Ordering::SeqCst) > 0 {
            for core in self.pool.alive() {
                core.cancel_if_suspended();
            }
        }
    }

    /// Counts tasks that are suspended after they have begun.
    pub(crate) fn count_suspended(&self, change: isize) {
        self.suspended.fetch_add(change, Ordering::SeqCst);
    }

    // ---- the end ----

    /// Takes no more tasks; the session becomes invalid when those it has have ended.
    pub(crate) fn close(&self) {
        self.act(self.pool.close());
    }

    /// Does the same, and cancels what it has.
    pub(crate) fn cancel_all(&self) {
        // Before the first is cancelled and gives its place to the next.
        self.pool.stop();
        self.close();
        for core in self.pool.alive() {
            core.cancel();
        }
    }

    /// Everything has ended: closes what is open and says so.
    fn become_invalid(&self) {
        self.timer.close();
        self.engine.close();
        let delegate = self.delegate.lock().take();
        let Some((delegate, shared)) = delegate.zip(self.me.upgrade()) else {
            return self.pool.end_call();
        };
        // Counted by the pool when it closed.
        let call = Call(shared);
        self.calls.send(move || {
            let session = Session::of(&call.0);
            let _inside = Inside::enter(&call.0);
            caught("did_become_invalid", || delegate.did_become_invalid(&session, None));
            caught("a delegate that is dropped", || drop(delegate));
        });
    }

    /// Has `code` of the program called, after what was sent before.
    pub(crate) fn call(self: &Arc<Self>, what: &'static str, code: impl FnOnce() + Send + 'static) {
        self.pool.begin_call();
        let call = Call(Arc::clone(self));
        self.calls.send(move || {
            let _inside = Inside::enter(&call.0);
            caught(what, code);
        });
    }

    // ---- the pool ----

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Carries out what the pool has decided. Called with no lock held.
    pub(crate) fn act(&self, effects: Effects) {
        assert_unlocked("what the pool has decided is carried out");
        if effects.waits {
            self.timer.watch(&self.me);
        }
        for Ready { core, ticket, place } in effects.granted {
            if let Some(place) = core.grant(ticket, place) {
                // Nobody wants it any more: the next one's turn.
                self.act(self.pool.free(place));
            }
        }
        for _ in 0..effects.starts_workers {
            self.start_worker();
        }
        if effects.closes {
            self.become_invalid();
        }
    }

    /// Has the timer look at a task that waits for a moment to come.
    pub(crate) fn wake_later(&self) {
        self.timer.watch_anew(&self.me);
    }

    fn start_worker(&self) {
        let Some(shared) = self.me.upgrade() else { return };
        let life = Box::new(move || shared.work());
        if let Err(error) = self.census.spawn("urlsession-worker", life) {
            let detail = "the system refused a thread for a task";
            let error = Error::new(ErrorKind::OutOfResources, detail).because(error);
            for ready in self.pool.refused() {
                task::give_up(ready, error.clone());
            }
        }
    }

    /// The life of a worker.
    fn work(self: Arc<Self>) {
        let inside = Inside::enter(&self);
        let (mut freed, mut arrives) = (None, true);
        loop {
            let (next, effects) = self.pool.turn(freed.take(), mem::take(&mut arrives));
            self.act(effects);
            match next.or_else(|| self.pool.rest()) {
                Some(ready) => freed = task::run_on_worker(ready),
                None => break,
            }
        }
        drop(inside);
    }
}

/// A call that belongs to no task, until it was made or forgotten.
struct Call(Arc<Shared>);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.pool.end_call();
    }
}
