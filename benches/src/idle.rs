//! Counts the heap that idle connections hold: a program of its own, as an allocator that
//! counts would slow everything that `bench` measures.
//!
//! `idle --client NAME --url URL [--ca PEM]`
//!
//! Requests are sent without reading their bodies, so that each needs a connection; then all
//! bodies are read and the connections become idle. Only clients whose memory comes from
//! Rust's allocator can be counted, and only those that keep connections.

#[expect(dead_code, reason = "some words are only for `bench`")]
mod arguments;

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use arguments::Arguments;

/// What a client reports when it cannot go on.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The first connections, which also fill what a session keeps once for all of them...
const FIRST: usize = 20;
/// ... and how many more are counted.
const COUNTED: usize = 100;

static LIVE: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: all of it is done by the system's allocator; the counter only watches.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the promises that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)).and_then(|wanted| run(&wanted)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("idle: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(wanted: &Arguments) -> Result<String, Failure> {
    let mut get = getter(&wanted.client, wanted.ca.as_deref())?;
    let before = sockets()?;
    let few = idle(&mut *get, &wanted.url, FIRST)?;
    let many = idle(&mut *get, &wanted.url, FIRST + COUNTED)?;
    let open = sockets()? - before;
    if open != FIRST + COUNTED {
        return Err(format!("{open} connections are idle, not {}", FIRST + COUNTED).into());
    }
    Ok(format!("connections={COUNTED} bytes={}", many.saturating_sub(few)))
}

/// Makes `count` connections idle and returns how much memory is in use then.
fn idle(get: &mut Getter, url: &str, count: usize) -> Result<usize, Failure> {
    let mut bodies = (0..count).map(|_| get(url)).collect::<Result<Vec<_>, _>>()?;
    for body in &mut bodies {
        io::copy(body, &mut io::sink())?;
    }
    drop(bodies);
    // Some have a thread that puts connections back.
    thread::sleep(Duration::from_millis(300));
    Ok(LIVE.load(Ordering::Relaxed))
}

fn sockets() -> Result<usize, Failure> {
    let mut count = 0;
    for entry in std::fs::read_dir("/proc/self/fd")? {
        // The folder's own descriptor is gone by now.
        let target = std::fs::read_link(entry?.path()).unwrap_or_default();
        count += usize::from(target.to_string_lossy().starts_with("socket:"));
    }
    Ok(count)
}

/// Sends a GET and returns the body, unread.
type Getter = dyn FnMut(&str) -> Result<Box<dyn Read>, Failure>;

fn getter(client: &str, ca: Option<&Path>) -> Result<Box<Getter>, Failure> {
    let pem = ca.map(std::fs::read).transpose()?;
    match client {
        "urlsession" => urlsession(pem),
        "ureq" => ureq(pem),
        "reqwest" => reqwest(pem),
        _ => Err(format!("the idle connections of `{client}` cannot be counted").into()),
    }
}

fn urlsession(pem: Option<Vec<u8>>) -> Result<Box<Getter>, Failure> {
    use urlsession::{Certificate, Configuration, Request, Session};

    let mut configuration = Configuration::ephemeral();
    configuration.maximum_concurrent_tasks = FIRST + COUNTED;
    configuration.maximum_connections_per_host = Some(FIRST + COUNTED);
    configuration.maximum_idle_connections_per_host = Some(FIRST + COUNTED);
    configuration.maximum_idle_connections = Some(FIRST + COUNTED);
    if let Some(pem) = pem {
        configuration.additional_roots = Certificate::from_pem(pem)?;
        configuration.trusts_system_roots = false;
    }
    let session = Session::new(configuration)?;
    Ok(Box::new(move |url| Ok(Box::new(session.bytes(Request::get(url))?))))
}

fn ureq(pem: Option<Vec<u8>>) -> Result<Box<Getter>, Failure> {
    use ureq::Agent;
    use ureq::tls::{Certificate, RootCerts, TlsConfig};

    let roots = match pem {
        Some(pem) => RootCerts::from([Certificate::from_pem(&pem)?]),
        None => RootCerts::WebPki,
    };
    let config = Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .proxy(None)
        .max_idle_connections(FIRST + COUNTED)
        .max_idle_connections_per_host(FIRST + COUNTED)
        .build();
    let agent = Agent::new_with_config(config);
    Ok(Box::new(move |url| Ok(Box::new(agent.get(url).call()?.into_body().into_reader()))))
}

fn reqwest(pem: Option<Vec<u8>>) -> Result<Box<Getter>, Failure> {
    use reqwest::Certificate;
    use reqwest::blocking::Client;

    let _ = rustls::crypto::ring::default_provider().install_default();
    let roots: Vec<_> =
        pem.iter().map(|pem| Certificate::from_pem(pem)).collect::<Result<_, _>>()?;
    let client = Client::builder().no_proxy().tls_certs_only(roots).build()?;
    Ok(Box::new(move |url| Ok(Box::new(client.get(url).send()?))))
}
