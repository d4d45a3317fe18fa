//! Making tasks: every way to load something with a session.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::audience::Completion;
use super::bytes::Bytes;
use super::data::Data;
use super::finished::Finished;
use super::handle::Session;
use super::task::{
    Brought, Core, DataTask, DownloadTask, Kind, Product, Reports, Task, UploadTask,
};
use crate::error::Error;
use crate::foreign::Foreign;
use crate::request::Request;

/// The tasks of a session, by kind; see [`Session::tasks`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Tasks {
    /// The data tasks, oldest first.
    pub data: Vec<DataTask>,
    /// The upload tasks, oldest first.
    pub uploads: Vec<UploadTask>,
    /// The download tasks, oldest first.
    pub downloads: Vec<DownloadTask>,
}

impl Session {
    // ---- blocking calls ----

    /// Loads `request` and returns the response with its body in memory.
    ///
    /// Blocks until the body is whole; it is [`data_task`](Self::data_task) and
    /// [`DataTask::run`] in one. Redirects are followed; a status of 400 or more is not an
    /// error. A [`CancelToken`](crate::CancelToken) given to the request ends it from
    /// another thread.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`](crate::ErrorKind) that a load can end with;
    /// [`ErrorKind::DataLengthExceedsMaximum`](crate::ErrorKind::DataLengthExceedsMaximum) if the body is larger than
    /// [`maximum_body_in_memory`](crate::Configuration::maximum_body_in_memory).
    #[doc(alias = "data(for:)")]
    pub fn data(&self, request: impl Into<Request>) -> Result<Data, Error> {
        self.task(request.into(), Kind::Data, Reports::Caller).run().and_then(Product::into_data)
    }

    /// Loads `request` and returns the response as soon as its head is there; the body is
    /// then read from what is returned.
    ///
    /// It counts among those that run on its host until it was read to its end or is
    /// dropped: whoever keeps as many as may run there and asks for one more waits for
    /// itself.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`](crate::ErrorKind) that a load can end with before its body.
    #[doc(alias = "bytes(for:)")]
    #[doc(alias = "AsyncBytes")]
    pub fn bytes(&self, request: impl Into<Request>) -> Result<Bytes, Error> {
        Bytes::open(self.task(request.into(), Kind::Data, Reports::Caller))
    }

    // ---- tasks ----

    /// Makes a task that loads `request`; it is suspended, and reports to the delegates
    /// unless it is [`run`](DataTask::run) or asked for its
    /// [`updates`](DataTask::updates).
    ///
    /// A [background session](crate::guide::background) does not take it: it is made completed,
    /// with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest).
    #[doc(alias = "dataTask(with:)")]
    #[doc(alias = "dataTaskWithRequest")]
    #[doc(alias = "dataTaskWithRequest:")]
    #[doc(alias = "dataTaskWithURL:")]
    #[must_use = "a task does nothing before it is resumed or run"]
    pub fn data_task(&self, request: impl Into<Request>) -> DataTask {
        DataTask::of(&self.task(request.into(), Kind::Data, Reports::Delegates))
    }

    /// Makes a task that loads `request`; it is suspended. `completion` is called once
    /// with what it brings, on the session's queue.
    ///
    /// The delegates are asked whatever they are asked of other tasks, such as about challenges
    /// and redirects, and told of a body that is sent, but nothing of what comes. A
    /// [background session](crate::guide::background) takes no task with a closure or a channel,
    /// of whatever kind: it is told of
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) as soon as it is made.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use urlsession::testing::{Answer, Server};
    /// use urlsession::{Configuration, Session};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::ok("hello"));
    /// let url = server.url("/");
    ///
    /// let session = Session::new(Configuration::ephemeral())?;
    /// session
    ///     .data_task_with(&url, |outcome| match outcome {
    ///         Ok(data) => println!("{}", data.text()),
    ///         Err(error) => eprintln!("{error}"),
    ///     })
    ///     .resume();
    /// session.wait_until_idle(Duration::from_secs(30));
    /// Ok::<(), urlsession::Error>(())
    /// ```
    #[doc(alias = "dataTask(with:completionHandler:)")]
    #[doc(alias = "dataTaskWithRequest:completionHandler:")]
    #[doc(alias = "dataTaskWithURL")]
    #[doc(alias = "dataTaskWithURL:completionHandler:")]
    #[must_use = "a task does nothing before it is resumed or run"]
    pub fn data_task_with(
        &self,
        request: impl Into<Request>,
        completion: impl FnOnce(Result<Data, Error>) + Send + 'static,
    ) -> DataTask {
        let reports = Reports::closure(Product::into_data, completion);
        DataTask::of(&self.task(request.into(), Kind::Data, reports))
    }

    /// Makes a task that loads `request`; it is suspended. What it brings is sent to
    /// `outcomes`, together with its id; so one channel can serve many tasks.
    ///
    /// The delegates are asked and told what they are with a closure, see
    /// [`data_task_with`](Self::data_task_with). With a manual queue its `wake` is called, too.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use urlsession::Session;
    /// use urlsession::testing::{Answer, Server};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::ok("one"));
    /// server.enqueue(Answer::ok("two"));
    /// let urls = [server.url("/1"), server.url("/2")];
    ///
    /// let (sender, outcomes) = mpsc::channel();
    /// for url in urls {
    ///     Session::shared().data_task_to(url, &sender).resume();
    /// }
    /// drop(sender);
    /// for finished in outcomes {
    ///     println!("task {}: {:?}", finished.id, finished.outcome?.text());
    /// }
    /// Ok::<(), urlsession::Error>(())
    /// ```
    #[must_use = "a task does nothing before it is resumed or run"]
    pub fn data_task_to(
        &self,
        request: impl Into<Request>,
        outcomes: &Sender<Finished<Data>>,
    ) -> DataTask {
        DataTask::of(&self.task_to(request.into(), Kind::Data, Product::into_data, outcomes))
    }

    /// Makes a task, and tells the delegate of it.
    pub(super) fn task(&self, request: Request, kind: Kind, reports: Reports) -> Arc<Core> {
        let core = self.untold_task(request, kind, reports);
        self.known_or(core)
    }

    /// Has a task taken by who runs it, and tells the delegate of it; returns the one that is
    /// meant.
    fn known_or(&self, core: Arc<Core>) -> Arc<Core> {
        match self.shared.scheduler().created(&core) {
            Ok(Some(known)) => return known,
            Ok(None) => self.tell_of(&core),
            Err(error) => {
                core.refuse(&error);
                self.tell_of(&core);
                Completion::of(&core, core.state.lock(), Err(error), false).tell();
            }
        }
        core
    }

    /// Makes a task that has what it brings, `taken` from it, sent to `outcomes`.
    pub(super) fn task_to<T: Send + 'static>(
        &self,
        request: Request,
        kind: Kind,
        taken: fn(Product) -> Result<T, Error>,
        outcomes: &Sender<Finished<T>>,
    ) -> Arc<Core> {
        let core = self.untold_task(request, kind, Reports::Caller);
        let (outcomes, weak) = (outcomes.clone(), Arc::downgrade(&core));
        let reports = Reports::Channel(Foreign::new(Box::new(move |outcome: Brought| {
            // Whoever ends it holds it.
            let Some(task) = weak.upgrade().map(|core| Task::of(&core)) else { return };
            let outcome = outcome.and_then(taken);
            // Whoever dropped the receiver wants to know no more.
            let _ = outcomes.send(Finished { id: task.id(), task, outcome });
        })));
        let _ = core.state.lock().recipients.report_to(reports);
        self.known_or(core)
    }

    /// All ways to make a task lead through here.
    fn untold_task(&self, request: Request, kind: Kind, reports: Reports) -> Arc<Core> {
        let mut request = request;
        if request.url().is_none() {
            request.resolve(self.shared.base_url.as_ref());
        }
        Core::new(&self.shared, request, kind, reports)
    }

    /// Tells the delegate of a task that was made, before anybody else has it.
    fn tell_of(&self, core: &Arc<Core>) {
        if self.shared.has_delegate()
            && let Some(delegate) = self.shared.delegate()
        {
            core.created(&**delegate);
        }
    }

    /// Returns the tasks that were resumed and have not finished, oldest first; blocking
    /// calls that are under way are among them. Of a
    /// [background session](crate::Configuration::background) those that were never resumed are, too.
    #[doc(alias = "getAllTasks")]
    #[doc(alias = "allTasks")]
    pub fn all_tasks(&self) -> Vec<Task> {
        self.shared.scheduler().alive().iter().map(Task::of).collect()
    }

    /// Returns the tasks that were resumed and have not finished, by kind.
    #[doc(alias = "getTasksWithCompletionHandler")]
    pub fn tasks(&self) -> Tasks {
        let mut tasks = Tasks::default();
        for core in self.shared.scheduler().alive() {
            match core.kind() {
                Kind::Data => tasks.data.push(DataTask::of(&core)),
                Kind::Upload(_) => tasks.uploads.push(UploadTask::of(&core)),
                Kind::Download(_) => tasks.downloads.push(DownloadTask::of(&core)),
            }
        }
        tasks
    }
}
