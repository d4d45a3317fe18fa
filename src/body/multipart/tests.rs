use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::PathBuf;
use std::{env, fs, process};

use super::*;

/// Reads all of a body, so many bytes at a time; returns its announced length as well.
fn read(body: &Body, step: usize) -> Result<(Option<u64>, String), Error> {
    let (mut open, mut all, mut piece) = (body.open()?, Vec::new(), vec![0; step]);
    let length = open.length;
    loop {
        match open.read(&mut piece)?.unwrap() {
            0 => return Ok((length, String::from_utf8_lossy(&all).into_owned())),
            count => all.extend_from_slice(&piece[..count]),
        }
    }
}

/// A form as it is sent, in steps of every kind, with `B` for its boundary.
fn sent(form: Multipart) -> (Option<u64>, String) {
    let boundary = form.boundary().to_owned();
    let body = Body::from(form);
    let whole = read(&body, 1 << 16).unwrap();
    for step in [1, 2, 3, 50] {
        assert_eq!(read(&body, step).unwrap(), whole, "in steps of {step}");
    }
    let (length, text) = whole;
    assert!(length.is_none_or(|length| length == text.len() as u64), "{length:?}: {text}");
    (length, text.replace(&boundary, "B"))
}

struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn with(name: &str, content: &[u8]) -> Self {
        let path = env::temp_dir().join(format!("urlsession-{}-{name}", process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }

    fn name(&self) -> String {
        self.0.file_name().unwrap().to_str().unwrap().to_owned()
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_form_begins_with_its_boundary_and_ends_with_a_line_break() {
    assert_eq!(sent(Multipart::new()).1, "--B--\r\n");
    let form = Multipart::new().text("a", "1").text("a", "").text("b", "two\r\nlines");
    let expected = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
                    --B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n\
                    --B\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\ntwo\r\nlines\r\n\
                    --B--\r\n";
    assert_eq!(sent(form).1, expected);
}

#[test]
fn the_length_of_texts_alone_is_known_and_right() {
    let form = Multipart::new().text("name", "value");
    let body = Body::from(form.clone());
    let (length, text) = sent(form);
    assert_eq!(body.length(), length);
    // The boundary has 32 digits instead of one, twice.
    assert_eq!(length, Some(text.len() as u64 + 62));
}

#[test]
fn a_part_says_its_type_if_it_is_no_bare_text() {
    let bytes = || Part::new("x");
    for (part, expected) in [
        (Part::text("x"), ""),
        (
            Part::text("x").content_type("text/csv; charset=utf-8"),
            "Content-Type: text/csv; charset=utf-8\r\n",
        ),
        (
            Part::text("x").file_name("a.txt"),
            "; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n",
        ),
        (bytes(), "Content-Type: application/octet-stream\r\n"),
        (bytes().file_name("a.PNG"), "; filename=\"a.PNG\"\r\nContent-Type: image/png\r\n"),
        (bytes().file_name("a"), "; filename=\"a\"\r\nContent-Type: application/octet-stream\r\n"),
        (
            bytes().file_name("a.png").content_type("image/x-own").header("X-Shape", "round"),
            "; filename=\"a.png\"\r\nContent-Type: image/x-own\r\nX-Shape: round\r\n",
        ),
        (bytes().content_type("a/b").content_type("c/d"), "Content-Type: c/d\r\n"),
    ] {
        let (_, text) = sent(Multipart::new().part("n", part));
        let head = "--B\r\nContent-Disposition: form-data; name=\"n\"";
        let separator = if expected.starts_with(';') { "" } else { "\r\n" };
        assert_eq!(text, format!("{head}{separator}{expected}\r\nx\r\n--B--\r\n"));
    }
}

#[test]
fn a_name_can_end_neither_its_quotation_nor_its_line() {
    for (name, escaped) in [
        ("a\"; filename=\"b", "a%22; filename=%22b"),
        ("a\r\nX-Injected: 1\r\n\r\nb", "a%0D%0AX-Injected: 1%0D%0A%0D%0Ab"),
        ("\n\r", "%0A%0D"),
        ("a%22\\b;='", "a%22\\b;='"),
        ("日本 é 🦀", "日本 é 🦀"),
        ("", ""),
    ] {
        let (_, text) = sent(Multipart::new().part(name, Part::text("").file_name(name)));
        let expected = format!(
            "--B\r\nContent-Disposition: form-data; name=\"{escaped}\"; filename=\"{escaped}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n\r\n--B--\r\n"
        );
        assert_eq!(text, expected, "{name:?}");
    }
}

#[test]
fn a_boundary_is_drawn_for_each_form_and_shared_by_its_clones() {
    let form = Multipart::new();
    assert_eq!(form.boundary(), form.clone().boundary());
    let all: BTreeSet<String> = (0..1000).map(|_| Multipart::new().boundary().to_owned()).collect();
    assert_eq!(all.len(), 1000);
    assert!(all.iter().all(|text| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())));
    // Both halves are drawn.
    for half in [0..16, 16..32] {
        let halves: BTreeSet<&str> = all.iter().map(|text| &text[half.clone()]).collect();
        assert_eq!(halves.len(), 1000);
    }
}

#[test]
fn files_and_readers_are_sent_as_long_as_they_are() {
    let file = TemporaryFile::with("long.jpg", &[b'x'; 70_000]);
    let opened = || Body::opened_by(|| Ok(&b"opened"[..]));
    let form = || Multipart::new().file("photo", &file.0).text("t", "u");
    let with_opened = |body| form().part("o", Part::new(body));
    for (form, is_sized) in [
        (form(), true),
        (with_opened(opened()), false),
        (with_opened(opened().with_length(6)), true),
        (with_opened(Body::file(&file.0).with_length(70_000)), true),
        (with_opened(Body::from(Multipart::new().text("inner", "x"))), true),
    ] {
        let body = Body::from(form.clone());
        assert!(body.can_rewind() && body.is_file() && body.length().is_none());
        let (length, text) = sent(form);
        assert_eq!(length.is_some(), is_sized, "{text}");
        let head =
            format!("name=\"photo\"; filename=\"{}\"\r\nContent-Type: image/jpeg", file.name());
        assert!(text.contains(&head), "{text}");
        assert!(text.contains(&format!("\r\n\r\n{}\r\n--B", "x".repeat(70_000))));
    }
}

#[cfg(unix)]
#[test]
fn a_device_has_no_length_to_announce() {
    let (length, text) = sent(Multipart::new().file("f", "/dev/null").text("a", "b"));
    assert_eq!(length, None);
    assert!(text.contains("filename=\"null\"\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\nb\r\n--B--\r\n"), "{text}");
}

#[test]
fn a_form_with_a_reader_can_be_sent_once() {
    let reader = Body::reader(&b"once"[..]).with_length(4);
    let body = Body::from(Multipart::new().text("a", "b").part("r", Part::new(reader)));
    assert!(!body.can_rewind() && body.length().is_some());
    assert!(read(&body, 10).unwrap().1.contains("\r\n\r\nonce\r\n--"));
    let error = body.open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RequestBodyStreamExhausted);
}

#[test]
fn what_a_reader_gives_is_not_held_back() {
    struct Twice(u8);
    impl Read for Twice {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            assert!(self.0 < 3, "it was asked for more before what it gave was sent");
            buffer[0] = b'x';
            Ok(1)
        }
    }
    let form = Multipart::new().part("r", Part::new(Body::reader(Twice(0))));
    let mut open = Body::from(form).open().unwrap();
    let mut buffer = [0; 1000];
    let first = open.read(&mut buffer).unwrap().unwrap();
    assert!(buffer[..first].ends_with(b"\r\n\r\nx"));
    assert_eq!(open.read(&mut buffer).unwrap(), Some(1));
}

#[test]
fn a_file_that_cannot_be_sent_is_found_before_anything_is() {
    let directory = env::temp_dir();
    let missing = directory.join("urlsession-not-there");
    for (path, kind) in
        [(&missing, ErrorKind::FileDoesNotExist), (&directory, ErrorKind::FileIsDirectory)]
    {
        let error = Body::from(Multipart::new().text("a", "b").file("f", path)).open().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

#[test]
fn a_part_of_another_length_than_announced_is_named() {
    let file = TemporaryFile::with("changing", b"hello");
    for (now, how) in [("hell", "shorter"), ("hello!", "longer"), ("", "shorter")] {
        fs::write(&file.0, "hello").unwrap();
        let mut open = Body::from(Multipart::new().file("f", &file.0)).open().unwrap();
        fs::write(&file.0, now).unwrap();
        let error = open.read(&mut [0; 1000]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        let expected = format!(
            "the file to send, {}, is {how} than its announced length of 5 bytes",
            file.0.display()
        );
        assert_eq!(error.to_string(), expected);
    }
    for (content, announced, how) in
        [("hello", 4, "longer"), ("hello", 6, "shorter"), ("h", 0, "longer"), ("", 1, "shorter")]
    {
        for body in [Body::from(content), Body::reader(content.as_bytes())] {
            let part = Part::new(body.with_length(announced));
            let error = read(&Body::from(Multipart::new().part("p", part)), 100).unwrap_err();
            let expected = format!(
                "the part \"p\" to send is {how} than its announced length of {announced} bytes"
            );
            assert_eq!(error.to_string(), expected);
        }
    }
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_named() {
    let file = TemporaryFile::with("growing", &[b'x'; 5000]);
    for (now, how) in [(4000, "shorter"), (6000, "longer")] {
        fs::write(&file.0, [b'x'; 5000]).unwrap();
        let mut open = Body::from(Multipart::new().file("f", &file.0)).open().unwrap();
        let mut buffer = [0; 1000];
        assert_eq!(open.read(&mut buffer).unwrap(), Some(1000));
        let handle = fs::OpenOptions::new().write(true).open(&file.0).unwrap();
        handle.set_len(now).unwrap();
        let error = loop {
            match open.read(&mut buffer) {
                Ok(count) => assert_ne!(count, Some(0), "it ended without an error"),
                Err(error) => break error,
            }
        };
        let text = error.to_string();
        assert!(text.contains(how) && text.contains(file.0.to_str().unwrap()), "{text}");
    }
}

#[test]
fn a_form_can_be_made_here_and_sent_there() {
    fn moves<T: Send + Sync + 'static>(_: &T) {}
    let part = Part::new(Body::reader(io::empty()));
    moves(&part);
    let form = Multipart::new().part("r", part).file("f", "x");
    moves(&form);
    assert!(!format!("{form:?}").contains(form.boundary()));
}
