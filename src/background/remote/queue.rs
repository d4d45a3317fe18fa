//! The orders of a program that its daemon has not done yet.

use std::collections::VecDeque;
use std::io;

use crate::background::host::Command;
use crate::background::protocol::{Order, Question};
use crate::error::{Error, ErrorKind};
use crate::log;

/// Orders in the order in which they were given, until they are done.
///
/// A daemon may die at any moment. What it has not said to be done is given once more to the next
/// one, which may find it done: so each order may be done twice. To create a task twice would not
/// do if it was forgotten in between. So what makes a daemon forget a task is given only when all
/// before it is done.
#[derive(Debug, Default)]
pub(super) struct Orders {
    waiting: VecDeque<Order>,
    /// How many of them, from the first, are given to this connection.
    given: usize,
    /// How many of those are on their way: the process may end.
    written: usize,
    /// How many are done.
    done: u64,
}

impl Orders {
    /// Takes one on; returns its number.
    pub(super) fn push(&mut self, order: Order) -> u64 {
        self.waiting.push_back(order);
        self.done + self.waiting.len() as u64
    }

    /// Whether the order with this number is on its way, or is done.
    pub(super) fn was_written(&self, number: u64) -> bool {
        number <= self.done + self.written as u64
    }

    /// So many more are on their way.
    pub(super) fn wrote(&mut self, count: usize) {
        self.written = self.given.min(self.written + count);
    }

    /// Returns the next order to give, if it may be given now.
    pub(super) fn next(&mut self) -> Option<&Order> {
        let order = self.waiting.get(self.given)?;
        if self.given > 0 && forgets(order) {
            return None;
        }
        self.given += 1;
        Some(order)
    }

    /// Has the order that was next given as what can be, as it fits no frame: its task ends with
    /// this error.
    pub(super) fn replace_last(&mut self, why: io::Error) -> &Order {
        let last = &mut self.waiting[self.given - 1];
        *last = instead_of(last, why);
        last
    }

    /// So many more, from the first that is not, are done; returns them.
    pub(super) fn done(&mut self, count: usize) -> Vec<Order> {
        let count = count.min(self.given);
        self.given -= count;
        // It may have been done before the call that has written it was back.
        self.written = self.written.saturating_sub(count);
        self.done += count as u64;
        self.waiting.drain(..count).collect()
    }

    /// Takes all that are not done, as if they were.
    pub(super) fn take(&mut self) -> Vec<Order> {
        self.given = self.waiting.len();
        self.done(self.given)
    }

    /// Has all be given once more, on another connection.
    pub(super) fn start_over(&mut self) {
        (self.given, self.written) = (0, 0);
    }
}

fn forgets(order: &Order) -> bool {
    match order {
        Order::Obey(command) => {
            matches!(command, Command::Withdraw(_) | Command::Acknowledge(_) | Command::Taken(_))
        }
        _ => false,
    }
}

/// What a task is made of has room (`client/extent.rs`); an error that came from a server may not.
fn instead_of(order: &Order, why: io::Error) -> Order {
    let detail = "what is to be said of the task to urlsessiond is too long";
    let error = Error::new(ErrorKind::DataLengthExceedsMaximum, detail).by_system(why);
    match order {
        Order::Obey(
            Command::Update(task, _)
            | Command::Resume(task, _)
            | Command::Cancel(task, _)
            | Command::Renew(task, ..)
            | Command::Begin(task, _),
        ) => Order::Obey(Command::Cancel(*task, Some(error))),
        _ => {
            log::error!("an order is left out: {error}");
            Order::Ask { call: 0, question: Question::Flush }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::background::protocol::frame;

    #[test]
    fn a_task_of_which_too_much_is_to_be_said_ends() {
        let failed = Error::new(ErrorKind::Unknown, "a".repeat(frame::MOST));
        let mut orders = orders(&[Command::Halt, Command::Renew(7, None, failed)]);
        orders.next();
        orders.next();
        let why = || io::Error::from(io::ErrorKind::InvalidInput);
        let Order::Obey(Command::Cancel(7, Some(error))) = orders.replace_last(why()) else {
            panic!("{orders:?}");
        };
        assert_eq!(error.kind(), ErrorKind::DataLengthExceedsMaximum);
        assert_eq!(orders.done(2).len(), 2);
    }

    fn orders(commands: &[Command]) -> Orders {
        let mut orders = Orders::default();
        for command in commands {
            orders.push(Order::Obey(command.clone()));
        }
        orders
    }

    fn given(orders: &mut Orders) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(Order::Obey(command)) = orders.next() {
            all.push(format!("{command:?}"));
        }
        all
    }

    #[test]
    fn what_makes_it_forget_waits_for_all_before_it() {
        let commands =
            [Command::Suspend(1), Command::Heard(4), Command::Acknowledge(1), Command::Halt];
        let mut orders = orders(&commands);
        assert_eq!(given(&mut orders), ["Suspend(1)", "Heard(4)"]);
        assert!(!orders.was_written(1));
        orders.wrote(2);
        assert!(orders.was_written(2) && !orders.was_written(3));
        assert_eq!(orders.done(1).len(), 1);
        assert_eq!(given(&mut orders), [""; 0]);
        assert_eq!(orders.done(1).len(), 1);
        assert_eq!(given(&mut orders), ["Acknowledge(1)", "Halt"]);
        assert_eq!(orders.done(7).len(), 2);
        assert_eq!(orders.waiting.len(), 0);
    }

    #[test]
    fn what_is_not_done_is_given_again_to_the_next() {
        let mut orders = orders(&[Command::Suspend(1), Command::Suspend(2), Command::Halt]);
        assert_eq!(given(&mut orders).len(), 3);
        assert_eq!(orders.done(1).len(), 1);
        orders.start_over();
        assert_eq!(given(&mut orders), ["Suspend(2)", "Halt"]);
    }
}
