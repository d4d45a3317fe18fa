//! The first listing of `guide::nsurlsession`: a session, and a data task with a closure.
//!
//!     cargo run --example foundation_data_task
//!     cargo run --example foundation_data_task -- https://www.example.com/

use std::error::Error;
use std::time::Duration;

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|_| Answer::ok("hello"));
    let url = std::env::args().nth(1).unwrap_or_else(|| server.url("/"));

    let configuration = Configuration::default();

    // Configure the session here.

    let session = Session::new(configuration)?;

    let task = session.data_task_with(url, |outcome| match outcome {
        // The response has the metadata (headers, status); the other field is the body. An error
        // that the server reports is a status.
        Ok(data) => println!("{}: {} bytes", data.response.status(), data.body.len()),
        // What failed on this side, such as a connection.
        Err(error) => eprintln!("{error}"),
    });
    task.resume();

    // A program that ends takes its tasks with it.
    session.wait_until_idle(Duration::from_secs(60));
    task.error().map_or(Ok(()), |error| Err(error.into()))
}
