//! What a program wants of the file of a download.

use std::path::PathBuf;

use super::data::ResumeData;
use super::expected::Expected;
use crate::files::Existing;

/// What a program wants of the file of a download.
#[derive(Clone, Debug, Default)]
pub(crate) struct Saving {
    /// Where it is to lie, and what happens to what lies there.
    pub(crate) place: Option<(PathBuf, Existing)>,
    /// What has come is kept beside the place, and the same download goes on with it.
    pub(crate) is_resumable: bool,
    /// In how many parts it may come at once; one, if it is less.
    pub(crate) segments: usize,
    pub(crate) expected: Expected,
    /// What it goes on with.
    pub(crate) resumed: Option<Box<ResumeData>>,
}

impl Saving {
    /// Whether only the body that was asked for will do, and no page about an error.
    pub(crate) fn is_choosy(&self) -> bool {
        self.place.is_some() || self.resumed.is_some() || self.expected != Expected::default()
    }

    /// Whether its file takes the place of another.
    pub(crate) fn replaces(&self) -> bool {
        matches!(self.place, Some((_, Existing::Replace)))
    }
}
