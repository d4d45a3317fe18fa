//! What a handle tells of its task, and how it steers it.

use std::any::Any;
use std::sync::Arc;

use super::handles::Task;
use super::inner::{Core, PRIORITY};
use super::life::TaskState;
use super::progress::Progress;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;
use crate::session::delegate::Delegate;
use crate::session::handle::Session;

impl Task {
    /// The priority of a task that may wait; see [`set_priority`](Self::set_priority).
    #[doc(alias = "NSURLSessionTaskPriorityLow")]
    pub const PRIORITY_LOW: f32 = 0.25;

    /// The priority that tasks are created with.
    #[doc(alias = "NSURLSessionTaskPriorityDefault")]
    pub const PRIORITY_DEFAULT: f32 = PRIORITY;

    /// The priority of a task that somebody waits for.
    #[doc(alias = "NSURLSessionTaskPriorityHigh")]
    pub const PRIORITY_HIGH: f32 = 0.75;

    /// Returns the number of the task, which is unique within its session; the first task
    /// has 1.
    #[doc(alias = "taskIdentifier")]
    pub fn id(&self) -> u64 {
        self.core.id
    }

    /// Returns the session that made the task.
    pub fn session(&self) -> Session {
        Session::of(&self.core.shared)
    }

    /// Returns the request that the task was created with.
    #[doc(alias = "originalRequest")]
    pub fn original_request(&self) -> &Request {
        &self.core.request
    }

    /// Returns the request that redirects have led to; the original one if there were
    /// none.
    #[doc(alias = "currentRequest")]
    pub fn current_request(&self) -> Request {
        let current = self.core.state.lock().seen.current().cloned();
        current.unwrap_or_else(|| self.core.request.clone())
    }

    /// Returns the last response; `None` before its head has arrived.
    pub fn response(&self) -> Option<Response> {
        self.core.state.lock().seen.response().cloned()
    }

    /// Returns what the task is doing.
    pub fn state(&self) -> TaskState {
        self.core.state.lock().life.state()
    }

    /// Returns why the task failed; `None` as long as it has not ended, and if it
    /// succeeded.
    pub fn error(&self) -> Option<Error> {
        self.core.state.lock().seen.error().cloned()
    }

    /// Returns how far the task has come, at this moment.
    #[doc(alias = "countOfBytesReceived")]
    #[doc(alias = "countOfBytesSent")]
    #[doc(alias = "countOfBytesExpectedToReceive")]
    #[doc(alias = "countOfBytesExpectedToSend")]
    pub fn progress(&self) -> Progress {
        self.core.progress()
    }

    /// Returns the priority; [`PRIORITY_DEFAULT`](Self::PRIORITY_DEFAULT) unless it was
    /// set.
    pub fn priority(&self) -> f32 {
        self.core.state.lock().priority
    }

    /// Sets the priority, from 0 to 1, by which the task goes ahead of others that wait;
    /// equal ones go by age. A task that runs is not affected. Values beyond the ends count
    /// as the ends, and NaN as the default.
    pub fn set_priority(&self, priority: f32) {
        let priority =
            if priority.is_nan() { Self::PRIORITY_DEFAULT } else { priority.clamp(0.0, 1.0) };
        let mut state = self.core.state.lock();
        state.priority = priority;
        self.core.shared.scheduler().reprioritize(&self.core, state);
    }

    /// Returns the program's own label of the task.
    #[doc(alias = "taskDescription")]
    pub fn description(&self) -> Option<String> {
        self.core.state.lock().seen.description().map(str::to_owned)
    }

    /// Sets a label, which means nothing to the session.
    #[doc(alias = "taskDescription")]
    pub fn set_description(&self, description: impl Into<String>) {
        let description = description.into().into_boxed_str();
        let before = self.core.state.lock().seen.describe(description);
        drop(before);
    }

    /// Returns whether the delegate is told of the body while it arrives, which is so
    /// unless it was changed.
    #[doc(alias = "prefersIncrementalDelivery")]
    pub fn prefers_incremental_delivery(&self) -> bool {
        self.core.state.lock().recipients.is_incremental()
    }

    /// Sets whether the delegate is told of the body while it arrives, or once, when all of
    /// it is there. The latter is bounded by
    /// [`maximum_body_in_memory`](crate::Configuration::maximum_body_in_memory). Looked at
    /// when the response has arrived; only data tasks that report to delegates have a
    /// choice.
    pub fn set_prefers_incremental_delivery(&self, prefers: bool) {
        self.core.state.lock().recipients.set_incremental(prefers);
    }

    /// Returns the task's own delegate. The task lets go of it when it has completed.
    pub fn delegate(&self) -> Option<Arc<dyn Delegate>> {
        let delegate = self.core.state.lock().recipients.delegate();
        delegate.map(|delegate| Arc::clone(&delegate))
    }

    /// Takes one suspension back; the task runs when there is none left. A task is created
    /// with one.
    ///
    /// More calls than suspensions change nothing; neither does one for a task that was
    /// cancelled or has completed. Returns at once. If the session was invalidated, the
    /// task completes with [`ErrorKind::SessionInvalidated`](crate::ErrorKind::SessionInvalidated).
    ///
    /// Returns another handle of the task, so that making and resuming it is one line. The
    /// handles of the kinds of tasks return one of their own kind.
    ///
    /// ```
    /// use urlsession::testing::{Answer, Server};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::ok("hello").delay_head(std::time::Duration::from_secs(9)));
    /// let url = server.url("/");
    ///
    /// let task = urlsession::Session::shared().data_task(&url).resume();
    /// task.cancel();
    /// ```
    pub fn resume(&self) -> Self {
        self.core.resume();
        self.clone()
    }

    /// Returns what the program has [tagged](Request::tag) the request with that the task was
    /// created with, if it has this type.
    pub fn tag<G: Any>(&self) -> Option<&G> {
        self.core.request.tagged()
    }

    /// Adds one suspension. The first stops the transfer, and its timers with it, until
    /// each was taken back by [`resume`](Self::resume).
    ///
    /// A task that is suspended gives its place to others, and goes ahead of the line when
    /// it is resumed. It keeps its connection, which its server may close after a while; and
    /// past 256 of them in one session the connection is closed at once where the request can
    /// be repeated without harm: it is sent again, and its response and its data are told once
    /// more from the beginning. Any other keeps its connection and gives its thread back within a
    /// second, whether it sends, waits for its response, receives or waits for a
    /// [`Reply`](crate::Reply), and goes on with another one where it was; nobody is asked twice.
    /// Its thread stays only while code of the program runs on it: the reader of a
    /// [`Body`](crate::Body), a call by an [inline](crate::DeliveryQueue::inline) queue. What is on its way to the
    /// program may still arrive.
    pub fn suspend(&self) {
        self.core.suspend();
    }

    /// Ends the task with [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), at whatever stage it is.
    ///
    /// Returns at once; the completion comes as every other, once. A task that has
    /// completed is left alone, and so is a download whose file is at its place already.
    /// One that was never resumed is completed, too.
    pub fn cancel(&self) {
        self.core.cancel();
    }
}

impl Core {
    /// Returns how far it has come.
    pub(crate) fn progress(&self) -> Progress {
        let (response, schedule) = {
            let state = self.state.lock();
            let schedule = state.schedule.as_deref().filter(|_| !state.life.is_over()).copied();
            (state.seen.response().cloned(), schedule)
        };
        let announced = if self.streams {
            None
        } else {
            self.request.body_to_send().map_or(Some(0), |body| body.length())
        };
        let expected = response.and_then(|head| head.expected_content_length());
        let progress = self.counters.progress(announced, expected);
        schedule.into_iter().fold(progress, |known, said| known.or(said.sends, said.receives))
    }
}
