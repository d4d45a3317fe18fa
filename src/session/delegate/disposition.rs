//! What delegates decide about tasks.

use crate::request::Request;

/// What becomes of a task whose [date](crate::Task::set_earliest_begin_date) has come; see
/// [`Delegate::will_begin_delayed_request`](crate::Delegate::will_begin_delayed_request).
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "it is made once, and given away")]
#[doc(alias = "URLSession.DelayedRequestDisposition")]
#[doc(alias = "NSURLSessionDelayedRequestDisposition")]
#[non_exhaustive]
pub enum DelayedRequestDisposition {
    /// It begins with the request that it has.
    #[doc(alias = "NSURLSessionDelayedRequestContinueLoading")]
    ContinueLoading,
    /// It begins with this one. A body of it does not count: an upload sends the file that it was
    /// made with.
    #[doc(alias = "NSURLSessionDelayedRequestUseNewRequest")]
    UseNewRequest(Request),
    /// It is cancelled.
    #[doc(alias = "NSURLSessionDelayedRequestCancel")]
    Cancel,
}

/// What becomes of a response whose head has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "URLSession.ResponseDisposition")]
#[doc(alias = "NSURLSessionResponseDisposition")]
#[non_exhaustive]
pub enum ResponseDisposition {
    /// The body is received and delivered.
    #[doc(alias = "NSURLSessionResponseAllow")]
    Allow,
    /// The task is cancelled.
    #[doc(alias = "NSURLSessionResponseCancel")]
    Cancel,
    /// The body is written to a file, decoded if its request has asked for codings, as one of
    /// a data task does. Only a task that reports to its delegates can become a download; another one fails with
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest).
    #[doc(alias = "NSURLSessionResponseBecomeDownload")]
    BecomeDownload,
}
