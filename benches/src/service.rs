//! Measures a service: many threads share one session, and each loads from one host that takes
//! its time. Once with the settings that a session has by default, and once with every limit so
//! high that nothing waits: the first must not take much longer, nor open connections anew.
//!
//! `service` prints a line for each, and the ratio.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use urlsession::{Configuration, Session};

const THREADS: usize = 200;
const ROUNDS: usize = 10;
const ANSWERS_AFTER: Duration = Duration::from_millis(100);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntea";

/// What went wrong.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("service: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let unlimited = measure("unlimited", |configuration| {
        configuration.maximum_concurrent_tasks = 1000;
        configuration.maximum_connections_per_host = Some(1000);
        configuration.maximum_idle_connections_per_host = Some(1000);
        configuration.maximum_idle_connections = Some(1000);
    })?;
    let default = measure("default", |_| {})?;
    println!("ratio={:.2}", default.as_secs_f64() / unlimited.as_secs_f64());
    Ok(())
}

/// Runs all rounds in one session; prints and returns how long they took.
fn measure(name: &str, change: impl FnOnce(&mut Configuration)) -> Result<Duration, Failure> {
    let opened = Arc::new(AtomicUsize::new(0));
    let address = serve(&opened)?;
    let mut configuration = Configuration::ephemeral();
    change(&mut configuration);
    let session = Session::new(configuration)?;
    let (mut took, mut opened_first) = (Duration::ZERO, 0);
    for round in 0..ROUNDS {
        let began = Instant::now();
        let url = format!("http://{address}/");
        let calls: Vec<_> = (0..THREADS)
            .map(|_| {
                let (session, url) = (session.clone(), url.clone());
                thread::spawn(move || session.data(&url).map(|data| data.body.len()))
            })
            .collect();
        for call in calls {
            call.join().map_err(|_| "a thread panicked")??;
        }
        took += began.elapsed();
        if round == 0 {
            opened_first = opened.load(Ordering::SeqCst);
        }
    }
    let later = opened.load(Ordering::SeqCst) - opened_first;
    let share = 100.0 * later as f64 / (THREADS * (ROUNDS - 1)) as f64;
    println!(
        "settings={name} threads={THREADS} rounds={ROUNDS} seconds={:.3} connections_first={opened_first} \
         connections_later={later} share_later={share:.1}%",
        took.as_secs_f64()
    );
    Ok(took)
}

/// Starts a server that answers late, and counts its connections.
fn serve(opened: &Arc<AtomicUsize>) -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // std's queue holds 128 connections; a SYN that finds it full is sent again a second later,
    // which would be measured.
    // SAFETY: the descriptor is open, and to listen once more changes the queue's length alone.
    if unsafe { libc::listen(listener.as_raw_fd(), 1024) } != 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    let address = listener.local_addr()?;
    let opened = Arc::clone(opened);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            opened.fetch_add(1, Ordering::SeqCst);
            thread::spawn(move || answer(stream));
        }
    });
    Ok(address)
}

/// Answers each request, of which none has a body.
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let (mut head, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut piece)?;
        if read == 0 {
            return Ok(());
        }
        head.extend_from_slice(&piece[..read]);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            thread::sleep(ANSWERS_AFTER);
            stream.write_all(ANSWER)?;
        }
    }
}
