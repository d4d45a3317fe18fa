//! reqwest, its blocking client: one for all threads, behind which an async runtime runs on a
//! thread of its own.

use std::fs::File;
use std::path::Path;

use reqwest::Certificate;
use reqwest::blocking::Client as Blocking;
use reqwest::blocking::multipart::Form;
use reqwest::header::{ACCEPT_ENCODING as NAME, HeaderMap, HeaderValue};

use super::{ACCEPT_ENCODING, CONNECTIONS, Client, Shared, USER_AGENT, drain, expect_ok, save};
use crate::Failure;

struct Reqwest(Blocking);

pub(super) fn open(ca: Option<&Path>) -> Result<Box<dyn Shared>, Failure> {
    // Without this it would bring other cryptography than everyone else has here. Each client
    // runs in a process of its own.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fields = HeaderMap::from_iter([(NAME, HeaderValue::from_static(ACCEPT_ENCODING))]);
    let builder = Blocking::builder()
        .no_proxy()
        .user_agent(USER_AGENT)
        .default_headers(fields)
        .pool_max_idle_per_host(CONNECTIONS);
    let roots = match ca {
        Some(path) => vec![Certificate::from_pem(&std::fs::read(path)?)?],
        // Nothing is trusted where nothing is encrypted.
        None => Vec::new(),
    };
    Ok(Box::new(Reqwest(builder.tls_certs_only(roots).build()?)))
}

impl Shared for Reqwest {
    fn for_thread(&self) -> Result<Box<dyn Client>, Failure> {
        Ok(Box::new(Self(self.0.clone())))
    }
}

impl Client for Reqwest {
    fn get(&mut self, url: &str) -> Result<Vec<u8>, Failure> {
        let response = self.0.get(url).send()?;
        expect_ok(response.status().as_u16())?;
        Ok(response.bytes()?.into())
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
        let response = self.0.put(url).body(File::open(file)?).send()?;
        expect_ok(response.status().as_u16())?;
        Ok(response.bytes()?.into())
    }

    fn multipart(&mut self, url: &str, file: &Path) -> Result<Vec<u8>, Failure> {
        let form = Form::new().text("tag_name", "bench").file("userfile", file)?;
        let response = self.0.post(url).multipart(form).send()?;
        expect_ok(response.status().as_u16())?;
        Ok(response.bytes()?.into())
    }
}
