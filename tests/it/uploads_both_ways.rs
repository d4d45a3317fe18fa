//! Uploads that are answered while they go on: an answer below 300 does not end them.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use urlsession::testing::{Answer, Counters, ExpectPolicy, Server, Takeover};
use urlsession::{Body, Multipart, Part, Request};

use crate::support::folder::Folder;
use crate::support::running::{HANG, Running, Way, nothing_is_left, plain_and_tls};
use crate::support::transfer_log::{Log, Told, adds_up, sent};
use crate::support::upload_forms::Form;

/// Bytes that tell where they stand.
fn pattern(length: usize) -> Vec<u8> {
    let block: Vec<u8> = (0..=250).collect();
    let mut bytes = block.repeat(length.div_ceil(block.len()));
    bytes.truncate(length);
    bytes
}

/// A body of a kind, and how long it is if that is announced.
type Kind = (&'static str, Box<dyn Fn() -> Body>, Option<usize>);

/// Every kind of body, of so many bytes or some more.
fn kinds(folder: &Folder, length: usize) -> Vec<Kind> {
    let path = folder.file("body", pattern(length));
    let reader = move || io::Cursor::new(pattern(length));
    let form =
        move || Multipart::new().text("name", "value").part("file", Part::new(pattern(length)));
    let form_length = Body::from(form()).length().map(|length| length as usize);
    vec![
        ("bytes", Box::new(move || Body::from(pattern(length))), Some(length)),
        ("file", Box::new(move || Body::file(&path)), Some(length)),
        ("reader", Box::new(move || Body::reader(reader())), None),
        (
            "reader of known length",
            Box::new(move || Body::reader(reader()).with_length(length as u64)),
            Some(length),
        ),
        ("form", Box::new(move || Body::from(form())), form_length),
    ]
}

/// An answer that `code` gives, before any of the request's body is read; it has to say that the
/// connection is closed behind it.
fn given_by(code: impl Fn(&mut Takeover<'_>) + Send + Sync + 'static) -> Answer {
    Answer::status(103).respond_before_body().take_over(code)
}

/// Reads a body of the request: so many bytes, or up to its last chunk. `read` is called with
/// each piece.
fn read_body(
    connection: &mut Takeover<'_>,
    announced: Option<usize>,
    mut read: impl FnMut(&mut Takeover<'_>, &[u8]),
) -> usize {
    let (mut buffer, mut whole, mut end) = (vec![0; 64 * 1024], 0, Vec::new());
    while announced.map_or(!end.ends_with(b"0\r\n\r\n"), |announced| whole < announced) {
        let count = connection.read(&mut buffer).unwrap_or(0);
        if count == 0 {
            break;
        }
        whole += count;
        end.extend_from_slice(&buffer[..count]);
        end.drain(..end.len().saturating_sub(8));
        read(connection, &buffer[..count]);
    }
    whole
}

/// The head of an answer as long as the request is.
fn head_like(announced: Option<usize>) -> String {
    let framing = announced.map_or("Transfer-Encoding: chunked".to_owned(), |length| {
        format!("Content-Length: {length}")
    });
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{framing}\r\n\r\n")
}

#[test]
fn all_of_a_body_arrives_although_the_answer_came_first() {
    const LENGTH: usize = 8 * 1024 * 1024;
    let folder = Folder::new();
    plain_and_tls(|over, server, session| {
        for (kind, body, _) in kinds(&folder, LENGTH) {
            for (status, answer) in [
                (201, Answer::status(201).body("ok")),
                (200, Answer::ok("ok").chunked(1)),
                (299, Answer::status(299).body("ok").header("Keep-Alive", "timeout=5")),
                (204, Answer::status(204)),
            ] {
                let case = format!("{kind}, {status}, {over}");
                server.enqueue(answer.respond_before_body());
                let request = Request::put(server.url("/")).body(body());
                let data = session.data(request).unwrap_or_else(|error| panic!("{case}: {error}"));
                assert_eq!(data.response.status().as_u16(), status, "{case}");
                assert_eq!(data.text(), if status == 204 { "" } else { "ok" }, "{case}");
                let request = server.take_request();
                assert!(request.is_complete(), "{case}");
                assert!(request.body_length() >= LENGTH as u64, "{case}");
                // Both sides are in step, so the connection is kept.
                assert_eq!(Counters::of(&session).sockets(), 1, "{case}");
                assert_eq!(server.connection_count(), 1, "{case}");
            }
        }
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn what_a_server_echoes_while_it_reads_comes_back_whole() {
    const LENGTH: usize = 12 * 1024 * 1024;
    let folder = Folder::new();
    plain_and_tls(|over, server, session| {
        for (kind, body, announced) in kinds(&folder, LENGTH) {
            for way in Way::BOTH {
                let case = format!("{kind}, {way:?}, {over}");
                server.enqueue(given_by(move |connection| {
                    connection.write_all(head_like(announced).as_bytes()).unwrap();
                    // Framed as it came.
                    read_body(connection, announced, |connection, piece| {
                        connection.write_all(piece).unwrap();
                    });
                }));
                let load = way.start(&session, Request::post(server.url("/")).body(body()));
                let echo = load.outcome().unwrap_or_else(|error| panic!("{case}: {error}"));
                match kind {
                    "form" => assert_eq!(Some(echo.len()), announced, "{case}"),
                    _ => assert!(echo == pattern(LENGTH), "{case}"),
                }
            }
        }
        nothing_is_left(session, &[&server]);
    });
}

#[test]
fn an_answer_that_only_begins_when_all_was_read_but_was_announced_early_is_received() {
    // The head, or half of it, comes first; the rest when the body is there.
    let folder = Folder::new();
    for cut in [0, 1, 9, 17, 40] {
        plain_and_tls(|over, server, session| {
            for (kind, body, announced) in kinds(&folder, 6 * 1024 * 1024) {
                let case = format!("cut at {cut}, {kind}, {over}");
                server.enqueue(given_by(move |connection| {
                    let answer =
                        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nread";
                    let (first, second) = answer.split_at(cut);
                    connection.write_all(first).unwrap();
                    read_body(connection, announced, |_, _| {});
                    connection.write_all(second).unwrap();
                }));
                let request = Request::put(server.url("/")).body(body());
                let data = session.data(request).unwrap_or_else(|error| panic!("{case}: {error}"));
                assert_eq!(data.text(), "read", "{case}");
            }
            nothing_is_left(session, &[&server]);
        });
    }
}

/// Writes a chunk of an answer.
fn write_chunk(connection: &mut Takeover<'_>, content: &[u8]) {
    let head = format!("{:x}\r\n", content.len());
    connection.write_all(&[head.as_bytes(), content, b"\r\n"].concat()).unwrap();
}

const CHUNKED: &[u8] =
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn progress_lines_come_while_the_body_goes_out() {
    const LENGTH: usize = 32 * 1024 * 1024;
    const STEP: usize = 1024 * 1024;
    let folder = Folder::new();
    plain_and_tls(|over, server, session| {
        for (kind, body, announced) in kinds(&folder, LENGTH) {
            let case = format!("{kind}, {over}");
            server.enqueue(given_by(move |connection| {
                connection.write_all(CHUNKED).unwrap();
                let mut read = 0;
                read_body(connection, announced, |connection, piece| {
                    let before = read / STEP;
                    read += piece.len();
                    for line in before..read / STEP {
                        write_chunk(connection, format!("{line}\n").as_bytes());
                    }
                });
                write_chunk(connection, b"");
            }));
            let bytes = session.bytes(Request::post(server.url("/")).body(body())).unwrap();
            let task = bytes.task();
            let (mut lines, mut early) = (0, 0);
            for line in bytes.lines() {
                assert_eq!(line.unwrap(), lines.to_string(), "{case}");
                lines += 1;
                early += usize::from(task.progress().bytes_sent < LENGTH as u64);
            }
            assert_eq!(lines, LENGTH / STEP, "{case}");
            // The last ones come when all is out but stands in the system's buffers.
            assert!(early > LENGTH / STEP / 4, "{case}: {early}");
            assert!(task.progress().bytes_sent >= LENGTH as u64, "{case}");
        }
        nothing_is_left(session, &[&server]);
    });
}

/// Every so often, waits a little; no test depends on how long.
fn rest(at: usize, every: u64) {
    if (at as u64).is_multiple_of(every) {
        std::thread::park_timeout(Duration::from_micros(200));
    }
}

#[test]
fn both_sides_may_be_slow_in_any_way() {
    // Each row is drawn: how much each side moves at a time, and when it rests.
    let seed = Cell::new(1_u64);
    let draw = |below: u64| {
        let next = seed.get().wrapping_mul(6_364_136_223_846_793_005);
        seed.set(next.wrapping_add(1_442_695_040_888_963_407));
        (seed.get() >> 33) % below
    };
    plain_and_tls(|over, server, session| {
        for row in 0..12 {
            let length = 200_000 + draw(3_000_000) as usize;
            let is_sized = draw(2) == 0;
            let (server_reads, server_rests) = (1 + draw(90_000) as usize, 1 + draw(40));
            let (client_reads, client_rests) = (1 + draw(90_000) as usize, 1 + draw(40));
            let (body_reads, factor) = (1 + draw(90_000) as usize, draw(3) as usize);
            let case = format!(
                "{over}, row {row}: {length}, sized {is_sized}, server {server_reads}/{server_rests}, \
                 client {client_reads}/{client_rests}, body {body_reads}, factor {factor}"
            );
            server.enqueue(given_by(move |connection| {
                connection.write_all(CHUNKED).unwrap();
                let announced = is_sized.then_some(length);
                let mut at = 0;
                read_body(connection, announced, |connection, piece| {
                    for piece in piece.chunks(server_reads) {
                        at += 1;
                        rest(at, server_rests);
                        for _ in 0..factor {
                            write_chunk(connection, piece);
                        }
                    }
                });
                write_chunk(connection, b"");
            }));
            let body = Body::reader(Portions(io::Cursor::new(pattern(length)), body_reads));
            let body = if is_sized { body.with_length(length as u64) } else { body };
            let request = Request::put(server.url("/")).body(body);
            let session = session.clone();
            let received = Running::start(move || {
                let mut bytes = session.bytes(request).unwrap();
                let (mut buffer, mut received, mut at) = (vec![0; client_reads], 0, 0);
                loop {
                    at += 1;
                    rest(at, client_rests);
                    match bytes.read(&mut buffer).unwrap() {
                        0 => return received,
                        count => received += count,
                    }
                }
            });
            let received = received.outcome();
            if is_sized {
                assert_eq!(received, factor * length, "{case}");
            } else {
                // The frames of the chunks come back too.
                assert!(received >= factor * length, "{case}");
            }
        }
        nothing_is_left(session, &[&server]);
    });
}

/// Gives at most so many bytes at a time.
struct Portions<R>(R, usize);

impl<R: Read> Read for Portions<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.1.min(buffer.len());
        self.0.read(&mut buffer[..most])
    }
}

#[test]
fn the_response_is_told_when_it_comes_and_what_was_sent_goes_on_until_both_are_done() {
    const LENGTH: u64 = 3_000_000;
    for form in Form::ALL {
        let server = Server::start();
        let (log, session) = Log::default().session(|all| all.progress_interval = Duration::ZERO);
        let answer = Answer::ok("taken").on_expect(ExpectPolicy::FinalAnswer);
        server.enqueue(answer);
        let request = Request::put(server.url("/")).header("Expect", "100-continue");
        let body = Body::from(pattern(LENGTH as usize));
        let outcome = form.upload(&session, &log, request, body).unwrap();
        assert_eq!(outcome, (200, b"taken".to_vec()), "{form:?}");
        assert!(session.wait_until_idle(HANG));
        let told = log.take();
        assert_eq!(adds_up(sent(&told), "sent"), LENGTH, "{form:?}");
        if form == Form::Delegate {
            let at = |what: fn(&Told) -> bool| told.iter().position(what).unwrap();
            let response = at(|told| matches!(told, Told::Response(200)));
            let data = at(|told| matches!(told, Told::Data(_)));
            let sent = at(|told| matches!(told, Told::Sent(..)));
            assert!(response < data && data < sent, "{told:?}");
            assert_eq!(told.last(), Some(&Told::Completed(None)), "{told:?}");
        }
        let request = server.take_request();
        assert!(request.is_complete() && request.body_length() == LENGTH, "{form:?}");
        nothing_is_left(session, &[&server]);
    }
}

#[test]
fn an_early_answer_of_any_shape_leaves_the_rest_wanted() {
    const LENGTH: usize = 3_000_000;
    // Whoever decodes it reads it to its end too. A build without gzip gets it as it is.
    let zipped = if cfg!(feature = "gzip") { gzip(b"ok") } else { b"ok".to_vec() };
    for (name, head, body, keeps) in [
        ("HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n", &b"ok"[..], false),
        ("empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", b"", true),
        ("without content", "HTTP/1.1 204 No Content\r\n", b"", true),
        ("until the end", "HTTP/1.1 200 OK\r\n", b"ok", false),
        ("more than announced", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", b"ok\r\n\r\n", false),
        (
            "compressed",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
            &*chunked(&zipped),
            true,
        ),
    ] {
        plain_and_tls(|over, server, session| {
            let case = format!("{name}, {over}");
            let (first, body) = ([head.as_bytes(), b"\r\n"].concat(), body.to_vec());
            let (done, read) = channel();
            let done = Mutex::new(done);
            server.enqueue(given_by(move |connection| {
                connection.write_all(&first).unwrap();
                connection.write_all(&body).unwrap();
                let read = read_body(connection, Some(LENGTH), |_, _| {});
                done.lock().unwrap().send(read).unwrap();
            }));
            let request = Request::put(server.url("/")).body(pattern(LENGTH));
            let data = session.data(request).unwrap_or_else(|error| panic!("{case}: {error}"));
            let expected = if body_is_empty(head) { "" } else { "ok" };
            assert_eq!(data.text(), expected, "{case}");
            assert_eq!(read.recv_timeout(HANG).unwrap(), LENGTH, "{case}");
            if !keeps {
                assert_eq!(Counters::of(&session).sockets(), 0, "{case}");
            }
            nothing_is_left(session, &[&server]);
        });
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn body_is_empty(head: &str) -> bool {
    head.contains("204") || head.contains("Content-Length: 0")
}

/// One chunk, and the last.
fn chunked(content: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", content.len()).as_bytes(), content, b"\r\n0\r\n\r\n"].concat()
}
