//! As many suspended tasks as may keep a thread, and some more.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{Body, Clock, Configuration, ErrorKind, Finished, Request, Session, UploadTask};

use crate::support::running::{HANG, all_have_left, nothing_is_left, session, wait_for};

/// How many suspended tasks keep a thread here, where 256 would only take longer.
pub(crate) const WITH_THREAD: usize = 16;

/// How many more there are.
pub(crate) const MORE: usize = 6;

/// A session in which as many tasks are suspended as may keep a thread.
pub(crate) struct Crowd {
    server: Server,
    pub(crate) session: Session,
    pub(crate) clock: Clock,
    tasks: Vec<UploadTask>,
}

impl Crowd {
    pub(crate) fn gather(change: impl FnOnce(&mut Configuration)) -> Self {
        let (server, clock) = (Server::start(), Clock::by_hand());
        server.handle(|_| Answer::ok("").stall_before_head());
        let session = session(|configuration| {
            configuration.maximum_concurrent_tasks = 1000;
            configuration.maximum_connections_per_host = Some(1000);
            configuration.clock = clock.clone();
            change(configuration);
        });
        Counters::of(&session).limit_waiting_threads(WITH_THREAD);
        let tasks: Vec<UploadTask> = (0..WITH_THREAD)
            .map(|_| session.upload_task(Request::post(server.url("/")), "crowd"))
            .collect();
        for task in &tasks {
            task.resume();
        }
        server.wait_until(|stats| stats.stalled == WITH_THREAD as u64);
        tasks.iter().for_each(|task| task.suspend());
        Self { server, session, clock, tasks }
    }

    /// Begins more tasks, each with one of these bodies.
    pub(crate) fn more(&self, request: &Request, body: &dyn Fn() -> Body) -> More {
        let (sender, outcomes) = channel();
        let tasks: Vec<UploadTask> = (0..MORE)
            .map(|_| self.session.upload_task_to(request.clone(), body(), &sender))
            .collect();
        for task in &tasks {
            task.resume();
        }
        More { tasks, outcomes }
    }

    /// Suspends tasks, and waits until nobody has a thread who may not.
    pub(crate) fn leave(&self, more: &More) {
        more.tasks.iter().for_each(|task| task.suspend());
        let counters = Counters::of(&self.session);
        wait_for("the others leave", || {
            // Workers that have nothing to do go home, and nobody's time runs meanwhile.
            self.clock.advance(Duration::from_secs(100));
            // The timer, and nobody else beside them.
            counters.threads() <= WITH_THREAD + 1
        });
        assert_eq!(counters.sockets(), WITH_THREAD + MORE);
    }

    /// Waits until the connections of other tasks are closed.
    pub(crate) fn wait_until_closed(&self) {
        let counters = Counters::of(&self.session);
        self.session.reset();
        wait_for("the connections are closed", || counters.sockets() == WITH_THREAD);
    }

    pub(crate) fn end(self, servers: &[&Server]) {
        self.tasks.iter().for_each(|task| task.cancel());
        drop(self.tasks);
        nothing_is_left(self.session, servers);
        all_have_left(&self.server);
    }
}

/// Tasks beyond the limit, which must not be repeated.
pub(crate) struct More {
    pub(crate) tasks: Vec<UploadTask>,
    pub(crate) outcomes: Receiver<Finished<urlsession::Data>>,
}

impl More {
    pub(crate) fn resume(&self) {
        for task in &self.tasks {
            task.resume();
        }
    }

    pub(crate) fn outcomes(&self) -> Vec<Result<String, ErrorKind>> {
        let next = || self.outcomes.recv_timeout(HANG).expect("a task hangs").outcome;
        let next = || next().map(|data| data.text().into_owned()).map_err(|error| error.kind());
        (0..MORE).map(|_| next()).collect()
    }
}
