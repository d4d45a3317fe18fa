//! Asks a person for the password, on another thread than the one that is asked.
//!
//!     cargo run --example ask_user_later < /dev/null
//!     cargo run --example ask_user_later -- https://httpbin.org/basic-auth/ann/secret

use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::{env, io};

use urlsession::testing::{Answer, Server};
use urlsession::{
    Challenge, Configuration, Credential, Delegate, DeliveryQueue, Disposition, Reply, Session,
    Task,
};

struct Asking(Sender<(Challenge, Reply<Disposition>)>);

impl Delegate for Asking {
    fn did_receive_challenge(
        &self,
        _task: &Task,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        // Returns at once; the task waits, and gives its place to others.
        let _ = self.0.send((challenge.clone(), reply));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|request| match request.header("authorization") {
        Some("Basic YW5uOnNlY3JldA==") => Answer::ok("hello, ann"),
        _ => Answer::status(401).header("WWW-Authenticate", "Basic realm=\"the shop\""),
    });
    let url = env::args().nth(1).unwrap_or_else(|| server.url("/"));

    let (sender, questions) = mpsc::channel();
    let delegate = Arc::new(Asking(sender));
    let queue = DeliveryQueue::serial();
    let session = Session::with_delegate(Configuration::ephemeral(), delegate, queue)?;
    let task = session.data_task_with(url, |outcome| match outcome {
        Ok(data) => println!("{}: {}", data.response.status(), data.text()),
        Err(error) => eprintln!("{error}"),
    });
    task.resume();
    session.finish_tasks_and_invalidate();
    // The session lets go of its delegate after the task, which ends the questions.
    for (challenge, reply) in questions {
        println!("password of ann for {:?}?", challenge.protection_space().realm());
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        match line.trim() {
            // Nobody there: the 401 is delivered as it is.
            "" => reply.answer(Disposition::PerformDefaultHandling),
            password => reply.answer(Disposition::UseCredential(Credential::new("ann", password))),
        }
    }
    task.error().map_or(Ok(()), |error| Err(error.into()))
}
