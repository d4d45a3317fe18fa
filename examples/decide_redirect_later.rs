//! Decides about redirects on another thread, whenever it gets to it: here by asking a person.
//!
//!     cargo run --example decide_redirect_later
//!     cargo run --example decide_redirect_later -- https://rust-lang.org/

use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::{env, io};

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, Delegate, DeliveryQueue, Reply, Request, Response, Session, Task};

/// A redirect, and how to answer it.
type Question = (Request, Reply<Option<Request>>);

struct Asking(Sender<Question>);

impl Delegate for Asking {
    fn will_perform_redirect(
        &self,
        _task: &Task,
        _response: &Response,
        proposed: Request,
        reply: Reply<Option<Request>>,
    ) {
        // Returns at once; the task waits, and gives its place to others. Were nobody there
        // to ask, the reply would be dropped, and the redirect be followed.
        let _ = self.0.send((proposed, reply));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.enqueue(Answer::redirect(302, "/new"));
    server.enqueue(Answer::ok("the new page"));
    let url = env::args().nth(1).unwrap_or_else(|| server.url("/old"));

    let (sender, questions) = mpsc::channel();
    let delegate = Arc::new(Asking(sender));
    let queue = DeliveryQueue::serial();
    let session = Session::with_delegate(Configuration::ephemeral(), delegate, queue)?;
    let task = session.data_task_with(url, |outcome| match outcome {
        Ok(data) => println!("{} from {}", data.response.status(), data.response.url()),
        Err(error) => eprintln!("{error}"),
    });
    task.resume();
    // The session lets go of its delegate after the task, which ends the questions.
    session.finish_tasks_and_invalidate();
    for (proposed, reply) in questions {
        println!("follow it to {}? [Y/n]", proposed.url().map_or("?", |url| url.as_str()));
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        reply.answer((!line.trim().eq_ignore_ascii_case("n")).then_some(proposed));
    }
    task.error().map_or(Ok(()), |error| Err(error.into()))
}
