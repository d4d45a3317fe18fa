//! Delegates as they are held.

use std::fmt;
use std::sync::Arc;

use super::Delegate;
use crate::foreign::Foreign;

/// A handle of a delegate, which may be the last one wherever it is let go of.
pub(crate) type HeldDelegate = Foreign<Arc<dyn Delegate>>;

impl fmt::Debug for dyn Delegate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dyn Delegate")
    }
}
