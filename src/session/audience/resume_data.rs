//! Cancelling a download for what a later one can go on with.

use std::sync::Arc;

use super::calls::call;
use crate::download::ResumeData;
use crate::foreign::Foreign;
use crate::session::task::{Core, DownloadTask, TakeResumeData};

impl DownloadTask {
    /// Ends the task like [`cancel`](crate::Task::cancel), and has `taken` called once, on the
    /// session's queue, with what a later download can go on with; `None` if nothing has come,
    /// or the server has named no version, or the task has ended before. In a
    /// [background session](crate::guide::background) the partial file stays in its folder, under
    /// another name.
    ///
    /// The task's error has it as well, by [`Error::resume_data`](crate::Error::resume_data).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use urlsession::testing::{Answer, Server};
    /// use urlsession::{Session, Update};
    ///
    /// let server = Server::start();
    /// let film = Answer::ok("the whole film").header("ETag", "\"1\"");
    /// server.enqueue(film.stall_in_body_after(9));
    /// let url = server.url("/film.mp4");
    ///
    /// let (sender, taken) = mpsc::channel();
    /// let task = Session::shared().download_task(&url);
    /// for update in task.updates() {
    ///     if let Update::Progress(_) = update {
    ///         let sender = sender.clone();
    ///         task.cancel_by_producing_resume_data(move |data| sender.send(data).unwrap());
    ///     }
    /// }
    /// assert_eq!(taken.recv().unwrap().unwrap().received(), 9);
    /// ```
    #[doc(alias = "cancel(byProducingResumeData:)")]
    #[doc(alias = "cancelByProducingResumeData:")]
    pub fn cancel_by_producing_resume_data(
        &self,
        taken: impl FnOnce(Option<ResumeData>) + Send + 'static,
    ) {
        let taken: Box<dyn FnOnce(Option<ResumeData>) + Send> = Box::new(taken);
        let taken = Box::new(Foreign::new(taken));
        let mut state = self.core.state.lock();
        let refused = if state.life.is_over() {
            Some(taken)
        } else {
            state.recipients.ask_for_resume_data(taken)
        };
        drop(state);
        match refused {
            Some(taken) => self.core.hand_over_resume_data(*taken, None),
            None => self.cancel(),
        }
    }
}

impl Core {
    /// Has `taken` called with what the task can be gone on with, on the session's queue.
    pub(super) fn hand_over_resume_data(
        self: &Arc<Self>,
        taken: TakeResumeData,
        data: Option<ResumeData>,
    ) {
        call(&self.shared, "who takes resume data", move || taken.into_inner()(data));
    }
}
