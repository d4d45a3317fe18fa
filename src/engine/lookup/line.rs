//! Who is asked about next, and how many helpers there are to ask.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::fork::Maker;

/// How many helpers ask at once while their look-ups come back.
const HELPERS: usize = 8;

/// How many there are at most, with those whose look-ups hang.
const MOST_HELPERS: usize = 64;

/// How many of them may be busy with one host, whatever the port: a host whose name server
/// is silent keeps no more of them.
const PER_HOST: usize = 2;

/// After this time a look-up counts as one that hangs, and its helper is replaced.
const HANGS_AFTER: Duration = Duration::from_millis(250);

/// After this time an answer is no longer worth waiting for to those who come new: what it
/// hangs on, such as a network that has gone, may be over. Resolvers ask a server again, or
/// the next one, after as long (resolv.conf(5), `timeout`).
const OUTDATED_AFTER: Duration = Duration::from_secs(5);

/// One host and port that somebody asks for, and `T`, which those who ask share.
#[derive(Debug)]
pub(super) struct Question<T> {
    pub(super) host: Box<str>,
    pub(super) port: u16,
    pub(super) call: T,
}

/// The questions of one session that have no answer yet.
#[derive(Debug)]
pub(super) struct Line<T> {
    /// In the order in which they were asked.
    waiting: Vec<Waiting<T>>,
    asking: Vec<Asking<T>>,
    /// All that have been started and have not ended.
    helpers: usize,
    closed: bool,
    /// Whose helpers these are.
    maker: Maker,
}

#[derive(Debug)]
struct Waiting<T> {
    question: Arc<Question<T>>,
    askers: usize,
}

/// A question that keeps a helper.
#[derive(Debug)]
struct Asking<T> {
    question: Arc<Question<T>>,
    since: Instant,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        let (waiting, asking) = (Vec::new(), Vec::new());
        Self { waiting, asking, helpers: 0, closed: false, maker: Maker::this_process() }
    }
}

impl<T: Default> Line<T> {
    /// Asks for a host and port: joins those who do already, or stands in line.
    pub(super) fn ask(&mut self, host: &str, port: u16, now: Instant) -> Arc<Question<T>> {
        if !self.maker.is_this_process() {
            // A process that was forked off has none of the threads, and its copies of those
            // who ask are nobody.
            *self = Self { closed: self.closed, ..Self::default() };
        }
        let is_it = |question: &Question<T>| *question.host == *host && question.port == port;
        if let Some(waiting) = self.waiting.iter_mut().find(|one| is_it(&one.question)) {
            waiting.askers += 1;
            return waiting.question.clone();
        }
        let fresh = |one: &&Asking<T>| is_it(&one.question) && one.takes(now) < OUTDATED_AFTER;
        if let Some(asking) = self.asking.iter().find(fresh) {
            return asking.question.clone();
        }
        let question = Arc::new(Question { host: host.into(), port, call: T::default() });
        self.waiting.push(Waiting { question: question.clone(), askers: 1 });
        question
    }

    /// One of those who ask does so no longer. A question in line that nobody asks any more is
    /// never asked.
    pub(super) fn leave(&mut self, question: &Arc<Question<T>>) {
        let same = |one: &Waiting<T>| Arc::ptr_eq(&one.question, question);
        let Some(at) = self.waiting.iter().position(same) else { return };
        self.waiting[at].askers -= 1;
        if self.waiting[at].askers == 0 {
            self.waiting.remove(at);
        }
    }

    /// Takes out the question that a helper asks next.
    pub(super) fn take(&mut self, now: Instant) -> Option<Arc<Question<T>>> {
        let at =
            self.waiting.iter().position(|one| self.busy_with(&one.question.host) < PER_HOST)?;
        let Waiting { question, .. } = self.waiting.remove(at);
        self.asking.push(Asking { question: question.clone(), since: now });
        Some(question)
    }

    /// A helper has come back from its question.
    pub(super) fn finish(&mut self, question: &Arc<Question<T>>) {
        self.asking.retain(|one| !Arc::ptr_eq(&one.question, question));
    }

    /// Counts one more helper if one is due; returns whether one has to be started.
    pub(super) fn begin_helper(&mut self, now: Instant) -> bool {
        let hanging = self.asking.iter().filter(|one| one.takes(now) >= HANGS_AFTER).count();
        let free = self.helpers - self.asking.len();
        let is_due =
            free < self.ready() && self.helpers - hanging < HELPERS && self.helpers < MOST_HELPERS;
        self.helpers += usize::from(is_due);
        is_due
    }

    /// A helper has ended, or was not to be had. Returns the questions that then have nobody
    /// to ask them.
    pub(super) fn end_helper(&mut self) -> Vec<Arc<Question<T>>> {
        self.helpers -= 1;
        let mut stranded = Vec::new();
        if self.helpers == 0 {
            for one in std::mem::take(&mut self.waiting) {
                stranded.push(one.question);
            }
        }
        stranded
    }

    /// Returns how long those who ask wait before they look whether another helper is due;
    /// `None` if that is of no use to them.
    pub(super) fn next_look(&self, question: &Arc<Question<T>>, now: Instant) -> Option<Duration> {
        let in_line = self.waiting.iter().any(|one| Arc::ptr_eq(&one.question, question));
        let left = |one: &Asking<T>| HANGS_AFTER.checked_sub(one.takes(now));
        let next = self.asking.iter().filter_map(left).filter(|left| !left.is_zero()).min();
        in_line.then_some(next.unwrap_or(HANGS_AFTER))
    }

    /// Has helpers end that find nothing to do.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    fn busy_with(&self, host: &str) -> usize {
        self.asking.iter().filter(|one| *one.question.host == *host).count()
    }

    /// Returns how many questions could be asked at this moment, if there were helpers.
    fn ready(&self) -> usize {
        let mut hosts: Vec<&str> = self.asking.iter().map(|one| &*one.question.host).collect();
        let before = hosts.len();
        for one in &self.waiting {
            let host = &*one.question.host;
            if hosts.iter().filter(|other| **other == host).count() < PER_HOST {
                hosts.push(host);
            }
        }
        hosts.len() - before
    }
}

impl<T> Asking<T> {
    fn takes(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line at a time of its own, and the helpers that it asked for.
    struct Scene {
        line: Line<()>,
        now: Instant,
    }

    impl Scene {
        fn new() -> Self {
            Self { line: Line::default(), now: Instant::now() }
        }

        fn ask(&mut self, host: &str, port: u16) -> Arc<Question<()>> {
            self.line.ask(host, port, self.now)
        }

        /// Starts the helpers that are due, each of which takes a question; returns what is
        /// asked then.
        fn work(&mut self) -> Vec<String> {
            while self.line.begin_helper(self.now) {}
            let mut taken = Vec::new();
            while self.line.helpers > self.line.asking.len()
                && let Some(question) = self.line.take(self.now)
            {
                taken.push(format!("{}:{}", question.host, question.port));
            }
            taken
        }
    }

    #[test]
    fn all_who_ask_for_a_host_and_port_share_one_question() {
        let mut scene = Scene::new();
        let first = scene.ask("a", 1);
        let same = |scene: &mut Scene, host, port| Arc::ptr_eq(&first, &scene.ask(host, port));
        assert!(same(&mut scene, "a", 1));
        assert!(!same(&mut scene, "a", 2));
        assert!(!same(&mut scene, "b", 1));
        assert_eq!(scene.work(), ["a:1", "a:2", "b:1"]);
        // Also while it is asked; but not what has hung for too long.
        for (later, shared) in [(0, true), (4999, true), (1, false)] {
            scene.now += Duration::from_millis(later);
            assert_eq!(same(&mut scene, "a", 1), shared, "{later}");
        }
        scene.line.finish(&first);
        assert!(!same(&mut scene, "a", 1));
    }

    #[test]
    fn what_nobody_asks_any_more_is_not_asked() {
        let mut scene = Scene::new();
        let (one, two) = (scene.ask("a", 1), scene.ask("b", 1));
        scene.ask("b", 1);
        for question in [&one, &two] {
            scene.line.leave(question);
        }
        assert_eq!(scene.work(), ["b:1"]);
        // It is asked already; leaving changes nothing.
        scene.line.leave(&two);
        assert!(scene.work().is_empty());
    }

    #[test]
    fn helpers_that_hang_are_replaced_up_to_a_bound() {
        let mut scene = Scene::new();
        for host in 0..1000 {
            scene.ask(&host.to_string(), 1);
        }
        let mut asked = 0;
        for (later, more) in
            [(0, 8), (249, 0), (1, 8), (250, 8), (1000, 8), (250, 8), (250, 8), (250, 8)]
        {
            scene.now += Duration::from_millis(later);
            assert_eq!(scene.work().len(), more, "{later} ms after {asked}");
            asked += more;
        }
        assert_eq!(asked, 56);
        for more in [8, 0, 0] {
            scene.now += HANGS_AFTER;
            assert_eq!(scene.work().len(), more);
        }
        // Those that come back go on; no more hang than before.
        let back = scene.line.asking[0].question.clone();
        scene.line.finish(&back);
        assert_eq!(scene.work(), ["64:1"]);
    }

    #[test]
    fn one_host_keeps_two_helpers_and_lets_others_pass() {
        let mut scene = Scene::new();
        for (host, port) in [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("a", 4), ("c", 1)] {
            scene.ask(host, port);
        }
        assert_eq!(scene.work(), ["a:1", "a:2", "b:1", "c:1"]);
        assert_eq!(scene.line.helpers, 4);
        scene.now += HANGS_AFTER * 100;
        assert!(scene.work().is_empty());
        let done = scene.line.asking[0].question.clone();
        scene.line.finish(&done);
        assert_eq!(scene.work(), ["a:3"]);
        assert_eq!(scene.line.helpers, 4);
    }

    #[test]
    fn whoever_stands_in_line_looks_again_when_a_helper_begins_to_hang() {
        let mut scene = Scene::new();
        for host in 0..8 {
            scene.ask(&host.to_string(), 1);
            scene.work();
            scene.now += Duration::from_millis(10);
        }
        let (asked, waits) = (scene.ask("0", 1), scene.ask("new", 1));
        let look = |scene: &Scene, question| scene.line.next_look(question, scene.now);
        assert_eq!(look(&scene, &asked), None);
        assert_eq!(look(&scene, &waits), Some(Duration::from_millis(170)));
        scene.now += Duration::from_millis(170);
        assert_eq!(look(&scene, &waits), Some(Duration::from_millis(10)));
        scene.now += HANGS_AFTER;
        assert_eq!(look(&scene, &waits), Some(HANGS_AFTER));
    }

    #[test]
    fn without_a_helper_nobody_waits() {
        let mut scene = Scene::new();
        let question = scene.ask("a", 1);
        assert!(scene.line.begin_helper(scene.now));
        let stranded = scene.line.end_helper();
        assert!(stranded.len() == 1 && Arc::ptr_eq(&stranded[0], &question));
        // The next one is asked about again.
        assert!(!Arc::ptr_eq(&scene.ask("a", 1), &question));
        assert_eq!(scene.work(), ["a:1"]);
    }
}
