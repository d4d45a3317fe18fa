//! How long a request may take, where it does not go by the configuration.

use std::time::Duration;

use super::Request;

/// What a request says of its own; for the rest the configuration does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Timers {
    request: Option<Duration>,
    resource: Option<Duration>,
    connect: Option<Duration>,
}

impl Request {
    /// Sets how long this request may wait for a byte, either way, before it fails with
    /// [`ErrorKind::TimedOut`](crate::ErrorKind::TimedOut). Every byte starts it anew, so that it
    /// does not bound the whole: that is [`timeout_for_resource`](Self::timeout_for_resource).
    ///
    /// Default: the configuration's
    /// [`timeout_for_request`](crate::Configuration::timeout_for_request).
    #[doc(alias = "timeout")]
    #[doc(alias = "timeoutInterval")]
    pub fn timeout_for_request(mut self, timeout: Duration) -> Self {
        self.timers.get_or_insert_default().request = Some(timeout);
        self
    }

    /// Sets how long the whole load may take, from its beginning to the last byte of the body,
    /// over waiting in line, look-ups, redirects and retries, before it fails with
    /// [`ErrorKind::TimedOut`](crate::ErrorKind::TimedOut). It is what other clients call the
    /// timeout of a request.
    ///
    /// Default: the configuration's
    /// [`timeout_for_resource`](crate::Configuration::timeout_for_resource).
    ///
    /// ```
    /// use std::time::Duration;
    /// use urlsession::testing::{Answer, Server};
    /// use urlsession::{Request, Session};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::ok("tea").stall_in_body_after(1));
    /// let url = server.url("/");
    ///
    /// let request = Request::get(&url).timeout_for_resource(Duration::from_millis(50));
    /// let error = Session::shared().data(request).unwrap_err();
    /// assert!(error.to_string().contains("longer than timeout_for_resource, 50ms"), "{error}");
    /// ```
    #[doc(alias = "timeout")]
    pub fn timeout_for_resource(mut self, timeout: Duration) -> Self {
        self.timers.get_or_insert_default().resource = Some(timeout);
        self
    }

    /// Sets how long it may take to make a connection for this request, the look-up of its host
    /// and the TLS handshake among it, before it fails with
    /// [`ErrorKind::TimedOut`](crate::ErrorKind::TimedOut).
    ///
    /// Default: the configuration's
    /// [`connect_timeout`](crate::Configuration::connect_timeout).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.timers.get_or_insert_default().connect = Some(timeout);
        self
    }

    /// Returns what [`timeout_for_request`](Self::timeout_for_request) has set; `None` if the
    /// configuration's holds.
    pub fn timeout_interval(&self) -> Option<Duration> {
        self.timers.as_ref()?.request
    }

    /// Returns what [`timeout_for_resource`](Self::timeout_for_resource) has set; `None` if the
    /// configuration's holds.
    pub fn resource_timeout_interval(&self) -> Option<Duration> {
        self.timers.as_ref()?.resource
    }

    /// Returns what [`connect_timeout`](Self::connect_timeout) has set; `None` if the
    /// configuration's holds.
    pub fn connect_timeout_interval(&self) -> Option<Duration> {
        self.timers.as_ref()?.connect
    }

    pub(crate) fn timeout_for_request_or(&self, default: Duration) -> Duration {
        self.timers.as_ref().and_then(|timers| timers.request).unwrap_or(default)
    }

    pub(crate) fn timeout_for_resource_or(&self, default: Duration) -> Duration {
        self.timers.as_ref().and_then(|timers| timers.resource).unwrap_or(default)
    }

    pub(crate) fn connect_timeout_or(&self, default: Option<Duration>) -> Option<Duration> {
        self.timers.as_ref().and_then(|timers| timers.connect).or(default)
    }
}
