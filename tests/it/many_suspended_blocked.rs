//! Past the tasks that may keep a thread while they are suspended: those that nobody takes anything
//! from, neither the server what they write nor the program what they have received.

use std::time::Duration;

use urlsession::testing::{Answer, Counters, Server, ServerBuilder};
use urlsession::{Body, DataTask, ErrorKind, Request, Update, Updates};

use crate::support::crowd::{Crowd, MORE, WITH_THREAD};
use crate::support::gate::Gate;
use crate::support::running::wait_for;

/// More than the systems on both sides hold, which is 4 MiB and what the peer offers at first.
const LARGE: usize = 8 * 1024 * 1024;

/// A head that is larger than what the system takes for a peer that does not read, and the way
/// to a server that takes it once it is let.
fn long_head(url: &str, gate: &Gate, server: &Server) -> Request {
    let there = url.replace(&format!(":{}/", server.port()), &format!(":{}/", gate.port()));
    Request::post(there).header("X-Long", "x".repeat(LARGE))
}

/// Has tasks leave their threads while nobody takes their heads, and go on.
fn write_and_go_on(crowd: &Crowd, server: &Server) {
    server.handle(|request| {
        let length = request.header("x-long").map_or(0, str::len);
        Answer::ok(format!("{length} {}", String::from_utf8_lossy(request.body())))
    });
    for (body, expected) in [("", format!("{LARGE} ")), ("small", format!("{LARGE} small"))] {
        let gate = Gate::closed_after(4096, server.address());
        let request = long_head(&server.url("/"), &gate, server);
        let more = crowd.more(&request, &|| Body::from(body));
        wait_for("all of them write", || gate.waiting() == MORE);
        crowd.leave(&more);
        gate.open();
        more.resume();
        assert_eq!(more.outcomes(), vec![Ok(expected); MORE]);
        crowd.wait_until_closed();
    }
    assert_eq!(server.request_count(), 2 * MORE as u64, "each once");
}

fn server_for_long_heads() -> ServerBuilder {
    Server::builder().head_limit(2 * LARGE)
}

#[test]
fn tasks_whose_peer_takes_nothing_leave_their_threads_and_go_on() {
    let (crowd, server) = (Crowd::gather(|_| {}), server_for_long_heads().start());
    write_and_go_on(&crowd, &server);
    crowd.end(&[&server]);
}

#[cfg(feature = "tls")]
#[test]
#[cfg_attr(
    windows,
    ignore = "Wine 8: passes alone; beside others its TLS, without optimisation, is slower than its guard"
)]
fn tasks_whose_peer_takes_nothing_over_tls_leave_their_threads_and_go_on() {
    let authority = urlsession::testing::Authority::new();
    let server = server_for_long_heads().tls(&authority.identity(&["127.0.0.1"])).start();
    let root = urlsession::Certificate::from_der(authority.certificate_der());
    let crowd = Crowd::gather(|configuration| configuration.additional_roots = vec![root]);
    write_and_go_on(&crowd, &server);
    crowd.end(&[&server]);
}

#[test]
fn tasks_that_left_while_their_peer_took_nothing_can_be_cancelled() {
    let (crowd, server) = (Crowd::gather(|_| {}), server_for_long_heads().start());
    let gate = Gate::closed_after(4096, server.address());
    let more = crowd.more(&long_head(&server.url("/"), &gate, &server), &|| Body::from("small"));
    wait_for("all of them write", || gate.waiting() == MORE);
    crowd.leave(&more);
    more.tasks.iter().for_each(|task| task.cancel());
    assert_eq!(more.outcomes(), [const { Err(ErrorKind::Cancelled) }; MORE]);
    crowd.wait_until_closed();
    drop(more);
    gate.open();
    crowd.end(&[&server]);
    assert_eq!(server.request_count(), 0);
}

/// More than is kept for a program that takes none of it, by one byte: when this has been
/// received, its last piece waits, and none before it did.
const UNTAKEN: usize = 1024 * 1024 + 1;

const WHOLE: usize = 2 * 1024 * 1024;

#[test]
fn tasks_whose_data_nobody_takes_leave_their_threads_and_go_on() {
    let (crowd, server) = (Crowd::gather(|_| {}), Server::start());
    server.handle(|_| Answer::ok("x".repeat(WHOLE)).stall_in_body_after(UNTAKEN as u64));
    let make = || crowd.session.data_task(Request::post(server.url("/")).body("once"));
    let tasks: Vec<DataTask> = (0..MORE).map(|_| make()).collect();
    let all: Vec<Updates> = tasks.iter().map(DataTask::updates).collect();
    server.wait_until(|stats| stats.stalled == MORE as u64);
    wait_for("they are full", || {
        tasks.iter().all(|task| task.progress().bytes_received == UNTAKEN as u64)
    });
    server.release();
    tasks.iter().for_each(|task| task.suspend());
    let counters = Counters::of(&crowd.session);
    wait_for("the others leave", || {
        crowd.clock.advance(Duration::from_secs(100));
        counters.threads() <= WITH_THREAD + 1
    });
    assert_eq!(counters.sockets(), WITH_THREAD + MORE);
    tasks.iter().for_each(|task| drop(task.resume()));
    for updates in all {
        let (mut received, mut ends) = (0, Vec::new());
        for update in updates {
            match update {
                Update::Data(data) => received += data.len(),
                Update::Finished(finished) => ends.push(finished.err()),
                _ => {}
            }
        }
        assert_eq!((received, ends.len()), (WHOLE, 1), "{ends:?}");
        assert!(ends[0].is_none(), "{ends:?}");
    }
    assert_eq!(server.request_count(), MORE as u64, "each once");
    drop(tasks);
    crowd.end(&[&server]);
}
