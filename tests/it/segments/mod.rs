//! Downloads that come in several parts at once.

mod ends;
mod falls_back;
mod goes_on;

use std::fs;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use urlsession::testing::{Answer, Counters, Recorded, Server};
use urlsession::{Configuration, DownloadTask, Error, Session};

use crate::support::folder::Folder;
use crate::support::parts;
use crate::support::running::{HANG, Running, session, wait_for};

const MIB: usize = 1024 * 1024;
const TAG: &str = "\"a\"";

/// A file of so many MiB, of which no two parts are alike.
fn film(seed: u64, mib: usize) -> Arc<Vec<u8>> {
    let mut state = seed;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    Arc::new((0..mib * MIB / 8).flat_map(next).collect())
}

/// A download to `film` in the folder, in so many parts.
fn download(session: &Session, server: &Server, folder: &Folder, segments: usize) -> DownloadTask {
    let task = session.download_task(server.url("/film"));
    task.save_to(folder.path().join("film")).unwrap();
    task.segments(segments).unwrap();
    task
}

fn run(task: &DownloadTask) -> Result<Vec<u8>, Error> {
    task.run().map(|download| fs::read(download.file.path()).unwrap())
}

/// Has the server answer the request of each number otherwise than with what is asked for.
fn serve(
    server: &Server,
    film: &Arc<Vec<u8>>,
    change: impl Fn(usize, &Recorded, Answer) -> Answer + Send + Sync + 'static,
) {
    let (film, count) = (film.clone(), AtomicUsize::new(0));
    server.handle(move |request| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        change(number, request, parts::answer(request, &film, TAG))
    });
}

/// Returns what was asked for, in the order of the file; the first request is for all of it.
fn asked(server: &Server, total: usize) -> Vec<Range<usize>> {
    let first = server.take_request();
    assert_eq!((first.header("range"), first.header("if-range")), (None, None));
    let mut all = Vec::new();
    while let Some(request) = server.try_take_request() {
        assert_eq!(request.header("if-range"), Some(TAG));
        all.push(parts::asked(&request, total).unwrap());
    }
    all.sort_by_key(|range| range.start);
    all
}

/// Nothing is left of what a session had.
fn assert_nothing_is_left(counters: &Counters) {
    wait_for("threads, sockets and files are gone", || {
        (counters.threads(), counters.sockets(), counters.files()) == (0, 0, 0)
    });
}

#[test]
fn as_many_as_it_says_are_fetched_at_once() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(1, 8));
    serve(
        &server,
        &film,
        |number, _, answer| {
            if number < 4 { answer.stall_in_body_after(100_000) } else { answer }
        },
    );
    let session = session(|_| {});
    let task = download(&session, &server, &folder, 4);
    task.resume();
    server.wait_until(|stats| stats.stalled == 4);
    assert_eq!((server.open_connections(), server.request_count()), (4, 4));
    wait_for("all that was sent has come", || task.progress().bytes_received == 400_000);
    assert_eq!(task.progress().bytes_expected_to_receive, Some(8 * MIB as u64));
    server.release();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(task.error().map(|error| error.to_string()), None);
    assert!(fs::read(folder.path().join("film")).unwrap() == *film);
    assert_eq!(folder.names(), ["film"]);
    assert_eq!(task.progress().bytes_received, 8 * MIB as u64);
    let asked = asked(&server, 8 * MIB);
    for part in [2 * MIB..4 * MIB, 4 * MIB..6 * MIB, 6 * MIB..8 * MIB] {
        assert!(asked.contains(&part), "{asked:?}");
    }
    let counters = Counters::of(&session);
    drop((task, session));
    assert_nothing_is_left(&counters);
}

#[test]
fn a_call_that_brings_its_own_thread_has_helpers_too() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(2, 8));
    serve(
        &server,
        &film,
        |number, _, answer| {
            if number < 3 { answer.stall_in_body_after(10) } else { answer }
        },
    );
    let session = session(|_| {});
    let task = download(&session, &server, &folder, 3);
    let running = Running::start(move || run(&task));
    server.wait_until(|stats| stats.stalled == 3);
    server.release();
    assert!(running.outcome().unwrap() == *film);
}

#[test]
fn what_is_small_comes_in_one() {
    let (folder, server) = (Folder::new(), Server::start());
    let film = Arc::new(film(3, 2)[..2 * MIB - 1].to_vec());
    serve(&server, &film, |_, _, answer| answer);
    assert!(run(&download(&session(|_| {}), &server, &folder, 4)).unwrap() == *film);
    assert_eq!(server.request_count(), 1);
}

#[test]
fn parts_are_asked_for_where_a_redirect_has_led() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(4, 8));
    let (whole, to) = (film.clone(), server.url_with_host("localhost", "/moved"));
    server.handle(move |request| match request.path() {
        "/film" => Answer::redirect(302, &to),
        _ => {
            let answer = parts::answer(request, &whole, TAG);
            let is_part = request.header("range").is_some();
            if is_part { answer } else { answer.stall_in_body_after(10) }
        }
    });
    let session = session(|configuration| {
        configuration.additional_headers.set("X-Of-Session", "yes").unwrap();
    });
    let request = urlsession::Request::get(server.url("/film"))
        .header("Authorization", "Bearer secret")
        .header("X-Own", "yes");
    let task = session.download_task(request);
    task.save_to(folder.path().join("film")).unwrap();
    task.segments(3).unwrap();
    let running = Running::start(move || run(&task));
    // The redirect, the whole, and two parts.
    server.wait_until(|stats| stats.requests >= 4 && stats.stalled == 1);
    server.release();
    assert!(running.outcome().unwrap() == *film);
    assert_eq!(server.take_request().path(), "/film");
    let whole = server.take_request();
    let mut parts = 0;
    while let Some(part) = server.try_take_request() {
        parts += 1;
        assert_eq!((part.path(), part.header("authorization")), ("/moved", None));
        // It is the request that has led there, and what asks for the part.
        let own = |request: &Recorded| -> Vec<(String, String)> {
            let names = ["range", "if-range"];
            let others = request
                .headers()
                .filter(|(name, _)| !names.iter().any(|known| known.eq_ignore_ascii_case(name)));
            others.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        assert_eq!(own(&part), own(&whole));
        assert!(part.header("range").is_some() && part.header("if-range") == Some(TAG));
    }
    assert!(parts >= 2, "{parts}");
}

#[test]
fn it_needs_a_place_and_is_said_before_it_begins() {
    let session = session(|_| {});
    let task = session.download_task("http://127.0.0.1:9/");
    task.segments(2).unwrap();
    let error = task.run().unwrap_err();
    assert_eq!(error.kind(), urlsession::ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("needs a place"), "{error}");
    assert!(task.segments(3).is_err());
    drop(Configuration::ephemeral());
}
