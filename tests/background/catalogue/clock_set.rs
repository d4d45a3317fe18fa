//! A clock that is set: by the program alone, as in `clock`.

use std::time::{Duration, SystemTime};

use urlsession::testing::{Answer, Event, Recorder};
use urlsession::{Clock, ErrorKind, Request, RetryPolicy};

use super::{Scene, close, part_of};
use crate::program::HANG;
use crate::wishes::FILM;

const HOUR: Duration = Duration::from_secs(3600);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Sets a date a year forward, or back.
const SETS: [fn(SystemTime) -> SystemTime; 2] = [|date| date + YEAR, |date| date - YEAR];

/// A policy whose delays are these.
fn after(delay: Duration) -> RetryPolicy {
    RetryPolicy::attempts(10)
        .statuses([503])
        .first_delay(delay)
        .maximum_delay(delay)
        .growth(1.0)
        .jitter(0.0)
}

#[test]
fn a_clock_that_is_set_a_year_ends_no_wait_early_and_none_late() {
    for set in SETS {
        let scene = Scene::of_program(&FILM);
        let bytes = FILM.bytes(&FILM.wishes[0]);
        scene.answer(|from, count| match count {
            1 => Answer::status(503),
            _ => part_of(bytes, from, "\"1\""),
        });
        let (recorder, clock) = (Recorder::new(), Clock::by_hand());
        let session = scene
            .open_with(&recorder, |all| all.clock(clock.clone()).retry_policy(after(HOUR)))
            .unwrap();
        let _ = session.download_task(scene.server.url("/film")).resume();
        recorder.wait_for(|events| events.iter().any(|event| delay_of(event).is_some()));
        clock.set_date(set(SystemTime::now()));
        let second = Duration::from_secs(1);
        clock.advance(HOUR - second);
        let task = session.background_report().unwrap().tasks.remove(0);
        assert_eq!(task.waits_another, Some(second), "{task:?}");
        clock.advance(second);
        assert!(session.wait_until_idle(HANG));
        assert_eq!(recorder.events_of(1).last(), Some(&Event::done(1)));
        assert_eq!(scene.asked(), [0, 0]);
        close(&recorder, session);
        scene.has("1", bytes);
    }
}

#[test]
fn a_clock_that_is_set_a_year_leaves_the_time_for_the_whole_task_as_it_is() {
    for set in SETS {
        let scene = Scene::of_program(&FILM);
        let bytes = FILM.bytes(&FILM.wishes[0]);
        scene.answer(|from, _| part_of(bytes, from, "\"1\"").stall_in_body_after(100_000));
        let (recorder, clock) = (Recorder::new(), Clock::by_hand());
        let session = scene.open_with(&recorder, |all| all.clock(clock.clone())).unwrap();
        let request = |path: &str| {
            Request::get(scene.server.url(path))
                .timeout_for_request(9 * HOUR)
                .timeout_for_resource(2 * HOUR)
        };
        let _ = session.download_task(request("/film")).resume();
        scene.server.wait_until(|stats| stats.stalled == 1);
        clock.set_date(set(SystemTime::now()));
        clock.advance(HOUR);
        // One of two hours is left, whatever the date is: the rest may come.
        scene.server.release();
        recorder.wait_for_completions(1);
        assert_eq!(recorder.events_of(1).last(), Some(&Event::done(1)));
        let _ = session.download_task(request("/late")).resume();
        scene.server.wait_until(|stats| stats.stalled == 1);
        clock.set_date(set(SystemTime::now()));
        clock.advance(2 * HOUR);
        recorder.wait_for_completions(2);
        assert_eq!(recorder.events_of(2).last(), Some(&Event::failed(2, ErrorKind::TimedOut)));
        assert_eq!(scene.asked(), [0, 0]);
        scene.server.release();
        close(&recorder, session);
    }
}

#[test]
fn a_date_to_be_left_alone_until_is_seen_from_the_date_of_the_answer() {
    const SENT: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const UNTIL: &str = "Sun, 06 Nov 1994 08:50:37 GMT";
    let sent = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
    let most = RetryPolicy::off().maximum_retry_after;
    for (now, has_date, expected) in [
        (sent, true, minute),
        (sent - YEAR, true, minute),
        (sent + YEAR, true, minute),
        // Nothing says that our date is wrong, so what is asked for has a bound.
        (sent - YEAR, false, most),
        (sent + YEAR, false, second),
    ] {
        let scene = Scene::of_program(&FILM);
        let bytes = FILM.bytes(&FILM.wishes[0]);
        scene.answer(move |from, count| match (count, has_date) {
            (1, true) => Answer::status(503).header("Date", SENT).header("Retry-After", UNTIL),
            (1, false) => Answer::status(503).header("Retry-After", UNTIL),
            _ => part_of(bytes, from, "\"1\""),
        });
        let (recorder, clock) = (Recorder::new(), Clock::by_hand());
        clock.set_date(now);
        let session = scene
            .open_with(&recorder, |all| all.clock(clock.clone()).retry_policy(after(second)))
            .unwrap();
        let _ = session.download_task(scene.server.url("/film")).resume();
        recorder.wait_for(|events| events.iter().any(|event| delay_of(event).is_some()));
        let delay = recorder.events().iter().find_map(delay_of);
        assert_eq!(delay, Some(expected), "{now:?} {has_date}");
        clock.advance(expected);
        assert!(session.wait_until_idle(HANG));
        assert_eq!(recorder.events_of(1).last(), Some(&Event::done(1)));
        assert_eq!(scene.asked(), [0, 0]);
        close(&recorder, session);
    }
}

fn delay_of(event: &Event) -> Option<Duration> {
    match event {
        Event::Retry { delay, .. } => Some(*delay),
        _ => None,
    }
}
