//! When a task whose attempt has failed makes another one, and what is told of that.

use std::time::Duration;

use crate::error::Error;
use crate::setters::setters;

/// What servers say that cannot answer now: RFC 9110 §15.5.9 and §15.6, RFC 8470, RFC 6585.
pub(crate) const FOR_NOW: [u16; 7] = [408, 425, 429, 500, 502, 503, 504];

/// A delay that every clock can hold and nobody sees the end of: a century.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// How often, for which failures and when a task makes another attempt: a bag of fields, each
/// with a method of its name that sets it.
///
/// It is [off](Self::off) unless a configuration
/// ([`retry_policy`](crate::Configuration::retry_policy)) or a request
/// ([`Request::retry_policy`](crate::Request::retry_policy)) says otherwise.
///
/// What is tried again is a request that may be sent twice (RFC 9110 §9.2.2): `GET`, `HEAD`,
/// `OPTIONS`, `TRACE`, `PUT`, `DELETE`, and any with an `Idempotency-Key`, whose body can be sent
/// again, which one of a reader or a delegate cannot. Where no connection came about, so that
/// nothing was sent, that is every request. Only the [`statuses`](Self::statuses) and
/// [connections](Self::broken_connections) below are; certificates that are not trusted, what is
/// no HTTP, and, unless [that is wished](Self::timeouts), a timer that has passed are not.
///
/// An answer that is tried again is told to nobody, and of its body nothing is read for anybody.
/// That of the last attempt is an answer as any other, and is
/// [accepted](crate::Request::accepts_status) or not. Where a connection breaks in the middle of a
/// body of which pieces were told already, another response follows; a body that is
/// [read as it comes](crate::Session::bytes) is not tried again from its response on.
///
/// Between two attempts a task has neither thread nor place; a blocking call waits on its
/// caller's. A cancel and [`timeout_for_resource`](crate::Configuration::timeout_for_resource),
/// which runs on, end the wait. Who is suspended meanwhile makes its attempt once it is resumed,
/// and not before the delay has passed.
/// [`will_retry`](crate::Delegate::will_retry) tells of each.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use urlsession::testing::{Answer, Server};
/// use urlsession::{Configuration, RetryPolicy, Session};
///
/// let server = Server::start();
/// server.enqueue(Answer::status(503));
/// server.enqueue(Answer::ok("hello"));
///
/// let policy = RetryPolicy::attempts(4).first_delay(Duration::from_millis(10));
/// let session = Session::new(Configuration::ephemeral().retry_policy(policy))?;
/// assert_eq!(session.data(server.url("/"))?.text(), "hello");
/// Ok::<(), urlsession::Error>(())
/// ```
#[doc(alias = "backoff")]
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How many attempts a task makes at most, the first among them.
    ///
    /// Default: 1, which is no retry. 0 counts as 1.
    pub maximum_attempts: u32,

    /// Which statuses of an answer are tried again.
    ///
    /// Default: 408, 425, 429, 500, 502, 503 and 504.
    pub statuses: Vec<u16>,

    /// Whether it is tried again that no connection to the host could be made, and that one broke
    /// before the answer was whole. With
    /// [`waits_for_connectivity`](crate::Configuration::waits_for_connectivity) the first
    /// connection is waited for as that says, which counts as no attempt.
    ///
    /// Default: `true`.
    pub broken_connections: bool,

    /// Whether it is tried again that a byte was waited for too long, which is
    /// [`timeout_for_request`](crate::Configuration::timeout_for_request). What the whole task
    /// may take bounds it all the same.
    ///
    /// Default: `false`.
    pub timeouts: bool,

    /// Whether attempts are counted, and delays grow, from the last one on that has received
    /// something of a body: so that whoever comes closer to the end is not given up.
    ///
    /// Default: `false`, which is over the whole task.
    pub forgets_after_progress: bool,

    /// How long it is until the second attempt.
    ///
    /// Default: one second.
    pub first_delay: Duration,

    /// How many times as long every further delay is as the one before; less than 1 counts as 1.
    ///
    /// Default: 2.
    pub growth: f64,

    /// By which part of itself a delay is longer or shorter, at random, so that those who have
    /// failed together do not come again together: from 0 to 1.
    ///
    /// Default: 0.5, which is from half to one and a half times as long.
    pub jitter: f64,

    /// How long a delay is at most, with what is added at random.
    ///
    /// Default: one minute.
    pub maximum_delay: Duration,

    /// How long a delay is at most that the server has asked for, by `Retry-After` in seconds or
    /// as a date (RFC 9110 §10.2.3). Such a delay is waited for where it is longer than the
    /// policy's own.
    ///
    /// Default: six hours.
    pub maximum_retry_after: Duration,
}

impl RetryPolicy {
    /// A policy by which nothing is tried again.
    pub fn off() -> Self {
        Self::attempts(1)
    }

    /// A policy of at most so many attempts, the first among them.
    pub fn attempts(count: u32) -> Self {
        Self {
            maximum_attempts: count,
            statuses: FOR_NOW.to_vec(),
            broken_connections: true,
            timeouts: false,
            forgets_after_progress: false,
            first_delay: Duration::from_secs(1),
            growth: 2.0,
            jitter: 0.5,
            maximum_delay: Duration::from_secs(60),
            maximum_retry_after: Duration::from_secs(6 * 60 * 60),
        }
    }

    /// Sets [`statuses`](Self#structfield.statuses): these, and no others.
    #[must_use]
    pub fn statuses(mut self, statuses: impl IntoIterator<Item = u16>) -> Self {
        self.statuses = statuses.into_iter().collect();
        self
    }

    /// Whether an answer with this status may be tried again.
    pub(crate) fn is_for(&self, status: http::StatusCode) -> bool {
        self.maximum_attempts > 1 && self.statuses.contains(&status.as_u16())
    }

    /// Returns how long to wait after so many retries, of a server that has `asked` for a delay
    /// or not; `random` is any number.
    pub(crate) fn delay(&self, retries: u32, asked: Option<Duration>, random: u64) -> Duration {
        let most = self.maximum_delay;
        let bounded = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or(most).min(most);
        // No infinity, of which no part would be a number.
        let growth = self.growth.max(1.0).powf(retries.into()).min(f64::MAX);
        let grown = bounded(self.first_delay.as_secs_f64() * growth);
        let part = if self.jitter > 0.0 { self.jitter.min(1.0) } else { 0.0 };
        let by = random as f64 / u64::MAX as f64 * 2.0 - 1.0;
        let own = bounded(grown.as_secs_f64() * (1.0 + part * by));
        own.max(asked.unwrap_or_default().min(self.maximum_retry_after)).min(NEVER)
    }
}

impl Default for RetryPolicy {
    /// The policy that is [off](Self::off).
    fn default() -> Self {
        Self::off()
    }
}

setters! {
    RetryPolicy {
        maximum_attempts: u32,
        broken_connections: bool,
        timeouts: bool,
        forgets_after_progress: bool,
        first_delay: Duration,
        growth: f64,
        jitter: f64,
        maximum_delay: Duration,
        maximum_retry_after: Duration,
    }
}

/// That a task makes another attempt; see [`will_retry`](crate::Delegate::will_retry).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Retry {
    /// Which attempt is next: 2 after the first one has failed.
    pub attempt: u32,
    /// How long the task waits before it.
    pub delay: Duration,
    /// What the last attempt has failed with. An answer that is tried again is
    /// [`UnacceptableStatus`](crate::ErrorKind::UnacceptableStatus), with its head as the
    /// [response](Error::response).
    pub cause: Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_delay_grows_up_to_its_limit_and_differs_by_a_part_of_itself() {
        const LEAST: u64 = 0;
        const MOST: u64 = u64::MAX;
        let (usual, exact) = (RetryPolicy::attempts(9), RetryPolicy::attempts(9).jitter(0.0));
        for (policy, retries, random, delay) in [
            (&exact, 0, LEAST, 1.0),
            (&exact, 0, MOST, 1.0),
            (&exact, 1, MOST, 2.0),
            (&exact, 5, MOST, 32.0),
            (&exact, 6, MOST, 60.0),
            (&exact, u32::MAX, MOST, 60.0),
            (&usual, 0, LEAST, 0.5),
            (&usual, 0, MOST, 1.5),
            (&usual, 2, LEAST, 2.0),
            (&usual, 2, MOST, 6.0),
            (&usual, 9, LEAST, 30.0),
            (&usual, 9, MOST, 60.0),
            (&usual.clone().growth(1.0), 9, LEAST, 0.5),
            (&usual.clone().growth(10.0), 1, LEAST, 5.0),
            (&usual.clone().jitter(1.0), 1, LEAST, 0.0),
            (&usual.clone().jitter(1.0), 1, MOST, 4.0),
            (&usual.clone().first_delay(seconds(0.01)), 1, MOST, 0.03),
            // What is no number of the kind.
            (&exact.clone().growth(0.0), 3, LEAST, 1.0),
            (&exact.clone().growth(-2.0), 3, LEAST, 1.0),
            (&exact.clone().growth(f64::NAN), 3, LEAST, 1.0),
            (&exact.clone().growth(f64::INFINITY), 3, LEAST, 60.0),
            (&exact.clone().growth(f64::INFINITY).first_delay(Duration::ZERO), 3, LEAST, 0.0),
            (&exact.clone().first_delay(Duration::MAX), 3, LEAST, 60.0),
            (&usual.clone().jitter(-1.0), 0, LEAST, 1.0),
            (&usual.clone().jitter(f64::NAN), 0, LEAST, 1.0),
            (&usual.clone().jitter(5.0), 0, LEAST, 0.0),
        ] {
            let found = policy.delay(retries, None, random);
            assert_eq!(found, seconds(delay), "{retries}, {random} of {policy:?}");
        }
        let longest = exact.first_delay(Duration::MAX).maximum_delay(Duration::MAX);
        assert_eq!(longest.delay(0, None, 0), NEVER);
    }

    #[test]
    fn what_a_server_asks_for_is_waited_for_up_to_six_hours() {
        let policy = RetryPolicy::attempts(2).jitter(0.0).first_delay(seconds(4.0));
        for (asked, delay) in [
            (0.0, 4.0),
            (3.0, 4.0),
            (5.0, 5.0),
            (120.0, 120.0),
            (21_600.0, 21_600.0),
            (21_601.0, 21_600.0),
            (1e15, 21_600.0),
        ] {
            assert_eq!(policy.delay(0, Some(seconds(asked)), 0), seconds(delay), "{asked}");
        }
        let impatient = policy.maximum_retry_after(seconds(10.0));
        assert_eq!(impatient.delay(0, Some(Duration::MAX), 0), seconds(10.0));
    }

    #[test]
    fn a_policy_that_is_off_is_for_no_status() {
        for (policy, status, is_for) in [
            (RetryPolicy::off(), 503, false),
            (RetryPolicy::default(), 503, false),
            (RetryPolicy::attempts(0), 503, false),
            (RetryPolicy::attempts(2), 503, true),
            (RetryPolicy::attempts(2), 501, false),
            (RetryPolicy::attempts(2), 200, false),
            (RetryPolicy::attempts(2).statuses([202]), 202, true),
            (RetryPolicy::attempts(2).statuses([202]), 503, false),
            (RetryPolicy::attempts(2).maximum_attempts(1), 503, false),
        ] {
            let status = http::StatusCode::from_u16(status).unwrap();
            assert_eq!(policy.is_for(status), is_for, "{status} of {policy:?}");
        }
    }
}
