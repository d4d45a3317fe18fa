//! The life of `urlsessiond`, as a process of its own: it begins once, lets in whom it may, and
//! leaves nothing behind.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(target_os = "linux")]
mod apart;
mod away;
mod begins;
mod certificates;
mod crowd;
mod guest;
mod hosted;
mod kills;
mod launch;
mod leaves;
mod neighbours;
mod process;
mod resume_data;
mod versions;
