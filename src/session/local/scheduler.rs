//! What a task asks of the process that runs it.

use std::sync::Arc;
use std::time::Duration;

use super::Local;
use crate::error::Error;
use crate::load::Loaded;
use crate::response::Response;
use crate::session::handle::Shared;
use crate::session::task::{Brought, Core, Dispatch, Locked, Scheduler};

impl Scheduler for Local {
    fn created(&self, task: &Arc<Core>) -> Result<Option<Arc<Core>>, Error> {
        self.loader.look_at_host(&task.request);
        Ok(None)
    }

    fn begin(&self, task: &Arc<Core>, locked: Locked<'_>) {
        self.begin_task(task, locked);
    }

    fn resume(&self, task: &Arc<Core>, mut locked: Locked<'_>) {
        locked.attempts.stay();
        self.resume_task(task, locked);
    }

    fn suspend(&self, task: &Arc<Core>, mut locked: Locked<'_>) {
        let (freed, ended) = self.leave(task, &mut locked);
        drop(locked);
        if let Some(attempt) = ended {
            attempt.cancel();
        }
        if let Some(place) = freed {
            self.free(place);
        }
    }

    fn cancel(&self, task: &Arc<Core>, mut locked: Locked<'_>, is_first: bool) {
        let attempt = locked.attempts.token();
        let has_thread = self.quit_line(task, &mut locked);
        drop(locked);
        if let Some(attempt) = attempt {
            attempt.cancel();
        }
        if has_thread {
            task.changed.notify_all();
        } else {
            let is_refused = is_first && self.pool.admit(task).is_err();
            self.complete(task, Err(Error::cancelled()), is_refused);
        }
    }

    fn reprioritize(&self, _task: &Core, locked: Locked<'_>) {
        if let Dispatch::Queued(ticket) = locked.dispatch {
            self.pool.set_priority(ticket, locked.priority);
        }
    }

    fn run(&self, task: &Arc<Core>) -> Brought {
        self.run_here(task)
    }

    fn open(&self, task: &Arc<Core>) -> Result<Loaded, Error> {
        self.open_here(task)
    }

    fn close(&self, task: &Arc<Core>, outcome: Brought) -> Brought {
        self.end_here(task, outcome)
    }

    fn go_on(&self, task: &Arc<Core>) -> Result<(), Error> {
        self.wait_for_place(task)
    }

    fn rest(&self, task: &Arc<Core>) -> Result<(), Error> {
        if task.state.lock().attempts.leaves() {
            return Err(Error::cancelled());
        }
        self.wait_for_place(task)
    }

    fn step_aside(&self, task: &Arc<Core>) {
        self.give_way(task);
    }

    fn begin_in_place(&self, task: &Arc<Core>) {
        self.begin_in_place(task);
    }

    fn end_in_place(&self, task: &Core) {
        self.end_in_place(task);
    }

    fn arrive(&self, task: &Arc<Core>) -> Result<(), Error> {
        self.move_to_host(task)
    }

    fn repeats(&self, task: &Arc<Core>, response: &Response) -> Option<Error> {
        self.answer_is_repeated(task, response)
    }

    fn finished(&self, task: &Core, _is_told: bool) {
        self.forget_task(task, None);
    }

    fn alive(&self) -> Vec<Arc<Core>> {
        self.pool.alive()
    }

    fn begin_call(&self) {
        self.pool.begin_call();
    }

    fn end_call(&self) {
        self.pool.end_call();
    }

    fn wait_until_idle(&self, timeout: Duration) -> bool {
        self.pool.wait_until_quiet(timeout)
    }

    fn invalidate(&self, session: &Arc<Shared>) {
        if self.pool.close() {
            self.become_invalid(session);
        }
    }

    fn halt(&self) {
        self.pool.stop();
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
