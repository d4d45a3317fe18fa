mod model;

use std::mem::size_of;
use std::sync::Arc;

use super::{KEPT_HOSTS, Limits, Line, Position, Rank, Ready, Waiting};
use crate::session::task::Place;

impl<T> Line<T> {
    /// Tells whether nobody waits and nobody runs.
    fn is_idle(&self) -> bool {
        self.jobs.is_empty() && self.running == 0
    }

    /// Returns how many have a place.
    fn running(&self) -> usize {
        self.running
    }

    /// Returns how many have a place of `host`.
    fn running_on(&self, host: &str) -> usize {
        self.find(host).map_or(0, |at| self.hosts[at].1.running)
    }
}

const ONE_AT_A_TIME: Limits = Limits { in_all: 1, per_host: 1 };

/// What a job is pushed with: its host and priority.
type Pushed = (&'static str, f32);

/// The number of a job, and a priority that it gets later.
type Change = (usize, f32);

fn host(name: &str) -> Arc<str> {
    Arc::from(name)
}

/// Runs what waits, one at a time, and returns the jobs in their order.
fn drain<T>(line: &mut Line<T>) -> Vec<T> {
    let mut order = Vec::new();
    while let Some((_, job, place)) = line.next() {
        line.free(place);
        order.push(job);
    }
    order
}

/// Starts all that may start and returns the jobs, with their places.
fn start<T>(line: &mut Line<T>) -> (Vec<T>, Vec<Place>) {
    std::iter::from_fn(|| line.next()).map(|(_, job, place)| (job, place)).unzip()
}

impl Ready {
    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }
}

#[test]
fn jobs_start_by_priority_then_by_age() {
    // What waits, as (host, priority), and in which order it runs.
    let table: &[(&str, &[Pushed], &[usize])] = &[
        ("equal priorities by age", &[("a", 0.5), ("a", 0.5), ("a", 0.5)], &[0, 1, 2]),
        ("higher first", &[("a", 0.0), ("a", 1.0), ("a", 0.5)], &[1, 2, 0]),
        ("close ones too", &[("a", 0.5), ("a", 0.500_000_06)], &[1, 0]),
        ("across hosts by priority", &[("a", 0.2), ("b", 0.3), ("a", 0.4)], &[2, 1, 0]),
        ("across hosts by age", &[("b", 0.5), ("a", 0.5), ("b", 0.5)], &[0, 1, 2]),
        ("NaN is 0.5", &[("a", 0.4), ("a", f32::NAN), ("a", 0.5), ("a", 0.6)], &[3, 1, 2, 0]),
        ("negative zero is zero", &[("a", -0.0), ("a", 0.0), ("a", -0.0)], &[0, 1, 2]),
        ("below the end is the end", &[("a", 0.0), ("a", -7.0), ("a", 0.0)], &[0, 1, 2]),
        ("above the end is the end", &[("a", 1.0), ("a", f32::INFINITY), ("a", 1.0)], &[0, 1, 2]),
    ];
    for (case, waiting, expected) in table {
        let mut line = Line::new(ONE_AT_A_TIME);
        for (number, (name, priority)) in waiting.iter().enumerate() {
            line.push(&host(name), *priority, number);
        }
        assert_eq!(&drain(&mut line), expected, "{case}");
        assert!(line.is_idle(), "{case}");
    }
}

#[test]
fn as_many_start_as_both_limits_allow() {
    // Limits in all and per host; hosts in the order of their jobs; which of them start.
    let table: &[(usize, usize, &[&str], &[usize])] = &[
        (64, 6, &["a", "a", "a"], &[0, 1, 2]),
        (64, 2, &["a", "a", "a", "b"], &[0, 1, 3]),
        (3, 2, &["a", "a", "a", "b", "b"], &[0, 1, 3]),
        (2, 6, &["a", "b", "c"], &[0, 1]),
        (0, 0, &["a", "b"], &[0]),
        (5, 0, &["a", "a", "b"], &[0, 2]),
    ];
    for (in_all, per_host, hosts, expected) in table {
        let mut line = Line::new(Limits { in_all: *in_all, per_host: *per_host });
        for (number, name) in hosts.iter().enumerate() {
            line.push(&host(name), 0.5, number);
        }
        let (started, places) = start(&mut line);
        assert_eq!(&started, expected, "{in_all} in all, {per_host} per host");
        assert_eq!(line.running(), started.len());
        assert_eq!(line.waiting(), hosts.len() - started.len());
        places.into_iter().for_each(|place| line.free(place));
        assert_eq!(line.running(), 0);
    }
}

#[test]
fn a_place_given_back_goes_to_the_first_of_that_host() {
    let (a, b) = (host("a"), host("b"));
    let mut line = Line::new(Limits { in_all: 64, per_host: 1 });
    for (host, job) in [(&a, "a1"), (&a, "a2"), (&a, "a3"), (&b, "b1"), (&b, "b2")] {
        line.push(host, 0.5, job);
    }
    let (started, mut places) = start(&mut line);
    assert_eq!(started, ["a1", "b1"]);
    line.free(places.remove(1));
    assert_eq!(start(&mut line).0, ["b2"]);
    line.free(places.remove(0));
    assert_eq!(start(&mut line).0, ["a2"]);
}

#[test]
fn a_job_that_gave_its_place_back_stands_ahead_of_the_line() {
    let (a, b) = (host("a"), host("b"));
    let mut line = Line::new(ONE_AT_A_TIME);
    line.push(&a, 1.0, "new a");
    line.push(&b, 1.0, "new b");
    let first = line.push_returning(&b, "returned first");
    line.push_returning(&a, "returned second");
    assert!(line.set_priority(first, 0.0), "it waits");
    assert_eq!(drain(&mut line), ["returned first", "returned second", "new a", "new b"]);
}

#[test]
fn a_returning_job_of_a_full_host_lets_other_hosts_pass() {
    let (a, b) = (host("a"), host("b"));
    let mut line = Line::new(Limits { in_all: 64, per_host: 1 });
    let place = line.take_over_limits(&a);
    line.push_returning(&a, "returning");
    line.push(&b, 0.0, "other");
    assert_eq!(start(&mut line).0, ["other"]);
    line.free(place);
    assert_eq!(start(&mut line).0, ["returning"]);
}

#[test]
fn a_changed_priority_keeps_the_age() {
    // Which of five equal jobs gets which priority, one after the other, and the order.
    let table: &[(&[Change], &[usize])] = &[
        (&[], &[0, 1, 2, 3, 4]),
        (&[(3, 0.9)], &[3, 0, 1, 2, 4]),
        (&[(0, 0.1)], &[1, 2, 3, 4, 0]),
        (&[(4, 0.9), (2, 0.9)], &[2, 4, 0, 1, 3]),
        (&[(1, 0.9), (1, 0.1), (1, 0.5)], &[0, 1, 2, 3, 4]),
        (&[(2, 0.9), (2, f32::NAN)], &[0, 1, 2, 3, 4]),
    ];
    for (changes, expected) in table {
        let mut line = Line::new(ONE_AT_A_TIME);
        let tickets: Vec<_> = (0..5).map(|number| line.push(&host("a"), 0.5, number)).collect();
        for (number, priority) in *changes {
            assert!(line.set_priority(tickets[*number], *priority));
        }
        assert_eq!(&drain(&mut line), expected, "{changes:?}");
    }
}

#[test]
fn a_removed_job_comes_back_once_and_never_runs() {
    let a = host("a");
    let mut line = Line::new(ONE_AT_A_TIME);
    let tickets: Vec<_> = ["one", "two", "three"].map(|job| line.push(&a, 0.5, job)).into();
    assert_eq!(line.remove(tickets[0]), Some("one"));
    assert_eq!(line.remove(tickets[0]), None);
    assert!(!line.set_priority(tickets[0], 1.0));
    let (_, job, place) = line.next().unwrap();
    assert_eq!(job, "two");
    assert_eq!(line.remove(tickets[1]), None, "it runs");
    assert!(!line.set_priority(tickets[1], 1.0), "it runs");
    line.free(place);
    assert_eq!(line.remove(tickets[2]), Some("three"));
    assert!(line.next().is_none());
    assert!(line.is_idle());
}

#[test]
fn a_reentrant_call_goes_over_the_limits_and_counts() {
    let (a, b) = (host("a"), host("b"));
    let mut line = Line::new(Limits { in_all: 2, per_host: 1 });
    line.push(&a, 0.5, "a1");
    line.push(&a, 0.5, "a2");
    let (_, mut places) = start(&mut line);
    places.push(line.take_over_limits(&a));
    places.push(line.take_over_limits(&a));
    line.push(&b, 1.0, "b1");
    assert_eq!((line.running(), line.running_on("a")), (3, 3));
    assert!(line.next().is_none(), "three run in all");
    line.free(places.remove(0));
    assert!(line.next().is_none(), "two run in all");
    line.free(places.remove(0));
    let (_, job, _place) = line.next().unwrap();
    assert_eq!(job, "b1", "a house that is over its limit stays shut");
    line.free(places.remove(0));
    assert_eq!(line.next().unwrap().1, "a2");
}

#[test]
fn only_a_line_without_waiting_and_running_jobs_is_idle() {
    let a = host("a");
    let mut line = Line::new(ONE_AT_A_TIME);
    assert!(line.is_idle());
    line.push(&a, 0.5, ());
    assert!(!line.is_idle(), "one waits");
    let (_, (), place) = line.next().unwrap();
    assert!(!line.is_idle(), "one runs");
    line.free(place);
    assert!(line.is_idle());
}

#[test]
fn all_but_a_few_hosts_without_waiting_and_running_jobs_are_forgotten() {
    let mut line = Line::new(Limits { in_all: 2000, per_host: 6 });
    let names: Vec<_> = (0..1000).map(|number| host(&format!("host-{number}:80"))).collect();
    let tickets: Vec<_> = names.iter().map(|name| line.push(name, 0.5, ())).collect();
    let mut places: Vec<_> = names.iter().map(|name| line.take_over_limits(name)).collect();
    assert_eq!(line.hosts.len(), 1000);
    for ticket in tickets.into_iter().step_by(2) {
        line.remove(ticket).unwrap();
    }
    assert_eq!(line.hosts.len(), 1000, "all have somebody running");
    places.extend(start(&mut line).1);
    assert_eq!(places.len(), 1500);
    places.into_iter().for_each(|place| line.free(place));
    assert_eq!((line.hosts.len(), line.ready.len(), line.jobs.len()), (KEPT_HOSTS, 0, 0));
}

#[test]
fn jobs_of_a_host_share_one_name() {
    let mut line = Line::new(ONE_AT_A_TIME);
    let names: Vec<_> = (0..100).map(|_| host("https://example.test:443")).collect();
    for name in &names {
        line.push(name, 0.5, ());
    }
    assert!(names[1..].iter().all(|name| Arc::strong_count(name) == 1));
}

#[test]
fn a_full_house_is_out_of_the_way_of_the_next_job() {
    let (full, other) = (host("full"), host("other"));
    let mut line = Line::new(Limits { in_all: 64, per_host: 6 });
    for number in 0..100_000 {
        line.push(&full, 1.0, number);
    }
    let (_, mut places) = start(&mut line);
    assert_eq!((line.running(), line.waiting()), (6, 99_994));
    assert!(line.ready.len() == 0, "there is nothing to walk");
    line.push(&other, 0.0, 100_000);
    assert_eq!(line.ready.len(), 1);
    assert_eq!(line.next().unwrap().1, 100_000);
    line.free(places.remove(0));
    assert_eq!(line.ready.len(), 1, "a host stands there once, whatever waits for it");
    assert_eq!(line.next().unwrap().1, 6);
}

#[test]
fn a_waiting_job_costs_less_than_200_bytes_of_the_line() {
    // std's B-trees: nodes of 11 entries, at least 5 of them used, with some 16 bytes of
    // header; an inner node has 12 children more, and stands for at least 6 nodes below.
    let per_entry = |entry: usize| {
        let leaf = 11 * entry + 16;
        let inner = leaf + 12 * size_of::<usize>();
        // 1/6 + 1/36 + ... = 1/5
        leaf.div_ceil(5) + inner.div_ceil(5 * 5)
    };
    let job = size_of::<usize>();
    let in_jobs = per_entry(size_of::<u64>() + size_of::<Waiting<usize>>()) - job;
    let in_host = per_entry(size_of::<Position>());
    assert!(in_jobs + in_host < 200, "{in_jobs} + {in_host} bytes at the worst");
}

#[test]
fn ranks_are_in_the_order_of_priorities() {
    let falling = [1.0, 0.999_999_9, 0.75, 0.5, 0.25, 1e-30, f32::from_bits(1), 0.0];
    assert!(falling.is_sorted_by(|higher, lower| Rank::of(*higher) < Rank::of(*lower)));
    assert!(Rank::RETURNING < Rank::of(1.0));
}

#[test]
fn hosts_are_told_of_once_a_minute_for_whom_somebody_waits_since_before_the_mark() {
    let now = std::time::Instant::now();
    let after = |seconds| now + std::time::Duration::from_secs(seconds);
    let mut line = Line::new(ONE_AT_A_TIME);
    line.push(&host("runs"), 0.5, 0);
    let (_, places) = start(&mut line);
    line.push(&host("a"), 0.9, 1);
    line.push(&host("b"), 0.5, 2);
    let mark = line.next_number();
    let late = line.push(&host("a"), 1.0, 3);
    line.push(&host("c"), 0.5, 4);
    let names = |stuck: Vec<Arc<str>>| {
        let mut names: Vec<_> = stuck.iter().map(|name| name.to_string()).collect();
        names.sort();
        names
    };
    assert_eq!(names(line.stuck(0, now)), [""; 0]);
    assert_eq!(names(line.stuck(mark, now)), ["a", "b"], "behind a higher priority, too");
    assert_eq!(names(line.stuck(mark, after(59))), [""; 0]);
    assert!(line.may_tell("c", after(59)) && !line.may_tell("c", after(60)));
    assert_eq!(names(line.stuck(line.next_number(), after(60))), ["a", "b"]);
    assert_eq!(names(line.stuck(line.next_number(), after(119))), ["c"]);
    assert!(!line.may_tell("nobody", now));
    line.remove(late);
    places.into_iter().for_each(|place| line.free(place));
    drain(&mut line);
    assert_eq!(names(line.stuck(line.next_number(), after(1000))), [""; 0]);
}
