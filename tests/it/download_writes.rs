//! How bodies come into their files: in large writes while bytes keep coming, and at once when
//! they do not.

use std::fs;
use std::io::Write;
use std::time::Duration;

use flate2::{Compression, write};
use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, DownloadTask, ErrorKind, Request, Session};

use crate::support::folder::Folder;
use crate::support::raw_answers::{Row, rows};
use crate::support::running::{Running, nothing_is_left, plain_and_tls, session, wait_for};

/// What the test server sends as a body of so many bytes.
fn alphabet(length: usize) -> Vec<u8> {
    (0..length).map(|at| b'a' + (at % 26) as u8).collect()
}

/// The same, compressed.
fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = write::GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// The ways in which a body can come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coming {
    Announced,
    InChunks,
    UntilClose,
    Compressed,
}

impl Coming {
    const ALL: [Self; 4] = [Self::Announced, Self::InChunks, Self::UntilClose, Self::Compressed];

    fn answer(self, length: usize) -> Answer {
        let plain = Answer::status(200).body_of_size(length as u64);
        match self {
            Self::Announced => plain,
            Self::InChunks => plain.chunked(100_003),
            Self::UntilClose => plain.until_close(),
            Self::Compressed => {
                Answer::ok(gzip(&alphabet(length))).header("Content-Encoding", "gzip")
            }
        }
    }

    fn request(self, url: String) -> Request {
        Request::get(url).decodes_body(self == Self::Compressed)
    }

    fn is_here(self) -> bool {
        self != Self::Compressed || cfg!(feature = "gzip")
    }
}

#[test]
fn bodies_of_every_size_come_whole_in_every_way() {
    const MANY: usize = 5_000_000;
    plain_and_tls(|security, server, session| {
        let folder = Folder::new();
        for coming in Coming::ALL.into_iter().filter(|coming| coming.is_here()) {
            for length in [0, 1, 65_536, MANY, 6 * MANY] {
                let case = format!("{security}, {coming:?}, {length} bytes");
                server.enqueue(coming.answer(length));
                let place = folder.path().join(&case);
                let download = session.download_to(coming.request(server.url("/")), &place);
                let download = download.unwrap_or_else(|error| panic!("{case}: {error}"));
                assert_eq!(download.file.len(), length as u64, "{case}");
                assert!(fs::read(&place).unwrap() == alphabet(length), "{case}");
                fs::remove_file(place).unwrap();
            }
        }
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn each_answer_becomes_the_file_that_it_says() {
    let folder = Folder::new();
    // Files are bounded by no memory.
    let becomes_a_file =
        |row: &Row| row.method == "GET" && row.outcome != Err(ErrorKind::DataLengthExceedsMaximum);
    for row in rows().into_iter().filter(becomes_a_file) {
        let (server, session) = (Server::start(), session(|_| {}));
        let answer = Answer::raw(&row.bytes);
        server.enqueue(if row.closes { answer } else { answer.keep_open() });
        let place = folder.path().join("file");
        let downloaded = session.download_to(
            Request::get(server.url("/")).accepts_status(..).decodes_body(true),
            &place,
        );
        match (downloaded, row.outcome) {
            (Ok(download), Ok((status, body))) => {
                assert_eq!(download.response.status(), status, "{}", row.name);
                assert_eq!(fs::read(&place).unwrap(), body.as_bytes(), "{}", row.name);
                fs::remove_file(&place).unwrap();
            }
            (Err(error), Err(kind)) => assert_eq!(error.kind(), kind, "{}", row.name),
            (downloaded, expected) => panic!("{}: {downloaded:?}, not {expected:?}", row.name),
        }
        assert_eq!(folder.names(), [""; 0], "{}", row.name);
        nothing_is_left(session, &[&server]);
    }
}

/// Runs a task on a thread of its own; returns how long its file is in the end.
fn run(task: &DownloadTask) -> Running<u64> {
    let task = task.clone();
    Running::start(move || task.run().unwrap().file.len())
}

/// Has temporary files go to `folder`.
fn into(session: &Session, folder: &Folder) -> Session {
    let mut configuration: Configuration = session.configuration();
    configuration.temporary_directory = Some(folder.path().to_owned());
    configuration.progress_interval = Duration::ZERO;
    Session::new(configuration).unwrap()
}

#[test]
fn what_a_slow_server_has_sent_is_in_the_file_and_told() {
    const LENGTH: usize = 3_000_000;
    plain_and_tls(|security, server, session| {
        for coming in [Coming::Announced, Coming::InChunks, Coming::UntilClose] {
            for sent in [1, 70_001, 1_500_000] {
                let case = format!("{security}, {coming:?}, {sent} bytes at first");
                let folder = Folder::new();
                let session = into(&session, &folder);
                server.enqueue(coming.answer(LENGTH).stall_in_body_after(sent));
                let task = session.download_task(coming.request(server.url("/")));
                // So that the file has a name meanwhile.
                task.save_to(folder.path().join("a")).unwrap();
                task.resumable(true).unwrap();
                let running = run(&task);
                let part = folder.path().join(".a.part");
                wait_for("what was sent", || {
                    let length = fs::metadata(&part).map_or(0, |found| found.len());
                    length == sent && task.progress().bytes_received == sent
                });
                assert!(running.is_running(), "{case}");
                server.wait_until(|stats| stats.stalled == 1);
                server.release();
                assert_eq!(running.outcome(), LENGTH as u64, "{case}");
                drop(task);
                nothing_is_left(session, &[]);
            }
        }
        nothing_is_left(session, &[&server]);
    });
}
