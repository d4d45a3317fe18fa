//! Threads that have nothing to do leave, by the session's clock.

use std::sync::mpsc::channel;
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Recorder, Server};
use urlsession::{Clock, Configuration, DeliveryQueue, Request, Resolver, Session};

use crate::support::running::{HANG, nothing_is_left, wait_for};

/// A session that makes its calls on a serial queue, and looks every host up at `server`.
fn session(server: &Server, clock: &Clock) -> Session {
    let mut configuration = Configuration::ephemeral();
    configuration.clock = clock.clone();
    let address = server.address();
    configuration.resolver = Some(Resolver::new(move |_, _| Ok(vec![address])));
    let queue = DeliveryQueue::serial();
    Session::with_delegate(configuration, Recorder::new().delegate(), queue).unwrap()
}

#[test]
fn worker_look_up_and_delivery_leave_once_nothing_came_for_five_seconds() {
    let (server, clock) = (Server::start(), Clock::by_hand());
    server.handle(|_| Answer::ok("here").header("Connection", "close"));
    let session = session(&server, &clock);
    let counters = Counters::of(&session);
    for _ in 0..2 {
        let (sender, ended) = channel();
        let request = Request::get("http://host.test/");
        let task = session.data_task_with(request, move |_| sender.send(()).unwrap());
        task.resume();
        ended.recv_timeout(HANG).unwrap();
        assert!(session.wait_until_idle(HANG));
        clock.advance(Duration::from_millis(4_900));
        assert_eq!(counters.threads(), 3);
        wait_for("the end of all threads", || {
            // Again: who had not begun to wait was not idle for any of this.
            clock.advance(Duration::from_secs(1));
            counters.threads() == 0
        });
    }
    nothing_is_left(session, &[&server]);
}
