//! Looking for several fields in one walk.

#[cfg(all(feature = "daemon", unix))]
use std::borrow::Cow;

use super::Headers;
#[cfg(all(feature = "daemon", unix))]
use super::bytes_of;

impl Headers {
    /// Returns every field, name as written and value, in order, as bytes: a range of text would
    /// be looked at for cut characters first.
    #[inline]
    pub(crate) fn iter_bytes(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let text = self.text.as_bytes();
        self.lines.iter().map(move |line| (&text[line.name()], &text[line.value()]))
    }

    /// Returns every field, name as written and value as it is sent, in order.
    #[cfg(all(feature = "daemon", unix))]
    pub(crate) fn iter_sent(&self) -> impl Iterator<Item = (&str, Cow<'_, [u8]>)> {
        self.lines
            .iter()
            .map(|line| (&self.text[line.name()], bytes_of(&self.text[line.value()], line.latin1)))
    }
}
