//! Answers a server that asks for a user name and a password.
//!
//!     cargo run --example answer_basic
//!     cargo run --example answer_basic -- https://httpbin.org/digest-auth/auth/ann/secret ann secret

use std::env;
use std::error::Error;
use std::sync::Arc;

use urlsession::testing::{Answer, Server};
use urlsession::{
    Challenge, Configuration, Credential, Delegate, DeliveryQueue, Disposition, Reply, Session,
    Task,
};

struct Knows(Credential);

impl Delegate for Knows {
    fn did_receive_challenge(
        &self,
        _task: &Task,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        let space = challenge.protection_space();
        println!("{} asks for {:?}, realm {:?}", space.host(), space.method(), space.realm());
        // What was refused once is refused again.
        if challenge.previous_failure_count() == 0 && self.0.has_password() {
            reply.answer(Disposition::UseCredential(self.0.clone()));
        } else {
            reply.answer(Disposition::PerformDefaultHandling);
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|request| match request.header("authorization") {
        Some("Basic YW5uOnNlY3JldA==") => Answer::ok("hello, ann"),
        _ => Answer::status(401).header("WWW-Authenticate", "Basic realm=\"the shop\""),
    });
    let given: Vec<String> = env::args().skip(1).collect();
    let (url, user, password) = match &given[..] {
        [url, user, password] => (url.clone(), &**user, &**password),
        _ => (server.url("/"), "ann", "secret"),
    };

    let delegate = Arc::new(Knows(Credential::new(user, password)));
    let queue = DeliveryQueue::serial();
    let session = Session::with_delegate(Configuration::ephemeral(), delegate, queue)?;
    // The first request is asked; the second sends the accepted answer along.
    for _ in 0..2 {
        let data = session.data(&url)?;
        println!("{}: {}", data.response.status(), data.text());
    }
    Ok(())
}
