//! Downloads that were cut and go on, with nginx, apache, caddy, lighttpd and Python's `http.server`,
//! which sends no parts.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use urlsession::testing::{Event, Recorder};
use urlsession::{Delegate, DownloadTask, ErrorKind, ResumeData, Session, StartOver};

use crate::served::{HOUR, Served, WITH_PARTS, film};
use crate::{PYTHON, PYTHON_FILES, configuration};

const SIZE: usize = 3_000_000;

/// How much of an answer comes at first, with its head, which is shorter than the second number.
const FIRST: u64 = 1_000_000;
const HEAD: u64 = 1_000;

const HANG: Duration = Duration::from_secs(60);

impl Served {
    /// Returns a session whose one connection carries no more than the first bytes of an answer,
    /// and then breaks, or brings nothing.
    fn session_that_is_cut(&self, breaks: bool) -> Session {
        self.session_by_way_of(gate(self.address(), breaks))
    }

    /// Begins to download the file, and cancels that in the middle.
    fn cancelled(&self) -> ResumeData {
        let session = self.session_that_is_cut(false);
        let task = session.download_task(self.url()).resume();
        while task.progress().bytes_received < FIRST - HEAD {
            assert!(task.error().is_none(), "{:?}", task.error());
            thread::sleep(Duration::from_millis(1));
        }
        let (sender, taken) = channel();
        task.cancel_by_producing_resume_data(move |data| sender.send(data).unwrap());
        taken.recv_timeout(HANG).unwrap().expect("it can go on")
    }

    /// Goes on; returns the status and the bytes.
    fn resumed(&self, data: ResumeData, delegate: Arc<dyn Delegate>) -> (u16, Vec<u8>) {
        let session = Session::new(configuration()).unwrap();
        let task = session.download_task_with_resume_data(data);
        task.set_delegate(delegate).unwrap();
        let download = task.run().unwrap();
        assert_eq!(download.response.url().as_str(), self.url());
        (download.response.status().as_u16(), fs::read(download.file.path()).unwrap())
    }
}

/// Stands before a server for one request, and lets through so much of the answer.
fn gate(server: SocketAddr, breaks: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut server = TcpStream::connect(server).unwrap();
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            client.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        server.write_all(&head).unwrap();
        io::copy(&mut server.take(FIRST), &mut client).unwrap();
        if !breaks {
            // Until the client goes away.
            let _ = client.read(&mut byte);
        }
    });
    address
}

/// What was told of a download that had begun before.
pub(crate) fn told(recorder: &Recorder) -> Vec<Event> {
    let is_told =
        |event: &Event| matches!(event, Event::Resumed { .. } | Event::StartedOver { .. });
    recorder.take_events().into_iter().filter(is_told).collect()
}

pub(crate) fn started_over(reason: StartOver) -> [Event; 1] {
    [Event::StartedOver { id: 1, reason }]
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_cancelled_download_goes_on_where_it_was() {
    for place in WITH_PARTS {
        let (served, recorder) = (Served::new(place, "cancelled", SIZE), Recorder::new());
        let data = served.cancelled();
        let (offset, expected) = (data.received(), data.total());
        assert!((FIRST - HEAD..FIRST).contains(&offset), "{offset}");
        assert_eq!(expected, Some(SIZE as u64));
        let (status, bytes) = served.resumed(data, recorder.delegate());
        assert!(bytes == film(1, SIZE), "{place:?}");
        assert_eq!(status, 206, "{place:?}");
        assert_eq!(told(&recorder), [Event::Resumed { id: 1, offset, expected }], "{place:?}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_file_that_has_changed_meanwhile_comes_whole() {
    for place in WITH_PARTS.into_iter().chain([(PYTHON, PYTHON_FILES)]) {
        // Only newer, longer, and too short for what is asked for.
        for size in [SIZE, SIZE + 1, 1_000] {
            let (served, recorder) = (Served::new(place, "changed", SIZE), Recorder::new());
            let data = served.cancelled();
            served.put(&film(2, size), HOUR / 2);
            let (status, bytes) = served.resumed(data, recorder.delegate());
            assert!(bytes == film(2, size), "{place:?} {size}");
            assert_eq!(status, 200, "{place:?} {size}");
            assert_eq!(told(&recorder), started_over(StartOver::Changed), "{place:?} {size}");
        }
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_server_that_sends_no_parts_sends_the_whole() {
    let (served, recorder) = (Served::new((PYTHON, PYTHON_FILES), "whole", SIZE), Recorder::new());
    let data = served.cancelled();
    let (status, bytes) = served.resumed(data, recorder.delegate());
    assert!(bytes == film(1, SIZE));
    assert_eq!(status, 200);
    assert_eq!(told(&recorder), started_over(StartOver::NoRanges));
}

/// Makes a download to a place that keeps what has come beside it.
fn resumable(session: &Session, served: &Served, place: &Path) -> DownloadTask {
    let task = session.download_task(served.url());
    task.save_to(place).unwrap();
    task.resumable(true).unwrap();
    task
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_download_whose_connection_broke_goes_on_beside_its_place() {
    for place in WITH_PARTS {
        let (served, recorder) = (Served::new(place, "broken", SIZE), Recorder::new());
        let folder = std::env::temp_dir().join(format!("urlsession-broken-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let file = folder.join("film");
        let session = served.session_that_is_cut(true);
        let error = resumable(&session, &served, &file).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost, "{place:?}: {error}");
        drop(error);
        let offset = fs::metadata(folder.join(".film.part")).unwrap().len();
        assert!((FIRST - HEAD..FIRST).contains(&offset), "{offset}");

        let session = Session::new(configuration()).unwrap();
        let task = resumable(&session, &served, &file);
        task.set_delegate(recorder.delegate()).unwrap();
        drop(task.run().unwrap());
        assert!(fs::read(&file).unwrap() == film(1, SIZE), "{place:?}");
        let expected = Some(SIZE as u64);
        assert_eq!(told(&recorder), [Event::Resumed { id: 1, offset, expected }], "{place:?}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "{place:?}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
