//! What a program was told in this run.

use std::collections::{HashMap, HashSet};

use crate::background::host::Command;

/// The numbers of what was told, until the daemon knows that it was heard. A daemon that comes
/// after another tells all again that it does not know to be heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    numbers: HashSet<u64>,
    /// The numbers of ends, by their tasks.
    ends: HashMap<u64, u64>,
}

impl Heard {
    /// Returns whether something that happened is to be told.
    pub(super) fn is_new(&mut self, number: u64) -> bool {
        self.numbers.insert(number)
    }

    /// Returns whether the end of a task is to be told.
    pub(super) fn is_new_end(&mut self, task: u64, number: u64) -> bool {
        self.ends.insert(task, number);
        self.is_new(number)
    }

    /// The daemon has done this.
    pub(super) fn is_done(&mut self, command: &Command) {
        match command {
            Command::Heard(number) => {
                self.numbers.remove(number);
            }
            Command::Acknowledge(task) => {
                if let Some(number) = self.ends.remove(task) {
                    self.numbers.remove(&number);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_told_twice_until_the_daemon_knows_that_it_was_heard() {
        let mut heard = Heard::default();
        assert!(heard.is_new(4) && !heard.is_new(4));
        assert!(heard.is_new_end(1, 5) && !heard.is_new_end(1, 5));
        heard.is_done(&Command::Taken(1));
        assert!(!heard.is_new(4) && !heard.is_new(5));
        heard.is_done(&Command::Acknowledge(1));
        heard.is_done(&Command::Heard(4));
        assert_eq!(heard.numbers.len() + heard.ends.len(), 0);
    }
}
