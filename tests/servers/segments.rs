//! Downloads in several parts at once, with nginx, apache, caddy and lighttpd, and with Python's
//! `http.server`, which sends no parts.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use urlsession::testing::Recorder;
use urlsession::{DownloadTask, Session, StartOver};

use crate::relay::Relay;
use crate::resuming::{started_over, told};
use crate::served::{HOUR, Served, WITH_PARTS, film};
use crate::{PYTHON, PYTHON_FILES, session};

const SIZE: usize = 6_000_000;

/// How much of an answer comes at first, with its head, which is shorter than the second number.
const FIRST: usize = 300_000;
const HEAD: usize = 1_000;

const HANG: Duration = Duration::from_secs(60);

/// A folder for a download, removed with this.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("urlsession-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("film")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Stands before a server for so many connections. Their answers wait in the middle until all of
/// them are there.
struct Gate {
    address: SocketAddr,
    /// The status of each answer, as they came.
    statuses: Arc<Mutex<Vec<String>>>,
}

impl Gate {
    /// Before the second connection gets through, `meanwhile` is done. In the end the answers go
    /// on, or bring nothing more.
    fn new(
        server: SocketAddr,
        connections: usize,
        goes_on: bool,
        meanwhile: impl Fn() + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let statuses: Arc<Mutex<Vec<String>>> = Arc::default();
        let (kept, all_are_there) = (statuses.clone(), Arc::new(Barrier::new(connections)));
        thread::spawn(move || {
            for number in 0..connections {
                let (client, _) = listener.accept().unwrap();
                if number == 1 {
                    meanwhile();
                }
                let server = TcpStream::connect(server).unwrap();
                let (kept, all_are_there) = (kept.clone(), all_are_there.clone());
                thread::spawn(move || pass(client, server, &kept, &all_are_there, goes_on));
            }
        });
        Self { address, statuses }
    }

    fn statuses(&self) -> Vec<String> {
        let mut statuses = self.statuses.lock().unwrap().clone();
        statuses.sort();
        statuses
    }
}

fn pass(
    mut client: TcpStream,
    mut server: TcpStream,
    statuses: &Mutex<Vec<String>>,
    all_are_there: &Barrier,
    goes_on: bool,
) {
    let (mut requests, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let until_it_leaves = thread::spawn(move || {
        let _ = io::copy(&mut requests, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let mut first = vec![0; FIRST];
    server.read_exact(&mut first).unwrap();
    let status = String::from_utf8_lossy(&first[9..12]).into_owned();
    statuses.lock().unwrap().push(status);
    // Whoever does not want an answer closes.
    let _ = client.write_all(&first);
    all_are_there.wait();
    if goes_on {
        let _ = io::copy(&mut server, &mut client);
    }
    until_it_leaves.join().unwrap();
}

/// A download in parts.
fn download(session: &Session, url: String, place: &Path, segments: usize) -> DownloadTask {
    let task = session.download_task(url);
    task.save_to(place).unwrap();
    task.segments(segments).unwrap();
    task
}

/// The same in three, which keeps what has come beside its place.
fn resumable(session: &Session, served: &Served, folder: &Folder) -> DownloadTask {
    let task = download(session, served.url(), &folder.file(), 3);
    task.resumable(true).unwrap();
    task
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn parts_come_at_once() {
    for place in WITH_PARTS {
        let (served, folder) = (Served::new(place, "at-once", SIZE), Folder::new("at-once"));
        let gate = Gate::new(served.address(), 4, true, || {});
        let session = served.session_by_way_of(gate.address);
        let task = download(&session, served.url(), &folder.file(), 4);
        drop(task.run().unwrap());
        assert!(fs::read(folder.file()).unwrap() == film(1, SIZE), "{place:?}");
        assert_eq!(gate.statuses(), ["200", "206", "206", "206"], "{place:?}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn parts_of_a_file_that_has_changed_meanwhile_are_not_taken() {
    for place in WITH_PARTS {
        let served = Arc::new(Served::new(place, "replaced", SIZE));
        let (folder, changed) = (Folder::new("replaced"), served.clone());
        let gate =
            Gate::new(served.address(), 2, true, move || changed.put(&film(2, SIZE), HOUR / 2));
        let session = served.session_by_way_of(gate.address);
        let task = download(&session, served.url(), &folder.file(), 2);
        drop(task.run().unwrap());
        // The first answer goes on with what was there when it began.
        assert!(fs::read(folder.file()).unwrap() == film(1, SIZE), "{place:?}");
        assert_eq!(gate.statuses(), ["200", "200"], "{place:?}");
    }
}

/// Downloads in three parts, and cancels that in the middle of each; what has come lies beside the
/// place.
fn cancelled(served: &Served, folder: &Folder) {
    let gate = Gate::new(served.address(), 3, false, || {});
    let session = served.session_by_way_of(gate.address);
    let task = resumable(&session, served, folder).resume();
    while task.progress().bytes_received < 3 * (FIRST - HEAD) as u64 {
        assert!(task.error().is_none(), "{:?}", task.error());
        thread::sleep(Duration::from_millis(1));
    }
    task.cancel();
    assert!(session.wait_until_idle(HANG));
    assert_eq!(gate.statuses(), ["200", "206", "206"]);
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn cancelled_parts_go_on_where_they_were() {
    for place in WITH_PARTS {
        let (served, folder) = (Served::new(place, "parts", SIZE), Folder::new("parts"));
        cancelled(&served, &folder);
        let (relay, recorder) = (Relay::to(&served.server), Recorder::new());
        let session = served.session_by_way_of(([127, 0, 0, 1], relay.port()).into());
        let task = resumable(&session, &served, &folder);
        task.set_delegate(recorder.delegate()).unwrap();
        drop(task.run().unwrap());
        assert!(fs::read(folder.file()).unwrap() == film(1, SIZE), "{place:?}");
        assert_eq!(told(&recorder).len(), 1, "{place:?}");
        let asked = relay.values("Range");
        assert!(asked.len() >= 3, "{place:?}: {asked:?}");
        for range in asked {
            let (from, to) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
            let from: usize = from.parse().unwrap();
            let to = if to.is_empty() { SIZE } else { to.parse::<usize>().unwrap() + 1 };
            // Of one, as much may have been missing as the heads are shorter than they might be.
            for there in [0, SIZE / 3, 2 * SIZE / 3] {
                let there = there..there + FIRST - 3 * HEAD;
                assert!(to <= there.start || from >= there.end, "{place:?}: {range}");
            }
        }
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_file_that_has_changed_since_its_parts_were_cancelled_comes_whole() {
    for place in WITH_PARTS {
        let (served, folder) = (Served::new(place, "newer", SIZE), Folder::new("newer"));
        cancelled(&served, &folder);
        served.put(&film(2, SIZE), HOUR / 2);
        let (session, recorder) = (session(), Recorder::new());
        let task = resumable(&session, &served, &folder);
        task.set_delegate(recorder.delegate()).unwrap();
        drop(task.run().unwrap());
        assert!(fs::read(folder.file()).unwrap() == film(2, SIZE), "{place:?}");
        assert_eq!(told(&recorder), started_over(StartOver::Changed), "{place:?}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_server_that_sends_no_parts_is_asked_once() {
    let served = Served::new((PYTHON, PYTHON_FILES), "once", SIZE);
    let (folder, relay) = (Folder::new("once"), Relay::to(&served.server));
    let session = served.session_by_way_of(([127, 0, 0, 1], relay.port()).into());
    drop(download(&session, served.url(), &folder.file(), 4).run().unwrap());
    assert!(fs::read(folder.file()).unwrap() == film(1, SIZE));
    assert_eq!(relay.requests(), [1]);
}
