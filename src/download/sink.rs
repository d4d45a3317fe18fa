//! What a transfer knows of the file of its download.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::answer::StartOver;
use super::data::ResumeData;
use super::part::Part;
use super::saving::Saving;
use crate::census::Census;
use crate::error::{Error, ErrorKind};
use crate::files::DownloadedFile;
use crate::request::Request;
use crate::response::Response;
use crate::splice::SplicePipe;

/// Takes bytes.
pub(crate) trait Output: Send {
    /// Writes all of `bytes` at the end.
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// Writes all that is in `pipe` at the end.
    fn splice(&mut self, pipe: &mut SplicePipe) -> Result<(), Error>;
}

/// The file of a download, from one attempt to the next.
pub(crate) trait Sink: Output {
    /// Returns `Range` and `If-Range` of the next request, if it is to ask for a rest; the next
    /// answer is taken for one to that.
    fn asks(&mut self) -> Option<(String, Option<String>)>;

    /// Whether the next answer is one to a request for a rest.
    fn asked(&self) -> bool;

    /// Looks at the head of an answer, and prepares for its body, which may be decoded on its way.
    fn answered(&mut self, response: &Response, is_decoded: bool) -> Result<Course, Error>;

    /// Brings to the disk what has come if that is due, and writes down that it is there.
    fn keep_up(&mut self, now: Instant) -> Result<(), Error>;

    /// Has the file written by several at once, if it comes in parts; the first of them goes on with
    /// the body that is there, if there `has_body` still.
    fn split(&mut self, has_body: bool) -> Result<Option<Parts>, Error>;

    /// Nobody writes any more but who has this.
    fn join(&mut self) -> Result<(), Error>;

    /// Returns why what was there is gone, if that is why nothing more could be written: the whole is
    /// to be asked for.
    fn lost(&mut self) -> Option<StartOver>;

    /// The body has ended as HTTP has it: is it whole, and right? A large one takes a while, in
    /// which `rest` is asked whether the task may go on.
    fn ended(&mut self, rest: &mut dyn FnMut() -> Result<(), Error>) -> Result<End, Error>;

    /// The body is whole: the file comes to its place. On an error it may be tried again.
    fn finish(&mut self) -> Result<DownloadedFile, Error>;

    /// Returns what a later download can go on with, if one can.
    fn resume_data(&mut self, request: &Request) -> Option<ResumeData>;
}

/// A file that several write at once.
pub(crate) struct Parts {
    pub(crate) split: Arc<dyn Split>,
    /// What comes by the answer that is there.
    pub(crate) first: Option<Box<dyn Share>>,
    /// How many may fetch.
    pub(crate) most: usize,
}

/// What those share who write one file at once.
pub(crate) trait Split: Send + Sync {
    /// Takes what is missing and somebody fetches next, of so many that come for some.
    fn claim(self: Arc<Self>, sharers: usize) -> Option<Box<dyn Share>>;

    /// Returns for how many more there is something to fetch.
    fn room(&self) -> usize;

    /// Brings to the disk what has come if that is due, and writes down that it is there.
    fn keep_up(&self, now: Instant) -> Result<(), Error>;

    /// Nobody claims anything any more, nor in later attempts: parts do not fit.
    fn refuse(&self);

    /// Returns what was wrong with the file, if anything was.
    fn failure(&self) -> Option<Error>;
}

/// What an answer is for a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Brings,
    /// It does not bring what was asked for.
    Not,
    /// It comes too late: somebody else fetches that.
    TooLate,
}

/// What one of them fetches: a range of bytes. What is missing of it when it is dropped, others
/// fetch.
pub(crate) trait Share: Output {
    /// Returns `Range` and `If-Range` of the request for it.
    fn asks(&self) -> (String, String);

    /// Looks whether an answer brings it, of the right version.
    fn answered(&mut self, response: &Response, is_decoded: bool) -> Fit;

    /// Has so many bytes at most be its own that are written next, and returns how many; none if
    /// all of it is there.
    fn hold(&mut self, most: usize) -> usize;
}

impl fmt::Debug for dyn Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Split")
    }
}

impl fmt::Debug for dyn Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}

/// What follows from the head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// The body is written, from its first byte.
    Begins,
    /// The body is written behind what is there, which are so many bytes of so many in all.
    GoesOn { offset: u64, total: Option<u64> },
    /// The body is written, from its first byte; what was there is gone.
    StartsOver(StartOver),
    /// Nothing is missing of so many bytes, and there is no body to write.
    Complete { total: u64 },
    /// What was there is gone, and the whole is to be asked for.
    AsksAgain(StartOver),
    /// It says nothing of the file, which is as it was.
    Refused,
}

/// What follows from the end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Whole,
    /// It was a part, and the rest is to be asked for.
    AsksRest,
    /// What was there is gone, and the whole is to be asked for.
    AsksAgain(StartOver),
}

/// Makes the file of a download of `request` that is wanted so, in `folder` if it has no place.
type Make = fn(&Saving, &Request, Option<&Path>, &Census) -> Result<Box<dyn Sink>, Error>;

static MAKER: OnceLock<Make> = OnceLock::new();

/// Has bodies become files from now on: called before a task becomes a download.
pub(crate) fn give_maker() {
    // It was there before.
    let _ = MAKER.set(Part::begin);
}

/// Returns what makes the files of downloads.
pub(crate) fn maker() -> Result<Make, Error> {
    MAKER.get().copied().ok_or_else(|| {
        let detail = "nothing of this program was made to be downloaded";
        Error::new(ErrorKind::CannotCreateFile, detail)
    })
}
