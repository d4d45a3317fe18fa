//! Loads from servers that others wrote: nginx, apache, caddy, lighttpd, haproxy, node,
//! gunicorn with httpbin and Flask, Python's own, and openssl's.
//!
//! `.ci/servers.sh` starts them, sets the variables below and says where stands what each path
//! answers. `.ci/run` runs these tests with them.

#![allow(clippy::unwrap_used)]

mod authentication;
mod bodies;
#[cfg(feature = "tls")]
mod client_certificates;
mod haproxy;
mod httpbin;
mod lighttpd;
mod nginx;
mod node;
#[cfg(target_os = "linux")]
mod peak_memory;
mod relay;
mod resuming;
mod segments;
mod served;
mod stored;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod tls_versions;

use std::env;
use std::time::Duration;

use urlsession::{Configuration, Session};

const NGINX: &str = "URLSESSION_NGINX";
const NGINX_FILES: &str = "URLSESSION_NGINX_FILES";
#[cfg(feature = "tls")]
const NGINX_TLS: &str = "URLSESSION_NGINX_TLS";
#[cfg(feature = "tls")]
const NGINX_CA: &str = "URLSESSION_NGINX_CA";
#[cfg(feature = "tls")]
const NGINX_REQUIRES: &str = "URLSESSION_NGINX_REQUIRES";
#[cfg(feature = "tls")]
const NGINX_ASKS: &str = "URLSESSION_NGINX_ASKS";
#[cfg(feature = "tls")]
const NGINX_CLIENT: &str = "URLSESSION_NGINX_CLIENT";
#[cfg(feature = "tls")]
const TLS11: &str = "URLSESSION_TLS11";
#[cfg(feature = "tls")]
const TLS12: &str = "URLSESSION_TLS12";
const APACHE: &str = "URLSESSION_APACHE";
const APACHE_FILES: &str = "URLSESSION_APACHE_FILES";
const CADDY: &str = "URLSESSION_CADDY";
const CADDY_FILES: &str = "URLSESSION_CADDY_FILES";
const LIGHTTPD: &str = "URLSESSION_LIGHTTPD";
const LIGHTTPD_FILES: &str = "URLSESSION_LIGHTTPD_FILES";
const PYTHON: &str = "URLSESSION_PYTHON";
const PYTHON_FILES: &str = "URLSESSION_PYTHON_FILES";
const NODE: &str = "URLSESSION_NODE";
#[cfg(feature = "tls")]
const NODE_TLS: &str = "URLSESSION_NODE_TLS";
const FLASK: &str = "URLSESSION_FLASK";
const STORED: &str = "URLSESSION_STORED";
const HTTPBIN: &str = "URLSESSION_HTTPBIN";
const HAPROXY: &str = "URLSESSION_HAPROXY";

/// Returns what the variable holds.
fn given(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: see .ci/servers.sh"))
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
