//! urlsession: one session for all threads, with the defaults of an ephemeral one.

use std::path::Path;

use urlsession::{Certificate, Configuration, Request, Session};

use super::{ACCEPT_ENCODING, CONNECTIONS, Client, Shared, USER_AGENT, drain, expect_ok};
use crate::Failure;

struct UrlSession(Session);

pub(super) fn open(ca: Option<&Path>) -> Result<Box<dyn Shared>, Failure> {
    let mut configuration = Configuration::ephemeral();
    configuration.additional_headers.set("User-Agent", USER_AGENT)?;
    configuration.additional_headers.set("Accept-Encoding", ACCEPT_ENCODING)?;
    // As for ureq: every thread of a load keeps its connection.
    configuration.maximum_idle_connections_per_host = CONNECTIONS;
    if let Some(path) = ca {
        configuration.additional_roots = Certificate::from_pem(std::fs::read(path)?)?;
        configuration.trusts_system_roots = false;
    }
    Ok(Box::new(UrlSession(Session::new(configuration)?)))
}

impl Shared for UrlSession {
    fn for_thread(&self) -> Result<Box<dyn Client>, Failure> {
        Ok(Box::new(Self(self.0.clone())))
    }
}

impl Client for UrlSession {
    fn get(&mut self, url: &str) -> Result<Vec<u8>, Failure> {
        let data = self.0.data(Request::get(url))?;
        expect_ok(data.response.status().as_u16())?;
        Ok(data.body)
    }

    fn bulk(&mut self, url: &str, buffer: usize) -> Result<u64, Failure> {
        drain(self.0.bytes(Request::get(url))?, buffer)
    }
}
