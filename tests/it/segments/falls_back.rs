//! What does not come in parts, or not all of it.

use urlsession::ErrorKind;

use super::*;

/// Downloads 8 MiB in 4 parts from a server that answers so, while something is done; returns how
/// many requests that took.
fn requests_for_one(
    answer: impl Fn(&Recorded, &[u8]) -> Answer + Send + Sync + 'static,
    meanwhile: impl FnOnce(&Server),
) -> u64 {
    let (folder, server, film) = (Folder::new(), Server::start(), film(5, 8));
    let whole = film.clone();
    server.handle(move |request| answer(request, &whole));
    let session = session(|_| {});
    let task = download(&session, &server, &folder, 4);
    let running = Running::start(move || run(&task));
    meanwhile(&server);
    assert!(running.outcome().unwrap() == *film);
    assert_eq!(folder.names(), ["film"]);
    server.request_count()
}

fn in_one(answer: impl Fn(&Recorded, &[u8]) -> Answer + Send + Sync + 'static) -> u64 {
    requests_for_one(answer, |_| {})
}

/// The same, but the first answer stalls until a part was asked for, and there is nothing more to
/// come of it.
fn in_one_in_the_end(answer: impl Fn(&Recorded, &[u8]) -> Answer + Send + Sync + 'static) -> u64 {
    requests_for_one(answer, |server| {
        server.wait_until(|stats| {
            let is_alone = stats.idle_connections + 1 == stats.open_connections;
            stats.stalled == 1 && stats.requests >= 2 && is_alone
        });
        server.release();
    })
}

#[test]
fn a_server_that_does_not_say_that_it_sends_parts_is_not_asked_for_them() {
    let tagged = |film: &[u8]| Answer::ok(film).header("ETag", TAG);
    assert_eq!(in_one(move |_, film| tagged(film)), 1);
    assert_eq!(in_one(move |_, film| tagged(film).header("Accept-Ranges", "none")), 1);
}

#[test]
fn what_names_no_version_or_no_length_comes_in_one() {
    let ranged = |film: &[u8]| Answer::ok(film).header("Accept-Ranges", "bytes");
    assert_eq!(in_one(move |_, film| ranged(film)), 1);
    assert_eq!(in_one(move |_, film| ranged(film).header("ETag", "W/\"a\"")), 1);
    assert_eq!(in_one(move |_, film| ranged(film).header("ETag", TAG).chunked(100_000)), 1);
}

#[test]
fn a_server_that_sends_the_whole_instead_is_taken_at_its_first_answer() {
    let requests = in_one_in_the_end(|request, film| {
        let answer = Answer::ok(film).header("ETag", TAG).header("Accept-Ranges", "bytes");
        if request.header("range").is_none() { answer.stall_in_body_after(100_000) } else { answer }
    });
    assert!((2..=4).contains(&requests), "{requests}");
}

#[test]
fn parts_of_another_version_or_place_are_not_taken() {
    for change in 0..5 {
        let requests = in_one_in_the_end(move |request, film| {
            let answer = parts::answer(request, film, TAG);
            let Some(part) = parts::asked(request, film.len()) else {
                return answer.stall_in_body_after(100_000);
            };
            let said = |first: usize, total: usize, tag| {
                let range = format!("bytes {first}-{}/{total}", first + part.len() - 1);
                let other = vec![0; part.len()];
                Answer::status(206).body(other).header("ETag", tag).header("Content-Range", range)
            };
            match change {
                0 => said(part.start, film.len(), "\"b\""),
                1 => said(part.start, film.len() + 1, TAG),
                2 => said(part.start - 1, film.len(), TAG),
                3 => said(part.start, film.len(), TAG).header("Content-Encoding", "br"),
                _ => Answer::status(503),
            }
        });
        assert!((2..=4).contains(&requests), "{change}: {requests}");
    }
}

#[test]
fn a_version_that_changes_in_the_middle_is_not_mixed_with_the_one_before() {
    let (folder, server) = (Folder::new(), Server::start());
    let (before, after) = (film(6, 8), film(7, 8));
    let (old, new, count) = (before, after.clone(), AtomicUsize::new(0));
    server.handle(move |request| match count.fetch_add(1, Ordering::SeqCst) {
        0 => parts::answer(request, &old, TAG).stall_in_body_after(100),
        1 => parts::answer(request, &old, TAG).truncate_after(MIB as u64),
        _ => parts::answer(request, &new, "\"b\""),
    });
    let session = session(|_| {});
    let task = download(&session, &server, &folder, 2);
    task.resume();
    server.wait_until(|stats| stats.stalled == 1);
    // The first part ends where the second begins, which has brought some.
    wait_for("some has come", || task.progress().bytes_received == 100 + MIB as u64);
    server.release();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(task.error().map(|error| error.to_string()), None);
    assert!(fs::read(folder.path().join("film")).unwrap() == *after);
}

#[test]
fn a_part_whose_connection_breaks_is_fetched_by_others() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(8, 8));
    serve(&server, &film, |number, _, answer| match number {
        0 => answer.stall_in_body_after(100),
        1 => answer.truncate_after(1_000_000),
        2 => answer.reset_before_answer(),
        _ => answer,
    });
    let session = session(|_| {});
    let task = download(&session, &server, &folder, 3);
    task.resume();
    server.wait_until(|stats| stats.stalled == 1);
    wait_for("some has come", || task.progress().bytes_received >= 100 + 1_000_000);
    server.release();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(task.error().map(|error| error.to_string()), None);
    assert!(fs::read(folder.path().join("film")).unwrap() == *film);
    // Nobody has asked again for what had come, of whichever part that was.
    let asked = asked(&server, film.len());
    let begun = asked.iter().filter(|range| range.end == film.len() || range.start % 100 == 32);
    assert!(begun.count() > 0, "{asked:?}");
    assert_eq!(folder.names(), ["film"]);
}

#[test]
fn without_a_free_place_it_comes_in_one_and_does_not_wait() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(9, 8));
    serve(&server, &film, |_, _, answer| answer);
    let session = session(|configuration| configuration.maximum_connections_per_host = Some(1));
    let task = download(&session, &server, &folder, 4);
    task.resume();
    assert!(session.wait_until_idle(HANG));
    assert!(fs::read(folder.path().join("film")).unwrap() == *film);
    assert_eq!(server.request_count(), 1);
}

#[test]
fn places_that_others_have_are_left_to_them() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(10, 8));
    serve(
        &server,
        &film,
        |number, _, answer| {
            if number == 0 { answer.stall_in_body_after(10) } else { answer }
        },
    );
    let session = session(|configuration| configuration.maximum_concurrent_tasks = 2);
    let other = session.data_task(server.url("/other"));
    other.resume();
    server.wait_until(|stats| stats.stalled == 1);
    let task = download(&session, &server, &folder, 4);
    task.resume();
    wait_for("it is there", || folder.path().join("film").exists());
    assert_eq!(server.request_count(), 2);
    other.cancel();
    assert!(session.wait_until_idle(HANG));
    assert!(fs::read(folder.path().join("film")).unwrap() == *film);
}

#[test]
fn a_page_about_an_error_is_no_file() {
    let (folder, server) = (Folder::new(), Server::start());
    server.enqueue(Answer::status(404).header("Accept-Ranges", "bytes").header("ETag", TAG));
    let error = run(&download(&session(|_| {}), &server, &folder, 4)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnacceptableStatus);
    assert_eq!(folder.names(), [""; 0]);
}
