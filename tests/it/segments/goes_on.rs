//! What is kept of several parts, and gone on with.

use std::sync::mpsc::channel;

use urlsession::{ErrorKind, ResumeData, RetryPolicy};

use super::*;

/// Has each of three parts of 9 MiB stall after 100,000 bytes.
fn stalled(server: &Server, film: &Arc<Vec<u8>>, task: &DownloadTask) {
    serve(server, film, |_, _, answer| answer.stall_in_body_after(100_000));
    task.resume();
    server.wait_until(|stats| stats.stalled == 3);
    wait_for("all that was sent has come", || task.progress().bytes_received == 300_000);
}

/// Goes on, and asks for nothing that is there.
fn assert_goes_on(server: &Server, film: &Arc<Vec<u8>>, task: &DownloadTask) {
    while server.try_take_request().is_some() {}
    serve(server, film, |_, _, answer| answer);
    assert!(run(task).unwrap() == **film);
    let mut asked = 0;
    while let Some(request) = server.try_take_request() {
        assert_eq!(request.header("if-range"), Some(TAG));
        let part = parts::asked(&request, film.len()).unwrap();
        for there in [0, 3 * MIB, 6 * MIB] {
            let there = there..there + 100_000;
            assert!(part.end <= there.start || part.start >= there.end, "{part:?}");
        }
        asked += 1;
    }
    assert!(asked >= 3, "{asked}");
}

#[test]
fn resume_data_has_what_has_come_of_all_parts() {
    for segments in [1, 3] {
        let (folder, server, film) = (Folder::new(), Server::start(), film(11, 9));
        let session = session(|_| {});
        let task = download(&session, &server, &folder, 3);
        stalled(&server, &film, &task);
        let (sender, taken) = channel();
        task.cancel_by_producing_resume_data(move |data| sender.send(data).unwrap());
        let data = taken.recv_timeout(HANG).unwrap().unwrap();
        assert_eq!((data.received(), data.total()), (300_000, Some(9 * MIB as u64)));
        let text = data.to_text().unwrap();
        let (first, second) = (3 * MIB, 6 * MIB);
        let ranges = format!(
            "received: 100000\nrange: {first}-{}\nrange: {second}-{}\n",
            first + 99_999,
            second + 99_999
        );
        assert!(text.contains(&ranges), "{text}");
        drop(data);
        let data = ResumeData::from_text(&text).unwrap();
        let task = session.download_task_with_resume_data(data);
        task.segments(segments).unwrap();
        assert_goes_on(&server, &film, &task);
        assert_eq!(folder.names(), ["film"]);
    }
}

#[test]
fn a_cancel_leaves_beside_the_place_what_has_come_of_all_parts() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(12, 9));
    let session = session(|_| {});
    let task = download(&session, &server, &folder, 3);
    task.resumable(true).unwrap();
    stalled(&server, &film, &task);
    task.cancel();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(folder.names(), [".film.part", ".film.resume"]);
    let task = download(&session, &server, &folder, 2);
    task.resumable(true).unwrap();
    assert_goes_on(&server, &film, &task);
    assert_eq!(folder.names(), ["film"]);
}

#[test]
fn what_is_synced_is_written_down_with_all_its_parts() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(13, 40));
    serve(&server, &film, |_, _, answer| answer.stall_in_body_after(6_000_000));
    let session = session(|_| {});
    let task = download(&session, &server, &folder, 3);
    task.resumable(true).unwrap();
    task.resume();
    server.wait_until(|stats| stats.stalled == 3);
    wait_for("all that was sent has come", || task.progress().bytes_received == 18_000_000);
    let record = folder.path().join(".film.resume");
    wait_for("it is written down", || record.exists());
    // After all that was written down there come fewer than 8 MiB and a piece of each.
    wait_for("most of it is written down", || {
        let text = fs::read_to_string(&record).unwrap();
        let number = |text: &str| text.parse::<u64>().unwrap();
        let lines = || text.lines().filter_map(|line| line.split_once(": "));
        let kept: u64 = lines()
            .map(|(name, value)| match (name, value.split_once('-')) {
                ("received", _) => number(value),
                ("range", Some((first, last))) => number(last) + 1 - number(first),
                _ => 0,
            })
            .sum();
        assert!(lines().any(|(name, _)| name == "range") || kept == number("0"), "{text}");
        18_000_000 - kept < 8 * MIB as u64
    });
    task.cancel();
    assert!(session.wait_until_idle(HANG));
}

/// Has the first of three parts of 9 MiB break when it has brought 200,000 bytes, and each of the
/// others 100,000; what is asked for later is answered.
fn serve_until_the_first_breaks(server: &Server, film: &Arc<Vec<u8>>) {
    serve(server, film, |number, _, answer| match number {
        0 => answer.stall_in_body_after(100_000).truncate_after(200_000),
        // Not released with the first.
        1 | 2 => answer.stall_in_body_after(100_000).stall_in_body_after(100_000),
        _ => answer,
    });
}

/// Runs a download whose first part breaks so.
fn run_until_the_first_breaks(server: &Server, task: &DownloadTask) -> Result<Vec<u8>, Error> {
    let running = task.clone();
    let running = Running::start(move || run(&running));
    server.wait_until(|stats| stats.stalled == 3);
    wait_for("all that was sent has come", || task.progress().bytes_received == 300_000);
    server.release();
    running.outcome()
}

#[test]
fn a_retry_asks_for_what_is_missing() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(14, 9));
    serve_until_the_first_breaks(&server, &film);
    let session = session(|configuration| {
        configuration.retry_policy =
            RetryPolicy::attempts(3).first_delay(std::time::Duration::ZERO);
    });
    let task = download(&session, &server, &folder, 3);
    assert!(run_until_the_first_breaks(&server, &task).unwrap() == *film);
    let asked = asked(&server, film.len());
    for there in [0..200_000, 3 * MIB..3 * MIB + 100_000, 6 * MIB..6 * MIB + 100_000] {
        let again = asked.iter().filter(|part| part.start < there.end && part.end > there.start);
        let again: Vec<_> = again.filter(|part| part.start % (3 * MIB) != 0).collect();
        assert!(again.is_empty(), "{again:?} of {asked:?}");
    }
}

#[test]
fn a_first_answer_that_breaks_is_the_tasks_error_with_all_that_has_come() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(15, 9));
    serve_until_the_first_breaks(&server, &film);
    let session = session(|_| {});
    let task = download(&session, &server, &folder, 3);
    let error = run_until_the_first_breaks(&server, &task).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost);
    let data = error.resume_data().unwrap().clone();
    assert_eq!(data.received(), 400_000);
    let task = session.download_task_with_resume_data(data);
    task.segments(3).unwrap();
    serve(&server, &film, |_, _, answer| answer);
    assert!(run(&task).unwrap() == *film);
}
