//! Past the tasks that may keep a thread while they are suspended: those that have no answer yet
//! keep their connection alone, wherever they are.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use urlsession::testing::{Answer, Counters, ExpectPolicy, Server};
use urlsession::{Body, Configuration, ErrorKind, Request};

use crate::support::crowd::{Crowd, MORE, More, WITH_THREAD};
use crate::support::running::{all_have_left, wait_for};

/// A body that comes little by little until it is told to end.
struct Trickle(Arc<AtomicBool>);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.load(Ordering::SeqCst) {
            return Ok(0);
        }
        thread::sleep(Duration::from_millis(20));
        buffer[..10].fill(b'x');
        Ok(10)
    }
}

/// Where tasks are when they are suspended.
struct Scene {
    name: &'static str,
    answer: fn() -> Answer,
    expects: bool,
    body: fn(&Arc<AtomicBool>) -> Body,
    /// How much arrives; `None` if that depends.
    length: Option<u64>,
}

/// More than the systems on both sides hold.
const LARGE: usize = 8 * 1024 * 1024;

fn large() -> Body {
    Body::from(vec![b'x'; LARGE])
}

fn scenes() -> Vec<Scene> {
    let scene = |name, answer, expects, body, length| Scene { name, answer, expects, body, length };
    let stalls = || Answer::ok("done").stall_before_head();
    let stops_reading = || Answer::ok("done").stall_reading_after(1000);
    let knows_no_leave = || Answer::ok("done").on_expect(ExpectPolicy::Never);
    vec![
        scene("the answer is waited for", stalls, false, |_| Body::from("small"), Some(5)),
        scene(
            "it is waited for behind another one",
            || Answer::ok("done").informational(103, &[("Link", "<a>")]).stall_before_head(),
            false,
            |_| Body::from("small"),
            Some(5),
        ),
        scene("nobody reads the body", stops_reading, false, |_| large(), Some(LARGE as u64)),
        scene(
            "the body comes little by little",
            || Answer::ok("done"),
            false,
            |ends| Body::reader(Trickle(ends.clone())),
            None,
        ),
        scene("leave is waited for", knows_no_leave, true, |_| Body::from("leave"), Some(5)),
        scene(
            "leave is waited for with a body that can be sent once",
            knows_no_leave,
            true,
            |_| Body::reader(&b"once"[..]),
            Some(4),
        ),
    ]
}

/// Has tasks come to where they are to be suspended.
fn begin(crowd: &Crowd, server: &Server, scene: &Scene, ends: &Arc<AtomicBool>) -> More {
    let answer = scene.answer;
    server.handle_head(move |_| Some(answer()));
    let mut request = Request::post(server.url("/"));
    if scene.expects {
        request = request.header("Expect", "100-continue");
    }
    let before = server.stats();
    let more = crowd.more(&request, &|| (scene.body)(ends));
    let count = MORE as u64;
    match scene.length {
        Some(_) if scene.expects => server.wait_until(|stats| stats.heads == before.heads + count),
        Some(_) => server.wait_until(|stats| stats.stalled == count),
        None => wait_for("something is sent", || {
            more.tasks.iter().all(|task| task.progress().bytes_sent > 0)
        }),
    }
    more
}

/// Silence ends nothing, however fast the clock is turned.
fn patient(configuration: &mut Configuration) {
    configuration.timeout_for_request = Duration::MAX;
}

/// Has tasks leave their threads in every scene, and go on.
fn leave_and_go_on(crowd: &Crowd, server: &Server) {
    for scene in scenes() {
        let name = scene.name;
        let ends = Arc::new(AtomicBool::new(false));
        let before = server.request_count();
        let more = begin(crowd, server, &scene, &ends);
        crowd.leave(&more);
        ends.store(true, Ordering::SeqCst);
        more.resume();
        let mut finished = Vec::new();
        while finished.len() < MORE {
            server.release();
            // They wait for leave anew, as long as one waits for that.
            crowd.clock.advance(Duration::from_secs(1));
            match more.outcomes.recv_timeout(Duration::from_millis(50)) {
                Ok(told) => finished.push(told.outcome.expect(name).text().into_owned()),
                Err(_) => assert_eq!(server.take_failures(), [""; 0], "{name}"),
            }
        }
        assert_eq!(finished, ["done"; MORE], "{name}");
        let requests: Vec<_> = (0..MORE).map(|_| server.take_request()).collect();
        assert_eq!(server.request_count() - before, MORE as u64, "{name}: each once");
        let arrived: Vec<_> = requests.iter().map(|request| request.body_length()).collect();
        if let Some(length) = scene.length {
            assert_eq!(arrived, [length; MORE], "{name}");
        }
        let sent: u64 = more.tasks.iter().map(|task| task.progress().bytes_sent).sum();
        assert_eq!(sent, arrived.iter().sum::<u64>(), "{name}");
        crowd.wait_until_closed();
    }
}

#[test]
fn past_the_limit_suspended_tasks_those_without_an_answer_leave_their_threads_and_go_on() {
    let (crowd, server) = (Crowd::gather(patient), Server::start());
    leave_and_go_on(&crowd, &server);
    crowd.end(&[&server]);
}

#[cfg(feature = "tls")]
#[test]
fn they_do_so_over_tls_too() {
    let authority = urlsession::testing::Authority::new();
    let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
    let root = urlsession::Certificate::from_der(authority.certificate_der());
    let crowd = Crowd::gather(|configuration| {
        patient(configuration);
        configuration.additional_roots = vec![root];
    });
    leave_and_go_on(&crowd, &server);
    crowd.end(&[&server]);
}

#[test]
fn tasks_that_are_suspended_as_soon_as_they_begin_keep_no_thread_either() {
    let (crowd, server) = (Crowd::gather(|_| {}), Server::start());
    server.handle(|_| Answer::ok("done"));
    let more = crowd.more(&Request::post(server.url("/")), &|| Body::reader(&b"once"[..]));
    for task in &more.tasks {
        task.suspend();
    }
    let counters = Counters::of(&crowd.session);
    wait_for("the others leave", || {
        crowd.clock.advance(Duration::from_secs(100));
        counters.threads() <= WITH_THREAD + 1
    });
    more.resume();
    assert_eq!(more.outcomes(), vec![Ok("done".to_owned()); MORE]);
    assert_eq!(server.request_count(), MORE as u64);
    drop(more);
    crowd.end(&[&server]);
}

#[test]
fn tasks_that_left_without_an_answer_can_be_cancelled() {
    let (crowd, server) = (Crowd::gather(|_| {}), Server::start());
    for scene in scenes() {
        let more = begin(&crowd, &server, &scene, &Arc::default());
        crowd.leave(&more);
        more.tasks.iter().for_each(|task| task.cancel());
        assert_eq!(more.outcomes(), [const { Err(ErrorKind::Cancelled) }; MORE], "{}", scene.name);
        crowd.wait_until_closed();
        all_have_left(&server);
    }
    crowd.end(&[&server]);
}

#[test]
fn what_must_not_be_repeated_fails_if_the_server_leaves_meanwhile() {
    let crowd = Crowd::gather(|_| {});
    for scene in scenes().into_iter().take(3) {
        let server = Server::start();
        let more = begin(&crowd, &server, &scene, &Arc::default());
        crowd.leave(&more);
        drop(server);
        more.resume();
        let lost = [const { Err(ErrorKind::NetworkConnectionLost) }; MORE];
        assert_eq!(more.outcomes(), lost, "{}", scene.name);
    }
    crowd.end(&[]);
}

#[test]
fn the_timer_of_a_whole_task_stands_still_while_it_has_no_thread_and_runs_when_it_goes_on() {
    let whole = Duration::from_secs(500);
    let crowd = Crowd::gather(|configuration| {
        configuration.timeout_for_request = 10 * whole;
        configuration.timeout_for_resource = whole;
    });
    let server = Server::start();
    let stalls = scenes().remove(0);
    let more = begin(&crowd, &server, &stalls, &Arc::default());
    crowd.leave(&more);
    crowd.clock.advance(10 * whole);
    more.resume();
    let counters = Counters::of(&crowd.session);
    wait_for("they have threads again", || counters.threads() > WITH_THREAD + MORE);
    assert!(more.outcomes.recv_timeout(Duration::from_millis(100)).is_err(), "in time");
    crowd.clock.advance(whole);
    assert_eq!(more.outcomes(), [const { Err(ErrorKind::TimedOut) }; MORE]);
    drop(more);
    crowd.end(&[&server]);
}
