//! Tasks that wait for a connection learn of a network that changes: each test program has a
//! network namespace for itself alone.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{
    Clock, Configuration, Delegate, DeliveryQueue, Error, ErrorKind, Resolver, Session, Task,
    Update,
};

use crate::no_network::is_alone;
use crate::support::running::{HANG, Running, nothing_is_left, wait_for};

/// How long it is looked on while nothing happens.
const MOMENT: Duration = Duration::from_millis(50);

/// Has `ip` change the network.
fn ip(change: &str) {
    let status = Command::new("ip").args(change.split(' ')).status().unwrap();
    assert!(status.success(), "ip {change}");
}

/// Counts those who wait.
#[derive(Default)]
struct Waiting(AtomicUsize);

impl Waiting {
    fn wait_for(&self, count: usize) {
        wait_for("they wait", || self.0.load(Ordering::SeqCst) == count);
    }
}

impl Delegate for Waiting {
    fn task_is_waiting_for_connectivity(&self, _task: &Task) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A session whose tasks wait for connections.
fn session(waiting: &Arc<Waiting>, change: impl FnOnce(&mut Configuration)) -> Session {
    let mut configuration = Configuration::ephemeral();
    configuration.waits_for_connectivity = true;
    change(&mut configuration);
    Session::with_delegate(configuration, waiting.clone(), DeliveryQueue::serial()).unwrap()
}

/// A server that nobody reaches until the link is up again.
fn unreachable_server() -> Server {
    let server = Server::start();
    server.handle(|_| Answer::ok("hello"));
    // With its addresses: where they are known, connecting waits for an answer.
    ip("addr flush dev lo");
    ip("link set lo down");
    server
}

#[test]
fn all_who_wait_try_again_when_a_link_comes_up() {
    const NAME: &str = "network_changes::all_who_wait_try_again_when_a_link_comes_up";
    if !is_alone(NAME, "ip link set lo up") {
        return;
    }
    let (server, clock, waiting) = (unreachable_server(), Clock::by_hand(), Arc::default());
    let session = session(&waiting, |configuration| configuration.clock = clock.clone());
    let (sender, outcomes) = channel();
    let tasks: Vec<_> =
        (0..20).map(|_| session.data_task_to(server.url("/"), &sender).resume()).collect();
    let (blocking, url) = (session.clone(), server.url("/"));
    let running = Running::start(move || blocking.data(url));
    waiting.wait_for(21);
    // One is cancelled, one is suspended.
    tasks[0].cancel();
    tasks[1].suspend();
    ip("link set lo up");
    // By the clock, nobody has waited for as long as it takes to try again without a change.
    let began = Instant::now();
    for _ in 0..9 {
        clock.advance(Duration::from_millis(100));
        thread::sleep(MOMENT);
    }
    assert_eq!(running.outcome().unwrap().text(), "hello");
    let ended: Vec<_> = (0..19).map(|_| outcomes.recv_timeout(HANG).unwrap()).collect();
    let cancelled = ended.iter().filter(|one| one.outcome.is_err()).count();
    assert_eq!((ended.len(), cancelled), (19, 1));
    assert!(outcomes.try_recv().is_err());
    tasks[1].resume();
    assert_eq!(outcomes.recv_timeout(HANG).unwrap().outcome.unwrap().text(), "hello");
    assert_eq!(waiting.0.load(Ordering::SeqCst), 21);
    assert!(began.elapsed() < HANG);
    drop((tasks, ended));
    nothing_is_left(session, &[&server]);
}

#[test]
fn a_link_that_comes_up_is_noticed() {
    const NAME: &str = "network_changes::a_link_that_comes_up_is_noticed";
    if !is_alone(NAME, "ip link set lo up") {
        return;
    }
    for by_its_caller in [true, false] {
        let (server, waiting) = (unreachable_server(), Arc::default());
        let session = session(&waiting, |_| {});
        let task = session.data_task(server.url("/"));
        let running = {
            let task = task.clone();
            Running::start(move || match by_its_caller {
                true => task.run().map(drop),
                false => task.updates().find_map(finished).unwrap(),
            })
        };
        waiting.wait_for(1);
        // Three tries without: the next one is four seconds away.
        thread::sleep(Duration::from_millis(3_500));
        assert!(running.is_running());
        let up = Instant::now();
        ip("link set lo up");
        let (outcome, at) = running.outcome_and_time();
        outcome.unwrap();
        println!("a link that came up was noticed within {:?}", at - up);
        drop(task);
        nothing_is_left(session, &[&server]);
    }
}

/// A resolver that knows an address where nobody is, and how often it was asked.
fn nowhere(asked: &Arc<AtomicUsize>) -> Resolver {
    let asked = asked.clone();
    Resolver::new(move |_, _| {
        asked.fetch_add(1, Ordering::SeqCst);
        Ok(vec![SocketAddr::from(([192, 0, 2, 1], 80))])
    })
}

#[test]
fn changes_that_come_together_bring_one_try() {
    const NAME: &str = "network_changes::changes_that_come_together_bring_one_try";
    if !is_alone(NAME, "ip link set lo up") {
        return;
    }
    let (clock, waiting, asked) = (Clock::by_hand(), Arc::default(), Arc::default());
    let session = session(&waiting, |configuration| {
        configuration.clock = clock.clone();
        configuration.resolver = Some(nowhere(&asked));
    });
    let task = session.data_task("http://shop.test/").resume();
    waiting.wait_for(1);
    let tries = |count: usize| {
        wait_for("a try", || asked.load(Ordering::SeqCst) >= count);
        thread::sleep(MOMENT);
        assert_eq!(asked.load(Ordering::SeqCst), count);
    };
    let change_often = |from: u8| {
        for last in from..from + 10 {
            ip(&format!("addr add 10.9.0.{last}/32 dev lo"));
        }
        thread::sleep(MOMENT);
    };
    change_often(1);
    tries(1);
    clock.advance(Duration::from_millis(60));
    tries(2);
    change_often(20);
    // Too soon behind the last one.
    clock.advance(Duration::from_millis(400));
    tries(2);
    clock.advance(Duration::from_millis(100));
    tries(3);
    task.cancel();
    assert!(session.wait_until_idle(HANG));
    drop(task);
    nothing_is_left(session, &[]);
}

#[test]
fn nobody_looks_at_the_network_once_nobody_waits() {
    const NAME: &str = "network_changes::nobody_looks_at_the_network_once_nobody_waits";
    if !is_alone(NAME, "ip link set lo up") {
        return;
    }
    for by_its_caller in [true, false] {
        let (clock, waiting, asked) = (Clock::by_hand(), Arc::default(), Arc::default());
        let session = session(&waiting, |configuration| {
            configuration.clock = clock.clone();
            configuration.resolver = Some(nowhere(&asked));
        });
        let counters = Counters::of(&session);
        assert_eq!((counters.threads(), counters.sockets()), (0, 0));
        let task = session.data_task("http://shop.test/");
        let running = {
            let task = task.clone();
            Running::start(move || match by_its_caller {
                true => task.run().map(drop),
                false => task.updates().find_map(finished).unwrap(),
            })
        };
        waiting.wait_for(1);
        wait_for("somebody looks at the network", || counters.sockets() == 1);
        task.cancel();
        assert_eq!(running.outcome().unwrap_err().kind(), ErrorKind::Cancelled);
        wait_for("nobody looks at it", || {
            clock.advance(Duration::from_secs(1));
            (counters.threads(), counters.sockets()) == (0, 0)
        });
        drop(task);
        nothing_is_left(session, &[]);
    }
}

fn finished(update: Update) -> Option<Result<(), Error>> {
    match update {
        Update::Finished(outcome) => Some(outcome),
        _ => None,
    }
}
