//! What the program does with a task, on its way to the host.

use std::any::Any;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::{Client, Command, Program, Tasks, extent};
use crate::background::host::Served;
use crate::download;
use crate::error::Error;
use crate::load::Loaded;
use crate::session::{Brought, Completion, Core, Locked, Scheduler, Shared};

impl Scheduler for Client {
    fn created(&self, task: &Arc<Core>) -> Result<Option<Arc<Core>>, Error> {
        // One that is made too late is told so when it is resumed, as in every session.
        if self.tasks.lock().is_closed {
            return Ok(None);
        }
        let job = match self.job_of(task) {
            Ok(job) => job,
            Err(error) => {
                self.tasks.lock().busy.insert(task.id);
                return Err(error);
            }
        };
        // Before others find its key.
        self.tasks.lock().known.insert(task.id, Arc::clone(task));
        let mut besides = None;
        while let Some(known) = self.host.create(&job, besides) {
            let Some(core) = self.task(known) else {
                // It has ended, and only waits for its file to be taken.
                besides = Some(known);
                continue;
            };
            self.tasks.lock().known.remove(&task.id);
            self.host.folder().spool().clear(task.id);
            download::forget_all(&self.host.folder().file_of(task.id));
            return Ok(Some(core));
        }
        Ok(None)
    }

    fn begin(&self, task: &Arc<Core>, mut locked: Locked<'_>) {
        task.begin(&mut locked);
        let settings = Self::settings(&locked);
        let has_updates = !locked.recipients.are_delegates();
        drop(locked);
        let why = if has_updates {
            Some(super::refused("it tells a delegate, and no receiver of updates"))
        } else {
            extent::refusal_of_settings(&settings)
        };
        if why.is_some() {
            self.host.obey(Command::Withdraw(task.id));
        }
        if !self.admit(task) {
            return drop(why);
        }
        if let Some(why) = why {
            Completion::of(task, task.state.lock(), Err(why), false).tell();
        } else {
            self.host.obey(Command::Resume(task.id, Some(settings)));
            task.obey_token();
        }
    }

    fn resume(&self, task: &Arc<Core>, locked: Locked<'_>) {
        drop(locked);
        let mut tasks = self.tasks.lock();
        if tasks.paused.remove(&task.id) {
            tasks.busy.insert(task.id);
        }
        drop(tasks);
        self.host.obey(Command::Resume(task.id, None));
    }

    fn suspend(&self, task: &Arc<Core>, locked: Locked<'_>) {
        drop(locked);
        let mut tasks = self.tasks.lock();
        if tasks.busy.remove(&task.id) {
            tasks.paused.insert(task.id);
        }
        let becomes_invalid = tasks.becomes_invalid();
        drop(tasks);
        self.host.obey(Command::Suspend(task.id));
        self.settle(becomes_invalid);
    }

    fn cancel(&self, task: &Arc<Core>, locked: Locked<'_>, is_first: bool) {
        let why = locked.life.failure().cloned();
        let is_wanted = locked.recipients.want_resume_data();
        drop(locked);
        if !is_first || self.admit(task) {
            self.host.obey(match why {
                None if is_wanted => Command::Interrupt(task.id),
                why => Command::Cancel(task.id, why),
            });
        }
    }

    fn reprioritize(&self, task: &Core, locked: Locked<'_>) {
        let priority = locked.priority;
        drop(locked);
        self.host.obey(Command::Prioritize(task.id, priority));
    }

    fn run(&self, task: &Arc<Core>) -> Brought {
        let mut state = task.state.lock();
        // It was not taken.
        if let Some(error) = task.why_over(&state) {
            return Err(error);
        }
        task.begin(&mut state);
        drop(state);
        self.tasks.lock().known.remove(&task.id);
        self.host.obey(Command::Withdraw(task.id));
        let error =
            super::refused("its tasks run by themselves; resume it, and let the delegate be told");
        let state = task.state.lock();
        Completion::of(task, state, Err(error.clone()), true).tell();
        Err(error)
    }

    fn open(&self, task: &Arc<Core>) -> Result<Loaded, Error> {
        match self.run(task) {
            Err(error) => Err(error),
            Ok(_) => Err(Error::cancelled()),
        }
    }

    fn close(&self, _task: &Arc<Core>, outcome: Brought) -> Brought {
        outcome
    }

    fn go_on(&self, _task: &Arc<Core>) -> Result<(), Error> {
        Ok(())
    }

    fn rest(&self, _task: &Arc<Core>) -> Result<(), Error> {
        Ok(())
    }

    fn finished(&self, task: &Core, is_told: bool) {
        if is_told {
            self.host.obey(Command::Acknowledge(task.id));
        }
        let mut tasks = self.tasks.lock();
        let number = tasks.ends.remove(&task.id);
        let gone = tasks.known.remove(&task.id);
        tasks.busy.remove(&task.id);
        tasks.paused.remove(&task.id);
        let becomes_invalid = tasks.becomes_invalid();
        drop(tasks);
        drop(gone);
        if let Some(number) = number {
            self.replayed(number);
        }
        self.settle(becomes_invalid);
    }

    fn alive(&self) -> Vec<Arc<Core>> {
        let tasks = self.tasks.lock();
        // What is there still is the next run's.
        if tasks.is_invalid { Vec::new() } else { tasks.known.values().cloned().collect() }
    }

    fn begin_call(&self) {
        self.tasks.lock().calls += 1;
    }

    fn end_call(&self) {
        self.tasks.lock().calls -= 1;
        self.changed.notify_all();
    }

    fn wait_until_idle(&self, timeout: Duration) -> bool {
        let tasks = self.tasks.lock();
        let is_busy = |tasks: &mut Tasks| !tasks.is_quiet();
        self.changed.wait_timeout_while(tasks, timeout, is_busy).0.is_quiet()
    }

    fn invalidate(&self, _session: &Arc<Shared>) {
        let mut tasks = self.tasks.lock();
        tasks.is_closed = true;
        let becomes_invalid = tasks.becomes_invalid();
        drop(tasks);
        self.settle(becomes_invalid);
    }

    fn halt(&self) {
        self.host.obey(Command::Halt);
    }

    fn forget(&self) {
        self.host.obey(Command::Forget);
    }

    fn renew_connections(&self) {
        self.host.obey(Command::RenewConnections);
    }

    fn flush(&self) {
        for core in self.alive() {
            let state = core.state.lock();
            if !state.life.has_begun() {
                let settings = Self::settings(&state);
                drop(state);
                // One that says too much is refused when it is resumed.
                if extent::refusal_of_settings(&settings).is_none() {
                    self.host.obey(Command::Update(core.id, settings));
                }
            }
        }
        self.host.flush();
    }

    fn serves(&self, session: &Arc<Shared>) {
        let program: Weak<dyn Program> = self.me.clone();
        let Served { jobs, untold, last_task } = self.host.serve(program);
        session.continue_ids(last_task);
        let mut tasks = self.tasks.lock();
        tasks.session = Arc::downgrade(session);
        tasks.replayed = untold.iter().copied().collect();
        drop(tasks);
        for job in jobs {
            let id = job.id;
            let core = self.restore(session, job);
            let has_begun = core.state.lock().life.has_begun();
            let mut tasks = self.tasks.lock();
            if has_begun {
                tasks.busy.insert(id);
            }
            tasks.known.insert(id, core);
        }
        if untold.is_empty() {
            super::finished_events(session);
        }
        self.host.go_on(&untold);
    }

    fn host(&self) -> Option<&dyn Any> {
        Some(self)
    }
}
