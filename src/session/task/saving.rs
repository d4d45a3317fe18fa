//! What a download is to do with its file, and what it is to bring.

use super::handles::DownloadTask;
use super::product::Kind;
#[cfg(feature = "background")]
use crate::download::Expected;
use crate::download::{Digest, Saving};
use crate::error::{Error, ErrorKind};

impl DownloadTask {
    /// Sets whether what has come of the file is kept beside its [place](Self::save_to), so that
    /// the same download goes on with it: after the program has ended, or crashed, or the machine.
    ///
    /// As long as it is not whole there are `.NAME.part`, which only this user can read, and
    /// `.NAME.resume`, which says what it is; both are gone in the end. What has come is on the
    /// disk every 8 MiB or second, and counts from then on. The next download of the same URL to
    /// the same place goes on behind it, if the server has named the version by a strong `ETag` or
    /// a `Last-Modified` that was a second old, or a [digest](Self::expects_sha256) is given; else
    /// it starts over, which is [told](crate::Delegate::did_start_over). A cancel leaves both, too.
    ///
    /// Default: `false`; what has come goes with the task, unless it becomes
    /// [`ResumeData`](crate::ResumeData).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] if the task has begun already, and as the task's if it has no
    /// place. The task fails with [`ErrorKind::FileInUse`] if another one, of this program or another, writes the same file,
    /// and with [`ErrorKind::CannotResume`] if a newer version of this library has begun it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use urlsession::Session;
    ///
    /// let task = Session::shared().download_task("https://shop.test/film.mp4");
    /// task.save_to("film.mp4")?;
    /// task.resumable(true)?;
    /// let download = task.run()?;
    /// println!("{} bytes", download.file.len());
    /// Ok::<(), urlsession::Error>(())
    /// ```
    pub fn resumable(&self, is_resumable: bool) -> Result<(), Error> {
        self.prepare("be made resumable", |saving| saving.is_resumable = is_resumable)
    }

    /// Sets in how many parts the file may come at once, each by a connection of its own: a server, or
    /// a way to it, that is slow for one may be faster for several.
    ///
    /// The first request asks for the whole. If its answer says how long that is, names the version
    /// by a strong `ETag` or a `Last-Modified` that was a second old, and has `Accept-Ranges: bytes`,
    /// the end of the file is fetched by further requests with `Range` and `If-Range`, from where
    /// redirects have led. Each part is checked like what is [resumed](crate::ResumeData). Where one
    /// does not fit, or breaks, the others fetch what is missing of it, in the end by one request
    /// after the other: the file is never made of two versions. Parts are 1 MiB at least.
    ///
    /// A part takes a place of those that there are for the
    /// [host](crate::Configuration::maximum_connections_per_host) and
    /// [session](crate::Configuration::maximum_concurrent_tasks), and has a thread, but only if one
    /// is free and nobody waits for it. Nobody is told of parts; their bytes count in the
    /// [progress](crate::Progress) of the task. What has come of each is in the resume data.
    ///
    /// Default: 1, and 0 is the same.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] if the task has begun already, and as the task's if it has no
    /// place.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use urlsession::Session;
    ///
    /// let task = Session::shared().download_task("https://shop.test/film.mp4");
    /// task.save_to("film.mp4")?;
    /// task.segments(4)?;
    /// let download = task.run()?;
    /// println!("{} bytes", download.file.len());
    /// Ok::<(), urlsession::Error>(())
    /// ```
    pub fn segments(&self, most: usize) -> Result<(), Error> {
        self.prepare("be split", |saving| saving.segments = most)
    }

    /// Sets how many bytes the file is to have. Another length is an error, before anything is
    /// written if the server announces it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] if the task has begun already. The task fails with
    /// [`ErrorKind::LengthMismatch`], and nothing is left of the file.
    pub fn expects_length(&self, bytes: u64) -> Result<(), Error> {
        self.prepare("expect a length", |saving| saving.expected.length = Some(bytes))
    }

    /// Sets which SHA-256 the file is to have, as 64 hexadecimal digits. It is compared before the
    /// file is seen at its place, or handed over; that reads the whole file once more.
    ///
    /// With it a download can go on although the server names no version.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] if the task has begun already, or these are not such digits.
    /// The task fails with [`ErrorKind::DigestMismatch`], and nothing is left of the file; in a
    /// build with neither of the features `tls` and `digest` with [`ErrorKind::NotSupported`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use urlsession::testing::{Answer, Server};
    /// use urlsession::{ErrorKind, Session};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::ok("abc"));
    /// server.enqueue(Answer::ok("abd"));
    /// let url = server.url("/");
    ///
    /// let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    /// let task = Session::shared().download_task(&url);
    /// task.expects_sha256(digest)?;
    /// assert_eq!(task.run()?.file.len(), 3);
    ///
    /// let task = Session::shared().download_task(&url);
    /// task.expects_sha256(digest)?;
    /// assert_eq!(task.run().unwrap_err().kind(), ErrorKind::DigestMismatch);
    /// Ok::<(), urlsession::Error>(())
    /// ```
    pub fn expects_sha256(&self, digits: impl AsRef<str>) -> Result<(), Error> {
        let digest = Digest::sha256(digits.as_ref())?;
        self.prepare("expect a digest", |saving| saving.expected.digest = Some(digest))
    }

    /// Sets which SHA-512 the file is to have, as 128 hexadecimal digits; see
    /// [`expects_sha256`](Self::expects_sha256), whose place it takes.
    ///
    /// # Errors
    ///
    /// Those of [`expects_sha256`](Self::expects_sha256).
    pub fn expects_sha512(&self, digits: impl AsRef<str>) -> Result<(), Error> {
        let digest = Digest::sha512(digits.as_ref())?;
        self.prepare("expect a digest", |saving| saving.expected.digest = Some(digest))
    }

    /// Sets what the file is to be.
    #[cfg(feature = "background")]
    pub(crate) fn expects(&self, expected: Expected) -> Result<(), Error> {
        self.prepare("expect a file", |saving| saving.expected = expected)
    }

    /// Changes what the task is to do with its file, as long as it has not begun.
    pub(super) fn prepare(
        &self,
        what: &str,
        change: impl FnOnce(&mut Saving),
    ) -> Result<(), Error> {
        let mut state = self.core.state.lock();
        if state.life.has_begun() {
            let detail = format!("a task that has begun cannot {what}");
            return Err(Error::new(ErrorKind::InvalidRequest, detail));
        }
        if let Kind::Download(saving) = &mut state.kind {
            change(saving);
        }
        Ok(())
    }
}
