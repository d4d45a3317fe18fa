//! Killed at each step that changes what lies on the disk, one after the other: the next start
//! brings the file, whole, and leaves nothing else.

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use super::*;

const NAME: &str =
    "resuming::crashes::whenever_it_is_killed_the_next_start_brings_the_file_and_nothing_else";

/// Tells the test that it is the process that is to be killed: where it is to load from.
const URL: &str = "URLSESSION_TEST_URL";
/// And to which folder.
const PLACE: &str = "URLSESSION_TEST_PLACE";

/// A server that breaks off whenever it is asked for the whole, and sends any rest.
fn server() -> Server {
    let server = Server::start();
    let film = film(1);
    server.handle(move |request| {
        let from = request.header("range").and_then(|range| range.strip_prefix("bytes="));
        let Some(from) = from.map(|range| range.trim_end_matches('-').parse::<usize>().unwrap())
        else {
            return first_part(&film, TAGGED);
        };
        let range = format!("bytes {from}-{}/{}", film.len() - 1, film.len());
        let answer = Answer::status(206).body(&film[from..]).header("Content-Range", range);
        with_fields(answer, TAGGED)
    });
    server
}

/// Downloads until it is there, which it is the second time.
fn download(url: &str, folder: &std::path::Path) {
    let place = folder.join("film.mp4");
    let once = || {
        let session = Session::new(Configuration::ephemeral())?;
        let task = session.download_task(url);
        task.save_to(&place)?;
        task.resumable(true)?;
        task.run()
    };
    let is_there = (0..2).any(|_| match once() {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::FileAlreadyExists => true,
        Err(error) if error.kind() == ErrorKind::NetworkConnectionLost => false,
        Err(error) => panic!("{error}"),
    });
    assert!(is_there);
}

/// Runs the test anew, for its downloads alone.
fn start(server: &Server, folder: &Folder, variable: &str, value: &str) -> Output {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", NAME])
        .env(URL, server.url("/film"))
        .env(PLACE, folder.path())
        .env(variable, value)
        .output()
        .unwrap()
}

#[test]
fn whenever_it_is_killed_the_next_start_brings_the_file_and_nothing_else() {
    if let Some((url, place)) = env::var(URL).ok().zip(env::var_os(PLACE)) {
        return download(&url, place.as_ref());
    }
    let server = server();
    let (folder, logs) = (Folder::new(), Folder::new());
    let log = logs.path().join("log");
    assert!(
        start(&server, &folder, "URLSESSION_CRASH_LOG", log.to_str().unwrap()).status.success()
    );
    let log = fs::read_to_string(log).unwrap();
    for name in
        ["file.written", "file.synced", "file.replaced", "file.renamed_to_new", "file.removed"]
    {
        assert!(log.contains(name), "{name} is none of the points:\n{log}");
    }
    for (number, point) in (1..).zip(log.lines()) {
        let folder = Folder::new();
        let output = start(&server, &folder, "URLSESSION_CRASH_AT", &number.to_string());
        assert_eq!(output.status.signal(), Some(9), "{point}");
        download(&server.url("/film"), folder.path());
        assert!(fs::read(folder.path().join("film.mp4")).unwrap() == film(1), "{point}");
        assert_eq!(folder.names(), ["film.mp4"], "{point}");
    }
}
