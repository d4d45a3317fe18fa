//! Tasks: one transfer each, made by a session.
//!
//! A [`Core`] is what a task is; handles of the program share it with whoever runs it. Its
//! state has parts: its `life`, its `dispatch` to threads, its `attempts`. What it knows of
//! those above it stands in `seams`: the [`Scheduler`] that runs it, the [`Listener`] that
//! tells of it.
//!
//! A task and its session know each other, so some files stand in a circle. Those of it that are not in
//! here name the files in here one by one, so that the rest stays out of it.

mod attempts;
mod control;
mod dispatch;
pub(super) mod handles;
mod inner;
mod life;
mod product;
pub(super) mod progress;
mod reports;
mod run;
mod saving;
mod schedule;
pub(super) mod seams;
mod seen;

pub(crate) use dispatch::{Dispatch, Place, Slot, Ticket};
pub use handles::{DataTask, DownloadTask, Task, UploadTask};
pub(crate) use inner::{Core, Locked, Record};
pub use life::TaskState;
pub(crate) use product::{Brought, Kind, Product, Sends};
pub use progress::Progress;
pub use reports::Update;
pub(crate) use reports::{Item, Reports, SendUpdate};
#[cfg(feature = "background")]
pub(crate) use schedule::Schedule;
pub(crate) use seams::{Listener, Scheduler, TakeResumeData, Voice, give_voice, voice};
