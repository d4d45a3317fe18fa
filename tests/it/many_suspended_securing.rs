//! Past the tasks that may keep a thread while they are suspended: those that wait for what the
//! program decides about a TLS connection keep that without a thread, and send nothing on it.

use std::sync::mpsc::channel;
use std::sync::{Arc, Once};
use std::time::Duration;

use urlsession::testing::{Answer, Authority, Counters, HandshakeFault, Server};
use urlsession::{
    AuthenticationMethod, Body, Certificate, Challenge, Configuration, Credential, Disposition,
    ErrorKind, Identity, Request, Session,
};

use crate::support::asked_crowd::{AskedCrowd, Held, Holding, TASKS, ann, length, with_text};
use crate::support::crowd::{Crowd, MORE, WITH_THREAD};
use crate::support::deciding::{accept, accept_or};
use crate::support::running::{HANG, wait_for};

/// How tasks come to be asked, and what becomes of that.
struct Scene {
    name: &'static str,
    held: AuthenticationMethod,
    server: fn(&Authority) -> Server,
    /// The server's certificate is good.
    is_trusted: bool,
    answers: fn(&Authority, &Challenge) -> Disposition,
    /// Whether each has a connection while it waits.
    is_connected: bool,
    /// How many connections each takes in all.
    connections: usize,
}

fn plain(authority: &Authority) -> Server {
    Server::start_tls(&authority.identity(&["127.0.0.1"]))
}

fn curious(authority: &Authority) -> Server {
    let identity = authority.identity(&["127.0.0.1"]);
    Server::builder().tls(&identity).ask_for_client_certificate(authority).start()
}

fn showing(authority: &Authority, challenge: &Challenge) -> Disposition {
    let made = authority.identity(&["ann"]);
    let identity = Identity::from_pem(made.chain_pem() + &made.key_pem(), None).unwrap();
    accept_or(challenge, &Credential::from_identity(&identity))
}

fn scenes() -> Vec<Scene> {
    use AuthenticationMethod::{ClientCertificate, ServerTrust};

    vec![
        Scene {
            name: "a server that nobody knows",
            held: ServerTrust,
            server: plain,
            is_trusted: false,
            answers: |_, challenge| accept(challenge),
            is_connected: false,
            connections: 2,
        },
        Scene {
            name: "a server that is trusted",
            held: ServerTrust,
            server: plain,
            is_trusted: true,
            answers: |_, _| Disposition::PerformDefaultHandling,
            is_connected: true,
            connections: 1,
        },
        Scene {
            name: "what to show",
            held: ClientCertificate,
            server: curious,
            is_trusted: true,
            answers: showing,
            is_connected: true,
            connections: 2,
        },
        Scene {
            name: "what to show, which is nothing",
            held: ClientCertificate,
            server: curious,
            is_trusted: true,
            answers: |_, _| Disposition::PerformDefaultHandling,
            is_connected: true,
            connections: 1,
        },
    ]
}

fn trusting(authority: &Authority, is_trusted: bool) -> impl FnOnce(&mut Configuration) {
    let root = Certificate::from_der(authority.certificate_der());
    move |configuration| configuration.additional_roots.extend(is_trusted.then_some(root))
}

fn gather(scene: &Scene, authority: &Arc<Authority>) -> (AskedCrowd, Server) {
    let server = (scene.server)(authority);
    server.handle(length);
    let (answers, of) = (scene.answers, authority.clone());
    let held = Held::Challenge(scene.held);
    let delegate = Holding::new(held, move |challenge| answers(&of, challenge));
    let (change, url) = (trusting(authority, scene.is_trusted), server.url("/"));
    (AskedCrowd::gather(&delegate, change, |session| with_text(session, &url)), server)
}

#[test]
fn past_the_limit_suspended_tasks_those_asked_about_a_connection_leave_their_threads_and_go_on() {
    let authority = Arc::new(Authority::new());
    for scene in scenes() {
        let name = scene.name;
        println!("{name}");
        let (crowd, server) = gather(&scene, &authority);
        crowd.leave();
        assert_eq!(crowd.sockets(), if scene.is_connected { TASKS } else { 0 }, "{name}");
        assert_eq!(server.request_count(), 0, "{name}: nothing is sent before the answer");
        crowd.delegate.answer(TASKS / 2);
        crowd.wait_until_left();
        crowd.resume();
        crowd.delegate.answer(TASKS - TASKS / 2);
        crowd.end(Ok("done 4"), &[&server]);
        let counts = (server.request_count() as usize, server.connection_count() as usize);
        assert_eq!(counts, (TASKS, scene.connections * TASKS), "{name}");
    }
}

#[test]
fn tasks_that_left_while_they_were_asked_about_a_connection_can_be_cancelled() {
    let authority = Arc::new(Authority::new());
    for scene in scenes() {
        println!("{}", scene.name);
        let (crowd, server) = gather(&scene, &authority);
        crowd.leave();
        crowd.tasks.iter().for_each(|task| task.cancel());
        wait_for("everybody ends", || crowd.delegate.ended().len() == TASKS);
        wait_for("the connections are closed", || crowd.sockets() == 0);
        crowd.delegate.answer(TASKS);
        crowd.end(Err(ErrorKind::Cancelled), &[&server]);
        assert_eq!(server.request_count(), 0);
    }
}

#[test]
fn a_refusal_that_comes_while_nobody_has_a_thread_holds() {
    let authority = Arc::new(Authority::new());
    for mut scene in scenes().into_iter().take(2) {
        scene.answers = |_, _| Disposition::RejectProtectionSpace;
        let (crowd, server) = gather(&scene, &authority);
        crowd.leave();
        crowd.delegate.answer(TASKS);
        crowd.resume();
        crowd.end(Err(ErrorKind::ServerCertificateUntrusted), &[&server]);
        assert_eq!(server.request_count(), 0, "{}", scene.name);
    }
}

#[test]
fn those_asked_about_a_connection_of_others_leave_their_threads_and_go_on_with_it() {
    let authority = Authority::new();
    let server = plain(&authority);
    server.handle(|request| length(request).stall_before_head());
    let (delegate, url) = (Holding::new(Held::Body, ann), server.url("/"));
    let (sender, outcomes) = channel();
    let own = Holding::new(Held::Challenge(AuthenticationMethod::ServerTrust), |_| {
        Disposition::PerformDefaultHandling
    });
    let others = |session: &Session| {
        let tasks = (0..TASKS)
            .map(|_| session.upload_task_to(Request::post(&url), "text", &sender).resume());
        let tasks: Vec<_> = tasks.collect();
        server.wait_until(|stats| stats.stalled == TASKS as u64);
        server.release();
        tasks.iter().for_each(|_| {
            outcomes.recv_timeout(HANG).unwrap().outcome.unwrap();
        });
        server.handle(length);
    };
    let before = Once::new();
    let make = |session: &Session| {
        before.call_once(|| others(session));
        let task = with_text(session, &url);
        task.set_delegate(own.clone()).unwrap();
        task
    };
    let crowd = AskedCrowd::gather_of(&delegate, &own, trusting(&authority, true), make);
    crowd.leave();
    assert_eq!(crowd.sockets(), TASKS);
    crowd.resume();
    own.answer(TASKS);
    crowd.end(Ok("done 4"), &[&server]);
    let counts = (server.request_count() as usize, server.connection_count() as usize);
    assert_eq!(counts, (2 * TASKS, TASKS));
}

#[test]
fn those_in_the_middle_of_a_handshake_leave_their_threads_and_begin_it_anew() {
    let authority = Authority::new();
    let server = plain(&authority);
    server.handle(|_| Answer::ok("done"));
    let root = Certificate::from_der(authority.certificate_der());
    let crowd = Crowd::gather(|configuration| configuration.additional_roots = vec![root]);
    // More often than handshakes are tried for other reasons.
    let (rounds, mut more) = (8, None);
    for _ in 0..rounds {
        (0..MORE).for_each(|_| server.fail_next_handshake(HandshakeFault::Stall));
        let before = server.connection_count();
        let more = more.get_or_insert_with(|| {
            crowd.more(&Request::post(server.url("/")), &|| Body::reader(&b"once"[..]))
        });
        more.resume();
        server.wait_until(|stats| stats.connections == before + MORE as u64);
        more.tasks.iter().for_each(|task| task.suspend());
        let counters = Counters::of(&crowd.session);
        wait_for("the others leave", || {
            crowd.clock.advance(Duration::from_secs(100));
            counters.threads() <= WITH_THREAD + 1
        });
        assert_eq!(counters.sockets(), WITH_THREAD, "what was begun is of no use");
    }
    let more = more.unwrap();
    more.resume();
    assert_eq!(more.outcomes(), vec![Ok("done".to_owned()); MORE]);
    assert_eq!(server.request_count(), MORE as u64, "each once");
    drop(more);
    crowd.end(&[&server]);
}
