//! How the file of a download begins.

use std::path::Path;

use http::Method;

use super::Part;
use super::keeping::Durable;
use crate::census::Census;
use crate::download::answer::StartOver;
use crate::download::beside::Beside;
use crate::download::data::ResumeData;
use crate::download::entity::Entity;
use crate::download::ranges::Ranges;
use crate::download::record::Record;
use crate::download::saving::Saving;
use crate::download::sink::Sink;
use crate::error::{Error, ErrorKind};
use crate::files::Target;
use crate::request::Request;

/// Headers by which a request says itself which part or version it wants.
const CONDITIONS: &[&str] =
    &["range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];

/// Whether a rest can be asked for of what a request asks for (RFC 9110 §14.2: of a `GET`), and
/// the bytes are those that come.
fn has_parts(request: &Request) -> bool {
    let asks_itself = CONDITIONS.iter().any(|name| request.headers().contains(name));
    let is_decoded = request.decodes() == Some(true);
    *request.method() == Method::GET
        && request.body_to_send().is_none()
        && !asks_itself
        && !is_decoded
}

impl Part {
    /// Begins, or goes on with what is there. What is at its place already is known before
    /// anything is transferred.
    pub(in crate::download) fn begin(
        saving: &Saving,
        request: &Request,
        folder: Option<&Path>,
        census: &Census,
    ) -> Result<Box<dyn Sink>, Error> {
        let resumed = saving.resumed.as_deref();
        let target = match &saving.place {
            Some((path, existing)) => {
                Some(Target::new(path, *existing, census).inspect_err(|_| tidy(saving, path))?)
            }
            None if resumed.is_none() && (saving.is_resumable || saving.segments > 1) => {
                let what = if saving.is_resumable { "is resumable" } else { "comes in segments" };
                let detail = format!("a download that {what} needs a place: name it by save_to");
                return Err(Error::new(ErrorKind::InvalidRequest, detail));
            }
            None => None,
        };
        let mut part = Self {
            target,
            folder: folder.map(Path::to_owned),
            census: census.clone(),
            expected: saving.expected.clone(),
            has_parts: has_parts(request),
            segments: saving.segments,
            comes_in_parts: false,
            split: None,
            durable: None,
            file: None,
            behind: Ranges::default(),
            kept: None,
            entity: Entity::default(),
            final_url: String::new(),
            asked: false,
            coming: None,
            lost: None,
            is_cut: false,
            was_wrong: false,
        };
        if let Some(data) = resumed {
            part.go_on_with(data)?;
        } else if saving.is_resumable {
            part.go_on_beside(request)?;
        }
        Ok(Box::new(part))
    }

    /// Goes on with resume data.
    fn go_on_with(&mut self, data: &ResumeData) -> Result<(), Error> {
        let record = data.record();
        let mut file = data.open(&self.census)?;
        file.go_to(record.received)?;
        self.file = Some(file);
        self.kept = Some(data.file().clone());
        self.take(record);
        Ok(())
    }

    fn take(&mut self, record: &Record) {
        self.entity = record.entity.clone();
        self.behind = record.ranges.clone();
        self.final_url.clone_from(&record.final_url);
        self.expected = std::mem::take(&mut self.expected).or(&record.expected);
    }

    /// Goes on with what an earlier start of the program has left beside the place.
    fn go_on_beside(&mut self, request: &Request) -> Result<(), Error> {
        let Some(target) = &self.target else { return Ok(()) };
        let beside = Beside::of(target);
        let mut file = beside.open(&self.census)?;
        let before = file.len();
        let found = match beside.read() {
            Ok(found) => found,
            Err(error) => {
                file.stay(true);
                return Err(error);
            }
        };
        let url = request.url().map_or("", url::Url::as_str);
        let stamp = file.stamp()?;
        let fits = found.filter(|record| {
            record.url == url
                && record.stamp.is_same_file(&stamp)
                && record.end() <= before
                && self.has_parts
        });
        let (received, count, end) = fits
            .as_ref()
            .map_or((0, 0, 0), |record| (record.received, record.count(), record.end()));
        // What came after it was written down may not be whole.
        file.cut(end)?;
        file.go_to(received)?;
        self.file = Some(file);
        let request = request.clone().without_cancel_token();
        self.durable = Some(Durable { beside, request, synced: count, at: None });
        match fits {
            Some(record) => self.take(&record),
            None if before > 0 => self.lost = Some(StartOver::Lost),
            None => {}
        }
        Ok(())
    }
}

/// Removes what is left beside a file that came to its place right before a crash.
fn tidy(saving: &Saving, path: &Path) {
    use crate::files::Existing;
    let census = Census::default();
    if saving.is_resumable
        && path.is_file()
        && let Ok(target) = Target::new(path, Existing::Replace, &census)
    {
        Beside::of(&target).tidy();
    }
}
