//! The second listing of `guide::nsurlsession`: a background session.
//!
//!     cargo run --example foundation_background
//!     cargo run --example foundation_background -- https://www.example.com/

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, Delegate, DeliveryQueue, DownloadedFile, Session, Task};

struct Events;

impl Delegate for Events {
    fn did_finish_downloading(&self, _task: &Task, file: DownloadedFile) {
        println!("{} bytes in a file", file.len());
        // Or `persist`: what is only dropped is told of again in the next run.
        file.discard();
    }

    fn did_finish_events(&self, session: &Session) {
        println!("{} tasks of earlier runs go on", session.all_tasks().len());
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|_| Answer::ok("hello"));
    let url = std::env::args().nth(1).unwrap_or_else(|| server.url("/"));

    let my_session_id = "com.example.bgSession";
    let bg_session_config = Configuration::background(my_session_id);
    let queue = DeliveryQueue::serial();
    let session = Session::with_delegate(bg_session_config, Arc::new(Events), queue)?;

    let task = session.download_task(url).resume();
    session.finish_tasks_and_invalidate();
    session.wait_until_idle(Duration::from_secs(60));
    task.error().map_or(Ok(()), |error| Err(error.into()))
}
