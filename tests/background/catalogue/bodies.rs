//! Bodies of uploads in the folder of a session that somebody else changes.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use urlsession::testing::Answer;

use super::Scene;
use crate::hosts::Row;
use crate::program;
use crate::wishes::UPLOAD;

rows! { a_body_that_is_changed_between_two_runs_is_not_sent }

/// What somebody does with the body, and how the task ends.
type Deed = (fn(&Path), &'static str);

const DEEDS: [Deed; 4] = [
    (|body| fs::remove_file(body).unwrap(), "FileDoesNotExist"),
    (|body| set_length(body, 10), "ResourceUnavailable"),
    (|body| set_length(body, 10_000), "ResourceUnavailable"),
    (
        |body| {
            // Of the same length.
            let other = body.with_file_name("other");
            fs::rename(body, &other).unwrap();
            symlink(other, body).unwrap();
        },
        "ResourceUnavailable",
    ),
];

fn set_length(body: &Path, length: u64) {
    OpenOptions::new().write(true).open(body).unwrap().set_len(length).unwrap();
}

fn a_body_that_is_changed_between_two_runs_is_not_sent(row: &Row) {
    program::run_if_asked(&UPLOAD);
    for (deed, how) in DEEDS {
        let scene = Scene::new(row, &UPLOAD);
        let is_wrong = Arc::new(AtomicBool::new(false));
        let wrong = Arc::clone(&is_wrong);
        scene.server.handle(move |request| {
            wrong.fetch_or(request.body() != UPLOAD.bytes(&UPLOAD.wishes[0]), Ordering::SeqCst);
            Answer::ok("").stall_before_head()
        });
        let child = scene.start();
        scene.server.wait_until(|stats| stats.stalled == 1);
        scene.kill(child);
        deed(&scene.folder().join("spool/1.body"));
        scene.run();
        let told = &scene.diary().0[1].told;
        assert!(told.contains(&format!("end put {how}")), "{told:?}");
        assert!(!is_wrong.load(Ordering::SeqCst));
        assert_eq!(scene.server.request_count(), 1);
    }
}
