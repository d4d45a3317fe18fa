//! Uploads a file with a progress bar, to a server of its own or to any URL.
//!
//!     cargo run --example upload_with_progress
//!     cargo run --example upload_with_progress -- https://shop.test/photo.jpg photo.jpg

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::{env, fs, process};

use urlsession::testing::{Answer, Server};
use urlsession::{Body, Delegate, Request, Session, Task};

/// Draws how much of the body was sent.
struct Bar;

impl Delegate for Bar {
    fn did_send_body_data(&self, _task: &Task, _sent: u64, total: u64, expected: Option<u64>) {
        let all = expected.unwrap_or(total).max(1);
        let done = (total * 40 / all).min(40) as usize;
        print!("\r[{:<40}] {total} of {all} bytes", "#".repeat(done));
        // A terminal that cannot be written to is no reason to end the upload.
        let _ = io::stdout().flush();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => upload_to_a_server_of_our_own(),
        [url, file] => upload(url, Path::new(file)),
        _ => Err("usage: upload_with_progress [URL FILE]".into()),
    }
}

/// The file is read while it is sent: it may be larger than the memory.
fn upload(url: &str, file: &Path) -> Result<(), Box<dyn Error>> {
    let task = Session::shared().upload_task(Request::put(url), Body::file(file));
    task.set_delegate(Arc::new(Bar))?;
    let data = task.run()?;
    println!("\n{}: {}", data.response.status(), data.text());
    Ok(())
}

fn upload_to_a_server_of_our_own() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|request| Answer::ok(format!("received {} bytes", request.body_length())));
    let file = env::temp_dir().join(format!("photo-{}.jpg", process::id()));
    // Holes: it takes no room on the disk.
    fs::File::create(&file)?.set_len(64 << 20)?;
    let uploaded = upload(&server.url("/photo.jpg"), &file);
    fs::remove_file(&file)?;
    uploaded
}
