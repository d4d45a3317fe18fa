//! What a program sees of the crate, tested against the loopback server of
//! `urlsession::testing`, through the public API only.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cancel;
mod connecting;
mod data;
mod decoding;
mod differential;
mod edges;
mod folder;
mod forms;
mod framing;
mod gone;
mod heads;
mod hostile;
mod look_ups;
mod memory;
mod pool;
mod raw_answers;
mod redirect_secrets;
mod redirects;
mod requests;
mod responses;
mod running;
mod scenes;
mod stale;
mod timeouts;
#[cfg(feature = "tls")]
mod tls;
mod uploads;
mod uploads_early;
