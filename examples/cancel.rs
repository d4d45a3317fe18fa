//! Cancels a load from another thread: when Enter is pressed, or standard input ends.
//!
//!     cargo run --example cancel
//!     cargo run --example cancel -- https://example.com/big.iso

use std::error::Error;
use std::{env, io, thread};

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, ErrorKind, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|_| Answer::ok("").endless_body("0123456789abcdef").drip(64 << 10));
    let url = env::args().nth(1).unwrap_or_else(|| server.url("/endless"));

    let session = Session::new(Configuration::ephemeral())?;
    let task = session.data_task(url);
    // A clone is the same task.
    let other = task.clone();
    println!("press Enter to cancel");
    thread::spawn(move || {
        let _ = io::stdin().read_line(&mut String::new());
        // At whatever stage it is: waiting, looking up, connecting, sending, receiving.
        other.cancel();
    });

    match task.run() {
        Ok(data) => println!("{} bytes, before anybody cancelled it", data.body.len()),
        Err(error) if error.kind() == ErrorKind::Cancelled => {
            println!("{error}, after {} bytes", task.progress().bytes_received);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
