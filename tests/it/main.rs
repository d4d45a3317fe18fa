//! What a program sees of the crate, tested against the loopback server of
//! `urlsession::testing`, through the public API only.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cancel;
mod challenges;
mod connecting;
mod connectivity;
mod data;
mod deadlocks;
mod decoding;
mod defects;
mod differential;
mod download_disk;
mod download_forms;
mod download_places;
mod downloads;
mod edges;
mod folder;
mod forms;
mod framing;
mod gone;
mod guarantees;
mod heads;
mod hostile;
mod idle_threads;
mod inside;
mod line;
mod look_ups;
mod memory;
mod panics;
mod pool;
mod raw_answers;
mod recording;
mod redirect_credentials;
mod redirect_secrets;
mod redirects;
mod refused_threads;
mod requests;
mod responses;
mod running;
mod scenes;
#[cfg(target_os = "linux")]
mod signals;
mod stale;
mod tasks;
mod timeouts;
#[cfg(feature = "tls")]
mod tls;
mod transfer_log;
#[cfg(feature = "tls")]
mod trust;
mod upload_files;
mod upload_forms;
#[cfg(target_os = "linux")]
mod upload_pipes;
mod upload_progress;
mod upload_tasks;
mod uploads;
mod uploads_early;
