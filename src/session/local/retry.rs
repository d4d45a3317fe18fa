//! What becomes of a task after an attempt: whether it makes another one, and when.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::Local;
use crate::body::Body;
use crate::error::{Error, ErrorKind};
use crate::log;
use crate::random;
use crate::response::Response;
use crate::retry::{Retry, RetryPolicy};
use crate::session::task::{Core, Record};
use crate::wire::{Loss, may_send_again};

/// What becomes of a task after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has brought what it brings, or has failed for good.
    Ends,
    /// It begins anew.
    StartsOver,
    /// It goes on with another thread, when it is resumed.
    Leaves,
    /// It begins anew after a while, as there was no connection.
    WaitsToConnect(Duration),
    /// It begins anew after a while, as its policy says.
    Retries(Duration),
}

/// How an attempt has ended, or is about to.
#[derive(Clone, Copy, Debug)]
enum Ending<'a> {
    Failure(&'a Error),
    /// The head of an answer has come, and the server wants to be left alone for so long.
    Answer(StatusCode, Option<Duration>),
}

/// All that is decided by.
#[derive(Clone, Debug)]
struct Situation<'a> {
    ending: Ending<'a>,
    /// The attempt was ended to begin again.
    starts_over: bool,
    /// The task was cancelled or has ended.
    is_over: bool,
    /// The transfer has left its thread.
    has_left: bool,
    /// The task was suspended, during which its connection may have grown old.
    may_have_broken: bool,
    /// The request may be sent again, although a server may have acted on it.
    may_start_over: bool,
    /// No server has acted on it where there was no connection, and none of its body was sent.
    is_unsent: bool,
    /// The delegate is asked for the body, and may have no second one.
    streams: bool,
    /// How long to wait for a connection, if it is waited for.
    patience: Option<Duration>,
    policy: &'a RetryPolicy,
    /// How often it was tried again before.
    retries: u32,
    /// How much time is left until all must be over.
    left: Option<Duration>,
    random: u64,
}

impl Situation<'_> {
    /// Decides about the task.
    ///
    /// It begins anew if it was ended for that, or was suspended for so long that its
    /// connection broke. It waits where the configuration says so, if there was no
    /// connection and it has not moved on from its first request. Whatever else fails for now
    /// is tried again by the policy.
    fn verdict(&self) -> Verdict {
        if self.starts_over {
            return Verdict::StartsOver;
        }
        if self.is_over {
            return Verdict::Ends;
        }
        let error = match self.ending {
            Ending::Failure(error) => error,
            Ending::Answer(status, asked) if self.policy.is_for(status) => {
                return self.retry(self.may_start_over && !self.streams, asked);
            }
            Ending::Answer(..) => return Verdict::Ends,
        };
        if self.has_left && error.is_cancelled() {
            return Verdict::Leaves;
        }
        let may_be_repeated = self.may_start_over && !self.streams;
        match (Loss::of(error), self.patience) {
            (Some(Loss::Broken), _) if self.may_have_broken && self.may_start_over => {
                Verdict::StartsOver
            }
            (Some(Loss::Unconnected), Some(patience)) => Verdict::WaitsToConnect(patience),
            (Some(_), _) if !self.policy.broken_connections => Verdict::Ends,
            (Some(Loss::Unconnected), None) => self.retry(self.is_unsent || may_be_repeated, None),
            (Some(Loss::Broken), _) => self.retry(may_be_repeated, None),
            (None, _) if self.policy.timeouts && error.kind() == ErrorKind::TimedOut => {
                self.retry(may_be_repeated, None)
            }
            (None, _) => Verdict::Ends,
        }
    }

    /// Tries it again, if there is an attempt left and the time for it.
    fn retry(&self, may_be_repeated: bool, asked: Option<Duration>) -> Verdict {
        if !may_be_repeated || self.retries.saturating_add(1) >= self.policy.maximum_attempts {
            return Verdict::Ends;
        }
        let delay = self.policy.delay(self.retries, asked, self.random);
        // Later there would be a timeout in place of what is known now.
        if self.left.is_some_and(|left| left <= delay) {
            return Verdict::Ends;
        }
        Verdict::Retries(delay)
    }
}

/// Whether sending the task's request again does no harm, although a server may have acted
/// on it: on the first one, and on the one that redirects have led to.
pub(super) fn may_start_over(core: &Core, state: &Record) -> bool {
    let (first, current) = (&core.request, core.current(state));
    let body = first.body_to_send();
    [first, current]
        .into_iter()
        .all(|request| may_send_again(Loss::Broken, request.method(), request.headers(), body))
        || (first.is_repeatable() && body.is_none_or(Body::can_rewind))
}

impl Local {
    /// Decides what becomes of a task whose attempt ended so.
    pub(super) fn verdict(&self, core: &Arc<Core>, error: Option<&Error>) -> Verdict {
        let Some(error) = error else { return Verdict::Ends };
        let decided = core.state.lock().attempts.waits_until();
        if let Some(until) = decided {
            // When its answer came.
            return Verdict::Retries(until.saturating_duration_since(self.now()));
        }
        let verdict = self.decide(core, Ending::Failure(error));
        match verdict {
            Verdict::WaitsToConnect(_) => {
                self.timer.watch_network();
                tell_of_waiting(core, error);
            }
            Verdict::Retries(delay) => tell_of_retry(core, delay, error.clone()),
            Verdict::Ends | Verdict::StartsOver | Verdict::Leaves => {}
        }
        verdict
    }

    /// Decides whether the task is tried again in place of delivering this answer: then returns
    /// what its attempt fails with.
    pub(super) fn answer_is_repeated(
        &self,
        core: &Arc<Core>,
        response: &Response,
    ) -> Option<Error> {
        let asked = response.retry_after_at(self.clock.date());
        let verdict = self.decide(core, Ending::Answer(response.status(), asked));
        let Verdict::Retries(delay) = verdict else { return None };
        let cause = response.clone().refused(Vec::new());
        tell_of_retry(core, delay, cause.clone());
        Some(cause)
    }

    fn decide(&self, core: &Arc<Core>, ending: Ending<'_>) -> Verdict {
        let configuration = &core.shared.configuration;
        let now = self.now();
        let policy = core.request.retries_by(&configuration.retry_policy);
        let mut state = core.state.lock();
        if policy.forgets_after_progress && core.counters.has_progressed() {
            state.attempts.forget_retries();
        }
        let has_moved = state.seen.current().is_some();
        let body = core.request.body_to_send();
        let is_whole = body.is_none_or(Body::can_rewind) && !core.streams;
        let waits = configuration.waits_for_connectivity && !has_moved;
        let verdict = Situation {
            ending,
            starts_over: state.attempts.starts_over(),
            is_over: state.life.is_over(),
            has_left: state.attempts.has_left(),
            may_have_broken: state.attempts.may_have_broken(),
            may_start_over: may_start_over(core, &state),
            is_unsent: !has_moved && (is_whole || !core.counters.has_sent()),
            streams: core.streams,
            patience: waits.then(|| state.attempts.patience()),
            policy,
            retries: state.attempts.retries(),
            left: state.life.due(now).map(|due| due.saturating_duration_since(now)),
            random: random::bits(),
        }
        .verdict();
        match verdict {
            Verdict::WaitsToConnect(delay) => state.attempts.wait_to_connect(now + delay),
            Verdict::Retries(delay) => state.attempts.wait_to_retry(now + delay),
            Verdict::Ends | Verdict::StartsOver | Verdict::Leaves => {}
        }
        verdict
    }
}

/// Tells, once a task, that it waits for a connection.
fn tell_of_waiting(core: &Arc<Core>, error: &Error) {
    log::debug!("waiting for connectivity: {error}");
    let is_news = core.state.lock().recipients.learn_of_waiting();
    if is_news {
        core.tell_of_waiting();
    }
}

/// Tells of another attempt.
fn tell_of_retry(core: &Arc<Core>, delay: Duration, cause: Error) {
    let attempt = core.state.lock().attempts.retries().saturating_add(1);
    log::debug!("attempt {attempt} comes in {delay:?}: {cause}");
    core.tell_of_retry(Retry { attempt, delay, cause });
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Ends, Leaves, Retries, StartsOver, WaitsToConnect};
    use super::*;
    use crate::error::{ErrorKind, Stage};

    const SECOND: Duration = Duration::from_secs(1);

    fn error(kind: ErrorKind, stage: Stage) -> Error {
        Error::new(kind, "x").at(stage)
    }

    /// A GET of a task that makes four attempts, a second and then two and four apart.
    fn of_get<'a>(policy: &'a RetryPolicy, ending: Ending<'a>) -> Situation<'a> {
        Situation {
            ending,
            starts_over: false,
            is_over: false,
            has_left: false,
            may_have_broken: false,
            may_start_over: true,
            is_unsent: true,
            streams: false,
            patience: None,
            policy,
            retries: 0,
            left: None,
            random: 0,
        }
    }

    fn policy() -> RetryPolicy {
        RetryPolicy::attempts(4).jitter(0.0)
    }

    #[test]
    fn a_policy_is_for_connections_that_broke_and_for_its_statuses() {
        use ErrorKind as K;

        let policy = policy();
        for (kind, stage, verdict) in [
            (K::NetworkConnectionLost, Stage::Sending, Retries(SECOND)),
            (K::NetworkConnectionLost, Stage::Receiving, Retries(SECOND)),
            (K::ZeroByteResource, Stage::WaitingForResponse, Retries(SECOND)),
            (K::CannotConnectToHost, Stage::Connecting, Retries(SECOND)),
            (K::CannotFindHost, Stage::LookingUp, Retries(SECOND)),
            (K::NotConnectedToInternet, Stage::LookingUp, Retries(SECOND)),
            (K::SecureConnectionFailed, Stage::Connecting, Ends),
            (K::ServerCertificateUntrusted, Stage::Connecting, Ends),
            (K::CannotParseResponse, Stage::Receiving, Ends),
            (K::CannotDecodeRawData, Stage::Receiving, Ends),
            (K::TooManyRedirects, Stage::Receiving, Ends),
            (K::TimedOut, Stage::Receiving, Ends),
            (K::TimedOut, Stage::Connecting, Ends),
            (K::UnacceptableStatus, Stage::Receiving, Ends),
            (K::StorageFull, Stage::Receiving, Ends),
            (K::Cancelled, Stage::Receiving, Ends),
        ] {
            let error = error(kind, stage);
            let found = of_get(&policy, Ending::Failure(&error)).verdict();
            assert_eq!(found, verdict, "{kind:?} {stage:?}");
        }
        for (status, asked, verdict) in [
            (503, None, Retries(SECOND)),
            (429, Some(9), Retries(9 * SECOND)),
            (503, Some(0), Retries(SECOND)),
            (503, Some(100_000), Retries(21_600 * SECOND)),
            (421, Some(9), Ends),
            (404, None, Ends),
            (200, None, Ends),
        ] {
            let asked = asked.map(Duration::from_secs);
            let answer = Ending::Answer(StatusCode::from_u16(status).unwrap(), asked);
            assert_eq!(of_get(&policy, answer).verdict(), verdict, "{status} {asked:?}");
            let off = RetryPolicy::off();
            assert_eq!(of_get(&off, answer).verdict(), Ends, "{status} {asked:?} without");
        }
    }

    #[test]
    fn nothing_is_tried_again_too_often_too_late_or_that_must_not_be_sent_twice() {
        let policy = policy();
        let lost = error(ErrorKind::NetworkConnectionLost, Stage::Receiving);
        let unconnected = error(ErrorKind::CannotConnectToHost, Stage::Connecting);
        let (lost, unconnected) = (Ending::Failure(&lost), Ending::Failure(&unconnected));
        let answer = Ending::Answer(StatusCode::SERVICE_UNAVAILABLE, None);
        // What is different, and what becomes of: one that broke, one without a connection, an
        // answer.
        type Change = fn(&mut Situation<'_>);
        let again = Retries(SECOND);
        let rows: [(&str, Change, [Verdict; 3]); 14] = [
            ("nothing", |_| {}, [again, again, again]),
            ("a second retry", |s| s.retries = 1, [Retries(2 * SECOND); 3]),
            ("a third retry", |s| s.retries = 2, [Retries(4 * SECOND); 3]),
            ("no attempt left", |s| s.retries = 3, [Ends; 3]),
            ("far too many", |s| s.retries = u32::MAX, [Ends; 3]),
            ("time for it", |s| s.left = Some(SECOND + Duration::from_nanos(1)), [again; 3]),
            ("no time for it", |s| s.left = Some(SECOND), [Ends; 3]),
            ("no time at all", |s| s.left = Some(Duration::ZERO), [Ends; 3]),
            ("a POST", |s| s.may_start_over = false, [Ends, again, Ends]),
            (
                "a POST that was redirected, or of which some was sent",
                |s| (s.may_start_over, s.is_unsent) = (false, false),
                [Ends; 3],
            ),
            ("a GET that was redirected", |s| s.is_unsent = false, [again; 3]),
            ("a body that may be there once", |s| s.streams = true, [Ends, again, Ends]),
            ("it was cancelled", |s| s.is_over = true, [Ends; 3]),
            ("it was ended to begin again", |s| s.starts_over = true, [StartsOver; 3]),
        ];
        for (what, change, verdicts) in rows {
            for (ending, verdict) in [lost, unconnected, answer].into_iter().zip(verdicts) {
                let mut situation = of_get(&policy, ending);
                change(&mut situation);
                assert_eq!(situation.verdict(), verdict, "{what}: {ending:?}");
            }
        }
        let only_answers = policy.broken_connections(false);
        for (ending, verdict) in [(lost, Ends), (unconnected, Ends), (answer, again)] {
            assert_eq!(of_get(&only_answers, ending).verdict(), verdict, "{ending:?}");
        }
    }

    #[test]
    fn what_begins_again_without_a_policy_does_so_with_one() {
        let lost = error(ErrorKind::NetworkConnectionLost, Stage::Receiving);
        let unconnected = error(ErrorKind::CannotConnectToHost, Stage::Connecting);
        let cancelled = Error::cancelled();
        for policy in [RetryPolicy::off(), policy()] {
            let mut grown_old = of_get(&policy, Ending::Failure(&lost));
            grown_old.may_have_broken = true;
            assert_eq!(grown_old.verdict(), StartsOver);
            let mut waits = of_get(&policy, Ending::Failure(&unconnected));
            waits.patience = Some(8 * SECOND);
            // However often it was tried again, and whatever is sent.
            (waits.retries, waits.may_start_over, waits.is_unsent) = (9, false, false);
            assert_eq!(waits.verdict(), WaitsToConnect(8 * SECOND));
            let mut left = of_get(&policy, Ending::Failure(&cancelled));
            left.has_left = true;
            assert_eq!(left.verdict(), Leaves);
        }
    }
}
