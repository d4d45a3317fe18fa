//! How user code is reached: queues, the order of each task's calls, decisions, credit.
//!
//! A [`DeliveryQueue`] says on which thread delegate methods and closures run. A
//! [`Mailbox`] keeps the calls of one task apart and in order on any queue, a [`Reply`]
//! brings a decision back, and [`Credit`] stops a sender whose receiver is slow. An [`Inbox`]
//! is for what the program itself has to say from there to its own loop.

mod credit;
mod inbox;
mod mailbox;
mod queue;
mod reply;
mod serial;

pub(crate) use credit::{Credit, Loan};
pub use inbox::{Inbox, InboxSender};
pub(crate) use mailbox::Mailbox;
pub use queue::DeliveryQueue;
pub use reply::Reply;
pub(crate) use reply::{Course, Inquiry, Settled};
