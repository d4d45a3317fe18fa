//! What is decided about jobs: pure functions.

use std::time::{Duration, SystemTime};

use crate::background::job::{Job, Work};
use crate::error::{Error, ErrorKind};
use crate::retry::RetryPolicy;
use crate::session::NewRequestReason;

/// What becomes of a job that is to be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// It is transferred, for so long at most.
    Transfer(Duration),
    /// Its file is whole already: it came to its place right before a crash.
    IsThere,
    /// Its date has not come.
    IsEarly(SystemTime),
    /// Its date has come: the program is asked how it begins.
    MayBegin,
    /// It waits for what was secret in its request.
    NeedsSecrets,
    /// There is no time left for it.
    IsLate,
    /// It may have been sent before, and twice would do harm.
    MustNotBeRepeated,
}

/// Decides about a job that is to be started at this date, of which so much of its time is left.
pub(super) fn start(job: &Job, left: Duration, is_there: bool, now: SystemTime) -> Start {
    if is_there && !job.is_upload() {
        Start::IsThere
    } else if let Some(date) = job.waits_until() {
        if date > now { Start::IsEarly(date) } else { Start::MayBegin }
    } else if left.is_zero() {
        Start::IsLate
    } else if job.is_upload() && job.may_not_go_twice() {
        Start::MustNotBeRepeated
    } else if !job.omitted.is_empty() {
        Start::NeedsSecrets
    } else {
        Start::Transfer(left)
    }
}

/// What becomes of a job whose transfer has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Fails,
    /// It is tried again when there is room on the disk.
    WaitsForRoom,
    /// It is tried again with another request.
    NeedsRequest(NewRequestReason),
    /// It was sent, and nobody knows what became of it.
    IsInterrupted,
}

/// Decides about a job whose transfer has failed. Whatever passes by itself was tried again
/// before, by the policy.
pub(super) fn next(job: &Job, error: &Error) -> Next {
    decide(job, error, error.resume_data().is_some())
}

/// The same, where what has come of a file can be gone on with or not.
fn decide(job: &Job, error: &Error, can_go_on: bool) -> Next {
    let status = error.response().map(|response| response.status().as_u16());
    match error.kind() {
        ErrorKind::StorageFull => Next::WaitsForRoom,
        ErrorKind::UnacceptableStatus if matches!(status, Some(401 | 403)) && can_go_on => {
            Next::NeedsRequest(NewRequestReason::Refused)
        }
        ErrorKind::NetworkConnectionLost if job.is_upload() && job.may_not_go_twice() => {
            Next::IsInterrupted
        }
        _ => Next::Fails,
    }
}

/// The policy by which transfers are tried again, if the program has none.
///
/// First after 5 s, at most every 15 min, for as long as the whole task may take. Every 5xx is
/// tried again but 501 and 505, which no time helps.
pub(in crate::background) fn retries(own: &RetryPolicy) -> RetryPolicy {
    let policy = if own.maximum_attempts > 1 {
        own.clone()
    } else {
        let for_now = (500..600).filter(|status| ![501, 505].contains(status));
        RetryPolicy::attempts(u32::MAX)
            .statuses([408, 425, 429].into_iter().chain(for_now))
            .first_delay(Duration::from_secs(5))
            .maximum_delay(Duration::from_secs(15 * 60))
    };
    policy.timeouts(true).forgets_after_progress(true)
}

/// Whether the request of a job is one that may come into the background, and what of it not.
pub(in crate::background) fn refusal(job: &Job) -> Option<&'static str> {
    let scheme = job.request.url().map(url::Url::scheme);
    if !matches!(scheme, Some("http" | "https")) {
        return Some("it is no http or https URL");
    }
    match job.work {
        Work::Download { .. } if job.request.body_to_send().is_some() => {
            Some("a download that sends a body cannot be gone on with; make it an upload")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::background::job::Phase;
    use crate::error::Stage;
    use crate::files::Existing;
    use crate::request::Request;
    use crate::session::Schedule;

    const DAY: Duration = Duration::from_secs(86_400);

    fn download() -> Job {
        let place = Some(("/films/film".into(), Existing::Refuse));
        job(
            Request::get("https://shop.test/film"),
            Work::Download { place, expected: Default::default(), segments: 0 },
        )
    }

    fn upload(request: Request) -> Job {
        job(request, Work::Upload { length: 5 })
    }

    fn sent(request: Request) -> Job {
        Job { may_have_sent: true, ..upload(request) }
    }

    fn job(request: Request, work: Work) -> Job {
        Job {
            id: 1,
            request,
            omitted: Vec::new(),
            work,
            description: None,
            priority: 0.5,
            schedule: Schedule::default(),
            has_begun: false,
            phase: Phase::Running,
            spent: Duration::ZERO,
            may_have_sent: false,
            response: None,
        }
    }

    #[test]
    fn a_job_is_started_unless_it_is_there_late_sent_or_lacks_its_secrets() {
        let (post, put) = (Request::post("https://shop.test/"), Request::put("https://shop.test/"));
        let secret = Job { omitted: vec!["Cookie".to_owned()], ..download() };
        for (job, left, is_there, expected) in [
            (download(), DAY, false, Start::Transfer(DAY)),
            (download(), DAY, true, Start::IsThere),
            (download(), Duration::ZERO, true, Start::IsThere),
            (download(), Duration::ZERO, false, Start::IsLate),
            (secret.clone(), DAY, false, Start::NeedsSecrets),
            (secret.clone(), DAY, true, Start::IsThere),
            (secret, Duration::ZERO, false, Start::IsLate),
            (upload(post.clone()), DAY, false, Start::Transfer(DAY)),
            (sent(post.clone()), DAY, false, Start::MustNotBeRepeated),
            (sent(post.clone().may_repeat(true)), DAY, false, Start::Transfer(DAY)),
            (sent(post.header("Idempotency-Key", "7")), DAY, false, Start::Transfer(DAY)),
            (sent(put), DAY, false, Start::Transfer(DAY)),
        ] {
            let decision = start(&job, left, is_there, UNIX_EPOCH);
            assert_eq!(decision, expected, "{job:?} {left:?} {is_there}");
        }
    }

    #[test]
    fn a_job_begins_when_its_date_has_come_whatever_the_clock_said_before() {
        let date = UNIX_EPOCH + DAY;
        let schedule = Schedule { begins: Some(date), ..Schedule::default() };
        let delayed = Job { schedule, ..download() };
        let begun = Job { has_begun: true, ..delayed.clone() };
        let secret = Job { omitted: vec!["Cookie".to_owned()], ..delayed.clone() };
        for (job, left, now, is_there, expected) in [
            (&delayed, DAY, UNIX_EPOCH, false, Start::IsEarly(date)),
            (&delayed, DAY, date - Duration::from_millis(1), false, Start::IsEarly(date)),
            (&delayed, DAY, date, false, Start::MayBegin),
            (&delayed, DAY, date + 365 * DAY, false, Start::MayBegin),
            (&secret, DAY, UNIX_EPOCH, false, Start::IsEarly(date)),
            (&secret, DAY, date, false, Start::MayBegin),
            // A clock that was set back does not stop it.
            (&begun, DAY, UNIX_EPOCH, false, Start::Transfer(DAY)),
            (&begun, Duration::ZERO, date, false, Start::IsLate),
            (&begun, DAY, date, true, Start::IsThere),
        ] {
            assert_eq!(start(job, left, is_there, now), expected, "{job:?} {left:?} {now:?}");
        }
    }

    #[test]
    fn a_failure_waits_for_what_it_lacks_or_is_the_end() {
        let error = |kind| Error::new(kind, "as it is").at(Stage::Receiving);
        let answer = |status: u16| {
            let status = http::StatusCode::from_u16(status).unwrap();
            let url = url::Url::parse("https://shop.test/film").unwrap();
            let version = http::Version::HTTP_11;
            let headers = crate::headers::Headers::new();
            crate::response::Response::new(url, (status, version), headers, None, None)
                .refused(Vec::new())
        };
        let refused = Next::NeedsRequest(NewRequestReason::Refused);
        let post = || upload(Request::post("https://shop.test/"));
        let put = || upload(Request::put("https://shop.test/"));
        for (job, error, can_go_on, expected) in [
            (download(), error(ErrorKind::StorageFull), true, Next::WaitsForRoom),
            (download(), answer(403), true, refused),
            (download(), answer(401), true, refused),
            (download(), answer(403), false, Next::Fails),
            (download(), answer(404), true, Next::Fails),
            (download(), answer(410), true, Next::Fails),
            (download(), error(ErrorKind::TimedOut), true, Next::Fails),
            (download(), error(ErrorKind::ServerCertificateUntrusted), true, Next::Fails),
            (download(), error(ErrorKind::NetworkConnectionLost), true, Next::Fails),
            (put(), error(ErrorKind::NetworkConnectionLost), false, Next::Fails),
            (
                sent(post().request),
                error(ErrorKind::NetworkConnectionLost),
                false,
                Next::IsInterrupted,
            ),
            (sent(put().request), error(ErrorKind::NetworkConnectionLost), false, Next::Fails),
            (post(), error(ErrorKind::NetworkConnectionLost), false, Next::Fails),
            (post(), error(ErrorKind::CannotConnectToHost), false, Next::Fails),
        ] {
            assert_eq!(decide(&job, &error, can_go_on), expected, "{job:?} {error:?} {can_go_on}");
        }
    }

    #[test]
    fn what_passes_by_itself_is_tried_again_as_long_as_there_is_time() {
        let policy = retries(&RetryPolicy::off());
        for (status, is_tried) in [
            (408, true),
            (425, true),
            (429, true),
            (500, true),
            (501, false),
            (503, true),
            (505, false),
            (404, false),
            (599, true),
        ] {
            assert_eq!(policy.statuses.contains(&status), is_tried, "{status}");
        }
        let own = RetryPolicy::attempts(3).statuses([503]);
        assert_eq!(retries(&own).statuses, [503]);
        assert_eq!(retries(&own).maximum_attempts, 3);
    }
}
