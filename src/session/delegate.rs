//! What a program implements to be told, and to be asked.

mod disposition;
mod held;
mod kind;
mod reason;

pub use disposition::{DelayedRequestDisposition, ResponseDisposition};
pub(crate) use held::HeldDelegate;
use kind::DelegateKind;
pub use reason::NewRequestReason;

use super::handle::Session;
use super::task::handles::{DownloadTask, Task};
use super::task::progress::Progress;
use crate::body::Body;
use crate::credentials::{Challenge, Disposition};
use crate::delivery::Reply;
use crate::download::StartOver;
use crate::error::Error;
use crate::files::DownloadedFile;
use crate::request::Request;
use crate::response::Response;
use crate::retry::Retry;

/// Is told what happens in a session or to a single task, and decides about it.
///
/// Every method is optional. The same trait serves a session
/// ([`Session::with_delegate`]) and one task ([`Task::set_delegate`]). A task's delegate
/// comes first: a method that it does not implement, or a [`Reply`] that it drops, goes on
/// to the session's delegate, and then to the default.
///
/// Methods are called on the session's [`DeliveryQueue`](crate::DeliveryQueue); those of
/// one task never overlap and keep their order. Blocking calls ([`Session::data`],
/// [`DataTask::run`](crate::DataTask::run)) call them on their own thread instead. No lock
/// is held while a method runs, so it may call anything of this crate; a blocking call
/// made in it goes ahead of all that waits.
///
/// A task that was cancelled, or was not done in time, asks and tells nothing any more but its
/// end, although it may wait in the queue already.
///
/// A method that panics fails its task, and no other, with
/// [`ErrorKind::DelegatePanicked`](crate::ErrorKind::DelegatePanicked). A decision in which
/// it panics is a refusal. One that panics when it is dropped changes nothing.
///
/// # Which tasks tell what
///
/// Every task tells the session's delegate that it was created, and asks both delegates about
/// redirects, challenges and bodies to send again; both hear that it waits for a connection, and
/// that it [tries again](Self::will_retry).
/// What else is told depends on whom the task reports to:
///
/// | A task that reports to | tells of a body on its way out | tells of responses, data, progress, completion |
/// |---|---|---|
/// | delegates: [`Session::data_task`] and its like, resumed | both delegates | both delegates |
/// | a closure, a channel | both delegates | nobody |
/// | [`updates`](crate::DataTask::updates) | nobody: they say it | nobody: they say it |
/// | its caller: [`DataTask::run`](crate::DataTask::run), [`Session::data`], [`Session::bytes`] | the task's delegate; the session's if it has none | the task's delegate |
/// | a [background session](crate::guide::background), always | both delegates | both delegates, but nobody of responses |
///
/// # Examples
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use std::time::Duration;
/// use urlsession::testing::{Answer, Server};
/// use urlsession::{Configuration, Delegate, DeliveryQueue, Error, Session, Task};
///
/// let server = Server::start();
/// server.enqueue(Answer::ok("hello"));
/// let url = server.url("/");
///
/// #[derive(Default)]
/// struct Page(Mutex<Vec<u8>>);
///
/// impl Delegate for Page {
///     fn did_receive_data(&self, _task: &Task, data: Vec<u8>) {
///         self.0.lock().unwrap().extend(data);
///     }
///
///     fn did_complete(&self, task: &Task, error: Option<&Error>) {
///         println!("task {} ended: {error:?}", task.id());
///     }
/// }
///
/// let page = Arc::new(Page::default());
/// let session = Session::with_delegate(
///     Configuration::ephemeral(),
///     page.clone(),
///     DeliveryQueue::serial(),
/// )?;
/// session.data_task(&url).resume();
/// assert!(session.wait_until_idle(Duration::from_secs(30)));
/// assert_eq!(*page.0.lock().unwrap(), b"hello");
/// Ok::<(), urlsession::Error>(())
/// ```
#[doc(alias = "URLSessionDelegate")]
#[doc(alias = "URLSessionTaskDelegate")]
#[doc(alias = "URLSessionDataDelegate")]
#[doc(alias = "URLSessionDownloadDelegate")]
#[doc(alias = "NSURLSessionDelegate")]
pub trait Delegate: Send + Sync {
    // ---- the session ----

    /// The session is invalid: everything in it has ended. The last message of a session,
    /// which lets go of its delegate after it.
    ///
    /// `error` is `None` if the program asked for it.
    #[doc(alias = "urlSession(_:didBecomeInvalidWithError:)")]
    fn did_become_invalid(&self, session: &Session, error: Option<&Error>) {
        let _ = (session, error);
    }

    /// A server shows its certificate, or wants the client's, or asks by NTLM or Negotiate:
    /// what concerns a connection, whichever task it is made for. What is to be done?
    ///
    /// Asked of the session's delegate alone, before [`did_receive_challenge`], which decides
    /// if this does not. Without an answer of either, what happens is the default: a server
    /// is trusted if its certificate is good, no certificate is shown unless the credential
    /// storage has one for the server, and such a response is delivered.
    ///
    /// A server's certificate is asked about once for each connection, before anything is
    /// sent to it; a task's own delegate also when it first uses one that others have left.
    ///
    /// [`did_receive_challenge`]: Self::did_receive_challenge
    #[doc(alias = "urlSession(_:didReceive:completionHandler:)")]
    #[doc(alias = "URLSession:didReceiveChallenge:completionHandler:")]
    fn session_did_receive_challenge(
        &self,
        session: &Session,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        let _ = (session, challenge, reply);
    }

    /// A [background session](crate::Configuration::background) has told all that had happened
    /// while the program was away. Called once for each session that is made, after the last
    /// such message has returned, also where there was none.
    #[doc(alias = "urlSessionDidFinishEvents(forBackgroundURLSession:)")]
    #[doc(alias = "URLSessionDidFinishEventsForBackgroundURLSession")]
    #[doc(alias = "URLSessionDidFinishEventsForBackgroundURLSession:")]
    fn did_finish_events(&self, session: &Session) {
        let _ = session;
    }

    /// Returns which type it is. Not for implementing.
    #[doc(hidden)]
    fn kind(&self) -> DelegateKind
    where
        Self: 'static,
    {
        DelegateKind::of::<Self>()
    }

    // ---- every task ----

    /// A task was created. The first message of a task, to the session's delegate alone.
    ///
    /// Called on the thread that creates the task, before the creating call returns; so
    /// this is the place to give the task a delegate or a priority.
    #[doc(alias = "urlSession(_:didCreateTask:)")]
    fn did_create_task(&self, task: &Task) {
        let _ = task;
    }

    /// The server answered with a redirect. Where does the task go?
    ///
    /// * `Some(proposed)`: follow it, which is the default.
    /// * `Some` of another request: go there instead. Credentials that did not go along to
    ///   another origin can be set again here.
    /// * `None`: stay; the redirect itself is delivered, with its body.
    ///
    /// Redirects that the configuration forbids fail without being asked about. How long to
    /// wait, and which token cancels, stays as the first request said.
    #[doc(alias = "urlSession(_:task:willPerformHTTPRedirection:newRequest:completionHandler:)")]
    fn will_perform_redirect(
        &self,
        task: &Task,
        response: &Response,
        proposed: Request,
        reply: Reply<Option<Request>>,
    ) {
        let _ = (task, response, proposed, reply);
    }

    /// A task of a [background session](crate::Configuration::background), whose redirects are
    /// followed without asking, was led to `request` by the redirect `response`. Told once more in
    /// the next run of the program if this has not returned, as all that happens there.
    fn did_follow_redirect(&self, task: &Task, response: &Response, request: &Request) {
        task.forward(|next, task| next.did_follow_redirect(task, response, request));
    }

    /// A server asks who the task is (a 401), or something that
    /// [`session_did_receive_challenge`](Self::session_did_receive_challenge) left
    /// unanswered. What is to be done?
    ///
    /// What a server offers is asked about one by one, the strongest first. The response is
    /// not delivered as long as it is answered. Without an answer, the proposed credential is
    /// tried once; without one, or after it has failed, the response is delivered as it is.
    #[doc(alias = "urlSession(_:task:didReceive:completionHandler:)")]
    #[doc(alias = "URLSession:task:didReceiveChallenge:completionHandler:")]
    fn did_receive_challenge(&self, task: &Task, challenge: &Challenge, reply: Reply<Disposition>) {
        task.forward(|next, task| next.did_receive_challenge(task, challenge, reply));
        kind::trait_method_runs_for::<Self>();
    }

    /// No connection to the host can be made, and the task waits until one can, as
    /// [`waits_for_connectivity`](crate::Configuration::waits_for_connectivity) says. At most
    /// once for each task, of every kind.
    #[doc(alias = "urlSession(_:taskIsWaitingForConnectivity:)")]
    fn task_is_waiting_for_connectivity(&self, task: &Task) {
        task.forward(|next, task| next.task_is_waiting_for_connectivity(task));
    }

    /// An attempt has failed, and the task makes another one after a while, as its
    /// [`RetryPolicy`](crate::RetryPolicy) says; `retry` has which and when, and what the last one
    /// failed with.
    ///
    /// Told by every kind of task, but those whose [`updates`](crate::DataTask::updates) are taken.
    /// What was told of a response and its body before does not count any more.
    fn will_retry(&self, task: &Task, retry: &Retry) {
        task.forward(|next, task| next.will_retry(task, retry));
    }

    /// A task of a [background session](crate::Configuration::background) cannot go on with the
    /// request that it has, `reason` says why. With which can it?
    ///
    /// * `Some(request)`: with that. What has come of a download stays, if what the server says
    ///   of the file fits; so a URL that has expired can be replaced.
    /// * `None`: with none, which is the default. The task ends with what it has failed with.
    #[doc(alias = "expired URL")]
    fn did_need_new_request(
        &self,
        task: &Task,
        reason: NewRequestReason,
        reply: Reply<Option<Request>>,
    ) {
        task.forward(|next, task| next.did_need_new_request(task, reason, reply));
    }

    /// The [date](Task::set_earliest_begin_date) of a task of a background session has come, and
    /// it is about to begin. With this request? Much may have changed since it was made.
    ///
    /// * [`DelayedRequestDisposition::ContinueLoading`]: with this, which is the default.
    /// * [`DelayedRequestDisposition::UseNewRequest`]: with that.
    /// * [`DelayedRequestDisposition::Cancel`]: it ends with
    ///   [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
    ///
    /// Asked until it was answered once: if the program ends before, in its next run.
    #[doc(alias = "urlSession(_:task:willBeginDelayedRequest:completionHandler:)")]
    #[doc(alias = "URLSession:task:willBeginDelayedRequest:completionHandler:")]
    fn will_begin_delayed_request(
        &self,
        task: &Task,
        request: Request,
        reply: Reply<DelayedRequestDisposition>,
    ) {
        task.forward(|next, task| next.will_begin_delayed_request(task, request, reply));
    }

    /// The task needs a body to send: a task made by
    /// [`Session::streamed_upload_task`] at its beginning, and every task whose body can be
    /// read once when it has to be sent again, after a redirect, with the answer to a
    /// challenge, or without an `Expect` that the server does not know. A body that can be
    /// sent again is, without being asked for, and so is one of which nothing has gone.
    ///
    /// * `Some(body)`: it is sent.
    /// * `None`: there is none, which is the default. At the beginning the task fails with
    ///   [`ErrorKind::RequestBodyStreamExhausted`](crate::ErrorKind::RequestBodyStreamExhausted);
    ///   later, the redirect or the response that asks is delivered.
    #[doc(alias = "urlSession(_:task:needNewBodyStream:)")]
    fn need_new_body_stream(&self, task: &Task, reply: Reply<Option<Body>>) {
        let _ = (task, reply);
    }

    /// The server sent an informational answer (1xx) before the final one, such as a 103
    /// with `Link` fields. It changes nothing about the transfer.
    #[doc(alias = "urlSession(_:task:didReceiveInformationalResponse:)")]
    fn did_receive_informational_response(&self, task: &Task, response: &Response) {
        task.forward(|next, task| next.did_receive_informational_response(task, response));
    }

    /// More of the request's body was sent: so many bytes since the last call, so many in
    /// all, of so many if that is known.
    ///
    /// At the pace of [`did_make_progress`](Self::did_make_progress), and before the
    /// response, unless the server answers before it has read all of the body: then sending
    /// goes on behind an answer below 300, and so does this. A body that is sent again counts again, so that the total can exceed what
    /// is expected. Told by every task but those whose
    /// [`updates`](crate::DataTask::updates) are taken. The outcome of a task that reports to a
    /// channel does not wait for the queue, and may be there before all of this was told.
    #[doc(alias = "urlSession(_:task:didSendBodyData:totalBytesSent:totalBytesExpectedToSend:)")]
    fn did_send_body_data(&self, task: &Task, sent: u64, total: u64, expected: Option<u64>) {
        task.forward(|next, task| next.did_send_body_data(task, sent, total, expected));
    }

    /// More of the task was transferred, either way.
    ///
    /// At most once in each [`progress_interval`](crate::Configuration::progress_interval),
    /// and once more before the completion if something has changed since.
    #[doc(alias = "Progress")]
    #[doc(alias = "NSProgress")]
    fn did_make_progress(&self, task: &Task, progress: Progress) {
        task.forward(|next, task| next.did_make_progress(task, progress));
    }

    /// The task has ended; `error` is `None` if it succeeded. Its last message.
    ///
    /// A status of 400 or more is a success. [`Task::state`] says
    /// [`Completed`](crate::TaskState::Completed) from here on.
    #[doc(alias = "urlSession(_:task:didCompleteWithError:)")]
    #[doc(alias = "URLSession:task:didCompleteWithError:")]
    fn did_complete(&self, task: &Task, error: Option<&Error>) {
        task.forward(|next, task| next.did_complete(task, error));
    }

    // ---- data tasks ----

    /// The head of the response has arrived. What becomes of the body?
    ///
    /// * [`ResponseDisposition::Allow`]: it is delivered, which is the default.
    /// * [`ResponseDisposition::Cancel`]: the task ends with
    ///   [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
    /// * [`ResponseDisposition::BecomeDownload`]: it goes to a file, see
    ///   [`did_become_download`](Self::did_become_download).
    ///
    /// Nothing else is told before the answer. A second response means that the transfer
    /// had to start over, see [`Task::suspend`] and [`will_retry`](Self::will_retry).
    #[doc(alias = "urlSession(_:dataTask:didReceive:completionHandler:)")]
    #[doc(alias = "URLSession:dataTask:didReceiveResponse:completionHandler:")]
    fn did_receive_response(
        &self,
        task: &Task,
        response: &Response,
        reply: Reply<ResponseDisposition>,
    ) {
        let _ = (task, response, reply);
    }

    /// A piece of the body, decoded, in order; never empty.
    ///
    /// The transfer goes on while this runs, but stops when 1 MiB has not been taken. If that
    /// lasts, other tasks have its place until it goes on, so that whatever holds the delegate
    /// up may wait for one of them.
    #[doc(alias = "urlSession(_:dataTask:didReceive:)")]
    #[doc(alias = "URLSession:dataTask:didReceiveData:")]
    fn did_receive_data(&self, task: &Task, data: Vec<u8>) {
        task.forward(|next, task| next.did_receive_data(task, data));
    }

    /// The task has become a download, as the answer to its response demanded: from here
    /// on it tells what downloads tell. Both handles are of the same task.
    #[doc(alias = "urlSession(_:dataTask:didBecome:)")]
    fn did_become_download(&self, task: &Task, download: &DownloadTask) {
        task.forward(|next, task| next.did_become_download(task, download));
    }

    // ---- downloads ----

    /// More of the body was written to the file: so many bytes since the last call, so many
    /// in all, of so many if that is known.
    ///
    /// At the pace of [`did_make_progress`](Self::did_make_progress), and once more before
    /// the file is handed over if something has come since.
    #[doc(
        alias = "urlSession(_:downloadTask:didWriteData:totalBytesWritten:totalBytesExpectedToWrite:)"
    )]
    fn did_write_data(&self, task: &Task, written: u64, total: u64, expected: Option<u64>) {
        task.forward(|next, task| next.did_write_data(task, written, total, expected));
    }

    /// The download goes on with what is there of it: so many bytes, of so many in all if that is
    /// known. What the server sends was proven to be of the same version.
    ///
    /// Told for each attempt that goes on: with [`ResumeData`](crate::ResumeData), with what an
    /// earlier run of the program has [kept](DownloadTask::resumable), and after a connection
    /// that broke, where the task tries again by itself.
    #[doc(alias = "urlSession(_:downloadTask:didResumeAtOffset:expectedTotalBytes:)")]
    fn did_resume_at_offset(&self, task: &Task, offset: u64, expected: Option<u64>) {
        task.forward(|next, task| next.did_resume_at_offset(task, offset, expected));
    }

    /// What was there of the download could not be gone on with, and is gone: it is loaded from
    /// its first byte, and counted anew.
    fn did_start_over(&self, task: &Task, reason: StartOver) {
        task.forward(|next, task| next.did_start_over(task, reason));
    }

    /// The body is whole, in a file. Comes before the completion, and only if there is no
    /// error.
    ///
    /// The file is deleted when it is dropped, unless it was given a place; it may be moved
    /// elsewhere and outlive this call. That of a background session [stays](DownloadedFile).
    #[doc(alias = "urlSession(_:downloadTask:didFinishDownloadingTo:)")]
    fn did_finish_downloading(&self, task: &Task, file: DownloadedFile) {
        task.forward(|next, task| next.did_finish_downloading(task, file));
    }
}
