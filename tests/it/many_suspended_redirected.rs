//! Past the tasks that may keep a thread without a place: those that a redirect leads to a host
//! where they have to wait stand in line there without one.

use std::sync::mpsc::channel;
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{Clock, Request, UploadTask};

use crate::support::crowd::WITH_THREAD;
use crate::support::running::{HANG, nothing_is_left, session, wait_for};

/// How many places a host has.
const PLACES: usize = 6;

#[test]
fn past_the_limit_tasks_without_a_place_those_that_are_led_elsewhere_wait_in_line_without_a_thread()
{
    let (crowded, leading, there) = (Server::start(), Server::start(), Server::start());
    crowded.handle(|_| Answer::ok("").stall_before_head());
    there.handle(|_| Answer::ok("done").stall_before_head());
    let url = there.url("/there");
    leading.handle(move |_| Answer::redirect(307, &url));
    let clock = Clock::by_hand();
    let session = session(|configuration| {
        configuration.maximum_connections_per_host = Some(PLACES);
        configuration.clock = clock.clone();
        configuration.timeout_for_request = Duration::from_secs(1_000_000);
    });
    let counters = Counters::of(&session);
    counters.limit_waiting_threads(WITH_THREAD);
    let (sender, outcomes) = channel();
    let begin = |server: &Server| -> Vec<UploadTask> {
        let make = || session.upload_task_to(Request::post(server.url("/")), "body", &sender);
        (0..PLACES).map(|_| make().resume()).collect()
    };
    let mut crowd = Vec::new();
    while crowd.len() < WITH_THREAD {
        let some = begin(&crowded);
        crowded.wait_until(|stats| stats.stalled as usize == crowd.len() + PLACES);
        some.iter().for_each(|task| task.suspend());
        crowd.extend(some);
    }
    let first = begin(&there);
    there.wait_until(|stats| stats.stalled as usize == PLACES);
    let led = begin(&leading);
    let is_there = |task: &UploadTask| task.current_request().url().unwrap().path() == "/there";
    wait_for("they are led on and leave their threads", || {
        // Workers that have nothing to do go home.
        clock.advance(Duration::from_secs(10));
        led.iter().all(is_there) && counters.threads() <= WITH_THREAD + PLACES + 1
    });
    assert_eq!(there.stats().heads as usize, PLACES, "nobody is served beyond the limit");
    // They can be suspended there, and go on from there.
    led.iter().for_each(|task| task.suspend());
    first.iter().for_each(|task| task.cancel());
    for _ in 0..PLACES {
        assert!(outcomes.recv_timeout(HANG).unwrap().outcome.is_err());
    }
    assert_eq!(there.stats().heads as usize, PLACES, "nobody goes on who is suspended");
    led.iter().for_each(|task| drop(task.resume()));
    there.wait_until(|stats| stats.heads as usize == 2 * PLACES);
    let mut told = Vec::new();
    while told.len() < PLACES {
        there.release();
        if let Ok(finished) = outcomes.recv_timeout(Duration::from_millis(20)) {
            told.push(finished.outcome.unwrap().text().into_owned());
        }
    }
    assert_eq!(told, ["done"; PLACES]);
    assert_eq!(leading.request_count() as usize, PLACES, "each once");
    crowd.iter().for_each(|task| task.cancel());
    // What is told holds its task.
    drop((crowd, first, led, outcomes));
    nothing_is_left(session, &[&crowded, &leading, &there]);
}
