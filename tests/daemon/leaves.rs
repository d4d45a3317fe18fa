//! When it leaves, and what is there then.

use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::guest::Guest;
use crate::process::{Daemon, Scratch, log, socket};

fn assert_nothing_is_left(state: &Path) {
    assert!(!socket(state).exists());
    let log = log(state);
    assert!(log.ends_with("INFO  urlsessiond leaves\n"), "{log}");
}

#[test]
fn signals_have_it_leave_by_itself() {
    for name in ["TERM", "INT", "HUP"] {
        let scratch = Scratch::new();
        let mut daemon = Daemon::start(&scratch.state());
        let mut guest = Guest::greeted(&socket(daemon.state())).unwrap();
        daemon.signal(name);
        assert_eq!(daemon.wait(), Ok(0), "{name}");
        assert!(guest.is_closed());
        // What has run out of time says so, and not that it leaves.
        assert_nothing_is_left(daemon.state());
    }
}

#[test]
fn it_stays_as_long_as_somebody_is_connected_and_a_while_longer() {
    let scratch = Scratch::new();
    let mut daemon = Daemon::start_with(&scratch.state(), &["--idle", "1"]);
    let guest = Guest::greeted(&socket(daemon.state())).unwrap();
    thread::sleep(Duration::from_millis(2500));
    assert_eq!(daemon.ended(), None);
    drop(guest);
    assert_eq!(daemon.wait(), Ok(0));
    assert_nothing_is_left(daemon.state());
}
