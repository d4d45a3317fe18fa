//! Codings are undone where they were asked for, and nowhere else.

use std::io::{Read, Write};
use std::sync::Arc;

use flate2::{Compression, write::GzEncoder};
use urlsession::testing::{Answer, Server};
use urlsession::{
    Configuration, Delegate, DeliveryQueue, DownloadedFile, Reply, Request, Response,
    ResponseDisposition, Session, Task,
};

use crate::support::download_forms::Form;
use crate::support::folder::Folder;
use crate::support::running::nothing_is_left;
use crate::support::transfer_log::{Log, Told, adds_up, wrote};

/// What the test server sends as a body of so many bytes.
fn alphabet(length: usize) -> Vec<u8> {
    (0..length).map(|at| b'a' + (at % 26) as u8).collect()
}

fn gzip(body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// A session, and whether it decodes what nobody says anything about.
fn session(decodes: bool) -> Session {
    let mut configuration = Configuration::ephemeral();
    configuration.decodes_bodies = decodes;
    Session::new(configuration).unwrap()
}

/// What is asked for where codings are.
const ALL: &str = match (cfg!(feature = "gzip"), cfg!(feature = "brotli"), cfg!(feature = "zstd")) {
    (true, true, true) => "gzip, deflate, br, zstd",
    (true, true, false) => "gzip, deflate, br",
    (true, false, true) => "gzip, deflate, zstd",
    (true, false, false) => "gzip, deflate",
    (false, true, true) => "br, zstd",
    (false, true, false) => "br",
    (false, false, true) => "zstd",
    (false, false, false) => "identity",
};

#[test]
fn a_download_brings_the_file_as_it_is_stored() {
    let plain = alphabet(500_000);
    for (path, coding, stored) in [
        ("/a.tar.gz", "gzip", gzip(&plain)),
        ("/a.tgz", "x-gzip", gzip(&plain)),
        ("/a.br", "br", b"\x0b\x02\x80hello\x03".to_vec()),
        ("/a.gz", "gzip, gzip, gzip, gzip, gzip, gzip", gzip(&plain)),
        ("/not-even-that", "gzip", b"no gzip at all".to_vec()),
    ] {
        for form in Form::ALL {
            let case = format!("{path}, {form:?}");
            let (folder, server) = (Folder::new(), Server::start());
            server.enqueue(Answer::ok(&stored).header("Content-Encoding", coding));
            let path_of_files = folder.path().to_owned();
            let (log, session) = Log::default().session(|configuration| {
                configuration.temporary_directory = Some(path_of_files);
            });
            let outcome = form.download(&session, &log, Request::get(server.url(path)), None);
            assert!(outcome.unwrap().1 == stored, "{case}");
            assert_eq!(server.take_request().header_all("accept-encoding"), ["identity"], "{case}");
            if form == Form::Delegate {
                let (told, all) = (log.take(), stored.len() as u64);
                let knows =
                    |told: &Told| !matches!(told, Told::Wrote(_, _, of) if *of != Some(all));
                assert!(told.iter().all(knows), "{case}: {told:?}");
                assert_eq!(adds_up(wrote(&told), "stored"), all);
            }
            nothing_is_left(session, &[&server]);
        }
    }
}

#[test]
fn a_request_says_for_itself_whether_its_body_is_decoded() {
    let stored = gzip("plain");
    let server = Server::start();
    for (decodes_all, said, data_asks, download_asks) in [
        (true, None, true, false),
        (true, Some(true), true, true),
        (true, Some(false), false, false),
        (false, None, false, false),
        (false, Some(true), true, true),
        (false, Some(false), false, false),
    ] {
        let case = format!("the session {decodes_all}, the request {said:?}");
        let session = session(decodes_all);
        let request = |method: &str| {
            server.enqueue(Answer::ok(&stored).header("Content-Encoding", "gzip"));
            let request = Request::new(method, server.url("/"));
            said.into_iter().fold(request, Request::decodes_body)
        };
        let check = |what: &str, response: &Response, body: &[u8], asks: bool| {
            let is_decoded = asks && cfg!(feature = "gzip");
            let (expected, length) = match is_decoded {
                true => (&b"plain"[..], None),
                false => (&*stored, Some(stored.len() as u64)),
            };
            assert_eq!(body, expected, "{case}: {what}");
            assert_eq!(response.expected_content_length(), length, "{case}: {what}");
            let accepted = if asks { ALL } else { "identity" };
            let seen = server.take_request();
            assert_eq!(seen.header_all("accept-encoding"), [accepted], "{case}: {what}");
        };
        let data = session.data(request("GET")).unwrap();
        check("data", &data.response, &data.body, data_asks);
        let mut bytes = session.bytes(request("GET")).unwrap();
        let mut read = Vec::new();
        bytes.read_to_end(&mut read).unwrap();
        check("bytes", bytes.response(), &read, data_asks);
        let upload = session.upload(request("PUT"), "sent").unwrap();
        check("upload", &upload.response, &upload.body, data_asks);
        let download = session.download(request("GET")).unwrap();
        let content = std::fs::read(download.file.path()).unwrap();
        check("download", &download.response, &content, download_asks);
    }
}

#[test]
fn a_range_is_a_range_of_what_is_stored() {
    let stored = gzip(alphabet(1000));
    let slice = |from: usize, to: usize| {
        let all = stored.len();
        let answer = Answer::status(206).body(&stored[from..to]);
        let range = format!("bytes {from}-{}/{all}", to - 1);
        answer.header("Content-Encoding", "gzip").header("Content-Range", &range)
    };
    let server = Server::start();
    for (range, accepted, from, to) in [
        ("bytes=0-9", None, 0, 10),
        ("bytes=10-19", None, 10, 20),
        ("bytes=-8", None, stored.len() - 8, stored.len()),
        ("bytes=0-", None, 0, stored.len()),
        ("bytes=0-9", Some("gzip"), 0, 10),
    ] {
        let request = || {
            server.enqueue(slice(from, to));
            let request = Request::get(server.url("/")).header("Range", range);
            let add = |request: Request, accepted| request.header("Accept-Encoding", accepted);
            accepted.into_iter().fold(request, add)
        };
        let session = session(true);
        let data = session.data(request()).unwrap();
        assert_eq!(data.body, stored[from..to], "{range}");
        assert_eq!(data.response.expected_content_length(), Some((to - from) as u64), "{range}");
        let mut read = Vec::new();
        session.bytes(request()).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, stored[from..to], "{range}");
        let download = session.download(request()).unwrap();
        assert_eq!(std::fs::read(download.file.path()).unwrap(), stored[from..to], "{range}");
        for _ in 0..3 {
            let sent = accepted.unwrap_or("identity");
            assert_eq!(server.take_request().header_all("accept-encoding"), [sent], "{range}");
        }
    }
    // Whoever says so may have a whole answer to it decoded.
    server.enqueue(Answer::ok(gzip("plain")).header("Content-Encoding", "gzip"));
    let request = Request::get(server.url("/")).header("Range", "bytes=0-").decodes_body(true);
    let data = session(true).data(request).unwrap();
    assert_eq!(data.body == b"plain", cfg!(feature = "gzip"));
    assert_eq!(server.take_request().header_all("accept-encoding"), [ALL]);
}

/// Follows redirects with a range, and has each body go to a file.
struct Changing(std::sync::Mutex<Vec<Vec<u8>>>);

impl Delegate for Changing {
    fn will_perform_redirect(
        &self,
        _: &Task,
        _: &Response,
        proposed: Request,
        reply: Reply<Option<Request>>,
    ) {
        reply.answer(Some(proposed.header("Range", "bytes=0-9")));
    }

    fn did_receive_response(&self, _: &Task, _: &Response, reply: Reply<ResponseDisposition>) {
        reply.answer(ResponseDisposition::BecomeDownload);
    }

    fn did_finish_downloading(&self, _: &Task, file: DownloadedFile) {
        self.0.lock().unwrap().push(std::fs::read(file.path()).unwrap());
    }
}

#[test]
fn what_holds_for_a_request_holds_for_where_its_redirects_lead() {
    let stored = gzip("plain");
    let server = Server::start();
    let to = |session: &Session, request: Request| {
        server.enqueue(Answer::redirect(302, "/b"));
        server.enqueue(Answer::ok(&stored).header("Content-Encoding", "gzip"));
        let download = session.download(request).unwrap();
        let accepted =
            [(); 2].map(|()| server.take_request().header("accept-encoding").map(str::to_owned));
        (std::fs::read(download.file.path()).unwrap(), accepted.map(Option::unwrap))
    };
    let request = || Request::get(server.url("/"));
    let (content, accepted) = to(&session(true), request());
    assert_eq!((content, accepted), (stored.clone(), ["identity", "identity"].map(Into::into)));
    let (content, accepted) = to(&session(true), request().decodes_body(true));
    assert_eq!(content == b"plain", cfg!(feature = "gzip"));
    assert_eq!(accepted, [ALL, ALL]);
    // A range that a delegate adds on the way is one.
    let changing = Arc::new(Changing(std::sync::Mutex::default()));
    let queue = DeliveryQueue::serial();
    let configuration = Configuration::ephemeral();
    let session = Session::with_delegate(configuration, changing.clone(), queue).unwrap();
    server.enqueue(Answer::redirect(302, "/b"));
    server.enqueue(Answer::status(206).header("Content-Encoding", "gzip").body(&stored[..10]));
    session.data_task(request()).resume();
    assert!(session.wait_until_idle(std::time::Duration::from_secs(60)));
    assert_eq!(*changing.0.lock().unwrap(), [&stored[..10]]);
}

#[test]
fn a_task_that_becomes_a_download_has_asked_for_codings() {
    let server = Server::start();
    let changing = Arc::new(Changing(std::sync::Mutex::default()));
    let queue = DeliveryQueue::serial();
    let configuration = Configuration::ephemeral();
    let session = Session::with_delegate(configuration, changing.clone(), queue).unwrap();
    server.enqueue(Answer::ok(gzip("plain")).header("Content-Encoding", "gzip"));
    session.data_task(server.url("/")).resume();
    assert!(session.wait_until_idle(std::time::Duration::from_secs(60)));
    assert_eq!(server.take_request().header_all("accept-encoding"), [ALL]);
    assert_eq!(changing.0.lock().unwrap()[0] == b"plain", cfg!(feature = "gzip"));
}
