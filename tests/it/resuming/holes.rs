//! Files of which some is there behind what is missing.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use super::*;
use crate::support::parts;

/// Where they are that lie behind what came first.
const BEHIND: [(usize, usize); 2] = [(50_000, 60_000), (80_000, 90_000)];

/// The checksum of ISO 3309.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

/// Makes the text of resume data one of a file that has more, behind what is missing.
fn with_holes(text: &str, film: &[u8]) -> String {
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let path = Path::new(line("file: "));
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    let mut ranges = String::new();
    for (start, end) in BEHIND {
        file.seek(SeekFrom::Start(start as u64)).unwrap();
        file.write_all(&film[start..end]).unwrap();
        ranges += &format!("range: {start}-{}\n", end - 1);
    }
    let modified = file.metadata().unwrap().modified().unwrap();
    let modified = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let received = format!("received: {FIRST}\n");
    let text = text
        .replacen("urlsession-resume: 1", "urlsession-resume: 2", 1)
        .replacen(&received, &format!("{received}{ranges}"), 1)
        .replacen(&format!("length: {FIRST}"), "length: 90000", 1)
        .replacen(
            &format!("modified: {}", line("modified: ")),
            &format!("modified: {modified}"),
            1,
        );
    let (body, _) = text.trim_end().rsplit_once('\n').unwrap();
    format!("{body}\ncheck: {:08x}\n", crc32(format!("{body}\n").as_bytes()))
}

/// What is there, of a download with holes.
fn there() -> u64 {
    FIRST as u64 + BEHIND.iter().map(|(start, end)| (end - start) as u64).sum::<u64>()
}

#[test]
fn what_is_missing_alone_is_asked_for_one_after_the_other() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(1));
    let (recorder, session) = session_in(&folder);
    let text = interrupted(&session, &server, &film, TAGGED).to_text().unwrap();
    let data = ResumeData::from_text(&with_holes(&text, &film)).unwrap();
    assert_eq!((data.received(), data.total()), (there(), Some(100_000)));
    drop(recorder.take_events());
    let whole = film.clone();
    server.handle(move |request| parts::answer(request, &whole, "\"a\""));
    let task = session.download_task_with_resume_data(data);
    task.set_delegate(recorder.delegate()).unwrap();
    assert!(run(&task).unwrap() == film);
    let asked: Vec<_> = (0..3).map(|_| server.take_request()).collect();
    let ranges: Vec<_> = asked.iter().map(|request| request.header("range").unwrap()).collect();
    assert_eq!(ranges, ["bytes=40000-49999", "bytes=60000-79999", "bytes=90000-"]);
    assert!(asked.iter().all(|request| request.header("if-range") == Some("\"a\"")));
    let resumed = recorder.take_events().into_iter().find_map(|event| match event {
        urlsession::testing::Event::Resumed { offset, expected, .. } => Some((offset, expected)),
        _ => None,
    });
    assert_eq!(resumed, Some((there(), Some(100_000))));
}

#[test]
fn another_version_takes_the_place_of_all_that_was_there() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(1));
    let (_, session) = session_in(&folder);
    let text = interrupted(&session, &server, &film, TAGGED).to_text().unwrap();
    let data = ResumeData::from_text(&with_holes(&text, &film)).unwrap();
    let other = super::film(2)[..70_000].to_vec();
    let whole = other.clone();
    server.handle(move |request| parts::answer(request, &whole, "\"b\""));
    assert!(run(&session.download_task_with_resume_data(data)).unwrap() == other);
    assert_eq!(server.request_count(), 2);
}

#[test]
fn holes_are_kept_when_it_is_interrupted_again() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(1));
    let (_, session) = session_in(&folder);
    let text = interrupted(&session, &server, &film, TAGGED).to_text().unwrap();
    let data = ResumeData::from_text(&with_holes(&text, &film)).unwrap();
    let whole = film.clone();
    server.handle(move |request| parts::answer(request, &whole, "\"a\"").truncate_after(3_000));
    let error = run(&session.download_task_with_resume_data(data)).unwrap_err();
    let data = error.resume_data().unwrap().clone();
    assert_eq!(data.received(), there() + 3_000);
    let text = data.to_text().unwrap();
    assert!(text.contains("received: 43000\nrange: 50000-59999\nrange: 80000-89999\n"), "{text}");
    let whole = film.clone();
    server.handle(move |request| parts::answer(request, &whole, "\"a\""));
    drop((data, error));
    let data = ResumeData::from_text(&text).unwrap();
    assert!(run(&session.download_task_with_resume_data(data)).unwrap() == film);
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn what_breaks_right_before_what_is_there_goes_on_behind_that() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(1));
    let (_, session) = session_in(&folder);
    let text = interrupted(&session, &server, &film, TAGGED).to_text().unwrap();
    let data = ResumeData::from_text(&with_holes(&text, &film)).unwrap();
    let whole = film.clone();
    // It says 10,000 bytes, sends them in chunks, and never the last chunk.
    server.handle(move |request| {
        parts::answer(request, &whole, "\"a\"").chunked(5_000).truncate_after(10_000)
    });
    let error = run(&session.download_task_with_resume_data(data)).unwrap_err();
    let data = error.resume_data().unwrap().clone();
    assert_eq!(data.received(), there() + 10_000);
    let text = data.to_text().unwrap();
    assert!(text.contains("received: 60000\nrange: 80000-89999\n"), "{text}");
    let whole = film.clone();
    server.handle(move |request| parts::answer(request, &whole, "\"a\""));
    assert!(run(&session.download_task_with_resume_data(data)).unwrap() == film);
}

#[test]
fn more_than_was_missing_is_not_taken_for_what_was_there() {
    let (folder, server, film) = (Folder::new(), Server::start(), film(1));
    let (_, session) = session_in(&folder);
    let text = interrupted(&session, &server, &film, TAGGED).to_text().unwrap();
    let data = ResumeData::from_text(&with_holes(&text, &film)).unwrap();
    let whole = film.clone();
    // Behind the part there is something else, and then the connection breaks.
    server.handle(move |request| {
        let part = parts::asked(request, whole.len()).unwrap();
        let range = format!("bytes {}-{}/{}", part.start, part.end - 1, whole.len());
        let body = [&whole[part], &[7; 5_000]].concat();
        let answer = Answer::status(206).body(body).header("ETag", "\"a\"");
        answer.header("Content-Range", range).chunked(5_000).truncate_after(15_000)
    });
    let error = run(&session.download_task_with_resume_data(data)).unwrap_err();
    let data = error.resume_data().unwrap().clone();
    let text = data.to_text().unwrap();
    assert!(text.contains("received: 50000\nrange: 80000-89999\n"), "{text}");
    let whole = film.clone();
    server.handle(move |request| parts::answer(request, &whole, "\"a\""));
    assert!(run(&session.download_task_with_resume_data(data)).unwrap() == film);
}
