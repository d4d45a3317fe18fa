//! The file of a download, from one attempt to the next.

mod begin;
mod keeping;
mod splitting;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::answer::{Answer, Begun, StartOver, judge};
use super::data::ResumeData;
use super::entity::{Entity, has_rest};
use super::expected::Expected;
use super::range::ContentRange;
use super::ranges::Ranges;
use super::sink::{Course, End, Output, Parts, Sink};
use super::split::SplitFile;
use crate::census::Census;
use crate::error::{Error, ErrorKind};
use crate::files::{DownloadedFile, KeptFile, PartialFile, Target, temporary};
use crate::log;
use crate::request::Request;
use crate::response::Response;
use crate::splice::SplicePipe;
use keeping::Durable;
pub(super) use keeping::is_due;

/// The file of a download.
#[derive(Debug)]
pub(super) struct Part {
    /// Where it is to lie.
    target: Option<Target>,
    /// Where it lies until then, if it has no place.
    folder: Option<PathBuf>,
    census: Census,
    expected: Expected,
    /// The request is one whose answer can be asked for in parts.
    has_parts: bool,
    /// In how many parts it may come at once, and whether it does.
    segments: usize,
    comes_in_parts: bool,
    split: Option<Arc<SplitFile>>,
    /// As it is written down, for a later start of the program.
    durable: Option<Durable>,
    file: Option<PartialFile>,
    /// What is there behind where the file is written on.
    behind: Ranges,
    /// Who else may go on with the file.
    kept: Option<Arc<KeptFile>>,
    /// What the bytes are of, and where they came from.
    entity: Entity,
    final_url: String,
    asked: bool,
    /// Where the part lies that is coming: its first byte, and the one behind its last.
    coming: Option<(u64, u64)>,
    /// Not told yet.
    lost: Option<StartOver>,
    /// Somebody has cut the file.
    is_cut: bool,
    /// It began anew as its digest was wrong, which it does once.
    was_wrong: bool,
}

impl Part {
    /// Returns how much is there, from the first byte on.
    fn received(&self) -> u64 {
        self.file.as_ref().map_or(0, PartialFile::len)
    }

    /// Returns how much is there in all.
    fn count(&self) -> u64 {
        self.received() + self.behind.count()
    }

    fn begun(&self) -> Begun<'_> {
        let has_digest = self.expected.digest.is_some();
        let until = self.behind.start();
        Begun { entity: &self.entity, received: self.received(), until, has_digest }
    }

    fn can_go_on(&self) -> bool {
        self.has_parts && self.begun().can_go_on()
    }

    /// Returns the file, of which there is one as soon as something is written.
    fn file(&mut self) -> Result<&mut PartialFile, Error> {
        self.file.as_mut().ok_or_else(|| {
            let detail = "the file was handed over already";
            Error::new(ErrorKind::CannotWriteToFile, detail)
        })
    }

    /// Fails if somebody has cut the file.
    fn check(&mut self) -> Result<(), Error> {
        let checked = self.file.as_ref().map_or(Ok(()), PartialFile::check);
        self.is_cut |= checked.is_err();
        checked
    }

    /// Has the file be empty.
    fn empty(&mut self) -> Result<(), Error> {
        self.coming = None;
        self.behind = Ranges::default();
        match &mut self.file {
            Some(file) => file.cut(0)?,
            None => self.file = Some(self.create()?),
        }
        if let Some(durable) = &mut self.durable {
            // Before anything else comes to lie there: what is written down is of something else.
            durable.beside.forget();
            (durable.synced, durable.at) = (0, None);
        }
        Ok(())
    }

    fn create(&self) -> Result<PartialFile, Error> {
        match (&self.durable, &self.target) {
            (Some(durable), _) => durable.beside.open(&self.census),
            (None, Some(target)) => target.create_beside(),
            (None, None) => temporary::create(self.folder.as_deref(), &self.census),
        }
    }

    /// Returns up to where all is there, and what is behind that. More than a part was said to
    /// bring is nobody knows what, and has taken the place of what was there.
    fn proven(&self) -> (u64, Ranges) {
        let (written, mut behind) = (self.received(), self.behind.clone());
        let end = self.coming.map_or(written, |(_, end)| end.min(written));
        if end < written {
            behind.take_before(written);
        }
        (behind.take_before(end), behind)
    }

    /// Goes on behind what is there.
    fn pass_over(&mut self) -> Result<(), Error> {
        let (end, behind) = self.proven();
        self.behind = behind;
        if end == self.received() { Ok(()) } else { self.file()?.go_to(end) }
    }

    /// Lets go of what has come, to ask for the whole.
    fn ask_again(&mut self) -> Result<(), Error> {
        self.entity = Entity::default();
        self.empty()
    }

    /// Takes the head of a whole.
    fn begin_whole(&mut self, response: &Response) -> Result<(), Error> {
        let entity = Entity::of(response.headers(), response.expected_content_length());
        if let Some(total) = entity.total {
            self.expected.check_length(total)?;
        }
        self.empty()?;
        let is_whole = has_rest(response.status()) && self.has_parts;
        self.entity = if is_whole { entity } else { Entity::default() };
        self.final_url = response.url().to_string();
        self.learn_of_parts(response);
        Ok(())
    }

    /// Compares the digest of what has come with the one that was expected.
    fn check_digest(
        &mut self,
        rest: &mut dyn FnMut() -> Result<(), Error>,
    ) -> Result<Option<Error>, Error> {
        let Some(digest) = self.expected.digest.clone() else { return Ok(None) };
        let mut hasher = digest.hasher()?;
        self.file()?.read_all(&mut |piece| {
            hasher.update(piece);
            rest()
        })?;
        let found = hasher.finish();
        Ok((!digest.is(&found)).then(|| digest.mismatch(&found)))
    }

    /// Nobody goes on with what has come.
    fn throw_away(&mut self) {
        self.entity = Entity::default();
        if let Some(kept) = self.kept.take() {
            kept.stay(false);
        }
        if let Some(mut file) = self.file.take() {
            file.stay(false);
        }
        if let Some(durable) = &self.durable {
            durable.beside.forget();
        }
    }
}

/// The error of a part that was announced and has no bytes.
fn empty_part() -> Error {
    let detail = "the server has announced a part of the file, and sent nothing of it";
    Error::new(ErrorKind::BadServerResponse, detail)
}

impl Output for Part {
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.check()?;
        self.file()?.write_all(bytes)
    }

    fn splice(&mut self, pipe: &mut SplicePipe) -> Result<(), Error> {
        self.check()?;
        self.file()?.splice(pipe)
    }
}

impl Sink for Part {
    fn asks(&mut self) -> Option<(String, Option<String>)> {
        // The last answer may have broken right before it, or behind its end.
        self.asked = self.pass_over().is_ok() && self.can_go_on();
        if !self.asked {
            return None;
        }
        let (range, condition) = self.begun().asks()?;
        Some((range, condition.map(str::to_owned)))
    }

    fn asked(&self) -> bool {
        self.asked
    }

    fn answered(&mut self, response: &Response, is_decoded: bool) -> Result<Course, Error> {
        // Where its bytes lie on the server, nobody knows.
        self.has_parts &= !is_decoded;
        if !std::mem::take(&mut self.asked) {
            let had = self.count() > 0;
            self.begin_whole(response)?;
            let reason = self.lost.take().or(had.then_some(StartOver::NoValidator));
            return Ok(reason.map_or(Course::Begins, Course::StartsOver));
        }
        let (status, headers) = (response.status(), response.headers());
        let entity = Entity::of(headers, None);
        let begun = self.begun();
        let offset = begun.offset();
        match judge(begun, status, &entity, ContentRange::of(headers)) {
            Answer::Append { count, .. }
                if response.expected_content_length().is_some_and(|length| length != count) =>
            {
                self.ask_again()?;
                Ok(Course::AsksAgain(StartOver::NoRanges))
            }
            Answer::Append { count, total } => {
                if let Some(total) = total {
                    self.expected.check_length(total)?;
                }
                // What is there once more is as it is written down, until it has come.
                self.file()?.go_to(offset)?;
                self.coming = Some((offset, offset + count));
                self.entity.total = total;
                self.learn_of_parts(response);
                Ok(Course::GoesOn { offset: offset + self.behind.count(), total })
            }
            Answer::Anew(reason) => {
                self.begin_whole(response)?;
                Ok(Course::StartsOver(reason))
            }
            Answer::Complete => {
                let total = self.received();
                self.entity.total = Some(total);
                Ok(Course::Complete { total })
            }
            Answer::AskAgain(reason) => {
                self.ask_again()?;
                Ok(Course::AsksAgain(reason))
            }
            Answer::Refused => Ok(Course::Refused),
        }
    }

    fn keep_up(&mut self, now: Instant) -> Result<(), Error> {
        self.sync_if_due(now)
    }

    fn split(&mut self, has_body: bool) -> Result<Option<Parts>, Error> {
        self.begin_split(has_body)
    }

    fn join(&mut self) -> Result<(), Error> {
        self.end_split()
    }

    fn lost(&mut self) -> Option<StartOver> {
        let is_cut = std::mem::take(&mut self.is_cut);
        (is_cut && self.ask_again().is_ok()).then_some(StartOver::Lost)
    }

    fn ended(&mut self, rest: &mut dyn FnMut() -> Result<(), Error>) -> Result<End, Error> {
        let is_too_much = self.coming.is_some_and(|(_, end)| self.received() > end);
        if !is_too_much {
            self.pass_over()?;
        }
        self.check()?;
        let received = self.received();
        let is_part = self.coming.is_some();
        let total = self.entity.total.or(self.expected.length.filter(|_| is_part));
        let has_digest = self.expected.digest.is_some();
        let again = match (self.coming.take(), total) {
            _ if is_too_much => Some(StartOver::NoRanges),
            (_, Some(total)) if received > total => Some(StartOver::Changed),
            (Some((start, _)), Some(total)) if received < total => {
                // Whoever sends nothing would be asked for ever.
                return if received > start { Ok(End::AsksRest) } else { Err(empty_part()) };
            }
            (Some(_), None) if !has_digest => Some(StartOver::NoValidator),
            _ => None,
        };
        if let Some(reason) = again {
            self.ask_again()?;
            return Ok(End::AsksAgain(reason));
        }
        if let Err(error) = self.expected.check_length(received) {
            self.throw_away();
            return Err(error);
        }
        let Some(mismatch) = self.check_digest(rest)? else { return Ok(End::Whole) };
        // Without anything that named its version, the rest may have been of another one.
        if is_part && self.entity.validator().is_none() && !self.was_wrong {
            self.was_wrong = true;
            self.ask_again()?;
            return Ok(End::AsksAgain(StartOver::WrongDigest));
        }
        self.throw_away();
        Err(mismatch)
    }

    fn finish(&mut self) -> Result<DownloadedFile, Error> {
        let target = self.target.clone();
        let file = self.file()?;
        let finished = match target {
            Some(target) => file.finish(&target),
            None => file.finish_temporary(),
        };
        let finished = finished?;
        self.file = None;
        if let Some(kept) = &self.kept {
            // It belongs to whoever gets it now.
            kept.stay(true);
        }
        if let Some(durable) = &self.durable {
            durable.beside.forget();
        }
        Ok(finished)
    }

    fn resume_data(&mut self, request: &Request) -> Option<ResumeData> {
        self.produce_resume_data(request)
    }
}

impl Drop for Part {
    /// Leaves beside the place what a later start of the program can go on with, and nothing
    /// else.
    fn drop(&mut self) {
        if self.durable.is_none() || self.file.is_none() {
            return;
        }
        if !self.can_go_on() {
            return self.throw_away();
        }
        if let Err(error) = self.sync(None) {
            log::warn!("the last that has come of a download is lost: {error}");
        }
    }
}
