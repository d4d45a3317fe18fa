//! A computer that sleeps.

use std::time::Duration;

use urlsession::Clock;
use urlsession::testing::{Event, Recorder};

use super::{Scene, close, part_of, wait_for};
use crate::program::HANG;
use crate::wishes::FILM;

#[test]
fn eight_hours_of_sleep_are_neither_the_end_nor_a_storm_of_retries() {
    let scene = Scene::new("eight_hours_of_sleep", &FILM);
    let bytes = FILM.bytes(&FILM.wishes[0]);
    scene.answer(|from, count| match count {
        1 => part_of(bytes, from, "\"1\"").stall_in_body_after(100_000),
        _ => part_of(bytes, from, "\"1\""),
    });
    let (recorder, clock) = (Recorder::new(), Clock::by_hand());
    let session = scene.open_with(&recorder, |all| all.clock(clock.clone())).unwrap();
    let _ = session.download_task(scene.server.url("/film")).resume();
    scene.server.wait_until(|stats| stats.stalled == 1);
    clock.advance(Duration::from_secs(8 * 3600));
    // Its connection has been silent for too long; the next attempt waits for its delay.
    wait_for("it goes on", || {
        clock.advance(Duration::from_millis(5));
        recorder.events_of(1).iter().any(Event::is_completion)
    });
    assert!(session.wait_until_idle(HANG));
    assert_eq!(recorder.events_of(1).last(), Some(&Event::done(1)));
    assert_eq!(scene.asked().len(), 2);
    scene.server.release();
    close(&recorder, session);
    scene.has("1", bytes);
}
