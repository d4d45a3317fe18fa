//! Has a delegate told everything that happens to a task, redirects included.
//!
//!     cargo run --example delegate
//!     cargo run --example delegate -- https://rust-lang.org/

use std::env;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use urlsession::testing::{Answer, Server};
use urlsession::{
    Configuration, Delegate, DeliveryQueue, Error, Reply, Request, Response, ResponseDisposition,
    Session, Task,
};

struct Narrator;

impl Delegate for Narrator {
    fn will_perform_redirect(
        &self,
        _task: &Task,
        response: &Response,
        proposed: Request,
        reply: Reply<Option<Request>>,
    ) {
        println!("{} from {}", response.status(), response.url());
        reply.answer(Some(proposed));
    }

    fn did_receive_response(&self, _: &Task, head: &Response, reply: Reply<ResponseDisposition>) {
        println!("{} from {}", head.status(), head.url());
        reply.answer(ResponseDisposition::Allow);
    }

    fn did_receive_data(&self, _task: &Task, data: Vec<u8>) {
        println!("{} bytes", data.len());
    }

    fn did_complete(&self, task: &Task, error: Option<&Error>) {
        println!("task {} is over; error: {error:?}", task.id());
    }
}

fn main() -> Result<(), Box<dyn StdError>> {
    let server = Server::start();
    server.enqueue(Answer::redirect(302, "/new"));
    server.enqueue(Answer::ok("Hello from the loopback server."));
    let url = env::args().nth(1).unwrap_or_else(|| server.url("/old"));

    let queue = DeliveryQueue::serial();
    let session = Session::with_delegate(Configuration::ephemeral(), Arc::new(Narrator), queue)?;
    let task = session.data_task(url);
    task.resume();
    session.wait_until_idle(Duration::from_secs(60));
    task.error().map_or(Ok(()), |error| Err(error.into()))
}
