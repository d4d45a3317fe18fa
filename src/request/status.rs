//! Which statuses of a response a request accepts.

use std::ops::{Bound, RangeBounds};

use http::StatusCode;

use super::Request;

/// Statuses, by ranges from the first to the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Statuses(pub(super) Vec<(u16, u16)>);

impl Statuses {
    fn add(&mut self, range: impl RangeBounds<u16>) {
        let first = match range.start_bound() {
            Bound::Included(&first) => first,
            Bound::Excluded(&before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let last = match range.end_bound() {
            Bound::Included(&last) => Some(last),
            Bound::Excluded(&behind) => behind.checked_sub(1),
            Bound::Unbounded => Some(u16::MAX),
        };
        self.0.extend(last.map(|last| (first, last)));
    }

    fn contains(&self, status: StatusCode) -> bool {
        self.0.iter().any(|&(first, last)| (first..=last).contains(&status.as_u16()))
    }
}

impl Request {
    /// Sets which statuses this request accepts: a response with another one ends the task
    /// with [`ErrorKind::UnacceptableStatus`](crate::ErrorKind::UnacceptableStatus), whose
    /// [`response`](crate::Error::response) and [`response_body`](crate::Error::response_body)
    /// are there to be looked at. Called again, it adds to what is accepted.
    ///
    /// It holds for every kind of task, and is judged last: after challenges were answered,
    /// redirects followed, and the request sent again where that is done. The delegate is
    /// asked with [`did_receive_response`](crate::Delegate::did_receive_response) before;
    /// that it allows the response does not make it acceptable. Of the body of a response
    /// that is not accepted nobody is told.
    ///
    /// Default: every status is an answer. A download to a place of its own
    /// ([`download_to`](crate::Session::download_to),
    /// [`save_to`](crate::DownloadTask::save_to)) accepts 200 to 299, and 206 (a part) only
    /// if the request has a `Range`.
    ///
    /// ```
    /// use urlsession::testing::{Answer, Server};
    /// use urlsession::{ErrorKind, Request, Session};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::status(503).body("at lunch"));
    /// let url = server.url("/");
    ///
    /// // What is there, or that it is gone.
    /// let request = Request::get(&url).accepts_status(200..300).accepts_status(404..=404);
    /// let error = Session::shared().data(request).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::UnacceptableStatus);
    /// assert_eq!(error.response().unwrap().status(), 503);
    /// assert_eq!(error.response_body(), Some(&b"at lunch"[..]));
    /// ```
    pub fn accepts_status(mut self, statuses: impl RangeBounds<u16>) -> Self {
        self.accepted.get_or_insert_default().add(statuses);
        self
    }

    /// Decides whether a response is accepted that is saved, at a place of its own, or not.
    pub(crate) fn accepts(&self, status: StatusCode, is_saved: bool) -> bool {
        match &self.accepted {
            Some(accepted) => accepted.contains(status),
            // A part that nobody asked for would pass for the whole.
            None if is_saved && status == StatusCode::PARTIAL_CONTENT => {
                self.headers().contains("range")
            }
            None => !is_saved || status.is_success(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_a_success_and_what_is_told_of_may_be_anything() {
        let plain = Request::get("http://shop.test/");
        let part = plain.clone().header("Range", "bytes=0-9");
        // Whether it is accepted as an answer, as a file, and as a file with a Range.
        for (status, answer, file, ranged) in [
            (200, true, true, true),
            (201, true, true, true),
            (204, true, true, true),
            (205, true, true, true),
            (206, true, false, true),
            (226, true, true, true),
            (299, true, true, true),
            (300, true, false, false),
            (302, true, false, false),
            (304, true, false, false),
            (404, true, false, false),
            (416, true, false, false),
            (503, true, false, false),
            (999, true, false, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(plain.accepts(status, false), answer, "{status}");
            assert_eq!(plain.accepts(status, true), file, "{status}");
            assert_eq!(part.accepts(status, true), ranged, "{status} to a Range");
        }
    }

    #[test]
    fn what_a_request_accepts_holds_whatever_becomes_of_it() {
        let request = || Request::get("http://shop.test/");
        let behind = (Bound::Excluded(403), Bound::Included(405));
        for (request, accepted) in [
            (request().accepts_status(..), vec![100, 200, 206, 304, 404, 405, 599, 999]),
            (request().accepts_status(200..300), vec![200, 206]),
            (request().accepts_status(200..300).accepts_status(404..=404), vec![200, 206, 404]),
            (request().accepts_status(behind), vec![404, 405]),
            (request().accepts_status(..300), vec![100, 200, 206]),
            (request().accepts_status(500..), vec![599, 999]),
            (request().accepts_status(..0), vec![]),
        ] {
            for status in [100, 200, 206, 304, 404, 405, 599, 999] {
                for is_saved in [false, true] {
                    let found = request.accepts(StatusCode::from_u16(status).unwrap(), is_saved);
                    assert_eq!(found, accepted.contains(&status), "{status} of {accepted:?}");
                }
            }
        }
    }
}
