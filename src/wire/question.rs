//! The place of a question, which outlives the thread that has asked it.

use std::any::Any;
use std::fmt;

/// The place of one question.
///
/// Whoever asks keeps it as long as the same question may have to be asked again: if the load
/// [leaves](super::Context::leaves) its thread while it waits for the answer, what was asked
/// lies here, and asking again goes on with that wait instead. Dropped, nobody waits any more.
#[derive(Default)]
pub(crate) struct Question(Option<Box<dyn Any + Send>>);

impl Question {
    /// Whether it was asked, and not answered so far.
    pub(crate) fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Keeps what was asked. What that is, the one who asks need not know.
    pub(crate) fn keep<T: Any + Send>(&mut self, asked: T) {
        self.0 = Some(Box::new(asked));
    }

    /// Takes what was asked, if it was.
    pub(crate) fn take<T: Any>(&mut self) -> Option<T> {
        let asked = self.0.take()?.downcast().ok();
        debug_assert!(asked.is_some(), "it is the place of another question");
        asked.map(|asked| *asked)
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("is_open", &self.is_open()).finish()
    }
}
