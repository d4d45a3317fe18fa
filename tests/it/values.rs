//! Requests and responses as values: what can be asked of them, and what can be changed.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, UNIX_EPOCH};

use urlsession::testing::{Answer, Server};
use urlsession::{
    Challenge, Configuration, DataTask, Delegate, Disposition, DownloadTask, Error, ErrorKind,
    Reply, Request, Response, Session, Task, TaskState, UploadTask,
};

use crate::support::folder::Folder;
use crate::support::logged;
use crate::support::running::{HANG, nothing_is_left, plain_and_tls, session};

#[test]
fn every_method_goes_out_as_it_is_written() {
    let server = Server::start();
    let session = session(|_| {});
    let (_, warned) = logged::warnings(|| Request::new("patch", "http://a/"));
    assert_eq!(warned, ["the method patch is sent as it is written; servers know PATCH"]);
    for (request, sent) in [
        (Request::patch(server.url("/")), "PATCH"),
        (Request::new("patch", server.url("/")), "patch"),
        (Request::new("Put", server.url("/")), "PUT"),
        (Request::new(String::from("PROPFIND"), server.url("/")), "PROPFIND"),
        (Request::new(http::Method::OPTIONS, server.url("/")), "OPTIONS"),
        (Request::new(&http::Method::TRACE, server.url("/")), "TRACE"),
    ] {
        server.enqueue(Answer::ok(""));
        session.data(request).unwrap();
        assert_eq!(server.take_request().method(), sent);
    }
    nothing_is_left(session, &[&server]);
}

/// Changes where a redirect leads.
struct Changes(fn(&mut Request));

impl Delegate for Changes {
    fn will_perform_redirect(
        &self,
        _: &Task,
        _: &Response,
        mut proposed: Request,
        reply: Reply<Option<Request>>,
    ) {
        (self.0)(&mut proposed);
        reply.answer(Some(proposed));
    }
}

#[test]
fn a_redirect_can_be_changed_in_place() {
    let (server, other) = (Server::start(), Server::start());
    let url = server.url("/here");
    let there = other.url("/elsewhere");
    server.enqueue(Answer::redirect(302, "/there"));
    server.enqueue(Answer::ok(""));
    let session = session(|_| {});
    let request = || Request::get(&url).header("X-One", 1).header("X-Two", 2).bearer_auth("abc");
    let load = |changes: fn(&mut Request)| {
        let task = session.data_task(request());
        task.set_delegate(Arc::new(Changes(changes))).unwrap();
        task.run().unwrap()
    };
    load(|request| {
        assert!(request.remove_header("x-one"));
        request.set_header("X-Two", 3).unwrap();
        request.set_method("PUT").unwrap();
    });
    let _here = server.take_request();
    let seen = server.take_request();
    assert_eq!((seen.method(), seen.path()), ("PUT", "/there"));
    assert_eq!((seen.header("x-one"), seen.header("x-two")), (None, Some("3")));
    assert_eq!(seen.header("authorization"), Some("Bearer abc"));

    // What belongs to one host does not go to another.
    static THERE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    THERE.set(there).unwrap();
    server.enqueue(Answer::redirect(302, "/there"));
    other.enqueue(Answer::ok(""));
    let data = load(|request| request.set_url(THERE.get().unwrap()).unwrap());
    assert_eq!(data.response.url().as_str(), THERE.get().unwrap());
    let seen = other.take_request();
    assert_eq!((seen.header("authorization"), seen.header("x-one")), (None, Some("1")));
}

#[test]
fn repeated_headers_are_one_where_apple_has_one() {
    let server = Server::start();
    let answer =
        || Answer::ok("x").header("Vary", "Accept").header("X", "1").header("vary", "Origin");
    server.enqueue(answer());
    server.enqueue(answer());
    server.enqueue(answer().header("X", "2"));
    let session = session(|_| {});
    let get = || session.data(server.url("/")).unwrap();
    let (one, same, other) = (get(), get(), get());
    assert_eq!(one.response.header("VARY"), Some("Accept, Origin"));
    assert_eq!((one.response.header("x"), one.headers().get("vary")), (Some("1"), Some("Accept")));
    assert_eq!(one.headers()["x"], *"1");
    assert!(one.response == same.response && one.response != other.response);
}

#[test]
fn headers_are_read_as_what_they_mean() {
    let server = Server::start();
    server.enqueue(
        Answer::status(503)
            .header("Content-Type", "Text/Plain; charset=\"utf-8\"")
            .header("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
            .header("Retry-After", "Sunday, 06-Nov-94 08:50:37 GMT")
            .header("Last-Modified", "Sun Nov  6 08:49:37 1994")
            .header("ETag", "W/\"abc\"")
            .header("Link", "<?page=2>; rel=next, </>; rel=first"),
    );
    let response = session(|_| {}).data(server.url("/items")).unwrap().response;
    assert_eq!(response.content_type().unwrap().to_string(), "text/plain; charset=utf-8");
    assert_eq!(response.retry_after(), Some(Duration::from_secs(60)));
    assert_eq!(response.last_modified(), Some(UNIX_EPOCH + Duration::from_secs(784_111_777)));
    assert_eq!(response.etag().unwrap().to_string(), "W/\"abc\"");
    let links = response.links();
    assert_eq!(links[0].url().as_str(), server.url("/items?page=2"));
    assert!(links.len() == 2 && links[1].is("first"));
}

#[test]
fn a_status_becomes_an_error_where_that_is_asked_for() {
    let server = Server::start();
    let session = session(|_| {});
    let long = "x".repeat(100_000);
    for (status, is_error) in [(200, false), (204, false), (304, false), (404, true), (503, true)] {
        let body = if matches!(status, 204 | 304) { "" } else { &*long };
        let answer = || Answer::status(status).header("X", "1").body(body);
        for _ in 0..3 {
            server.enqueue(answer());
        }
        let data = session.data(server.url("/")).unwrap();
        assert_eq!((data.status().as_u16(), &data.headers()["x"]), (status, "1"));
        let response = data.response.clone().error_for_status();
        let download = session.download(server.url("/")).unwrap();
        assert_eq!((download.status().as_u16(), &download.headers()["x"]), (status, "1"));
        let path = download.file.path().to_owned();
        let outcomes = [
            (data.error_for_status().map(drop), 64 * 1024),
            (response.map(drop), 0),
            (download.error_for_status().map(drop), 64 * 1024),
        ];
        for (outcome, length) in outcomes {
            assert_eq!(outcome.is_err(), is_error, "{status}");
            if let Err(error) = outcome {
                assert_eq!((error.kind(), error.code()), (ErrorKind::UnacceptableStatus, -1011));
                assert_eq!(error.response().unwrap().status().as_u16(), status);
                assert_eq!(error.response_body().unwrap().len(), length);
                assert!(error.to_string().contains(&status.to_string()), "{error}");
            }
        }
        assert!(!path.exists());
        session.data(server.url("/")).unwrap();
    }
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_response_says_between_whom_it_has_come() {
    plain_and_tls(|over, server, session| {
        for _ in 0..2 {
            server.enqueue(Answer::ok("x"));
        }
        let ends = |response: &Response| (response.peer_address(), response.local_address());
        let first = session.data(server.url("/")).unwrap().response;
        let (peer, local) = ends(&first);
        assert_eq!(peer, Some(server.address()), "{over}");
        let local: SocketAddr = local.unwrap();
        assert!(local.ip().is_loopback() && local.port() != server.address().port(), "{over}");
        // The connection is the same one.
        let bytes = session.bytes(server.url("/")).unwrap();
        assert_eq!(ends(bytes.response()), (peer, Some(local)), "{over}");
        drop(bytes);
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn trailers_are_there_when_the_body_is() {
    plain_and_tls(|over, server, session| {
        let answer = || Answer::ok("hello").chunked(2).trailer("Sum", "9").trailer("sum", "10");
        for _ in 0..3 {
            server.enqueue(answer());
        }
        server.enqueue(Answer::ok("hello").chunked(2));
        server.enqueue(Answer::ok("hello"));
        let sums = |response: &Response| {
            response.trailers().map(|all| all.get_all("SUM").collect::<Vec<_>>().join("|"))
        };
        let get = || Request::get(server.url("/")).header("TE", "trailers");
        let data = session.data(get()).unwrap();
        assert_eq!(
            (sums(&data.response).as_deref(), data.headers().get("sum")),
            (Some("9|10"), None)
        );
        let mut bytes = session.bytes(get()).unwrap();
        assert_eq!(sums(bytes.response()), None, "{over}");
        bytes.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(sums(bytes.response()).as_deref(), Some("9|10"), "{over}");
        let task = session.download_task(get());
        task.run().unwrap();
        assert_eq!(sums(&task.response().unwrap()).as_deref(), Some("9|10"), "{over}");
        for _ in 0..2 {
            assert_eq!(sums(&session.data(get()).unwrap().response), None, "{over}");
        }
        drop((bytes, task));
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn more_trailers_than_anybody_needs_fail_the_load() {
    let server = Server::start();
    let session = session(|_| {});
    for (size, is_taken) in [(60_000, true), (70_000, false)] {
        server.enqueue(Answer::ok("x").chunked(1).trailer("Much", &"x".repeat(size)));
        let outcome = session.data(server.url("/")).map(|data| data.response.trailers().is_some());
        assert_eq!(
            outcome.map_err(|error| error.kind()),
            match is_taken {
                true => Ok(true),
                false => Err(ErrorKind::BadServerResponse),
            }
        );
    }
}

#[test]
fn a_session_has_a_base_for_relative_urls() {
    let server = Server::start();
    let base = server.url("/v2/x");
    let with_user = base.replace("http://", "http://ann:pw@");
    let session = |base: &str| Session::new(Configuration::ephemeral().base_url(base)).unwrap();
    for (request, target) in [
        (Request::from("users/7"), "/v2/users/7"),
        (Request::get("/users?a").query("b", 1), "/users?a&b=1"),
        (Request::get("?page=2"), "/v2/x?page=2"),
        (Request::get(server.url("/whole")), "/whole"),
        (http::Request::get("/of/http").body(Vec::new()).unwrap().into(), "/of/http"),
    ] {
        server.enqueue(Answer::ok(""));
        let task = session(&with_user).data_task(request);
        task.run().unwrap();
        let seen = server.take_request();
        assert_eq!(seen.target(), target);
        assert_eq!(task.original_request().url().unwrap().as_str(), server.url(target));
        assert_eq!(seen.header("authorization").is_some(), target != "/whole", "{target}");
    }
    // Whatever makes tasks.
    let session = session(&base);
    for _ in 0..3 {
        server.enqueue(Answer::ok(""));
    }
    drop(session.bytes("bytes").unwrap());
    session.upload(Request::put("upload"), "x").unwrap();
    session.download("download").unwrap();
    for path in ["/v2/bytes", "/v2/upload", "/v2/download"] {
        assert_eq!(server.take_request().path(), path);
    }
    let error = crate::support::running::session(|_| {}).data("users/7").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadUrl);
    assert!(error.to_string().contains("base_url"), "{error}");
    for (base, kind) in [
        ("users", ErrorKind::BadUrl),
        ("http://", ErrorKind::BadUrl),
        ("ftp://a.test/", ErrorKind::UnsupportedUrl),
        ("data:,x", ErrorKind::UnsupportedUrl),
    ] {
        let error = Session::new(Configuration::ephemeral().base_url(base)).unwrap_err();
        assert_eq!(error.kind(), kind, "{base}");
    }
}

#[test]
fn redirects_are_followed_as_often_as_is_allowed_or_not_at_all() {
    struct Never;
    impl Delegate for Never {
        fn will_perform_redirect(
            &self,
            _: &Task,
            _: &Response,
            _: Request,
            _: Reply<Option<Request>>,
        ) {
            panic!("nobody is asked");
        }
    }
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/2" => Answer::redirect(302, "/1").body("two"),
        "/1" => Answer::redirect(302, "/0").body("one"),
        _ => Answer::ok("zero"),
    });
    let with = |follows, most| {
        let configuration = Configuration::ephemeral();
        Session::new(configuration.follows_redirects(follows).maximum_redirects(most)).unwrap()
    };
    let two = || Request::get(server.url("/2"));
    for (session, request, expected) in [
        (with(true, 2), two(), Ok("zero")),
        (with(true, 1), two(), Err(ErrorKind::TooManyRedirects)),
        (with(true, 0), two(), Err(ErrorKind::TooManyRedirects)),
        (with(true, 0), Request::get(server.url("/0")), Ok("zero")),
        (with(true, 1), two().maximum_redirects(2), Ok("zero")),
        (with(true, 20), two().maximum_redirects(1), Err(ErrorKind::TooManyRedirects)),
        (with(false, 20), two(), Ok("two")),
        (with(false, 20), two().follows_redirects(true), Ok("zero")),
        (with(true, 20), two().follows_redirects(false), Ok("two")),
        (with(true, 0), two().follows_redirects(false), Ok("two")),
    ] {
        let task = session.data_task(&request);
        if expected == Ok("two") {
            task.set_delegate(Arc::new(Never)).unwrap();
        }
        let outcome = task.run().map(|data| data.text().into_owned());
        assert_eq!(outcome.as_deref().map_err(|error| error.kind()), expected, "{request:?}");
    }
}

#[test]
fn a_configuration_is_written_in_one_go() {
    let server = Server::start();
    server.enqueue(Answer::ok(""));
    let configuration = Configuration::ephemeral()
        .timeout_for_request(Duration::from_secs(10))
        .timeout_for_resource(Duration::from_secs(20))
        .additional_headers([("X-One", "1"), ("X-Two", "2")])
        .maximum_connections_per_host(2)
        .credential_storage(None)
        .temporary_directory("/tmp")
        .program("org.example.fetch")
        .base_url(server.url("/"));
    let session = Session::new(configuration).unwrap();
    assert_eq!(session.configuration().timeout_for_request, Duration::from_secs(10));
    assert_eq!(session.configuration().timeout_for_resource, Duration::from_secs(20));
    assert!(session.configuration().credential_storage.is_none());
    assert_eq!(session.configuration().program.as_deref(), Some("org.example.fetch"));
    session.data("x").unwrap();
    let seen = server.take_request();
    assert_eq!((seen.header("x-one"), seen.header("x-two")), (Some("1"), Some("2")));
    let wrong = Configuration::ephemeral().additional_headers([("a b", 1)]);
    assert_eq!(Session::new(wrong).unwrap_err().kind(), ErrorKind::InvalidRequest);
}

#[test]
fn what_is_finished_knows_its_task_and_the_programs_tag() {
    #[derive(Debug, PartialEq)]
    struct Row(usize);
    let server = Server::start();
    server.handle(|request| Answer::ok(request.path()));
    let session = session(|_| {});
    let (sender, outcomes) = mpsc::channel();
    let tagged = |row: usize| Request::get(server.url(&format!("/{row}"))).tag(Row(row));
    let tasks: Vec<DataTask> =
        (0..5).map(|row| session.data_task_to(tagged(row), &sender).resume()).collect();
    for _ in 0..5 {
        let finished = outcomes.recv().unwrap();
        let row = finished.tag::<Row>().unwrap().0;
        assert!(finished.task == *tasks[row] && finished.id == tasks[row].id());
        assert_eq!((tasks[row].tag(), tasks[row].tag::<u8>()), (Some(&Row(row)), None));
        assert_eq!(finished.outcome.unwrap().text(), format!("/{row}"));
    }
    let (sender, downloads) = mpsc::channel();
    let _task = session.download_task_to(server.url("/file"), &sender).resume();
    let finished = downloads.recv().unwrap();
    assert_eq!((finished.tag::<Row>(), finished.task.tag::<Row>()), (None, None));
    drop((finished, tasks, _task));
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_tag_that_panics_when_it_is_dropped_harms_nobody() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    let server = Server::start();
    server.enqueue(Answer::ok("x"));
    let session = session(|_| {});
    session.data(Request::get(server.url("/")).tag(Panics)).unwrap();
    nothing_is_left(session, &[&server]);
}

#[test]
fn resume_returns_the_task() {
    let server = Server::start();
    server.handle(|_| Answer::ok("x"));
    let session = session(|_| {});
    let data: DataTask = session.data_task(server.url("/")).resume();
    let upload: UploadTask = session.upload_task(Request::put(server.url("/")), "x").resume();
    let download: DownloadTask = session.download_task(server.url("/")).resume();
    let handle: Task = Task::clone(&data).resume();
    assert!(session.wait_until_idle(HANG));
    for task in [&*data, &**upload, &*download, &handle] {
        assert!(task.state() == TaskState::Completed && task.error().is_none());
    }
    drop((data, upload, download, handle));
    nothing_is_left(session, &[&server]);
}

#[test]
fn all_tasks_are_cancelled_and_the_session_goes_on() {
    let own = session(|configuration| configuration.maximum_connections_per_host = Some(2));
    for session in [&own, Session::shared()] {
        let server = Server::start();
        server.handle(|request| match request.path() {
            "/later" => Answer::ok("later"),
            _ => Answer::ok("").delay_head(HANG),
        });
        let (sender, outcomes) = mpsc::channel();
        let waiting: Vec<_> =
            (0..20).map(|_| session.data_task_to(server.url("/"), &sender).resume()).collect();
        let never = session.data_task(server.url("/later"));
        let _first = server.take_request();
        let before = server.request_count();
        session.cancel_all();
        for _ in &waiting {
            let outcome = outcomes.recv_timeout(HANG).unwrap().outcome;
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Cancelled);
        }
        assert!(server.request_count() <= before + 6, "those in line have not begun");
        assert_eq!(never.run().unwrap().text(), "later");
        assert_eq!(session.data(server.url("/later")).unwrap().text(), "later");
    }
}

#[test]
fn a_panic_in_did_complete_fails_the_call() {
    struct Panics;
    impl Delegate for Panics {
        fn did_complete(&self, _: &Task, _: Option<&Error>) {
            panic!("on purpose");
        }
    }
    let server = Server::start();
    server.handle(|_| Answer::ok("x"));
    let session = session(|_| {});
    let folder = Folder::new();
    let (new, old) = (folder.path().join("new"), folder.file("old", "before"));
    let data = session.data_task(server.url("/"));
    let upload = session.upload_task(Request::put(server.url("/")), "x");
    let saved = session.download_task(server.url("/"));
    saved.save_to(&new).unwrap();
    let replaced = session.download_task(server.url("/"));
    replaced.save_over(&old).unwrap();
    for task in [&*data, &**upload, &*saved, &*replaced] {
        task.set_delegate(Arc::new(Panics)).unwrap();
    }
    let outcomes = [
        data.run().map(drop),
        upload.run().map(drop),
        saved.run().map(drop),
        replaced.run().map(drop),
    ];
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::DelegatePanicked);
    }
    assert_eq!(data.error().unwrap().kind(), ErrorKind::DelegatePanicked);
    // What was replaced is not lost as well.
    assert!(!new.exists());
    assert_eq!(std::fs::read_to_string(old).unwrap(), "x");
    drop((data, upload, saved, replaced));
    nothing_is_left(session, &[&server]);
}

#[test]
fn going_on_without_a_credential_delivers_the_response_and_asks_no_more() {
    struct GoesOn(AtomicUsize);
    impl Delegate for GoesOn {
        fn did_receive_challenge(&self, _: &Task, _: &Challenge, reply: Reply<Disposition>) {
            self.0.fetch_add(1, Ordering::SeqCst);
            reply.answer(Disposition::ContinueWithoutCredential);
        }
    }
    let server = Server::start();
    let session = session(|_| {});
    for user in ["", "ann:pw@"] {
        server.handle(|_| {
            Answer::status(401)
                .header("WWW-Authenticate", "Negotiate")
                .header("WWW-Authenticate", "Basic realm=\"one\", Basic realm=\"two\"")
                .body("who?")
        });
        let delegate = Arc::new(GoesOn(AtomicUsize::new(0)));
        let task = session.data_task(server.url("/").replace("http://", &format!("http://{user}")));
        task.set_delegate(delegate.clone()).unwrap();
        let data = task.run().unwrap();
        assert_eq!((data.status().as_u16(), &*data.text()), (401, "who?"));
        assert_eq!(delegate.0.load(Ordering::SeqCst), 1, "{user:?}");
        assert_eq!(server.request_count(), if user.is_empty() { 1 } else { 2 });
    }
    nothing_is_left(session, &[&server]);
}
