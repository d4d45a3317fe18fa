//! urlsession: one session for all threads, with the defaults of an ephemeral one.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use urlsession::{Body, Certificate, Configuration, Cookie, Multipart, Request, Session};

use super::{ACCEPT_ENCODING, CONNECTIONS, Client, Shared, USER_AGENT, drain, expect_ok};
use crate::Failure;

struct UrlSession(Session);

/// How many cookies of its host go along with each request of a client that has some.
const COOKIES: usize = 20;

pub(super) fn open(ca: Option<&Path>) -> Result<Box<dyn Shared>, Failure> {
    open_with(ca, 0)
}

/// With cookies that go along with each request to the host of the benchmarks.
pub(super) fn open_with_cookies(ca: Option<&Path>) -> Result<Box<dyn Shared>, Failure> {
    open_with(ca, COOKIES)
}

fn open_with(ca: Option<&Path>, cookies: usize) -> Result<Box<dyn Shared>, Failure> {
    let mut configuration = Configuration::ephemeral();
    configuration.additional_headers.set("User-Agent", USER_AGENT)?;
    configuration.additional_headers.set("Accept-Encoding", ACCEPT_ENCODING)?;
    // As for ureq: every thread of a load has and keeps its connection.
    configuration.maximum_connections_per_host = Some(CONNECTIONS);
    configuration.maximum_idle_connections_per_host = Some(CONNECTIONS);
    // The same disk as for everyone else's files.
    configuration.temporary_directory = Some(std::env::temp_dir());
    if let Some(storage) = &configuration.cookie_storage {
        for number in 0..cookies {
            storage.set(Cookie::new(format!("name{number}"), "31d4d96e407aad42", "127.0.0.1")?);
        }
    }
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

    fn download(&mut self, url: &str, file: &Path) -> Result<(), Failure> {
        let download = self.0.download_to(Request::get(url), file)?;
        expect_ok(download.response.status().as_u16())
    }

    fn download_temporary(&mut self, url: &str) -> Result<u64, Failure> {
        let download = self.0.download(Request::get(url))?;
        expect_ok(download.response.status().as_u16())?;
        Ok(download.file.path().metadata()?.len())
    }

    fn upload(&mut self, url: &str, file: &Path) -> Result<Vec<u8>, Failure> {
        let data = self.0.upload(Request::put(url), Body::file(file))?;
        expect_ok(data.response.status().as_u16())?;
        Ok(data.body)
    }

    fn multipart(&mut self, url: &str, file: &Path) -> Result<Vec<u8>, Failure> {
        let form = Multipart::new().text("tag_name", "bench").file("userfile", file);
        let data = self.0.data(Request::post(url).multipart(form))?;
        expect_ok(data.response.status().as_u16())?;
        Ok(data.body)
    }

    fn tasks(&mut self, urls: Vec<String>) -> Result<u64, Failure> {
        let (bytes, successes) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let count = urls.len() as u64;
        let make = |url| {
            let (bytes, successes) = (Arc::clone(&bytes), Arc::clone(&successes));
            self.0.data_task_with(Request::get(url), move |outcome| match outcome {
                Ok(data) if data.response.status().as_u16() == 200 => {
                    bytes.fetch_add(data.body.len() as u64, Ordering::Relaxed);
                    successes.fetch_add(1, Ordering::Relaxed);
                }
                Ok(data) => eprintln!("the server answered {}", data.response.status()),
                Err(error) => eprintln!("{error}"),
            })
        };
        let tasks: Vec<_> = urls.into_iter().map(make).collect();
        for task in &tasks {
            task.resume();
        }
        drop(tasks);
        let is_idle = self.0.wait_until_idle(Duration::from_secs(600));
        if !is_idle || successes.load(Ordering::Relaxed) != count {
            return Err("not all tasks succeeded".into());
        }
        Ok(bytes.load(Ordering::Relaxed))
    }
}
