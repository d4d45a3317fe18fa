//! ureq: one agent for all threads.

use std::fs::File;
use std::path::Path;

use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::{ACCEPT_ENCODING, CONNECTIONS, Client, Shared, USER_AGENT, drain, expect_ok, save};
use crate::Failure;

struct Ureq(Agent);

pub(super) fn open(ca: Option<&Path>) -> Result<Box<dyn Shared>, Failure> {
    let roots = match ca {
        Some(path) => RootCerts::from([Certificate::from_pem(&std::fs::read(path)?)?]),
        None => RootCerts::WebPki,
    };
    // Its default keeps 3 idle connections a host; 8 threads would reconnect all the time.
    let config = Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .proxy(None)
        .user_agent(USER_AGENT)
        .accept_encoding(ACCEPT_ENCODING)
        .max_idle_connections(CONNECTIONS)
        .max_idle_connections_per_host(CONNECTIONS)
        .build();
    Ok(Box::new(Ureq(Agent::new_with_config(config))))
}

impl Shared for Ureq {
    fn for_thread(&self) -> Result<Box<dyn Client>, Failure> {
        Ok(Box::new(Self(self.0.clone())))
    }
}

impl Client for Ureq {
    fn get(&mut self, url: &str) -> Result<Vec<u8>, Failure> {
        let mut response = self.0.get(url).call()?;
        expect_ok(response.status().as_u16())?;
        Ok(response.body_mut().read_to_vec()?)
    }

    fn bulk(&mut self, url: &str, buffer: usize) -> Result<u64, Failure> {
        let response = self.0.get(url).call()?;
        expect_ok(response.status().as_u16())?;
        drain(response.into_body().into_reader(), buffer)
    }

    fn download(&mut self, url: &str, file: &Path) -> Result<(), Failure> {
        let response = self.0.get(url).call()?;
        expect_ok(response.status().as_u16())?;
        save(response.into_body().into_reader(), file)
    }

    fn upload(&mut self, url: &str, file: &Path) -> Result<Vec<u8>, Failure> {
        let mut response = self.0.put(url).send(File::open(file)?)?;
        expect_ok(response.status().as_u16())?;
        Ok(response.body_mut().read_to_vec()?)
    }
}
