//! What the records of a journal come to: every task that is not over, and what happened to them
//! that the program has not heard of yet.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::form;
use super::job::{Event, Job, Phase};

/// All that is known of the tasks of one session.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Boxed: a tree that was filled in order is half empty.
    pub(super) jobs: BTreeMap<u64, Box<Job>>,
    /// What the program has not heard of, by their numbers, with the task that each belongs to.
    events: BTreeMap<u64, (u64, Event)>,
    /// The same tasks with these numbers.
    unheard: BTreeSet<(u64, u64)>,
    /// The latest task of each key.
    keys: HashMap<String, u64>,
    last_task: u64,
    last_event: u64,
}

impl Ledger {
    /// Takes in one record; returns whether it was one.
    pub(super) fn apply(&mut self, record: &Value) -> bool {
        self.take(record).is_some()
    }

    fn take(&mut self, record: &Value) -> Option<()> {
        let fields = record.as_object()?;
        let number = |name: &str| fields.get(name).and_then(Value::as_u64);
        if let Some(task) = fields.get("task") {
            self.put(form::read_job(task)?);
        } else if let Some(event) = fields.get("event") {
            let task = number("of")?;
            self.happened(number("number")?, task, form::read_event(event)?);
        } else if let Some(event) = number("told") {
            self.heard(event);
        } else if let Some(task) = number("gone") {
            self.forget(task);
        } else {
            self.last_task = self.last_task.max(number("last-task")?);
            self.last_event = self.last_event.max(number("last-event")?);
        }
        Some(())
    }

    /// Has it known as it is now.
    pub(super) fn put(&mut self, job: Job) {
        self.last_task = self.last_task.max(job.id);
        if let Some(ending) = job.ending() {
            self.last_event = self.last_event.max(ending.number);
        }
        if let Some(key) = job.request.own_task_key() {
            let latest = self.keys.entry(key.to_owned()).or_default();
            *latest = job.id.max(*latest);
        }
        self.jobs.insert(job.id, Box::new(job));
    }

    pub(super) fn happened(&mut self, number: u64, task: u64, event: Event) {
        self.last_event = self.last_event.max(number);
        self.unheard.insert((task, number));
        self.events.insert(number, (task, event));
    }

    /// Returns what happened with this number, if the program has not heard of it.
    pub(super) fn event(&self, number: u64) -> Option<&(u64, Event)> {
        self.events.get(&number)
    }

    /// The program has heard of it.
    pub(super) fn heard(&mut self, number: u64) -> Option<Event> {
        let (task, event) = self.events.remove(&number)?;
        self.unheard.remove(&(task, number));
        Some(event)
    }

    /// Nobody has to know of the task any more.
    pub(super) fn forget(&mut self, task: u64) -> (Option<Box<Job>>, Vec<Event>) {
        let of_task = self.unheard.range((task, 0)..=(task, u64::MAX));
        let numbers: Vec<u64> = of_task.map(|(_, number)| *number).collect();
        let events = numbers.into_iter().filter_map(|number| self.heard(number)).collect();
        let job = self.jobs.remove(&task);
        if let Some(key) = job.as_ref().and_then(|job| job.request.own_task_key())
            && self.keys.get(key) == Some(&task)
        {
            self.keys.remove(key);
        }
        (job, events)
    }

    /// Returns the number of the last task.
    pub(super) fn last_task(&self) -> u64 {
        self.last_task
    }

    /// Returns the number of the next event.
    pub(super) fn next_event(&mut self) -> u64 {
        self.last_event += 1;
        self.last_event
    }

    /// Returns the latest task that has this key.
    pub(super) fn with_key(&self, key: &str) -> Option<u64> {
        self.keys.get(key).copied()
    }

    /// Returns the tasks whose ends have to be told, by the numbers of these.
    pub(super) fn untold_ends(&self) -> HashMap<u64, u64> {
        let ends = self.jobs.values().filter_map(|job| match &job.phase {
            // Whose file was not taken is told of again.
            Phase::Ended(ending) if !(ending.is_told && ending.is_taken) => {
                Some((ending.number, job.id))
            }
            _ => None,
        });
        ends.collect()
    }

    /// Returns what has to be told, in order: events, and ends by their numbers.
    pub(super) fn untold(&self) -> Vec<u64> {
        let ends = self.untold_ends().into_keys();
        let mut numbers: Vec<u64> = self.events.keys().copied().chain(ends).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Returns the records that say the same, one after the other: all at once are several times
    /// as large as what they are written from.
    pub(super) fn records(&self, with_secrets: bool) -> impl Iterator<Item = Value> {
        let counters = json!({ "last-task": self.last_task, "last-event": self.last_event });
        let jobs = self.jobs.values().map(move |job| task(job, with_secrets));
        let events = self.events.iter().map(|(number, (task, what))| event(*number, *task, what));
        [counters].into_iter().chain(jobs).chain(events)
    }
}

/// The record of a task as it is now.
pub(super) fn task(job: &Job, with_secrets: bool) -> Value {
    json!({ "task": form::write_job(job, with_secrets) })
}

/// The record of something that happened.
pub(super) fn event(number: u64, task: u64, event: &Event) -> Value {
    json!({ "number": number, "of": task, "event": form::write_event(event) })
}

/// The record of something that the program has heard of.
pub(super) fn told(number: u64) -> Value {
    json!({ "told": number })
}

/// The record of a task that is over.
pub(super) fn gone(task: u64) -> Value {
    json!({ "gone": task })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_is_forgotten_takes_its_own_events_along() {
        let mut ledger = Ledger::default();
        for (number, task) in [(1, 7), (2, 8), (3, 7), (4, 7)] {
            ledger.happened(number, task, Event::Resumed { offset: number, total: None });
        }
        assert!(matches!(ledger.heard(3), Some(Event::Resumed { offset: 3, .. })));
        let (job, events) = ledger.forget(7);
        assert!(job.is_none() && events.len() == 2, "{events:?}");
        assert_eq!(ledger.untold(), [2]);
        assert!(ledger.event(1).is_none() && ledger.heard(1).is_none());
        assert_eq!(ledger.forget(8).1.len(), 1);
        assert_eq!((ledger.untold(), ledger.next_event()), (Vec::new(), 5));
    }
}
