//! Bodies that know their media type, and what is said of those that do not.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{Body, Delegate, Form, Multipart, Reply, Request, Session, Task};

use crate::support::folder::Folder;
use crate::support::running::{nothing_is_left, session};

const FORM: &str = "application/x-www-form-urlencoded";

fn parts() -> Multipart {
    Multipart::new().text("a", "b")
}

/// Sends and returns what arrived.
fn seen(server: &Server, send: impl FnOnce(&Session)) -> Recorded {
    server.enqueue(Answer::ok("taken"));
    let session = session(|_| {});
    send(&session);
    let seen = server.take_request();
    nothing_is_left(session, &[server]);
    seen
}

fn types_of(seen: &Recorded) -> String {
    seen.header_all("content-type").join("|")
}

#[test]
fn a_body_that_knows_its_type_is_labelled_wherever_it_is_set() {
    let server = Server::start();
    let form = || Form::from([("a", 1)]);
    let post = || Request::post(server.url("/"));
    let put = || Request::put(server.url("/"));
    let own = || post().header("content-type", "text/own");
    for (case, request, upload, expected) in [
        ("body, form", post().body(form()), None, FORM),
        ("PUT, form", put().body(form()), None, FORM),
        ("an empty form", post().body(Form::new()), None, FORM),
        ("upload, form", post(), Some(form().into()), FORM),
        ("a form of one's own type", own().body(form()), None, "text/own"),
        ("upload of one's own type", own(), Some(form().into()), "text/own"),
        (
            "said afterwards",
            post().body(form()).header("content-type", "text/own"),
            None,
            "text/own",
        ),
        ("the request's form, and other bytes", post().form([("a", "b")]), Some("x".into()), ""),
        ("the request's own type", own(), Some("x".into()), "text/own"),
    ] {
        let seen = seen(&server, |session| {
            match upload {
                Some(body) => session.upload(request, Body::clone(&body)),
                None => session.data(request),
            }
            .unwrap();
        });
        assert_eq!(types_of(&seen), expected, "{case}");
    }
}

#[test]
fn a_form_of_parts_never_goes_out_without_its_boundary() {
    let server = Server::start();
    let post = || Request::post(server.url("/"));
    let form = parts();
    let (right, boundary) = (form.content_type(), form.boundary());
    let related = format!("multipart/related; boundary={boundary}");
    for (said, expected) in [
        (None, &*right),
        (Some("multipart/form-data"), &*right),
        (Some("Multipart/form-data; boundary=other"), &*right),
        (Some(&*related), &*related),
        (Some("text/own"), "text/own"),
    ] {
        let request = said.map_or_else(post, |said| post().header("Content-Type", said));
        let (one, other, form) = (request.clone(), request, form.clone());
        let by_body = seen(&server, |session| drop(session.data(one.body(form.clone())).unwrap()));
        assert_eq!(types_of(&by_body), expected, "by body, {said:?}");
        let by_upload = seen(&server, |session| drop(session.upload(other, form).unwrap()));
        assert_eq!(types_of(&by_upload), expected, "by upload, {said:?}");
        assert_eq!(by_body.body_text(), by_upload.body_text());
    }
}

#[test]
fn every_kind_of_upload_labels_what_it_sends() {
    let server = Server::start();
    let post = || Request::post(server.url("/"));
    let (form, expected) = (parts(), "multipart/form-data; boundary=");
    type Send<'a> = &'a dyn Fn(&Session, Request, Multipart);
    let (sender, outcomes) = std::sync::mpsc::channel();
    let ways: [(&str, Send<'_>); 4] = [
        ("call", &|session, request, form| drop(session.upload(request, form).unwrap())),
        ("task", &|session, request, form| drop(session.upload_task(request, form).run().unwrap())),
        ("closure", &|session, request, form| {
            let task = session.upload_task_with(request, form, |outcome| drop(outcome.unwrap()));
            task.resume();
            session.wait_until_idle(std::time::Duration::from_secs(60));
        }),
        ("channel", &|session, request, form| {
            session.upload_task_to(request, form, &sender).resume();
            outcomes.recv().unwrap().outcome.unwrap();
        }),
    ];
    for (way, send) in ways {
        let seen = seen(&server, |session| send(session, post(), form.clone()));
        assert_eq!(types_of(&seen), format!("{expected}{}", form.boundary()), "{way}");
    }
}

#[test]
fn a_post_of_bytes_of_which_nothing_is_known_is_a_form() {
    let server = Server::start();
    let folder = Folder::new();
    let file = folder.file("form.txt", "a=1");
    let url = || server.url("/");
    let reader = || Body::reader(&b"a=1"[..]);
    for (case, request, expected) in [
        ("text", Request::post(url()).body("a=1"), FORM),
        ("a string", Request::post(url()).body(String::from("a=1")), FORM),
        ("bytes", Request::post(url()).body(b"a=1"), FORM),
        ("said", Request::post(url()).body("a=1").header("content-type", "text/own"), "text/own"),
        ("empty", Request::post(url()).body(""), ""),
        ("nothing", Request::post(url()), ""),
        ("a file", Request::post(url()).body(Body::file(&file)), ""),
        ("an open file", Request::post(url()).body(File::open(&file).unwrap()), ""),
        ("a reader", Request::post(url()).body(reader()), ""),
        ("a sized reader", Request::post(url()).body(reader().with_length(3)), ""),
        ("PUT", Request::put(url()).body("a=1"), ""),
        ("PATCH", Request::new("PATCH", url()).body("a=1"), ""),
        ("DELETE", Request::delete(url()).body("a=1"), ""),
        ("of the http crate", http::Request::post(url()).body("a=1").unwrap().into(), FORM),
    ] {
        let seen = seen(&server, |session| drop(session.data(request).unwrap()));
        assert_eq!(types_of(&seen), expected, "{case}");
    }
    let seen = seen(&server, |session| {
        session.upload(Request::post(url()), "a=1").unwrap();
    });
    assert_eq!(types_of(&seen), "", "an upload");
}

#[test]
fn a_sessions_own_type_is_one_that_was_said() {
    let server = Server::start();
    server.enqueue(Answer::ok(""));
    let session = session(|configuration| {
        configuration.additional_headers.set("Content-Type", "text/own").unwrap();
    });
    session.data(Request::post(server.url("/")).body("a=1")).unwrap();
    assert_eq!(types_of(&server.take_request()), "text/own");
}

#[test]
fn the_label_goes_along_with_the_body_and_not_without() {
    let server = Server::start();
    for (status, method, expected) in [(307, "POST", FORM), (303, "GET", "")] {
        server.enqueue(Answer::redirect(status, "/there"));
        server.enqueue(Answer::ok(""));
        let session = session(|_| {});
        session.data(Request::post(server.url("/here")).body("a=1")).unwrap();
        assert_eq!(types_of(&server.take_request()), FORM);
        let there = server.take_request();
        assert_eq!((there.method(), &*types_of(&there)), (method, expected));
    }
}

#[test]
fn a_body_that_a_delegate_gives_is_labelled_if_it_knows_how() {
    struct Gives(Body);
    impl Delegate for Gives {
        fn need_new_body_stream(&self, _: &Task, reply: Reply<Option<Body>>) {
            reply.answer(Some(self.0.clone()));
        }
    }
    let server = Server::start();
    let form = parts();
    for (body, expected) in [
        (Body::from(form.clone()), &*form.content_type()),
        (Body::from(Form::from([("a", "b")])), FORM),
        (Body::from("a=b"), ""),
    ] {
        let seen = seen(&server, |session| {
            let task = session.streamed_upload_task(Request::post(server.url("/")));
            task.set_delegate(Arc::new(Gives(body.clone()))).unwrap();
            task.run().unwrap();
        });
        assert_eq!(types_of(&seen), expected, "{body:?}");
    }
}

#[test]
fn an_open_file_is_sent_from_where_it_stands_and_again() {
    let server = Server::start();
    let folder = Folder::new();
    let path = folder.file("letter.txt", "head and tail");
    let mut file = File::open(&path).unwrap();
    file.seek(SeekFrom::Start(9)).unwrap();
    let twin = file.try_clone();
    let body = Body::from(file);
    assert!(body.can_rewind());
    server.enqueue(Answer::redirect(307, "/there"));
    let seen = seen(&server, |session| {
        session.data(Request::put(server.url("/")).body(body.clone())).unwrap();
    });
    let there = server.take_request();
    for request in [seen, there] {
        assert_eq!((request.body_text(), request.header("content-length")), ("tail", Some("4")));
    }
    // The program's own place in it stays.
    let mut rest = String::new();
    twin.unwrap().read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "tail");
    // It is as long as it is when it goes out.
    fs::write(&path, "head and tail of a mouse").unwrap();
    server.enqueue(Answer::ok(""));
    session(|_| {}).upload(Request::put(server.url("/")), body).unwrap();
    assert_eq!(server.take_request().body_text(), "tail of a mouse");
}

#[cfg(feature = "json")]
#[test]
fn a_value_as_json_is_a_body() {
    let server = Server::start();
    let body = Body::json(&[1, 2]).unwrap();
    let seen = seen(&server, |session| {
        session.upload(Request::post(server.url("/")), body).unwrap();
    });
    assert_eq!((&*types_of(&seen), seen.body_text()), ("application/json", "[1,2]"));
    let form = Multipart::new().part("order", urlsession::Part::new(Body::json("x").unwrap()));
    let body = sent_parts(&server, form);
    assert!(
        body.contains("name=\"order\"\r\nContent-Type: application/json\r\n\r\n\"x\""),
        "{body}"
    );
}

#[cfg(feature = "json")]
fn sent_parts(server: &Server, form: Multipart) -> String {
    let seen = seen(server, |session| {
        session.data(Request::post(server.url("/")).multipart(form)).unwrap();
    });
    seen.body_text().to_owned()
}
