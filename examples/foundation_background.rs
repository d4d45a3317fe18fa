//! The second listing of `guide::nsurlsession`: a background session, and what to do without.
//!
//!     cargo run --example foundation_background
//!     cargo run --example foundation_background -- https://www.example.com/

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use urlsession::testing::{Answer, Server};
use urlsession::{
    Configuration, Delegate, DeliveryQueue, DownloadedFile, Error, ErrorKind, Session, Task,
};

struct Events;

impl Delegate for Events {
    fn did_finish_downloading(&self, _task: &Task, file: DownloadedFile) {
        println!("{} bytes in a file", file.len());
    }
}

fn session(configuration: Configuration) -> Result<Session, Error> {
    Session::with_delegate(configuration, Arc::new(Events), DeliveryQueue::serial())
}

fn main() -> Result<(), Box<dyn StdError>> {
    let server = Server::start();
    server.handle(|_| Answer::ok("hello"));
    let url = std::env::args().nth(1).unwrap_or_else(|| server.url("/"));

    let my_session_id = "com.example.bgSession";
    let session = match session(Configuration::background(my_session_id)) {
        Err(error) if error.kind() == ErrorKind::NotSupported => {
            // Background sessions are not built yet. This one lives as long as the program.
            println!("{error}");
            session(Configuration::default())?
        }
        made => made?,
    };

    let task = session.download_task(url);
    task.resume();
    session.finish_tasks_and_invalidate();
    session.wait_until_idle(Duration::from_secs(60));
    task.error().map_or(Ok(()), |error| Err(error.into()))
}
