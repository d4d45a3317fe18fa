//! How parts end with their task, and pause with it.

use std::time::{Duration, Instant};

use urlsession::ErrorKind;

use super::*;

#[test]
fn a_cancel_ends_all_parts() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(20, 8));
    serve(&server, &film, |number, _, answer| match number {
        3 => answer.stall_before_head(),
        _ => answer.stall_in_body_after(10),
    });
    let session = session(|_| {});
    let task = download(&session, &server, &folder, 4);
    task.resume();
    server.wait_until(|stats| stats.stalled == 4);
    let began = Instant::now();
    task.cancel();
    assert!(session.wait_until_idle(HANG));
    // 100 ms are promised; the machine may be busy.
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(task.error().unwrap().kind(), ErrorKind::Cancelled);
    assert_eq!(folder.names(), [""; 0]);
    let counters = Counters::of(&session);
    drop((task, session));
    assert_nothing_is_left(&counters);
}

#[test]
fn a_suspended_task_has_no_parts_and_fetches_them_when_it_is_resumed() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(21, 8));
    serve(
        &server,
        &film,
        |number, _, answer| {
            if number < 3 { answer.stall_in_body_after(100_000) } else { answer }
        },
    );
    let session = session(|_| {});
    let task = download(&session, &server, &folder, 3);
    task.resume();
    server.wait_until(|stats| stats.stalled == 3);
    task.suspend();
    // That of the task itself stays.
    server.wait_until(|stats| stats.open_connections == 1);
    task.resume();
    server.release();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(task.error().map(|error| error.to_string()), None);
    assert!(fs::read(folder.path().join("film")).unwrap() == *film);
}

#[test]
fn whoever_comes_later_finds_the_places_of_parts_free_again() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(22, 8));
    serve(&server, &film, |_, _, answer| answer);
    let session = session(|configuration| configuration.maximum_connections_per_host = Some(3));
    for name in ["one", "two", "three", "four"] {
        let task = session.download_task(server.url("/film"));
        task.save_to(folder.path().join(name)).unwrap();
        task.segments(3).unwrap();
        task.resume();
    }
    assert!(session.wait_until_idle(HANG));
    for name in ["one", "two", "three", "four"] {
        assert!(fs::read(folder.path().join(name)).unwrap() == *film, "{name}");
    }
    // As many as there are places, as before.
    serve(&server, &film, |_, _, answer| answer.stall_before_head());
    let tasks: Vec<_> = (0..4).map(|_| session.data_task(server.url("/"))).collect();
    tasks.iter().for_each(|task| drop(task.resume()));
    server.wait_until(|stats| stats.stalled == 3);
    tasks.iter().for_each(|task| task.cancel());
    assert!(session.wait_until_idle(HANG));
}

#[test]
fn a_part_that_is_silent_for_too_long_is_fetched_by_others() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(23, 8));
    serve(
        &server,
        &film,
        |number, _, answer| {
            if number == 1 { answer.stall_in_body_after(100_000) } else { answer }
        },
    );
    let session = session(|configuration| {
        configuration.timeout_for_request = Duration::from_millis(500);
    });
    assert!(run(&download(&session, &server, &folder, 2)).unwrap() == *film);
}

#[test]
fn the_whole_has_its_timer() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(24, 8));
    serve(&server, &film, |_, _, answer| answer.stall_in_body_after(100_000));
    let session = session(|configuration| {
        configuration.timeout_for_resource = Duration::from_millis(500);
    });
    let error = run(&download(&session, &server, &folder, 3)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.resume_data().is_some());
}

#[test]
fn without_threads_it_comes_in_one() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(25, 8));
    serve(&server, &film, |_, _, answer| answer);
    let session = session(|_| {});
    Counters::of(&session).refuse_threads(true);
    assert!(run(&download(&session, &server, &folder, 3)).unwrap() == *film);
    assert_eq!(server.request_count(), 1);
}

#[cfg(any(feature = "tls", feature = "digest"))]
#[test]
fn the_digest_is_that_of_the_whole() {
    let digest = |film: &[u8]| -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, film);
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let film = film(26, 8);
    for (expected, is_right) in [(digest(&film), true), ("00".repeat(32), false)] {
        let (folder, server) = (Folder::new(), Server::start());
        serve(&server, &film, |_, _, answer| answer);
        let task = download(&session(|_| {}), &server, &folder, 3);
        task.expects_sha256(expected).unwrap();
        task.expects_length(8 * MIB as u64).unwrap();
        match run(&task) {
            Ok(found) => assert!(is_right && found == *film),
            Err(error) => {
                assert!(!is_right);
                assert_eq!(error.kind(), ErrorKind::DigestMismatch);
                assert_eq!(folder.names(), [""; 0]);
            }
        }
    }
}

#[test]
fn a_task_that_loses_its_thread_while_it_is_suspended_goes_on_with_what_is_there() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(27, 8));
    serve(
        &server,
        &film,
        |number, _, answer| {
            if number < 3 { answer.stall_in_body_after(100_000) } else { answer }
        },
    );
    let session = session(|_| {});
    Counters::of(&session).limit_waiting_threads(0);
    let task = download(&session, &server, &folder, 3);
    task.resume();
    server.wait_until(|stats| stats.stalled == 3);
    wait_for("all that was sent has come", || task.progress().bytes_received == 300_000);
    task.suspend();
    server.wait_until(|stats| stats.open_connections == 0);
    task.resume();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(task.error().map(|error| error.to_string()), None);
    assert!(fs::read(folder.path().join("film")).unwrap() == *film);
    let asked = asked(&server, film.len());
    assert!(asked.iter().any(|part| part.start == 100_000), "{asked:?}");
}

#[cfg(feature = "tls")]
#[test]
fn a_server_that_only_the_delegate_trusts_sends_parts_too() {
    use urlsession::testing::Authority;

    use crate::support::deciding::{Deciding, HERE, asking, trusting};

    let (folder, film) = (Folder::new(), film(28, 8));
    let (mine, stranger) = (Authority::new(), Authority::new());
    let server = Server::start_tls(&stranger.identity(HERE));
    serve(
        &server,
        &film,
        |number, _, answer| {
            if number < 3 { answer.stall_in_body_after(100_000) } else { answer }
        },
    );
    let session = asking(trusting(&mine), &Deciding::accepting());
    let task = session.download_task(server.url_with_host("localhost", "/film"));
    task.save_to(folder.path().join("film")).unwrap();
    task.segments(3).unwrap();
    task.resume();
    server.wait_until(|stats| stats.stalled == 3);
    server.release();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(task.error().map(|error| error.to_string()), None);
    assert!(fs::read(folder.path().join("film")).unwrap() == *film);
}

#[test]
fn parts_have_the_credential_of_the_task_and_nobody_hears_of_them() {
    use urlsession::DeliveryQueue;
    use urlsession::testing::{Event, OnChallenge, Recorder};

    let (folder, server, film) = (Folder::new(), Server::start(), film(29, 8));
    serve(&server, &film, |number, request, answer| match request.header("authorization") {
        None => Answer::status(401).header("WWW-Authenticate", "Basic realm=\"films\""),
        Some(_) if number < 4 => answer.stall_in_body_after(100_000),
        Some(_) => answer,
    });
    let recorder = Recorder::new();
    recorder.on_challenge(OnChallenge::password("ann", "pw"));
    let (configuration, queue) = (Configuration::ephemeral(), DeliveryQueue::serial());
    let session = Session::with_delegate(configuration, recorder.delegate(), queue).unwrap();
    let task = download(&session, &server, &folder, 3);
    task.resume();
    server.wait_until(|stats| stats.stalled == 3);
    server.release();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(task.error().map(|error| error.to_string()), None);
    assert!(fs::read(folder.path().join("film")).unwrap() == *film);
    let events = recorder.take_events();
    let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Created(_))), 1);
    assert_eq!(count(|event| matches!(event, Event::Response { .. })), 1);
    assert_eq!(count(|event| matches!(event, Event::Challenge { .. })), 1);
    assert_eq!(count(|event| matches!(event, Event::Resumed { .. })), 0);
}
