//! Loads a URL while this thread does something else; a closure is told what came of it.
//!
//!     cargo run --example closure
//!     cargo run --example closure -- https://www.rust-lang.org/

use std::env;
use std::error::Error;
use std::time::Duration;

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|_| Answer::ok("Hello from the loopback server."));
    let url = env::args().nth(1).unwrap_or_else(|| server.url("/hello"));

    let session = Session::new(Configuration::ephemeral())?;
    let task = session.data_task_with(url, |outcome| match outcome {
        Ok(data) => println!("{}: {} bytes", data.response.status(), data.body.len()),
        Err(error) => eprintln!("{error}"),
    });
    task.resume();
    println!("this thread goes on");

    // A program that ends takes its tasks with it.
    if !session.wait_until_idle(Duration::from_secs(60)) {
        return Err("that took more than a minute".into());
    }
    match task.error() {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}
