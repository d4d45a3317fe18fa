use super::*;

fn record() -> Record {
    let root = std::env::temp_dir();
    Record {
        url: "https://shop.test/film.mp4?key=7".to_owned(),
        headers: vec![("Accept-Language".to_owned(), "de".to_owned())],
        omitted: vec!["Authorization".to_owned()],
        final_url: "https://cdn.shop.test/film.mp4".to_owned(),
        entity: Entity {
            etag: Some("\"a: 7\"".to_owned()),
            last_modified: Some("Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
            date: None,
            coding: "gzip".to_owned(),
            total: Some(1000),
        },
        received: 700,
        ranges: Ranges::default(),
        expected: Expected {
            length: Some(1000),
            digest: Some(Digest::sha256(&"7f".repeat(32)).unwrap()),
        },
        file: root.join("50%\n film ä.part"),
        stamp: Stamp { device: 3, inode: 131, length: 700, modified: -5 },
        place: Some((root.join("film.mp4"), Existing::Replace)),
    }
}

#[test]
fn what_is_written_down_is_read_again() {
    let mut record = record();
    for _ in 0..2 {
        let text = record.to_text().unwrap();
        assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{text}");
        assert_eq!(Record::parse(&text).unwrap(), record);
        record.headers.clear();
        record.omitted.clear();
        record.entity = Entity::default();
        record.expected = Expected::default();
        record.place = None;
    }
}

#[test]
fn one_with_ranges_has_a_version_of_its_own() {
    let mut record = record();
    assert!(record.to_text().unwrap().starts_with("urlsession-resume: 1\n"));
    assert_eq!((record.count(), record.end()), (700, 700));
    record.ranges = [800..900, 950..1000].into_iter().collect();
    record.stamp.length = 1000;
    assert_eq!((record.count(), record.end()), (850, 1000));
    let text = record.to_text().unwrap();
    assert!(text.starts_with("urlsession-resume: 2\n"), "{text}");
    assert!(text.contains("\nreceived: 700\nrange: 800-899\nrange: 950-999\n"), "{text}");
    assert_eq!(Record::parse(&text).unwrap(), record);
    assert!(!Record::is_newer(&text));
}

#[test]
fn ranges_that_do_not_fit_are_refused() {
    let last = u64::MAX;
    for (lines, total, words) in [
        ("range: 9\n", "1000", "a range that is none"),
        ("range: 900-899\n", "1000", "a range that is none"),
        ("range: +900-901\n", "1000", "a range that is none"),
        (&*format!("range: 900-{last}\n"), "1000", "a range that is none"),
        ("range: 600-899\n", "1000", "ranges that do not fit"),
        ("range: 700-899\n", "1000", "ranges that do not fit"),
        ("range: 800-999\n", "999", "ranges that do not fit"),
        ("range: 800-1000\n", "2000", "more bytes than its file has"),
    ] {
        let mut record = record();
        record.stamp.length = 1000;
        let text = record.to_text().unwrap().replace("total: 1000", &format!("total: {total}"));
        let text = text.replace("received: 700\n", &format!("received: 700\n{lines}"));
        let (body, _) = text.trim_end().rsplit_once('\n').unwrap();
        let text = format!("{body}\ncheck: {:08x}\n", crc32(format!("{body}\n").as_bytes()));
        let error = Record::parse(&text).unwrap_err().to_string();
        assert!(error.contains(words), "{lines:?}: {error}");
    }
}

#[test]
fn a_line_that_is_not_known_is_passed_over() {
    let text = record().to_text().unwrap();
    let (body, _) = text.trim_end().rsplit_once('\n').unwrap();
    let body = format!("{body}\ncolour: green\n");
    let text = format!("{body}check: {:08x}\n", crc32(body.as_bytes()));
    assert_eq!(Record::parse(&text).unwrap(), record());
}

#[test]
fn no_change_of_a_byte_goes_unseen() {
    let text = record().to_text().unwrap();
    for at in 0..text.len() {
        for flipped in 0..7 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << flipped;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let read = Record::parse(&changed);
            // In the checksum, another case of its digits is the same.
            let is_same = at > text.len() - 10 && flipped == 5;
            assert!(read.is_err() || is_same, "byte {at}, bit {flipped}");
        }
        assert!(Record::parse(&text[..at]).is_err(), "{at} bytes of it");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let body = |change: (&str, &str)| {
        let text = record().to_text().unwrap().replacen(change.0, change.1, 1);
        let (body, _) = text.trim_end().rsplit_once('\n').unwrap();
        format!("{body}\ncheck: {:08x}\n", crc32(format!("{body}\n").as_bytes()))
    };
    for (change, words) in [
        (("urlsession-resume: 1", "urlsession-resume: 3"), "newer version: it has format 3"),
        (("urlsession-resume: 1", "urlsession-resume: 0"), "does not begin"),
        (("urlsession-resume: 1", "GIF89a"), "does not begin"),
        (("\nurl: ", "\nurn: "), "has no line \"url\""),
        (("received: 700", "received: 7OO"), "no number in the line \"received\""),
        (("received: 700", "received: 701"), "counts more bytes than its file has"),
        (("expected-sha256: 7f", "expected-sha256: "), "a digest that is none"),
        (("\nfile: /", "\nfile: "), "a path that is none"),
        (("\ninode: ", "\ninode="), "a line without a name"),
    ] {
        if cfg!(windows) && change.0.contains("file: /") {
            continue;
        }
        let error = Record::parse(&body(change)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CannotResume, "{change:?}");
        let text = error.to_string();
        assert!(text.contains(words) && text.contains("begin the download anew"), "{text}");
    }
}
