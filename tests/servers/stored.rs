//! Stored files that are compressed by themselves, with Flask, which says so in
//! `Content-Encoding`.

use std::fs;
use std::path::Path;

use urlsession::Request;

use crate::{FLASK, STORED, given, session};

/// The bytes of the archive as it is stored.
fn stored() -> Vec<u8> {
    fs::read(Path::new(&given(STORED)).join("stored.tar.gz")).unwrap()
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_download_of_an_archive_is_the_file_that_is_stored() {
    let flask = given(FLASK);
    for folder in ["files", "attached"] {
        let download = session().download(format!("{flask}/{folder}/stored.tar.gz")).unwrap();
        assert_eq!(download.response.suggested_filename(), "stored.tar.gz", "{folder}");
        assert!(fs::read(download.file.path()).unwrap() == stored(), "{folder}");
        let expected = download.response.expected_content_length();
        assert_eq!(expected, Some(stored().len() as u64), "{folder}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_part_of_an_archive_is_a_part_of_the_file_that_is_stored() {
    let request = Request::get(format!("{}/files/stored.tar.gz", given(FLASK)));
    let data = session().data(request.header("Range", "bytes=10-99")).unwrap();
    assert_eq!(data.response.status(), 206);
    assert_eq!(data.body, stored()[10..100]);
}

#[cfg(feature = "gzip")]
#[test]
#[ignore = "needs the servers of .ci/run"]
fn data_of_an_archive_that_says_that_it_is_coded_is_decoded() {
    let data = session().data(format!("{}/files/stored.tar.gz", given(FLASK))).unwrap();
    assert_eq!(data.response.header("content-encoding"), Some("gzip"));
    // A tar names its first file at its beginning.
    assert!(data.body.starts_with(b"small.bin\0"));
    let attached = session().data(format!("{}/attached/stored.tar.gz", given(FLASK))).unwrap();
    assert!(attached.body == stored(), "one that says nothing of a coding is left alone");
}
