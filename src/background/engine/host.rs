//! The engine as the host of a session in this process.

use std::path::Path;
use std::sync::Weak;

use super::Engine;
use crate::background::folder::Folder;
use crate::background::host::{Command, Host, Program, Served, Waiting};
use crate::background::job::Job;
use crate::background::report::BackgroundHost;
use crate::download::{self, ResumeData};
use crate::error::Error;

impl Host for Engine {
    fn kind(&self) -> BackgroundHost {
        BackgroundHost::Program
    }

    fn serve(&self, program: Weak<dyn Program>) -> Served {
        let before = self.program.lock().replace(program);
        drop(before);
        let state = self.state.lock();
        Served {
            jobs: state.ledger.jobs.values().map(|job| Job::clone(job)).collect(),
            untold: state.ledger.untold(),
            last_task: state.ledger.last_task(),
        }
    }

    fn go_on(&self, untold: &[u64]) {
        if let Some(program) = self.program() {
            self.tell_again(untold, &*program);
        }
        self.start_running();
    }

    fn create(&self, job: &Job, besides: Option<u64>) -> Option<u64> {
        self.take_on(job, besides)
    }

    fn take_body(&self, task: u64, source: &Path) -> Result<u64, Error> {
        self.folder.spool().take(task, source)
    }

    fn take_part(&self, task: u64, data: &ResumeData) -> Result<(), Error> {
        download::go_on_at(&self.finished(task), data, &self.census)
    }

    fn obey(&self, command: Command) {
        match command {
            Command::Withdraw(task) => self.withdraw(task),
            Command::Update(task, settings) => self.update(task, settings),
            Command::Resume(task, settings) => self.resume(task, settings),
            Command::Suspend(task) => self.suspend(task),
            Command::Cancel(task, why) => self.cancel(task, why),
            Command::Interrupt(task) => self.interrupt(task),
            Command::Prioritize(task, priority) => self.prioritize(task, priority),
            Command::Renew(task, request, why) => self.renew(task, request, why),
            Command::Begin(task, request) => self.begin(task, request),
            Command::Heard(number) => self.heard(number),
            Command::Acknowledge(task) => self.settle(task, |ending| ending.is_told = true),
            Command::Taken(task) => self.settle(task, |ending| ending.is_taken = true),
            Command::Halt => self.state.lock().due.clear(),
            Command::Forget => self.transfers.get().into_iter().for_each(|all| all.reset()),
            Command::RenewConnections => {
                self.transfers.get().into_iter().for_each(|all| all.flush());
            }
        }
    }

    fn flush(&self) {
        self.sync();
    }

    fn close(&self) {
        self.leave();
    }

    fn is_open(&self) -> bool {
        !self.state.lock().is_closed
    }

    fn look(&self) -> Vec<(Job, Option<Waiting>)> {
        let (now, date) = (self.now(), self.date());
        let state = self.state.lock();
        let wait = |job: &Job| {
            let wait = state.waiting.get(&job.id)?;
            Some((wait.what.clone(), wait.left(now, date)))
        };
        state.ledger.jobs.values().map(|job| (Job::clone(job), wait(job))).collect()
    }

    fn damage(&self) -> Vec<String> {
        self.damage.clone()
    }

    fn folder(&self) -> &Folder {
        &self.folder
    }
}
