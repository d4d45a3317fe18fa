//! What handles can ask for of what a task has come to.

use crate::error::Error;
use crate::request::Request;
use crate::response::Response;

/// What a task has come to.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    description: Option<Box<str>>,
    /// Where redirects have led.
    current: Option<Box<Request>>,
    response: Option<Response>,
    error: Option<Error>,
}

impl Seen {
    pub(crate) fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Gives it the program's own label; returns the one before.
    pub(crate) fn describe(&mut self, description: Box<str>) -> Option<Box<str>> {
        self.description.replace(description)
    }

    /// Returns the request that redirects have led to, if they have.
    pub(crate) fn current(&self) -> Option<&Request> {
        self.current.as_deref()
    }

    /// A redirect has led to `request`. What it was before is dropped without the lock, as
    /// the program may have put a body into it.
    pub(crate) fn moved_to(&mut self, request: Request) -> Option<Box<Request>> {
        self.current.replace(Box::new(request))
    }

    pub(super) fn response(&self) -> Option<&Response> {
        self.response.as_ref()
    }

    pub(crate) fn responded(&mut self, response: Response) {
        self.response = Some(response);
    }

    /// It begins where it began first. What this returns is dropped without the lock.
    pub(crate) fn start_over(&mut self) -> Option<Box<Request>> {
        self.response = None;
        self.current.take()
    }

    pub(super) fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    pub(crate) fn failed(&mut self, error: Option<&Error>) {
        self.error = error.cloned();
    }
}
