//! The file of a download: how it begins, goes on after an interruption, and ends.
//!
//! A transfer holds a [`Sink`], which outlives its attempts. It says what to ask for, looks at
//! the head of each answer, takes the body, and says in the end whether it is whole. What becomes
//! of an answer is the table in `answer.rs`, a pure function; `record.rs` is what is written down
//! of it.
//!
//! Transfers know what makes sinks by a pointer, which is there from the moment on that the
//! program makes its first download: so a program that never does is linked without all this.

mod answer;
mod beside;
mod data;
mod digest;
mod entity;
mod expected;
mod part;
#[cfg(feature = "background")]
mod proof;
mod range;
mod ranges;
mod record;
mod saving;
mod shares;
mod sink;
mod split;

#[cfg(feature = "background")]
pub(crate) use beside::{forget_all, go_on_at, readdress, take, tidy};

pub use answer::StartOver;
pub use data::ResumeData;
pub(crate) use digest::Digest;
#[cfg(feature = "background")]
pub(crate) use expected::Expected;
#[cfg(feature = "background")]
pub(crate) use proof::flaw;
pub(crate) use saving::Saving;
pub(crate) use sink::{Course, End, Fit, Output, Parts, Share, Sink, Split, give_maker, maker};
