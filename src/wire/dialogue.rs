//! What whoever started a load is told and asked.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::{Head, Pauses, Question};
use crate::body::Body;
use crate::credentials::{Challenge, Disposition};
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;

/// The dialogue of one load with whoever started it.
///
/// A question may take any time, and the load waits for the answer; an error ends the load, or
/// says that it [leaves](super::Context::leaves) its thread: then the same is asked again later,
/// with the same [`Question`].
pub(crate) trait Dialogue: Send + Sync {
    /// Returns how long the load has paused, from its beginning to now. It leaves its thread
    /// only if it `may_leave`.
    fn pauses(&self, may_leave: bool) -> Pauses;

    /// Returns when the load may go on with what it does for itself, at once unless it
    /// pauses. [Cancelled](Error::is_cancelled) although the load was not means that it leaves
    /// its thread.
    fn rest(self: Arc<Self>) -> Result<(), Error>;

    /// Whether the load leaves its thread. Whoever is asked may have ended it with the same
    /// error.
    fn has_left(&self) -> bool;

    // ---- told ----

    /// Learns of an informational answer (1xx) before the final one.
    fn informed(self: Arc<Self>, head: Head);

    /// Learns that a request with a body is about to go onto a connection, and how long the body is
    /// if that is known. With an error nothing goes.
    fn sends(&self, length: Option<u64>) -> Result<(), Error>;

    /// Learns that so many more bytes of the request's body were handed to the system.
    /// Returns when the load may go on.
    fn sent(self: Arc<Self>, bytes: u64) -> Result<(), Error>;

    // ---- asked ----

    /// Returns the request that follows the redirect `response`, which may be `proposed`
    /// itself; `None` delivers the redirect. Called before anything of the redirect's body
    /// is read.
    fn redirect(
        self: Arc<Self>,
        response: Response,
        proposed: Request,
        question: &mut Question,
    ) -> Result<Option<Request>, Error>;

    /// Returns when the load may go on where the redirect has led that was answered last.
    fn arrive(self: Arc<Self>) -> Result<(), Error>;

    /// Returns a body to send in place of one that can be sent once and has to be sent
    /// again; `None` if there is none.
    fn new_body(self: Arc<Self>, question: &mut Question) -> Result<Option<Body>, Error>;

    /// Returns what to do about a challenge; `None` if nobody answers: then what happens is
    /// the default. Called only where there is [a delegate](Self::has_delegate).
    fn challenge(
        self: Arc<Self>,
        challenge: Challenge,
        question: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error>;

    /// Whether there is anybody to ask about challenges.
    fn has_delegate(&self) -> bool;

    /// Returns the delegate that only this load asks, if it may have something to say about a
    /// server that others trust already.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "TLS alone asks it"))]
    fn own_delegate(&self) -> Option<DelegateId>;

    /// Asks the load's [own delegate](Self::own_delegate) alone.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "TLS alone asks it"))]
    fn challenge_own(
        self: Arc<Self>,
        challenge: Challenge,
        question: &mut Question,
    ) -> Result<Option<DelegateDecision>, Error>;

    /// Whether this delegate is one that is asked.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "TLS alone has terms"))]
    fn is_asked(self: Arc<Self>, delegate: &DelegateId) -> bool;
}

impl fmt::Debug for dyn Dialogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialogue")
    }
}

/// What a delegate has decided about a challenge.
#[derive(Debug)]
pub(crate) struct DelegateDecision {
    pub(crate) disposition: Disposition,
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "TLS alone has terms"))]
    pub(crate) by: DelegateId,
    /// It is for every load that uses the connection.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "TLS alone has terms"))]
    pub(crate) is_for_all: bool,
}

/// Which delegate it was: a connection that it has decided about is kept for it.
#[derive(Clone)]
pub(crate) struct DelegateId {
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "TLS alone has terms"))]
    address: usize,
    /// Keeps the address, and no more, from being given to another object.
    _kept: Arc<dyn Any + Send + Sync>,
}

impl DelegateId {
    /// Stands for the object, not for the handle.
    pub(crate) fn of<T: ?Sized + Send + Sync + 'static>(object: &Arc<T>) -> Self {
        let address = Arc::as_ptr(object).cast::<()>().addr();
        Self { address, _kept: Arc::new(Arc::downgrade(object)) }
    }

    /// Whether it stands for this object.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "TLS alone has terms"))]
    pub(crate) fn is<T: ?Sized>(&self, object: &Arc<T>) -> bool {
        self.address == Arc::as_ptr(object).cast::<()>().addr()
    }
}

impl PartialEq for DelegateId {
    fn eq(&self, other: &Self) -> bool {
        self.address == other.address
    }
}

impl fmt::Debug for DelegateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelegateId").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stands_for_one_object_as_long_as_it_is_remembered() {
        let object = Arc::new(7);
        let id = DelegateId::of(&object);
        assert!(id.is(&object));
        drop(object);
        let others: Vec<_> = (0..100).map(Arc::new).collect();
        assert!(!others.iter().any(|other| id.is(other)));
    }
}
