//! Uploads and downloads: making them, and the blocking calls for them.

use std::path::Path;
use std::sync::mpsc::Sender;

use super::data::{Data, Download};
use super::finished::Finished;
use super::handle::Session;
use super::task::{DownloadTask, Kind, Product, Reports, Sends, UploadTask};
use crate::body::Body;
use crate::download::ResumeData;
use crate::error::Error;
use crate::request::Request;

impl Session {
    // ---- uploads ----

    /// Sends `body` and returns the response with its body in memory. The request's own
    /// body is ignored.
    ///
    /// The `Content-Type` is the [body's](Body::media_type), if it knows one and the request
    /// has none: a [`Multipart`](crate::Multipart) and a [`Form`](crate::Form) do. Of plain
    /// bytes nothing is assumed.
    ///
    /// The body goes out whole unless the server refuses it. An answer from 300 on ends the
    /// sending. An earlier one that comes while the body goes out is received meanwhile, and
    /// the call returns when both are done. If the server then closes the connection, says
    /// that it does, or takes nothing for as long as
    /// [`timeout_for_request`](crate::Configuration::timeout_for_request), the answer is
    /// returned all the same, the log has a warning, and
    /// [`Progress::bytes_sent`](crate::Progress::bytes_sent) says how much has gone.
    ///
    /// # Errors
    ///
    /// Those of [`data`](Self::data).
    ///
    /// # Examples
    ///
    /// ```
    /// use urlsession::testing::{Answer, Server};
    /// use urlsession::{Body, Request, Session};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::status(201));
    /// let url = server.url("/photo");
    ///
    /// let photo = "Cargo.toml";
    ///
    /// let answer = Session::shared().upload(Request::put(&url), Body::file(photo))?;
    /// assert_eq!(answer.response.status(), 201);
    /// Ok::<(), urlsession::Error>(())
    /// ```
    #[doc(alias = "upload(for:from:)")]
    #[doc(alias = "upload(for:fromFile:)")]
    pub fn upload(
        &self,
        request: impl Into<Request>,
        body: impl Into<Body>,
    ) -> Result<Data, Error> {
        let request = request.into().sending(body);
        let task = self.task(request, Kind::Upload(Sends::Body), Reports::Caller);
        task.run().and_then(Product::into_data)
    }

    /// Makes a task that sends `body`, from memory, a file or a reader; it is suspended,
    /// and reports to the delegates as a data task does. The request's own body is ignored,
    /// and the `Content-Type` is that of [`upload`](Self::upload).
    ///
    /// A [background session](crate::guide::background) takes a [`Body::file`] alone: with another
    /// the task is made completed, with
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), and with the error of the
    /// file if that cannot be read.
    #[doc(alias = "uploadTask(with:from:)")]
    #[doc(alias = "uploadTask(with:fromFile:)")]
    #[must_use = "a task does nothing before it is resumed or run"]
    pub fn upload_task(&self, request: impl Into<Request>, body: impl Into<Body>) -> UploadTask {
        let request = request.into().sending(body);
        UploadTask::of(&self.task(request, Kind::Upload(Sends::Body), Reports::Delegates))
    }

    /// Makes a task that sends `body`; `completion` is called once with the response, on
    /// the session's queue.
    #[doc(alias = "uploadTask(with:from:completionHandler:)")]
    #[doc(alias = "uploadTask(with:fromFile:completionHandler:)")]
    #[must_use = "a task does nothing before it is resumed or run"]
    pub fn upload_task_with(
        &self,
        request: impl Into<Request>,
        body: impl Into<Body>,
        completion: impl FnOnce(Result<Data, Error>) + Send + 'static,
    ) -> UploadTask {
        let reports = Reports::closure(Product::into_data, completion);
        let request = request.into().sending(body);
        UploadTask::of(&self.task(request, Kind::Upload(Sends::Body), reports))
    }

    /// Makes a task that sends `body`; the response is sent to `outcomes`, together with
    /// the task's id.
    #[must_use = "a task does nothing before it is resumed or run"]
    pub fn upload_task_to(
        &self,
        request: impl Into<Request>,
        body: impl Into<Body>,
        outcomes: &Sender<Finished<Data>>,
    ) -> UploadTask {
        let (request, kind) = (request.into().sending(body), Kind::Upload(Sends::Body));
        UploadTask::of(&self.task_to(request, kind, Product::into_data, outcomes))
    }

    /// Makes a task whose delegate is asked for the body, by
    /// [`need_new_body_stream`](crate::Delegate::need_new_body_stream), at its beginning, and
    /// again if that body can be sent once and has to be sent again. The request's own body
    /// is ignored.
    ///
    /// A [background session](crate::guide::background) does not take it: it is made completed,
    /// with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest).
    #[doc(alias = "uploadTask(withStreamedRequest:)")]
    #[must_use = "a task does nothing before it is resumed or run"]
    pub fn streamed_upload_task(&self, request: impl Into<Request>) -> UploadTask {
        let request = request.into().without_body();
        UploadTask::of(&self.task(request, Kind::Upload(Sends::Stream), Reports::Delegates))
    }

    // ---- downloads ----

    /// Downloads to a temporary file, which is deleted when it is dropped, unless it is
    /// given a place.
    ///
    /// The file has the bytes that come: what is stored compressed stays so, see
    /// [`Request::decodes_body`](crate::Request::decodes_body).
    ///
    /// # Errors
    ///
    /// Those of [`DownloadTask::run`].
    ///
    /// # Examples
    ///
    /// ```
    /// use urlsession::testing::{Answer, Server};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::ok("hello"));
    /// let url = server.url("/");
    ///
    /// let mut download = urlsession::Session::shared().download(&url)?;
    /// let folder = std::env::temp_dir().join(format!("urlsession-doc-{}", std::process::id()));
    /// std::fs::create_dir_all(&folder).unwrap();
    /// let place = folder.join("greeting.txt");
    ///
    /// download.file.persist(&place)?;
    /// assert_eq!(std::fs::read(&place).unwrap(), b"hello");
    /// std::fs::remove_dir_all(&folder).unwrap();
    /// Ok::<(), urlsession::Error>(())
    /// ```
    #[doc(alias = "download(for:)")]
    pub fn download(&self, request: impl Into<Request>) -> Result<Download, Error> {
        let task = self.task(request.into(), Kind::download(), Reports::Caller);
        task.run().and_then(Product::into_download)
    }

    /// Downloads to `path`, where nothing may be; see [`DownloadTask::save_to`]. An error page
    /// is not saved: a status other than 2xx fails with
    /// [`ErrorKind::UnacceptableStatus`](crate::ErrorKind::UnacceptableStatus).
    ///
    /// # Errors
    ///
    /// Those of [`DownloadTask::run`].
    pub fn download_to(
        &self,
        request: impl Into<Request>,
        path: impl AsRef<Path>,
    ) -> Result<Download, Error> {
        let task = self.download_task(request);
        task.save_to(path)?;
        task.run()
    }

    /// Makes a task that downloads to a file; it is suspended, and reports to the
    /// delegates: [`did_write_data`](crate::Delegate::did_write_data),
    /// [`did_finish_downloading`](crate::Delegate::did_finish_downloading).
    #[doc(alias = "downloadTask(with:)")]
    #[must_use = "a task does nothing before it is resumed or run"]
    pub fn download_task(&self, request: impl Into<Request>) -> DownloadTask {
        DownloadTask::of(&self.task(request.into(), Kind::download(), Reports::Delegates))
    }

    /// Makes a task that goes on with a download that was interrupted, with the request and the
    /// place that `resume_data` has; it is suspended.
    ///
    /// The rest is asked for and appended if it is proven to be of the same version; if not, the
    /// download [starts over](crate::Delegate::did_start_over). An answer that says nothing of the
    /// file, such as a 403 because the URL has expired, ends the task with
    /// [`ErrorKind::UnacceptableStatus`](crate::ErrorKind::UnacceptableStatus), whose
    /// [`resume_data`](Error::resume_data) can be gone on with by
    /// [another URL](crate::ResumeData::request_mut). The [response](Download::response) is the
    /// last one: 206 with a part, or 416 if nothing was missing.
    ///
    /// If the partial file has vanished, or was changed, the task fails with
    /// [`ErrorKind::CannotResume`](crate::ErrorKind::CannotResume) before anything is sent.
    ///
    /// [`save_to`](DownloadTask::save_to) names another place. A task that is to report to a
    /// closure or a channel takes [`updates`](DownloadTask::updates) or has a delegate.
    ///
    /// A [background session](crate::guide::background) takes the partial file into its folder, at
    /// once: nobody else goes on with it. If it cannot, the task is made completed.
    #[doc(alias = "downloadTask(withResumeData:)")]
    #[doc(alias = "downloadTaskWithResumeData:")]
    #[doc(alias = "download(resumeFrom:)")]
    #[must_use = "a task does nothing before it is resumed or run"]
    pub fn download_task_with_resume_data(&self, resume_data: ResumeData) -> DownloadTask {
        let request = resume_data.request().clone();
        let kind = Kind::download_with(resume_data);
        DownloadTask::of(&self.task(request, kind, Reports::Delegates))
    }

    /// Makes a task that downloads to a file; `completion` is called once with it, on the
    /// session's queue.
    #[doc(alias = "downloadTask(with:completionHandler:)")]
    #[must_use = "a task does nothing before it is resumed or run"]
    pub fn download_task_with(
        &self,
        request: impl Into<Request>,
        completion: impl FnOnce(Result<Download, Error>) + Send + 'static,
    ) -> DownloadTask {
        let reports = Reports::closure(Product::into_download, completion);
        DownloadTask::of(&self.task(request.into(), Kind::download(), reports))
    }

    /// Makes a task that downloads to a file, which is sent to `outcomes`, together with the
    /// task's id.
    #[must_use = "a task does nothing before it is resumed or run"]
    pub fn download_task_to(
        &self,
        request: impl Into<Request>,
        outcomes: &Sender<Finished<Download>>,
    ) -> DownloadTask {
        let kind = Kind::download();
        DownloadTask::of(&self.task_to(request.into(), kind, Product::into_download, outcomes))
    }
}
