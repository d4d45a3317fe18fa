//! Who is told and asked about a task, on whatever thread its delivery queue has.
//!
//! Whoever runs a task calls this room: `Core::ask` and what stands upon it asks its
//! delegates, a `Listener` tells while the transfer goes on, a
//! [`Completion`] tells the end, once.

mod asking;
mod calls;
mod finish;
mod pace;
mod resume_data;
mod telling;
mod updates;
mod voice;

pub(super) use asking::SOON;
#[cfg(feature = "background")]
pub(crate) use calls::call_delegate;
pub(crate) use calls::tell_invalid;
pub(super) use calls::{call, guarded};
pub(crate) use finish::Completion;
pub use updates::Updates;
pub(super) use voice::give_voice;
