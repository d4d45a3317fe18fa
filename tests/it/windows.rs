//! What is so on Windows alone.

use std::fs::OpenOptions;
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

#[cfg(feature = "tls")]
use urlsession::testing::Authority;
use urlsession::testing::{Answer, Server};
use urlsession::{ErrorKind, Session};

use crate::support::folder::Folder;
use crate::support::running::{nothing_is_left, session};

/// `FILE_SHARE_READ`: others may read it, and neither write, delete nor rename it.
const SHARE_READ: u32 = 1;

fn save_over(session: &Session, server: &Server, place: &Path) -> Result<(), ErrorKind> {
    let task = session.download_task(server.url("/"));
    task.save_over(place).map_err(|error| error.kind())?;
    task.run().map(drop).map_err(|error| error.kind())
}

#[test]
fn a_place_may_be_deeper_than_260_characters() {
    let (folder, server, session) = (Folder::new(), Server::start(), session(|_| {}));
    server.enqueue(Answer::ok("new"));
    let deep = (0..10).fold(folder.path().to_owned(), |path, _| path.join("x".repeat(40)));
    std::fs::create_dir_all(&deep).unwrap();
    let place = deep.join("a");
    assert_eq!(save_over(&session, &server, &place), Ok(()));
    assert_eq!(std::fs::read_to_string(place).unwrap(), "new");
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_device_is_no_place_for_a_file() {
    let (folder, server, session) = (Folder::new(), Server::start(), session(|_| {}));
    for name in ["NUL", "nul", "COM1"] {
        let outcome = save_over(&session, &server, &folder.path().join(name));
        assert!(outcome.is_err(), "{name}: {outcome:?}");
    }
    assert_eq!((server.request_count(), folder.names()), (0, Vec::<String>::new()));
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_file_that_somebody_holds_is_replaced_when_it_is_let_go() {
    let (folder, server, session) = (Folder::new(), Server::start(), session(|_| {}));
    server.handle(|_| Answer::ok("new"));
    let place = folder.file("a", "old");
    let hold = || OpenOptions::new().read(true).share_mode(SHARE_READ).open(&place).unwrap();

    let held = hold();
    assert_eq!(save_over(&session, &server, &place), Err(ErrorKind::CannotMoveFile));
    drop(held);
    assert_eq!(
        (std::fs::read_to_string(&place).unwrap(), folder.names()),
        ("old".into(), vec!["a".to_owned()])
    );

    let held = hold();
    let leaves = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        drop(held);
    });
    assert_eq!(save_over(&session, &server, &place), Ok(()));
    leaves.join().unwrap();
    assert_eq!(
        (std::fs::read_to_string(&place).unwrap(), folder.names()),
        ("new".into(), vec!["a".to_owned()])
    );
    nothing_is_left(session, &[&server]);
}

#[cfg(feature = "tls")]
#[test]
fn the_certificate_store_of_the_system_is_read() {
    let server = Server::start_tls(&Authority::new().identity(&["localhost"]));
    let session = session(|_| {});
    let error = session.data(server.url_with_host("localhost", "/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerCertificateHasUnknownRoot, "{error}");
    // Others are known: it would say so.
    assert!(!format!("{error:?}").contains("no root certificate"), "{error:?}");
    nothing_is_left(session, &[&server]);
}
