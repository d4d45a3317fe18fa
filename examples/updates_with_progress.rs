//! Writes a body to a file while it arrives, with a line that says how far it is.
//!
//!     cargo run --example updates_with_progress
//!     cargo run --example updates_with_progress -- https://example.com/big.iso big.iso

use std::env;
use std::error::Error;
use std::fs::File;
use std::io::{self, Write};

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, Progress, Session, Update};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|_| Answer::ok("").body_of_size(64 << 20));
    let mut arguments = env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| server.url("/big.iso"));
    let mut file: Box<dyn Write> = match arguments.next() {
        Some(path) => Box::new(File::create(path)?),
        None => Box::new(io::sink()),
    };

    let session = Session::new(Configuration::ephemeral())?;
    // A disk that is slower than the network slows the sender down: at most 1 MiB waits here.
    for update in session.data_task(url).updates() {
        match update {
            Update::Response(response) if !response.status().is_success() => {
                return Err(format!("the server answered {}", response.status()).into());
            }
            Update::Data(data) => file.write_all(&data)?,
            Update::Progress(progress) => show(progress)?,
            Update::Finished(outcome) => outcome?,
            _ => {}
        }
    }
    file.flush()?;
    println!("\ndone");
    Ok(())
}

/// Writes over the line before, at most ten times a second and once at the end.
fn show(progress: Progress) -> io::Result<()> {
    let received = progress.bytes_received as f64 / f64::from(1 << 20);
    match progress.fraction_received() {
        Some(fraction) => print!("\r{received:7.1} MiB, {:3.0} %", fraction * 100.0),
        None => print!("\r{received:7.1} MiB"),
    }
    io::stdout().flush()
}
