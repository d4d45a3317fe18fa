//! The table of resuming: what a server answers, and what is in the file then.

use urlsession::StartOver;
use urlsession::testing::Event;

use super::*;

const DATED: &[(&str, &str)] = &[
    ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("Date", "Sun, 06 Nov 1994 08:49:38 GMT"),
];
const WEAK: &[(&str, &str)] = &[
    ("ETag", "W/\"a\""),
    ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("Date", "Sun, 06 Nov 1994 09:00:00 GMT"),
];
const CODED: &[(&str, &str)] = &[("ETag", "\"a\""), ("Content-Encoding", "x-film")];

/// What is told of a download, but its completion.
fn told(recorder: &Recorder) -> Vec<Event> {
    let is_told =
        |event: &Event| matches!(event, Event::Resumed { .. } | Event::StartedOver { .. });
    recorder.take_events().into_iter().filter(is_told).collect()
}

/// Goes on with a download, and returns the file, what was asked and what was told.
struct Resumed {
    file: Result<Vec<u8>, Error>,
    /// `Range` and `If-Range` of each request.
    asked: Vec<(Option<String>, Option<String>)>,
    told: Vec<Event>,
}

fn resume(fields: &[(&str, &str)], answers: Vec<Answer>) -> Resumed {
    let (folder, server) = (Folder::new(), Server::start());
    let (recorder, session) = session_in(&folder);
    let resume_data = interrupted(&session, &server, &film(1), fields);
    assert_eq!((resume_data.received(), resume_data.total()), (FIRST as u64, Some(100_000)));
    drop(told(&recorder));
    let count = answers.len();
    answers.into_iter().for_each(|answer| server.enqueue(answer));
    let task = session.download_task_with_resume_data(resume_data);
    task.set_delegate(recorder.delegate()).unwrap();
    let file = run(&task);
    let asked = (0..count)
        .map(|_| {
            let request = server.take_request();
            let header = |name| request.header(name).map(str::to_owned);
            (header("range"), header("if-range"))
        })
        .collect();
    assert!(server.try_take_request().is_none());
    let told = told(&recorder);
    drop((task, session));
    let left = if file.is_ok() { Vec::new() } else { folder.names() };
    assert!(left.len() <= 1, "{left:?}");
    Resumed { file, asked, told }
}

const ID: u64 = 2;

fn resumed() -> Vec<Event> {
    vec![Event::Resumed { id: ID, offset: FIRST as u64, expected: Some(100_000) }]
}

fn started_over(reason: StartOver) -> Vec<Event> {
    vec![Event::StartedOver { id: ID, reason }]
}

fn asks(condition: &str) -> (Option<String>, Option<String>) {
    (Some(format!("bytes={FIRST}-")), Some(condition.to_owned()))
}

const NOTHING: (Option<String>, Option<String>) = (None, None);

#[test]
fn a_rest_of_the_same_version_is_appended() {
    let film = film(1);
    let range = format!("bytes {FIRST}-99999/100000");
    let plain = |fields: &[(&str, &str)]| {
        let answer = with_fields(Answer::status(206).body(&film[FIRST..]), fields);
        answer.header("Content-Range", &range)
    };
    for (what, fields, answer, condition) in [
        ("a strong tag", TAGGED, rest(&film, TAGGED), "\"a\""),
        ("a date", DATED, rest(&film, DATED), DATED[0].1),
        ("a date that is not repeated", DATED, plain(&[]), DATED[0].1),
        ("a weak tag and a date", WEAK, rest(&film, WEAK), WEAK[1].1),
        ("a coding that was not asked for", CODED, rest(&film, CODED), "\"a\""),
        ("in chunks", TAGGED, rest(&film, TAGGED).chunked(1000), "\"a\""),
    ] {
        let Resumed { file, asked, told } = resume(fields, vec![answer]);
        assert!(file.unwrap() == film, "{what}");
        assert_eq!(asked, [asks(condition)], "{what}");
        assert_eq!(told, resumed(), "{what}");
    }
}

#[test]
fn a_part_of_the_rest_is_appended_and_more_is_asked_for() {
    let film = film(1);
    let part = |first: usize, last: usize, total: &str| {
        let answer = Answer::status(206).body(&film[first..=last]).header("ETag", "\"a\"");
        answer.header("Content-Range", format!("bytes {first}-{last}/{total}"))
    };
    let answers =
        vec![part(FIRST, 49_999, "100000"), part(50_000, 69_999, "*"), part(70_000, 99_999, "*")];
    let Resumed { file, asked, told } = resume(TAGGED, answers);
    assert!(file.unwrap() == film);
    let ranges: Vec<_> = asked.into_iter().map(|(range, _)| range.unwrap()).collect();
    assert_eq!(ranges, ["bytes=40000-", "bytes=50000-", "bytes=70000-"]);
    let offsets = [40_000, 50_000, 70_000];
    let at = |offset| Event::Resumed { id: ID, offset, expected: Some(100_000) };
    assert_eq!(told, offsets.map(at));
}

#[test]
fn whatever_does_not_fit_makes_the_download_start_over() {
    let (old, new) = (film(1), film(2));
    let whole = |fields: &[(&str, &str)]| with_fields(Answer::ok(&new), fields);
    let other: &[(&str, &str)] = &[("ETag", "\"b\"")];
    let ranged = |range: &str, body: &[u8]| {
        Answer::status(206).body(body).header("ETag", "\"a\"").header("Content-Range", range)
    };
    let multipart = Answer::status(206)
        .body("--x\r\nContent-Range: bytes 40000-99999/100000\r\n\r\n")
        .header("ETag", "\"a\"")
        .header("Content-Type", "multipart/byteranges; boundary=x");
    let unsatisfied =
        |range: &str| Answer::status(416).header("ETag", "\"a\"").header("Content-Range", range);
    use StartOver::{Changed, NoRanges};
    for (what, answer, reason, asks_again) in [
        ("another version, whole", whole(other), Changed, false),
        ("no ranges", whole(TAGGED), NoRanges, false),
        ("a rest of another version", rest(&new, other), Changed, true),
        ("a rest of no version", rest(&new, &[]), Changed, true),
        ("another start", ranged("bytes 0-99999/100000", &new), NoRanges, true),
        ("another total", ranged("bytes 40000-99999/100001", &new[FIRST..]), Changed, true),
        (
            "another length than its range",
            ranged("bytes 40000-99999/100000", &new[..9]),
            NoRanges,
            true,
        ),
        ("no range", Answer::status(206).body("?").header("ETag", "\"a\""), NoRanges, true),
        ("several ranges", multipart, NoRanges, true),
        ("a coding", rest(&new, CODED), Changed, true),
        ("412", Answer::status(412), Changed, true),
        ("416 without a length", Answer::status(416), Changed, true),
        ("416 of another length", unsatisfied("bytes */99"), Changed, true),
        ("416 of the same length", unsatisfied("bytes */100000"), Changed, true),
    ] {
        let mut answers = vec![answer];
        if asks_again {
            answers.push(whole(other));
        }
        let Resumed { file, asked, told } = resume(TAGGED, answers);
        let file = file.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(file == new && file != old, "{what}");
        assert_eq!(told, started_over(reason), "{what}");
        assert_eq!(asked[0], asks("\"a\""), "{what}");
        assert_eq!(asked.get(1), asks_again.then_some(&NOTHING), "{what}");
    }
}

#[test]
fn more_than_a_range_says_is_never_mixed_in() {
    // Chunked, so that nothing else says how much comes.
    let (old, new) = (film(1), film(2));
    let lies = Answer::status(206).header("ETag", "\"a\"").body(&new[FIRST..]).chunked(9000);
    let lies = lies.header("Content-Range", "bytes 40000-59999/100000");
    let whole = Answer::ok(&old).header("ETag", "\"a\"");
    let Resumed { file, told, .. } = resume(TAGGED, vec![lies, whole]);
    assert!(file.unwrap() == old);
    let over = Event::StartedOver { id: ID, reason: StartOver::NoRanges };
    assert_eq!(told, [resumed(), vec![over]].concat());
}

#[test]
fn a_part_without_a_byte_is_not_asked_for_again_and_again() {
    let empty = Answer::status(206).header("ETag", "\"a\"").body("").chunked(1);
    let empty = empty.header("Content-Range", "bytes 40000-99999/100000");
    let Resumed { file, asked, .. } = resume(TAGGED, vec![empty]);
    let error = file.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadServerResponse, "{error}");
    assert_eq!(error.resume_data().unwrap().received(), FIRST as u64);
    assert_eq!(asked.len(), 1);
}

#[test]
fn what_names_no_version_cannot_go_on() {
    let young: &[(&str, &str)] =
        &[("Last-Modified", DATED[0].1), ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")];
    for fields in [&[][..], &[("ETag", "W/\"a\"")], &[("ETag", "a")], young] {
        let (folder, server) = (Folder::new(), Server::start());
        let (_, session) = session_in(&folder);
        server.enqueue(first_part(&film(1), fields));
        let error = session.download(server.url("/film")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost, "{fields:?}");
        assert!(error.resume_data().is_none(), "{fields:?}");
        assert_eq!(folder.names(), [""; 0], "{fields:?}");
    }
}

#[test]
fn what_asks_for_its_own_part_or_sends_something_cannot_go_on() {
    use urlsession::Request;
    let (folder, server) = (Folder::new(), Server::start());
    let (_, session) = session_in(&folder);
    let url = server.url("/film");
    for request in [
        Request::get(&url).header("Range", "bytes=0-"),
        Request::get(&url).header("If-None-Match", "\"x\""),
        Request::get(&url).decodes_body(true),
        Request::post(&url).body("which?"),
    ] {
        server.enqueue(first_part(&film(1), TAGGED));
        let error = session.download(request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost);
        assert!(error.resume_data().is_none());
        assert_eq!(folder.names(), [""; 0]);
    }
}

#[test]
fn a_redirect_is_followed_again_from_the_first_url() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(1));
    let (_, session) = session_in(&folder);
    server.enqueue(Answer::redirect(302, "/here"));
    server.enqueue(first_part(&film, TAGGED));
    let error = session.download(server.url("/film")).unwrap_err();
    let resume_data = error.resume_data().unwrap().clone();
    for path in ["/film", "/here"] {
        assert_eq!(server.take_request().path(), path);
    }
    // Today it leads elsewhere, to the same bytes.
    server.enqueue(Answer::redirect(302, "/there"));
    server.enqueue(rest(&film, TAGGED));
    let task = session.download_task_with_resume_data(resume_data);
    assert!(run(&task).unwrap() == film);
    for path in ["/film", "/there"] {
        let request = server.take_request();
        assert_eq!((request.path(), request.header("range")), (path, Some("bytes=40000-")));
    }
}

#[test]
fn an_answer_that_says_nothing_of_the_file_leaves_what_is_there() {
    for status in [403, 404, 500, 503, 304] {
        let (folder, server, film) = (Folder::new(), Server::start(), film(1));
        let (_, session) = session_in(&folder);
        let resume_data = interrupted(&session, &server, &film, TAGGED);
        server.enqueue(Answer::status(status));
        let error = session.download_task_with_resume_data(resume_data).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnacceptableStatus, "{status}");
        assert_eq!(error.response().unwrap().status(), status);
        // With another URL of the same file.
        let mut resume_data = error.resume_data().unwrap().clone();
        let request = std::mem::replace(
            resume_data.request_mut(),
            urlsession::Request::get(server.url("/again")),
        );
        assert_eq!(request.url().unwrap().path(), "/film");
        server.enqueue(rest(&film, TAGGED));
        let task = session.download_task_with_resume_data(resume_data);
        assert!(run(&task).unwrap() == film, "{status}");
    }
}

#[test]
fn a_chunked_whole_that_had_come_is_not_loaded_again() {
    // Its end was missing, so that nobody knew that nothing else was.
    let (folder, server, film) = (Folder::new(), Server::start(), film(1));
    let (_, session) = session_in(&folder);
    let chunked = Answer::ok(&film).header("ETag", "\"a\"").chunked(50_000);
    server.enqueue(chunked.truncate_after(film.len() as u64));
    let error = session.download(server.url("/film")).unwrap_err();
    let resume_data = error.resume_data().unwrap().clone();
    assert_eq!((resume_data.received(), resume_data.total()), (100_000, None));
    server.enqueue(
        Answer::status(416).header("ETag", "\"a\"").header("Content-Range", "bytes */100000"),
    );
    let download = session.download_task_with_resume_data(resume_data).run().unwrap();
    assert_eq!(download.response.status(), 416);
    assert!(content(&download) == film);
}

#[test]
fn a_download_that_tries_again_by_itself_goes_on() {
    use std::time::Duration;
    use urlsession::{Request, RetryPolicy};
    let (folder, server, film) = (Folder::new(), Server::start(), film(1));
    let (recorder, session) = session_in(&folder);
    server.enqueue(first_part(&film, TAGGED));
    server.enqueue(Answer::status(503));
    server.enqueue(rest(&film, TAGGED));
    let policy = RetryPolicy::attempts(4).first_delay(Duration::ZERO);
    let task = session.download_task(Request::get(server.url("/film")).retry_policy(policy));
    task.save_to(folder.path().join("film.mp4")).unwrap();
    task.resume();
    assert!(session.wait_until_idle(HANG));
    assert!(task.error().is_none(), "{:?}", task.error());
    assert!(fs::read(folder.path().join("film.mp4")).unwrap() == film);
    let ranges: Vec<_> =
        (0..3).map(|_| server.take_request().header("range").map(str::to_owned)).collect();
    assert_eq!(ranges, [None, Some("bytes=40000-".into()), Some("bytes=40000-".into())]);
    let told = told(&recorder);
    assert_eq!(told, [Event::Resumed { id: 1, offset: 40_000, expected: Some(100_000) }]);
    assert_eq!(folder.names(), ["film.mp4"]);
    let progress = task.progress();
    assert_eq!(
        (progress.bytes_received, progress.bytes_expected_to_receive),
        (100_000, Some(100_000))
    );
}

#[test]
fn a_body_that_was_decoded_on_its_way_cannot_go_on() {
    use urlsession::Delegate;
    use urlsession::{Reply, Response, ResponseDisposition, Task};

    struct Becomes;
    impl Delegate for Becomes {
        fn did_receive_response(
            &self,
            _task: &Task,
            _response: &Response,
            reply: Reply<ResponseDisposition>,
        ) {
            reply.answer(ResponseDisposition::BecomeDownload);
        }
    }

    let plain = "hello ".repeat(1000);
    let mut encoder = Vec::new();
    gzip_stored(plain.as_bytes(), &mut encoder);
    let (folder, server) = (Folder::new(), Server::start());
    let mut configuration = Configuration::ephemeral();
    configuration.temporary_directory = Some(folder.path().to_owned());
    let queue = DeliveryQueue::serial();
    let session =
        Session::with_delegate(configuration, std::sync::Arc::new(Becomes), queue).unwrap();
    let coded = Answer::ok(&encoder).header("Content-Encoding", "gzip").header("ETag", "\"a\"");
    server.enqueue(coded.truncate_after(3000));
    let task = session.data_task(server.url("/film"));
    task.resume();
    assert!(session.wait_until_idle(HANG));
    let error = task.error().unwrap();
    assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost, "{error}");
    // A build without gzip takes the bytes as they come.
    assert_eq!(error.resume_data().is_none(), cfg!(feature = "gzip"));
}

/// Writes one stored block as gzip (RFC 1952, RFC 1951 §3.2.4); nobody comes to its checksum.
fn gzip_stored(bytes: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(bytes.len()).unwrap();
    out.extend([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1]);
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(bytes);
    out.extend([0; 8]);
}
