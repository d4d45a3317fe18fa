//! Loads from servers that others wrote: nginx and httpbin.
//!
//! `.ci/servers.sh` starts them and sets the variables below; `.ci/nginx.conf` says what
//! each path of nginx answers. Where a variable is missing its tests say `skipped`.

#![allow(clippy::unwrap_used)]

mod bodies;
mod httpbin;
mod nginx;
#[cfg(target_os = "linux")]
mod peak_memory;
#[cfg(feature = "tls")]
mod tls;

use std::env;
use std::time::Duration;

use urlsession::{Configuration, Session};

const NGINX: &str = "URLSESSION_NGINX";
#[cfg(feature = "tls")]
const NGINX_TLS: &str = "URLSESSION_NGINX_TLS";
#[cfg(feature = "tls")]
const NGINX_CA: &str = "URLSESSION_NGINX_CA";
const HTTPBIN: &str = "URLSESSION_HTTPBIN";

/// Returns what the variable holds, or says that the test is skipped.
fn given(variable: &str) -> Option<String> {
    let value = env::var(variable).ok();
    if value.is_none() {
        println!("skipped: {variable} is not set");
    }
    value
}

/// Settings under which a test that hangs fails instead.
fn configuration() -> Configuration {
    let mut configuration = Configuration::ephemeral();
    configuration.timeout_for_resource = Duration::from_secs(120);
    configuration
}

/// A session with connections of its own.
fn session() -> Session {
    Session::new(configuration()).unwrap()
}
