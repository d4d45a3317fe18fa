//! What lasts beyond a session, and what other sessions see of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use urlsession::{Clock, Configuration, Hsts, Session};

use super::{Web, load};
use crate::support::folder::Folder;

const HERE: &str = "http://shop.test/";

/// A session of a program that has a clock of its own, as another process has.
fn program(web: &Web, name: &str, folder: &Folder) -> (Clock, Session) {
    let clock = Clock::by_hand();
    let configuration = Configuration::default().program(name).clock(clock.clone());
    (clock, web.seen_by(configuration.state_directory(folder.path())))
}

fn written(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path.join("shop").join("hsts")).ok()?;
    Some(text.lines().skip(1).collect())
}

#[test]
fn what_one_run_has_learned_the_next_knows_and_no_other_program() {
    let (web, folder) = (Web::that_says("max-age=86400; includeSubDomains"), Folder::new());
    let (_, first) = program(&web, "shop", &folder);
    assert_eq!(load(&first, HERE).0, "plain");
    assert_eq!(folder.names(), [""; 0], "nothing is made before there is something to write");
    load(&first, "https://shop.test/");
    first.finish_tasks_and_invalidate();
    let text = written(folder.path()).unwrap();
    assert!(text.starts_with("shop.test ") && text.ends_with(" sub-domains"), "{text}");
    let (_, second) = program(&web, "shop", &folder);
    assert_eq!(load(&second, HERE).0, "secure");
    assert_eq!(load(&program(&web, "other", &folder).1, HERE).0, "plain");
    let mut in_memory = second.configuration();
    in_memory.hsts = Hsts::InMemory;
    assert_eq!(load(&web.seen_by(in_memory), HERE).0, "plain");
}

#[test]
fn others_see_it_within_a_second_after_it_was_flushed() {
    let (web, folder) = (Web::that_says("max-age=86400"), Folder::new());
    let (_, first) = program(&web, "shop", &folder);
    let (clock, second) = program(&web, "shop", &folder);
    assert_eq!(load(&second, HERE).0, "plain");
    load(&first, "https://shop.test/");
    assert_eq!(written(folder.path()), None);
    first.flush();
    assert!(written(folder.path()).is_some());
    clock.advance(Duration::from_secs(1));
    assert_eq!(load(&second, HERE).0, "secure");
    first.reset();
    assert_eq!(written(folder.path()).as_deref(), Some(""));
    clock.advance(Duration::from_secs(1));
    assert_eq!(load(&second, HERE).0, "plain");
}

#[test]
fn a_change_is_on_the_disk_within_a_second() {
    let (web, folder) = (Web::that_says("max-age=86400"), Folder::new());
    let (clock, session) = program(&web, "shop", &folder);
    load(&session, "https://shop.test/");
    assert_eq!(written(folder.path()), None);
    clock.advance(Duration::from_secs(1));
    while written(folder.path()).is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    // The host has said the same again, which is nothing to write.
    let path = folder.path().join("shop").join("hsts");
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    load(&session, "https://shop.test/");
    session.flush();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
}

#[test]
fn sessions_of_one_process_know_it_at_once() {
    let (web, folder) = (Web::that_says("max-age=86400"), Folder::new());
    let open = || {
        let configuration = Configuration::default().program("shop");
        web.seen_by(configuration.state_directory(folder.path()))
    };
    let (first, second) = (open(), open());
    assert_eq!(load(&second, HERE).0, "plain");
    load(&first, "https://shop.test/");
    assert_eq!(load(&second, HERE).0, "secure");
}

#[test]
fn a_file_that_cannot_be_had_fails_no_request() {
    let (web, folder) = (Web::that_says("max-age=86400"), Folder::new());
    // The program's folder is none.
    folder.file("shop", "");
    let (_, session) = program(&web, "shop", &folder);
    load(&session, "https://shop.test/");
    session.flush();
    assert_eq!(load(&session, HERE).0, "secure");
    session.flush();
    assert_eq!(folder.names(), ["shop"]);
}
