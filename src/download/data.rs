//! What a download that was interrupted can go on with.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

#[cfg(feature = "background")]
use super::expected::Expected;
use super::record::{Record, refused};
use crate::census::Census;
use crate::error::{Error, ErrorKind, Redacted};
use crate::files::{Existing, KeptFile, PartialFile};
use crate::request::Request;

/// What a download that was interrupted can go on with, from the byte that it had come to.
///
/// It comes from [`cancel_by_producing_resume_data`] and from the [error](Error::resume_data) of
/// a download that has failed, and goes to [`download_task_with_resume_data`]. A download can go
/// on if its request is a `GET` without a `Range` of its own, and if the server has named the
/// version by a strong `ETag`, or by a `Last-Modified` that was a second old, or the program has
/// said which [digest](crate::DownloadTask::expects_sha256) the whole has. Whether the rest fits
/// is proven again when it comes; if it does not, the download starts over.
///
/// The partial file belongs to it: it is removed when the last clone is dropped. Written out
/// [as text](Self::to_text), for another run of the program, the file stays until a download went
/// on with it, for 14 days at most, or until [`discard`](Self::discard).
///
/// `Debug` shows how far it had come, and not the URL's query.
///
/// # Examples
///
/// ```
/// use urlsession::testing::{Answer, Server};
///
/// let server = Server::start();
/// let film = Answer::ok("the whole film").header("ETag", "\"1\"");
/// server.enqueue(film.truncate_after(9));
/// let url = server.url("/film.mp4");
///
/// let session = urlsession::Session::shared();
/// let error = session.download(&url).unwrap_err();
/// let resume_data = error.resume_data().expect("it can go on").clone();
/// assert_eq!(resume_data.received(), 9);
///
/// let rest = Answer::status(206).header("ETag", "\"1\"").body(" film");
/// server.enqueue(rest.header("Content-Range", "bytes 9-13/14"));
/// let download = session.download_task_with_resume_data(resume_data).run()?;
/// assert_eq!(std::fs::read(download.file.path()).unwrap(), b"the whole film");
/// Ok::<(), urlsession::Error>(())
/// ```
///
/// [`cancel_by_producing_resume_data`]: crate::DownloadTask::cancel_by_producing_resume_data
/// [`download_task_with_resume_data`]: crate::Session::download_task_with_resume_data
#[doc(alias = "NSURLSessionDownloadTaskResumeData")]
#[doc(alias = "downloadTaskResumeData")]
#[derive(Clone)]
pub struct ResumeData {
    request: Request,
    omitted: Vec<String>,
    /// What is in the request is not in it.
    record: Record,
    file: Arc<KeptFile>,
}

impl ResumeData {
    pub(super) fn new(request: &Request, record: Record, file: Arc<KeptFile>) -> Self {
        let request = request.clone().without_cancel_token();
        Self { request, omitted: Vec::new(), record, file }
    }

    /// The same of a partial file that is removed with the last who may go on with it.
    #[cfg(feature = "background")]
    pub(super) fn taken(request: &Request, record: Record) -> Self {
        let file = KeptFile::new(record.file.clone(), &record.stamp, false);
        Self::new(request, record, Arc::new(file))
    }

    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    /// Opens the partial file, up to the last byte that is there, for whoever goes on with it: it is
    /// removed unless it comes to its place, or somebody goes on with it again.
    pub(super) fn open(&self, census: &Census) -> Result<PartialFile, Error> {
        let mut file = PartialFile::open(self.file.path(), census)
            .map_err(|error| match error.kind() {
                ErrorKind::FileInUse => error,
                _ => refused("names a file that cannot be opened").because(error),
            })?
            .ok_or_else(|| refused("names a file that has vanished"))?;
        let stamp = file.stamp()?;
        if stamp.length < self.record.end() {
            return Err(refused("names a file that is shorter now"));
        }
        if stamp != self.record.stamp {
            return Err(refused("names a file that was changed since"));
        }
        file.cut(self.record.end())?;
        self.file.stay(false);
        Ok(file)
    }

    /// Returns what the whole is to be.
    #[cfg(feature = "background")]
    pub(crate) fn expected(&self) -> &Expected {
        &self.record.expected
    }

    /// Returns where the file is to lie, and what happens to what lies there.
    pub(crate) fn place(&self) -> Option<(PathBuf, Existing)> {
        self.record.place.clone()
    }

    pub(super) fn file(&self) -> &Arc<KeptFile> {
        &self.file
    }

    /// Returns the request that the rest is asked for with.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Returns the request for changes: to put back what was left out of a text, or for another
    /// URL of the same file, when the one before has expired. What the server says about the
    /// version has to fit all the same.
    pub fn request_mut(&mut self) -> &mut Request {
        &mut self.request
    }

    /// Returns the names of the headers that were left out of the text that this was read from,
    /// as they are secret: `Authorization`, `Cookie`, `Proxy-Authorization` and those
    /// [marked](Request::sensitive_header) so. Without a text there are none, and the request has
    /// them still.
    pub fn omitted_headers(&self) -> &[String] {
        &self.omitted
    }

    /// Returns how many bytes are there.
    #[doc(alias = "NSURLSessionResumeBytesReceived")]
    pub fn received(&self) -> u64 {
        self.record.count()
    }

    /// Returns how many bytes the whole has, if the server has said so.
    pub fn total(&self) -> Option<u64> {
        self.record.entity.total
    }

    /// Writes it down as text, for another run of the program, and has the partial file stay. The
    /// calling thread waits until that is on the disk.
    ///
    /// The text has the whole URL, which may hold a key, and the path of the file: keep it in a
    /// file that only its user can read. Headers that are secret are left out. Of the request it
    /// has URL and headers; other settings are the session's when it is read again. The form is
    /// lines of text, with a version in the first and a checksum in the last.
    ///
    /// # Errors
    ///
    /// [`CannotResume`](crate::ErrorKind::CannotResume) if it cannot be written as text: on
    /// Windows, if a path is not Unicode. Those of a file that is gone, or cannot be brought to
    /// the disk.
    pub fn to_text(&self) -> Result<String, Error> {
        let mut record = self.record.clone();
        self.fill(&mut record);
        let text = record.to_text().ok_or_else(|| refused("has a path that is no Unicode"))?;
        self.file.sync()?;
        self.file.stay(true);
        Ok(text)
    }

    /// Reads what was [written down](Self::to_text). Whether the partial file is still there,
    /// and as it was, shows when a download goes on with it.
    ///
    /// # Errors
    ///
    /// [`CannotResume`](crate::ErrorKind::CannotResume), which says what is wrong: a text that
    /// was cut or changed, or that a newer version has written.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        let record = Record::parse(text)?;
        let mut request = Request::get(&record.url);
        for (name, value) in &record.headers {
            request = request.add_header(name, value);
        }
        request.check().map_err(|error| refused("has a request that is none").because(error))?;
        let file = KeptFile::new(record.file.clone(), &record.stamp, true);
        Ok(Self { request, omitted: record.omitted.clone(), record, file: Arc::new(file) })
    }

    /// Removes the partial file, which no clone can go on with any more.
    pub fn discard(self) {
        self.file.stay(false);
    }

    /// Puts into the record what is in the request.
    fn fill(&self, record: &mut Record) {
        describe(&self.request, record);
        for name in &self.omitted {
            if !self.request.headers().contains(name) {
                record.omitted.push(name.clone());
            }
        }
    }
}

/// Puts a request into a record.
pub(super) fn describe(request: &Request, record: &mut Record) {
    record.url = request.url().map_or_else(String::new, ToString::to_string);
    record.omitted = request.secrets();
    let open = request.headers().iter().filter(|(name, _)| !request.is_secret(name));
    record.headers = open.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
}

impl fmt::Debug for ResumeData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.request.url().map(|url| Redacted(url).to_string());
        f.debug_struct("ResumeData")
            .field("url", &url)
            .field("received", &self.received())
            .field("total", &self.total())
            .field("omitted_headers", &self.omitted)
            .finish_non_exhaustive()
    }
}

impl Error {
    /// Returns what a later download can go on with, if this is why one has failed that can.
    ///
    /// So it is with a connection that broke or could not be made, a timer that passed, an answer
    /// that was not the file, a disk that is full and a place that was taken; and with
    /// [`Cancelled`](crate::ErrorKind::Cancelled) only after
    /// [`cancel_by_producing_resume_data`](crate::DownloadTask::cancel_by_producing_resume_data).
    #[doc(alias = "NSURLSessionDownloadTaskResumeData")]
    #[doc(alias = "downloadTaskResumeData")]
    pub fn resume_data(&self) -> Option<&ResumeData> {
        self.attached()
    }

    /// The file of it is not the program's.
    #[cfg(feature = "background")]
    pub(crate) fn without_resume_data(self) -> Self {
        if self.resume_data().is_some() { self.detached() } else { self }
    }

    pub(crate) fn with_resume_data(self, data: ResumeData) -> Self {
        self.attaching(Arc::new(data))
    }
}
