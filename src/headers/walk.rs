//! Looking for several fields in one walk.

use super::Headers;

impl Headers {
    /// Returns every field, name as written and value, in order, as bytes: a range of text would
    /// be looked at for cut characters first.
    #[inline]
    pub(crate) fn iter_bytes(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let text = self.text.as_bytes();
        self.lines.iter().map(move |line| (&text[line.name()], &text[line.value()]))
    }
}
