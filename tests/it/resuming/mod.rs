//! Downloads that go on after an interruption, byte for byte.

mod beside;
#[cfg(unix)]
mod crashes;
mod expected;
#[cfg(unix)]
mod holes;
mod records;
mod table;

use std::fs;

use urlsession::testing::{Answer, Recorder, Server};
use urlsession::{
    Configuration, DeliveryQueue, Download, DownloadTask, Error, ErrorKind, ResumeData, Session,
};

use crate::support::folder::Folder;
use crate::support::running::{HANG, Running, wait_for};

/// A body of 100,000 bytes, of which no two parts are alike.
fn film(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..100_000).map(next).collect()
}

/// How much of it comes at first.
const FIRST: usize = 40_000;

/// Fields of a first answer that names the version.
const TAGGED: &[(&str, &str)] = &[("ETag", "\"a\"")];

fn with_fields(answer: Answer, fields: &[(&str, &str)]) -> Answer {
    fields.iter().fold(answer, |answer, (name, value)| answer.header(name, value))
}

/// The whole film, cut off.
fn first_part(film: &[u8], fields: &[(&str, &str)]) -> Answer {
    with_fields(Answer::ok(film), fields).truncate_after(FIRST as u64)
}

/// An answer with what is asked for from `FIRST` on.
fn rest(film: &[u8], fields: &[(&str, &str)]) -> Answer {
    let range = format!("bytes {FIRST}-{}/{}", film.len() - 1, film.len());
    with_fields(Answer::status(206).body(&film[FIRST..]), fields).header("Content-Range", range)
}

/// A session whose files lie in a folder, and who is told.
fn session_in(folder: &Folder) -> (Recorder, Session) {
    let recorder = Recorder::new();
    let mut configuration = Configuration::ephemeral();
    configuration.temporary_directory = Some(folder.path().to_owned());
    let queue = DeliveryQueue::serial();
    let session = Session::with_delegate(configuration, recorder.delegate(), queue).unwrap();
    (recorder, session)
}

/// Begins to download, is cut off, and returns what can be gone on with.
fn interrupted(
    session: &Session,
    server: &Server,
    film: &[u8],
    fields: &[(&str, &str)],
) -> ResumeData {
    server.enqueue(first_part(film, fields));
    let error = session.download(server.url("/film")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost, "{error}");
    assert_eq!(server.take_request().header("range"), None);
    error.resume_data().expect("it can go on").clone()
}

/// Runs a task that reports to its delegate, to its end.
fn run(task: &DownloadTask) -> Result<Vec<u8>, Error> {
    task.run().map(|download| content(&download))
}

fn content(download: &Download) -> Vec<u8> {
    let bytes = fs::read(download.file.path()).unwrap();
    assert_eq!(bytes.len() as u64, download.file.len());
    bytes
}
