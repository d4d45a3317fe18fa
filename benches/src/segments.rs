//! Downloads a file over a slow way, in one part and in four: a program of its own, as it makes that
//! way itself, by a relay on loopback.
//!
//! `segments URL FOLDER ROUNDS`
//!
//! The relay lets 20 MB/s pass on each connection, and has 50 ms go by before a connection is there,
//! and before the server gets what is sent on it: a round trip each.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use urlsession::{Configuration, Session};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const RATE: f64 = 20e6;
const ROUND_TRIP: Duration = Duration::from_millis(50);
const PIECE: usize = 64 * 1024;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match &words[..] {
        [url, folder, rounds] => run(url, Path::new(folder), rounds),
        _ => Err("say URL, FOLDER and ROUNDS".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("segments: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the milliseconds of each round: of one part, then of four.
fn run(url: &str, folder: &Path, rounds: &str) -> Result<(), Failure> {
    let (origin, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .ok_or("the URL is none of plain HTTP")?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/{path}", listener.local_addr()?);
    let origin: SocketAddr = origin.parse()?;
    thread::spawn(move || relay(&listener, origin));
    let place = folder.join("download");
    // The first is thrown away.
    for round in 0..=rounds.parse::<u32>()? {
        let one = download(&url, &place, 1)?;
        let four = download(&url, &place, 4)?;
        if round > 0 {
            println!("{} {}", one.as_millis(), four.as_millis());
        }
    }
    Ok(())
}

fn download(url: &str, place: &Path, segments: usize) -> Result<Duration, Failure> {
    let session = Session::new(Configuration::ephemeral())?;
    let began = Instant::now();
    let task = session.download_task(url);
    task.save_to(place)?;
    task.segments(segments)?;
    drop(task.run()?);
    let took = began.elapsed();
    fs::remove_file(place)?;
    Ok(took)
}

/// Lets each connection have a way of its own to the server.
fn relay(listener: &TcpListener, origin: SocketAddr) {
    for client in listener.incoming().flatten() {
        thread::spawn(move || -> io::Result<()> {
            thread::sleep(ROUND_TRIP);
            let server = TcpStream::connect(origin)?;
            let (up, down) = (client.try_clone()?, server.try_clone()?);
            thread::spawn(move || forward(up, server, |_| thread::sleep(ROUND_TRIP)));
            let mut free = Instant::now();
            forward(down, client, |count| {
                free = free.max(Instant::now()) + Duration::from_secs_f64(count as f64 / RATE);
                thread::sleep(free.saturating_duration_since(Instant::now()));
            });
            Ok(())
        });
    }
}

/// Passes on what comes, each piece after `wait`.
fn forward(mut from: TcpStream, mut to: TcpStream, mut wait: impl FnMut(usize)) {
    let mut piece = vec![0; PIECE];
    while let Ok(count @ 1..) = from.read(&mut piece) {
        wait(count);
        if to.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    // Whoever waits at the other end learns of it.
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
