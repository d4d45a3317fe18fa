//! Asking for the rest of a file that was begun, and what its answer means.

use std::sync::Arc;

use super::transfer::Transfer;
use crate::download::{Course, Sink, StartOver};
use crate::error::{Error, Stage};
use crate::load::Loaded;
use crate::request::Request;
use crate::session::task::{Core, Listener};

/// Returns the request for a file as it is stored, unless the program has said what it wants, and
/// for the rest of it, if there is something already.
pub(super) fn asked(request: &Request, sink: &mut dyn Sink) -> Option<Box<Request>> {
    let rest = sink.asks();
    let as_stored = request.decodes().is_none().then(|| request.clone().decodes_body(false));
    let Some((range, condition)) = rest else { return as_stored.map(Box::new) };
    let asks = as_stored.unwrap_or_else(|| request.clone()).header("Range", range);
    Some(Box::new(match condition {
        Some(condition) => asks.header("If-Range", condition),
        None => asks,
    }))
}

/// Returns the request for a part of a file as it is stored.
pub(super) fn asked_for(request: &Request, (range, condition): (String, String)) -> Request {
    let asks = request.clone().header("Range", range).header("If-Range", condition);
    if asks.decodes().is_none() { asks.decodes_body(false) } else { asks }
}

/// Decides what the answer to that means, and tells it.
#[cold]
pub(super) fn course(
    core: &Arc<Core>,
    sink: &mut dyn Sink,
    loaded: &Loaded,
    listener: Option<&dyn Listener>,
) -> Result<Course, Error> {
    let answered = sink.answered(&loaded.response, loaded.body.is_decoding());
    let course = answered.map_err(|error| error.at(Stage::Receiving))?;
    match course {
        Course::GoesOn { offset, total } => {
            core.counters.go_on_from(offset, total);
            listener.inspect(|listener| listener.resumed(core, offset, total));
        }
        Course::StartsOver(reason) => tell_of_start(core, listener, reason),
        Course::AsksAgain(reason) => {
            tell_of_start(core, listener, reason);
            return Err(again(core));
        }
        Course::Complete { total } => core.counters.go_on_from(total, Some(total)),
        Course::Begins | Course::Refused => {}
    }
    Ok(course)
}

/// Tells that what was there is gone.
pub(super) fn tell_of_start(core: &Arc<Core>, listener: Option<&dyn Listener>, reason: StartOver) {
    crate::log::debug!("a download starts over: {reason}");
    core.counters.receive_anew();
    listener.inspect(|listener| listener.started_over(core, reason));
}

/// Ends the attempt for another one, which follows at once.
pub(super) fn again(core: &Core) -> Error {
    let _ = core.state.lock().attempts.start_over();
    Error::cancelled()
}

impl Transfer {
    /// Adds to the error that a task has failed with what can be gone on with after it.
    pub(super) fn interrupted(self, core: &Core, error: Error) -> Error {
        let Some(mut sink) = self.sink else { return error };
        let produces = core.state.lock().recipients.want_resume_data();
        if error.is_cancelled() && !produces {
            return error;
        }
        match sink.resume_data(&core.request) {
            Some(data) => error.with_resume_data(data),
            None => error,
        }
    }
}
