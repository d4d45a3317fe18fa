//! The line beside a model of it, through thousands of random steps.

use super::host;
use crate::session::local::line::{Host, Limits, Line};
use crate::session::task::{Place, Ticket};

/// Marsaglia's xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

const HOSTS: [&str; 5] = ["a", "b", "c", "d", "e"];
const PRIORITIES: [f32; 9] = [0.0, -0.0, 0.25, 0.5, f32::NAN, 0.75, 1.0, -3.0, 9.0];

/// What the line is, said in the simplest way: a list that is searched from end to end.
struct Model {
    limits: Limits,
    waiting: Vec<ModelJob>,
    running: [usize; HOSTS.len()],
}

struct ModelJob {
    job: usize,
    host: usize,
    /// Infinite for one that returns.
    priority: f32,
}

impl Model {
    fn priority(given: f32) -> f32 {
        if given.is_nan() { 0.5 } else { given.clamp(0.0, 1.0) }
    }

    fn remove(&mut self, job: usize) -> Option<usize> {
        let at = self.waiting.iter().position(|waiting| waiting.job == job)?;
        Some(self.waiting.remove(at).job)
    }

    fn set_priority(&mut self, job: usize, priority: f32) -> bool {
        let Some(found) = self.waiting.iter_mut().find(|waiting| waiting.job == job) else {
            return false;
        };
        if found.priority.is_finite() {
            found.priority = Self::priority(priority);
        }
        true
    }

    fn next(&mut self) -> Option<(usize, usize)> {
        if self.running.iter().sum::<usize>() >= self.limits.in_all {
            return None;
        }
        let mut best: Option<&ModelJob> = None;
        for waiting in &self.waiting {
            let may_run = self.running[waiting.host] < self.limits.per_host;
            // The list is in order of age: of equal ones the first found stays.
            if may_run && best.is_none_or(|best| waiting.priority > best.priority) {
                best = Some(waiting);
            }
        }
        let (job, host) = best.map(|best| (best.job, best.host))?;
        self.remove(job);
        self.running[host] += 1;
        Some((job, host))
    }
}

/// The line and its model, to which everything happens alike.
struct Pair {
    line: Line<usize>,
    model: Model,
    /// By job: both count from 0.
    tickets: Vec<Ticket>,
    places: Vec<(usize, Place)>,
    random: Random,
    /// How often each step did something, so that the test cannot pass by doing nothing.
    effects: [usize; 7],
}

impl Pair {
    fn new(limits: Limits, seed: u64) -> Self {
        Self {
            line: Line::new(limits),
            model: Model { limits, waiting: Vec::new(), running: [0; HOSTS.len()] },
            tickets: Vec::new(),
            places: Vec::new(),
            random: Random(seed),
            effects: [0; 7],
        }
    }

    fn priority(&mut self) -> f32 {
        PRIORITIES[self.random.below(PRIORITIES.len())]
    }

    /// Mostly one of the younger jobs, which are more likely to wait still.
    fn any_job(&mut self) -> Option<usize> {
        let count = self.tickets.len();
        let reach = if self.random.below(4) == 0 { count } else { count.min(60) };
        (count > 0).then(|| count - 1 - self.random.below(reach))
    }

    fn push(&mut self, returning: bool) -> bool {
        let (index, job) = (self.random.below(HOSTS.len()), self.tickets.len());
        let name = host(HOSTS[index]);
        let given = self.priority();
        let priority = if returning { f32::INFINITY } else { Model::priority(given) };
        self.model.waiting.push(ModelJob { job, host: index, priority });
        self.tickets.push(if returning {
            self.line.push_returning(&name, job)
        } else {
            self.line.push(&name, given, job)
        });
        true
    }

    fn remove(&mut self) -> bool {
        let Some(job) = self.any_job() else { return false };
        let removed = self.line.remove(self.tickets[job]);
        assert_eq!(removed, self.model.remove(job));
        removed.is_some()
    }

    fn set_priority(&mut self) -> bool {
        let Some(job) = self.any_job() else { return false };
        let priority = self.priority();
        let done = self.line.set_priority(self.tickets[job], priority);
        assert_eq!(done, self.model.set_priority(job, priority));
        done
    }

    fn next(&mut self) -> bool {
        let (next, expected) = (self.line.next(), self.model.next());
        assert_eq!(next.as_ref().map(|(_, job, _)| *job), expected.map(|(job, _)| job));
        if let Some(((_, _, place), (_, host))) = next.zip(expected) {
            assert_eq!(&*place.0, HOSTS[host]);
            self.places.push((host, place));
            return true;
        }
        false
    }

    fn free(&mut self) -> bool {
        if self.places.is_empty() {
            return false;
        }
        let at = self.random.below(self.places.len());
        let (host, place) = self.places.swap_remove(at);
        self.line.free(place);
        self.model.running[host] -= 1;
        true
    }

    fn take_over_limits(&mut self) -> bool {
        let index = self.random.below(HOSTS.len());
        self.places.push((index, self.line.take_over_limits(&host(HOSTS[index]))));
        self.model.running[index] += 1;
        true
    }

    /// Does one thing, of which `weights` says how likely each is.
    fn step(&mut self, weights: [usize; 7]) {
        let mut drawn = self.random.below(weights.iter().sum());
        let mut what = 0;
        while drawn >= weights[what] {
            drawn -= weights[what];
            what += 1;
        }
        let had_effect = match what {
            0 => self.push(false),
            1 => self.push(true),
            2 => self.remove(),
            3 => self.set_priority(),
            4 => self.next(),
            5 => self.free(),
            _ => self.take_over_limits(),
        };
        self.effects[what] += usize::from(had_effect);
        self.compare();
    }

    fn compare(&self) {
        let (line, model) = (&self.line, &self.model);
        let running: usize = model.running.iter().sum();
        assert_eq!((line.waiting(), line.running()), (model.waiting.len(), running));
        assert_eq!(line.is_idle(), model.waiting.is_empty() && running == 0);
        let (mut known, mut ready) = (0, 0);
        for (index, name) in HOSTS.iter().enumerate() {
            let busy = model.running[index];
            assert_eq!(line.running_on(name), busy);
            let awaited = model.waiting.iter().any(|waiting| waiting.host == index);
            known += usize::from(awaited || busy > 0);
            ready += usize::from(awaited && busy < model.limits.per_host);
        }
        let hosts = line.hosts.iter().map(|(_, host)| &**host);
        let in_use = |host: &&Host| !host.waiting.is_empty() || host.running > 0;
        assert_eq!((hosts.filter(in_use).count(), line.ready.len()), (known, ready));
    }
}

#[test]
fn the_line_does_what_a_searched_list_does() {
    // Push, return, remove, set priority, next, free, go over: filling, busy, emptying.
    let seasons = [[9, 1, 1, 3, 2, 1, 0], [4, 2, 2, 3, 6, 5, 1], [1, 0, 4, 2, 8, 7, 0]];
    let limits = [(1, 1), (3, 2), (8, 2), (4, 6), (64, 6)];
    for (seed, (in_all, per_host)) in limits.into_iter().enumerate() {
        let mut pair = Pair::new(Limits { in_all, per_host }, 0x9E37_79B9 + seed as u64);
        for step in 0..6000 {
            pair.step(seasons[step / 400 % seasons.len()]);
        }
        assert!(pair.effects.iter().all(|&count| count > 50), "{:?}", pair.effects);
        while !pair.line.is_idle() {
            while pair.next() {}
            pair.free();
            pair.compare();
        }
        assert!(pair.model.waiting.is_empty());
    }
}
