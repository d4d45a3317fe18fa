//! attohttpc: one session for all threads. It sends `Connection: close`, so every
//! request opens a connection; it cannot do otherwise.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use attohttpc::{ProxySettings, Session};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{ACCEPT_ENCODING, Client, Shared, USER_AGENT, drain, expect_ok, save};
use crate::Failure;

struct Attohttpc(Arc<Session>);

pub(super) fn open(ca: Option<&Path>) -> Result<Box<dyn Shared>, Failure> {
    let mut session = Session::new();
    session.proxy_settings(ProxySettings::builder().build());
    session.header("User-Agent", USER_AGENT);
    session.header("Accept-Encoding", ACCEPT_ENCODING);
    if let Some(path) = ca {
        session.add_root_certificate(CertificateDer::from_pem_file(path)?);
    }
    Ok(Box::new(Attohttpc(Arc::new(session))))
}

impl Shared for Attohttpc {
    fn for_thread(&self) -> Result<Box<dyn Client>, Failure> {
        Ok(Box::new(Self(Arc::clone(&self.0))))
    }
}

impl Client for Attohttpc {
    fn get(&mut self, url: &str) -> Result<Vec<u8>, Failure> {
        let response = self.0.get(url).send()?;
        expect_ok(response.status().as_u16())?;
        Ok(response.bytes()?)
    }

    fn bulk(&mut self, url: &str, buffer: usize) -> Result<u64, Failure> {
        let response = self.0.get(url).send()?;
        expect_ok(response.status().as_u16())?;
        drain(response, buffer)
    }

    fn download(&mut self, url: &str, file: &Path) -> Result<(), Failure> {
        let response = self.0.get(url).send()?;
        expect_ok(response.status().as_u16())?;
        save(response, file)
    }

    fn upload(&mut self, url: &str, file: &Path) -> Result<Vec<u8>, Failure> {
        let response = self.0.put(url).file(File::open(file)?).send()?;
        expect_ok(response.status().as_u16())?;
        Ok(response.bytes()?)
    }
}
