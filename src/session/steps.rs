//! A scheduler that runs tasks by hand, one step at a time, for tests.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::audience::{self, Completion};
use super::delegate::Delegate;
use super::handle::{Calls, Session, Shared};
use super::inside::Inside;
use super::local::Loader;
use super::task::{Brought, Core, Dispatch, Locked, Record, Scheduler};
use crate::census::Census;
use crate::configuration::Configuration;
use crate::delivery::DeliveryQueue;
use crate::error::{Error, ErrorKind};
use crate::foreign::Foreign;
use crate::load::Loaded;
use crate::sync::{Condvar, Mutex, Rank};

/// How often a blocked step looks whether it may go on.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Runs the tasks of one session one after the other, when it is told to.
///
/// No task starts before [`step`](Self::step), which runs one of those that were resumed
/// from its beginning to its end, on the thread that calls it; so the order of everything
/// is the test's own. [`Session::wait_until_idle`] makes steps until none is left. Blocking
/// calls run at once, as always.
///
/// A task that is suspended during its step ends the step, and begins anew in a later one. Each
/// makes one attempt, whatever its [`RetryPolicy`](crate::RetryPolicy) says.
/// Cloning is cheap; clones are the same scheduler.
///
/// # Examples
///
/// ```
/// use urlsession::testing::{Answer, Server, Steps};
/// use urlsession::{Configuration, DeliveryQueue};
///
/// let server = Server::start();
/// server.enqueue(Answer::ok("one"));
/// let (steps, session) =
///     Steps::session(Configuration::ephemeral(), None, DeliveryQueue::inline())?;
/// session.data_task_with(server.url("/"), |data| assert_eq!(data.unwrap().text(), "one")).resume();
/// assert_eq!(server.request_count(), 0);
/// assert!(steps.step());
/// assert_eq!(server.request_count(), 1);
/// assert!(!steps.step());
/// Ok::<(), urlsession::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Steps(Arc<ByHand>);

impl Steps {
    /// Makes a session whose tasks run by steps.
    ///
    /// # Errors
    ///
    /// Those of [`Session::new`].
    pub fn session(
        configuration: Configuration,
        delegate: Option<Arc<dyn Delegate>>,
        queue: DeliveryQueue,
    ) -> Result<(Self, Session), Error> {
        let census = Census::default();
        queue.serve(&census, &configuration.clock);
        let by_hand = Arc::new(ByHand {
            loader: Loader::new(&configuration, &census)?,
            tasks: Mutex::new(Rank::Pool, Tasks::default()),
            changed: Condvar::new(),
        });
        audience::give_voice();
        let calls = Calls { delegate: delegate.map(Foreign::new), queue };
        let shared = Shared::new((configuration, census), calls, by_hand.clone(), false);
        Ok((Self(by_hand), Session::of(&shared)))
    }

    /// Runs the next task from its beginning to its end: the one of the highest priority,
    /// then the oldest. Returns whether there was one.
    pub fn step(&self) -> bool {
        self.0.step()
    }

    /// Waits until there is a step to make, for at most `timeout`; returns whether there is.
    pub fn wait_for_step(&self, timeout: Duration) -> bool {
        let tasks = self.0.tasks.lock();
        let (tasks, _) =
            self.0.changed.wait_timeout_while(tasks, timeout, |tasks| tasks.ready.is_empty());
        !tasks.ready.is_empty()
    }
}

#[derive(Debug)]
struct ByHand {
    loader: Loader,
    tasks: Mutex<Tasks>,
    /// There is a step to make, or nothing is left to do.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Tasks {
    /// Those that wait for their step, with their priority, oldest first.
    ready: VecDeque<(f32, Arc<Core>)>,
    alive: BTreeMap<u64, Arc<Core>>,
    /// Calls of the program that belong to no task.
    calls: usize,
    is_closed: bool,
    is_invalid: bool,
    is_halted: bool,
}

impl Tasks {
    fn is_quiet(&self) -> bool {
        self.alive.is_empty() && self.calls == 0 && self.is_closed == self.is_invalid
    }

    /// Takes the one whose turn it is.
    fn next(&mut self) -> Option<Arc<Core>> {
        if self.is_halted {
            return None;
        }
        let mut first: Option<usize> = None;
        for (at, (priority, _)) in self.ready.iter().enumerate() {
            if first.is_none_or(|first| *priority > self.ready[first].0) {
                first = Some(at);
            }
        }
        self.ready.remove(first?).map(|(_, core)| core)
    }

    /// Whether the session has become invalid just now.
    fn becomes_invalid(&mut self) -> bool {
        let becomes = self.is_closed && !self.is_invalid && self.alive.is_empty();
        self.is_invalid |= becomes;
        self.calls += usize::from(becomes);
        becomes
    }
}

impl ByHand {
    fn step(&self) -> bool {
        let Some(core) = self.tasks.lock().next() else { return false };
        {
            let mut state = core.state.lock();
            if !state.life.is_running() {
                return true;
            }
            state.dispatch = Dispatch::on_thread();
        }
        let outcome = {
            let _inside = Inside::enter(&core.shared);
            audience::guarded(|| self.loader.only_attempt(&core))
        };
        if self.puts_back(&core) {
            return true;
        }
        self.complete(&core, outcome, false);
        true
    }

    /// Whether the step was ended by a suspension, so that another one begins anew.
    fn puts_back(&self, core: &Arc<Core>) -> bool {
        let mut state = core.state.lock();
        if !state.attempts.starts_over() || state.life.is_canceling() {
            return false;
        }
        drop(state.attempts.end());
        state.dispatch = Dispatch::Idle;
        core.counters.receive_anew();
        if state.life.is_running() {
            self.make_ready(core, &state);
        }
        true
    }

    fn make_ready(&self, core: &Arc<Core>, state: &Record) {
        self.tasks.lock().ready.push_back((state.priority, Arc::clone(core)));
        self.changed.notify_all();
    }

    fn leave_line(&self, core: &Core) {
        let mut tasks = self.tasks.lock();
        let at = tasks.ready.iter().position(|(_, ready)| ready.id == core.id);
        let left = at.and_then(|at| tasks.ready.remove(at));
        drop(tasks);
        drop(left);
    }

    fn admit(&self, core: &Arc<Core>) -> Result<(), Error> {
        let mut tasks = self.tasks.lock();
        if tasks.is_closed {
            let detail = "the session was invalidated and takes no more tasks";
            return Err(Error::new(ErrorKind::SessionInvalidated, detail));
        }
        tasks.alive.insert(core.id, Arc::clone(core));
        Ok(())
    }

    fn complete(&self, core: &Arc<Core>, outcome: Brought, is_refused: bool) {
        let mut state = core.state.lock();
        state.dispatch = Dispatch::Retired;
        Completion::of(core, state, outcome, is_refused).tell();
    }

    /// Begins a task on the thread of its caller.
    fn attach_caller(&self, core: &Arc<Core>) -> Result<(), Error> {
        let mut state = core.state.lock();
        if state.life.has_begun() {
            let detail = "the task has begun already; `run` begins a task itself";
            let begun = Error::new(ErrorKind::InvalidRequest, detail);
            return Err(core.why_over(&state).unwrap_or(begun));
        }
        core.begin(&mut state);
        if let Err(error) = self.admit(core) {
            drop(state);
            self.complete(core, Err(error.clone()), true);
            return Err(error);
        }
        state.dispatch = Dispatch::on_callers_thread();
        drop(state);
        core.obey_token();
        Ok(())
    }

    fn settle(&self, session: &Arc<Shared>, becomes_invalid: bool) {
        if becomes_invalid {
            self.loader.close();
            audience::tell_invalid(session);
            self.end_call();
        }
        self.changed.notify_all();
    }
}

impl Scheduler for ByHand {
    fn begin(&self, task: &Arc<Core>, mut locked: Locked<'_>) {
        task.begin(&mut locked);
        if let Err(error) = self.admit(task) {
            drop(locked);
            return self.complete(task, Err(error), true);
        }
        self.make_ready(task, &locked);
        drop(locked);
        task.obey_token();
    }

    fn resume(&self, task: &Arc<Core>, locked: Locked<'_>) {
        if matches!(locked.dispatch, Dispatch::Idle) {
            self.make_ready(task, &locked);
        }
        drop(locked);
        task.changed.notify_all();
    }

    fn suspend(&self, task: &Arc<Core>, locked: Locked<'_>) {
        drop(locked);
        self.leave_line(task);
    }

    fn cancel(&self, task: &Arc<Core>, locked: Locked<'_>, is_first: bool) {
        let attempt = locked.attempts.token();
        let is_idle = matches!(locked.dispatch, Dispatch::Idle);
        drop(locked);
        attempt.inspect(|attempt| attempt.cancel());
        if is_idle {
            self.leave_line(task);
            let is_refused = is_first && self.admit(task).is_err();
            self.complete(task, Err(Error::cancelled()), is_refused);
        } else {
            task.changed.notify_all();
        }
    }

    fn reprioritize(&self, task: &Core, locked: Locked<'_>) {
        let priority = locked.priority;
        let mut tasks = self.tasks.lock();
        if let Some(ready) = tasks.ready.iter_mut().find(|(_, ready)| ready.id == task.id) {
            ready.0 = priority;
        }
    }

    fn run(&self, task: &Arc<Core>) -> Brought {
        self.attach_caller(task)?;
        let outcome = {
            let _inside = Inside::enter(&task.shared);
            audience::guarded(|| self.loader.attempts(task))
        };
        self.close(task, outcome)
    }

    fn open(&self, task: &Arc<Core>) -> Result<Loaded, Error> {
        self.attach_caller(task)?;
        let opened = {
            let _inside = Inside::enter(&task.shared);
            audience::guarded(|| self.loader.head(task))
        };
        opened.map_err(|error| self.close(task, Err(error)).err().unwrap_or_else(Error::cancelled))
    }

    fn close(&self, task: &Arc<Core>, outcome: Brought) -> Brought {
        let outcome = task.end(outcome);
        task.state.lock().dispatch = Dispatch::Retired;
        self.finished(task, true);
        outcome
    }

    fn go_on(&self, task: &Arc<Core>) -> Result<(), Error> {
        let mut state = task.state.lock();
        loop {
            if state.life.is_canceling() {
                return Err(task.why_cancelled(&state));
            }
            if state.life.is_running() {
                task.flags.has_looked();
                return Ok(());
            }
            if !state.dispatch.is_callers() {
                state.attempts.start_over();
                return Err(task.why_cancelled(&state));
            }
            state = task.changed.wait_timeout(state, LOOK_AGAIN).0;
        }
    }

    fn rest(&self, task: &Arc<Core>) -> Result<(), Error> {
        self.go_on(task)
    }

    fn finished(&self, task: &Core, _is_told: bool) {
        let mut tasks = self.tasks.lock();
        let finished = tasks.alive.remove(&task.id);
        let becomes_invalid = tasks.becomes_invalid();
        drop(tasks);
        drop(finished);
        self.settle(&task.shared, becomes_invalid);
    }

    fn alive(&self) -> Vec<Arc<Core>> {
        self.tasks.lock().alive.values().cloned().collect()
    }

    fn begin_call(&self) {
        self.tasks.lock().calls += 1;
    }

    fn end_call(&self) {
        self.tasks.lock().calls -= 1;
        self.changed.notify_all();
    }

    fn wait_until_idle(&self, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        loop {
            while self.step() {}
            let tasks = self.tasks.lock();
            let left = until.saturating_duration_since(Instant::now());
            if tasks.is_quiet() || left.is_zero() {
                return tasks.is_quiet();
            }
            drop(self.changed.wait_timeout(tasks, left.min(LOOK_AGAIN)));
        }
    }

    fn invalidate(&self, session: &Arc<Shared>) {
        let mut tasks = self.tasks.lock();
        tasks.is_closed = true;
        let becomes_invalid = tasks.becomes_invalid();
        drop(tasks);
        self.settle(session, becomes_invalid);
    }

    fn halt(&self) {
        self.tasks.lock().is_halted = true;
    }

    fn forget(&self) {
        self.loader.forget();
    }

    fn renew_connections(&self) {
        self.loader.renew_connections();
    }

    fn flush(&self) {
        self.loader.flush();
    }
}
