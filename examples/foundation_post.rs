//! The fourth listing of `guide::nsurlsession`: a POST with arguments, told to a delegate on the
//! main thread, which also trusts one server.
//!
//!     cargo run --example foundation_post --features json
//!     cargo run --example foundation_post --features json -- https://server.io/api/script.php

use std::error::Error as StdError;
use std::sync::{Arc, Mutex, mpsc};

use serde_json::Value;
use urlsession::testing::{Answer, Authority, Server};
use urlsession::{
    Challenge, Configuration, Credential, Delegate, DeliveryQueue, Disposition, Error, Reply,
    Request, Response, ResponseDisposition, Session, Task, TaskState,
};

#[derive(Default)]
struct Api {
    body: Mutex<Vec<u8>>,
}

impl Delegate for Api {
    fn did_receive_response(
        &self,
        _task: &Task,
        response: &Response,
        reply: Reply<ResponseDisposition>,
    ) {
        println!("{}", response.status());
        reply.answer(ResponseDisposition::Allow);
    }

    // A body comes in pieces.
    fn did_receive_data(&self, _task: &Task, data: Vec<u8>) {
        self.body.lock().expect("no call has panicked").extend(data);
    }

    fn did_complete(&self, _task: &Task, error: Option<&Error>) {
        if let Some(error) = error {
            // Says what kept the response from coming.
            return eprintln!("{error}");
        }
        match serde_json::from_slice::<Value>(&self.body.lock().expect("no call has panicked")) {
            Ok(json) => println!("welcome, {}", json["name"].as_str().unwrap_or("stranger")),
            Err(error) => eprintln!("the server sent no JSON: {error}"),
        }
    }

    fn session_did_receive_challenge(
        &self,
        _session: &Session,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        trust_our_server(challenge, reply);
    }

    fn did_receive_challenge(
        &self,
        _task: &Task,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        trust_our_server(challenge, reply);
    }
}

/// Trusts one server whatever its certificate is. To trust an authority for it, see the example
/// `trust_private_ca`.
fn trust_our_server(challenge: &Challenge, reply: Reply<Disposition>) {
    let space = challenge.protection_space();
    if let Some(trust) = space.server_trust()
        && space.host() == "127.0.0.1"
    {
        reply.answer(Disposition::UseCredential(Credential::for_trust(trust)));
    }
    // A reply that is dropped has the default happen. With Apple the task would hang.
}

fn main() -> Result<(), Box<dyn StdError>> {
    let server = Server::start_tls(&Authority::new().identity(&["127.0.0.1"]));
    server.handle(|request| {
        println!("the server received {:?}", request.body_text());
        Answer::ok(r#"{"name": "Brendon"}"#)
    });
    let script_url = std::env::args().nth(1).unwrap_or_else(|| server.url("/api/script.php"));

    // Nothing is cached yet, so that there is nothing to disable.
    let configuration = Configuration::default();
    // The main queue: the calls are made by the loop below.
    let (wake, events) = mpsc::channel();
    let queue = DeliveryQueue::manual(move || wake.send(()).unwrap_or_default());
    let session = Session::with_delegate(configuration, Arc::new(Api::default()), queue.clone())?;

    // Escaped as browsers do it.
    let request = Request::post(script_url).form([("name", "Brendon"), ("password", "abcde")]);
    let task = session.data_task(request);
    // Fire the data task.
    task.resume();

    for () in events {
        queue.run_pending();
        if task.state() == TaskState::Completed {
            break;
        }
    }
    task.error().map_or(Ok(()), |error| Err(error.into()))
}
