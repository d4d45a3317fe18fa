//! What a program sees of the crate, tested against the loopback server of
//! `urlsession::testing`, through the public API only.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(feature = "background")]
#[macro_use]
#[path = "../hosts/mod.rs"]
mod hosts;

mod accepted_status;
mod after_the_end;
#[cfg(feature = "background")]
mod background;
mod body_types;
mod busy_loads;
mod calls_in_place;
mod cancel;
mod challenges;
mod codings_asked;
mod connecting;
mod connectivity;
mod cookies;
mod data;
mod deadlocks;
mod decoding;
mod decoding_time;
#[cfg(target_os = "linux")]
mod descriptors;
mod differential;
mod download_disk;
mod download_places;
#[cfg(target_os = "linux")]
mod download_splices;
mod download_writes;
mod downloads;
mod drops;
mod edges;
mod error_lines;
mod expectations;
#[cfg(unix)]
mod forks;
mod forms;
mod framing;
mod guarantees;
mod heads;
mod hostile;
mod hsts;
mod idle_threads;
mod inbox;
mod inside;
mod keep_alive;
mod large_bodies;
mod line;
mod look_ups;
mod many_suspended;
mod many_suspended_asked;
mod many_suspended_blocked;
mod many_suspended_redirected;
#[cfg(feature = "tls")]
mod many_suspended_securing;
mod many_suspended_unanswered;
mod memory;
#[cfg(target_os = "linux")]
mod network_changes;
mod no_network;
mod odd_heads;
mod own_headers;
mod own_timers;
mod panics;
mod pool;
mod redirect_credentials;
mod redirect_secrets;
mod redirects;
mod refused_threads;
mod requests;
mod responses;
mod resuming;
mod retries;
mod segments;
mod services;
#[cfg(target_os = "linux")]
mod signals;
mod stale;
mod stale_408;
mod stepping_aside;
mod support;
mod tasks;
mod text;
mod timeouts;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod trust;
mod upload_files;
#[cfg(target_os = "linux")]
mod upload_pipes;
mod upload_progress;
mod upload_tasks;
mod uploads;
mod uploads_both_ways;
mod uploads_early;
mod uploads_unfinished;
mod values;
#[cfg(windows)]
mod windows;
#[cfg(target_os = "linux")]
mod zones;
