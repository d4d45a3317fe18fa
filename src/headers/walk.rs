//! Looking for two fields in one walk.

use super::Headers;

impl Headers {
    /// Looks at every value of the field `name`; returns whether the field `other` occurs.
    #[inline]
    pub(crate) fn look_at_all(&self, name: &str, other: &str, mut look: impl FnMut(&str)) -> bool {
        let mut occurs = false;
        for line in &self.lines {
            if self.is_named(line, name) {
                look(&self.text[line.value()]);
            } else {
                occurs |= self.is_named(line, other);
            }
        }
        occurs
    }
}
