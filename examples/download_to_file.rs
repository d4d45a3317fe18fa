//! Downloads to a file with a progress bar, from a server of its own or from any URL.
//!
//!     cargo run --example download_to_file
//!     cargo run --example download_to_file -- https://shop.test/catalogue.pdf catalogue.pdf

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::{env, fs, process};

use urlsession::testing::{Answer, Server};
use urlsession::{Progress, Session, Update};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => download_from_a_server_of_our_own(),
        [url, place] => download(url, Path::new(place)),
        _ => Err("usage: download_to_file [URL FILE]".into()),
    }
}

/// A status of 400 or more is no error: it is looked at before the file gets its place.
fn download(url: &str, place: &Path) -> Result<(), Box<dyn Error>> {
    let mut status = None;
    for update in Session::shared().download_task(url).updates() {
        match update {
            Update::Response(response) => status = Some(response.status()),
            Update::Progress(progress) => show(progress)?,
            // Dropped without a place, it is deleted.
            Update::Downloaded(mut file) if status.is_some_and(|status| status.is_success()) => {
                file.persist(place)?;
                println!("\n{} bytes are in {}", file.len(), place.display());
            }
            Update::Downloaded(_) => return Err(format!("the answer was {status:?}").into()),
            Update::Finished(outcome) => outcome?,
            _ => {}
        }
    }
    Ok(())
}

fn show(progress: Progress) -> io::Result<()> {
    match progress.fraction_received() {
        Some(done) => {
            print!("\r[{:<40}] {:3.0} %", "#".repeat((done * 40.0) as usize), done * 100.0)
        }
        None => print!("\r{} bytes", progress.bytes_received),
    }
    io::stdout().flush()
}

fn download_from_a_server_of_our_own() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.enqueue(Answer::status(200).body_of_size(64 << 20));
    let place = env::temp_dir().join(format!("catalogue-{}.pdf", process::id()));
    download(&server.url("/catalogue.pdf"), &place)?;
    Ok(fs::remove_file(place)?)
}
