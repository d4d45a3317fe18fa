//! The third listing of `guide::nsurlsession`: a GET by the shared session.
//!
//!     cargo run --example foundation_get
//!     cargo run --example foundation_get -- https://www.example.com/

use std::error::Error;
use std::time::Duration;

use urlsession::Session;
use urlsession::testing::{Answer, Server};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|_| Answer::ok("hello"));

    // The URL.
    let url = std::env::args().nth(1).unwrap_or_else(|| server.url("/"));

    // A task that gets the data of a URL.
    let task = Session::shared().data_task_with(url, |outcome| match outcome {
        // The data can be used here.
        Ok(data) => println!("{}", data.text()),
        Err(error) => eprintln!("{error}"),
    });

    // Make the request.
    task.resume();

    Session::shared().wait_until_idle(Duration::from_secs(60));
    task.error().map_or(Ok(()), |error| Err(error.into()))
}
