//! NTLM and Negotiate: the program brings the tokens, and a connection is good for one task.

use std::sync::{Arc, Mutex};

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{
    AuthenticationMethod, Body, Challenge, Configuration, Credential, Delegate, DeliveryQueue,
    Disposition, Reply, Request, Session,
};

use crate::support::asked::{authorizations, unauthorized};

/// Answers a server's token with the next one of its own, and writes down what it was asked:
/// the server's token, and how many failures there were.
struct Tokens {
    tokens: &'static [&'static str],
    asked: Mutex<Vec<(Option<String>, u32)>>,
}

impl Delegate for Tokens {
    fn session_did_receive_challenge(
        &self,
        _: &Session,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        assert_eq!(challenge.protection_space().method(), AuthenticationMethod::Ntlm);
        let mut asked = self.asked.lock().unwrap();
        let token = challenge.token().map(str::to_owned);
        let next = self.tokens.get(asked.len());
        asked.push((token, challenge.previous_failure_count()));
        if let Some(token) = next {
            reply.answer(Disposition::UseCredential(Credential::from_token(token)));
        }
    }
}

fn session(tokens: &'static [&'static str]) -> (Session, Arc<Tokens>) {
    let tokens = Arc::new(Tokens { tokens, asked: Mutex::default() });
    let queue = DeliveryQueue::serial();
    let session = Session::with_delegate(Configuration::ephemeral(), tokens.clone(), queue);
    (session.unwrap(), tokens)
}

/// Two legs; who is known belongs to the connection.
fn handshake(request: &Recorded) -> Answer {
    match request.header("authorization") {
        Some("NTLM one") => unauthorized(&["NTLM challenge"]),
        Some("NTLM two") => Answer::ok("in"),
        _ => unauthorized(&["NTLM"]),
    }
}

#[test]
fn the_legs_of_a_handshake_go_over_one_connection_and_are_no_failures() {
    let server = Server::start();
    server.handle(handshake);
    for body in [None, Some("body")] {
        let (session, tokens) = session(&["one", "two"]);
        let request = match body {
            None => Request::get(server.url("/")),
            Some(body) => Request::post(server.url("/")).body(Body::from(body)),
        };
        assert_eq!(session.data(request).unwrap().text(), "in");
        let asked = tokens.asked.lock().unwrap().clone();
        assert_eq!(asked, [(None, 0), (Some("challenge".to_owned()), 0)]);
        let requests = [(); 3].map(|()| server.take_request());
        let connections = requests.each_ref().map(Recorded::connection);
        assert_eq!(connections, [connections[0]; 3]);
        let sent = requests.each_ref().map(|request| request.header("authorization"));
        assert_eq!(sent, [None, Some("NTLM one"), Some("NTLM two")]);
    }
}

#[test]
fn a_connection_that_knows_one_task_carries_no_other() {
    let server = Server::start();
    server.handle(handshake);
    let (session, _) = session(&["one", "two"]);
    assert_eq!(session.data(server.url("/")).unwrap().text(), "in");
    // The delegate has no more tokens, and nothing is sent unasked.
    let data = session.data(server.url("/")).unwrap();
    assert_eq!((data.response.status().as_u16(), &*data.text()), (401, "who?"));
    let requests = [(); 4].map(|()| server.take_request());
    assert_ne!(requests[2].connection(), requests[3].connection());
    assert_eq!(requests[3].header("authorization"), None);
    server.wait_until(|stats| stats.open_connections == 1);
}

#[test]
fn a_token_that_is_turned_down_is_a_failure() {
    let server = Server::start();
    server.handle(handshake);
    let (session, tokens) = session(&["wrong", "one", "two"]);
    assert_eq!(session.data(server.url("/")).unwrap().text(), "in");
    let asked = tokens.asked.lock().unwrap().clone();
    assert_eq!(asked, [(None, 0), (None, 1), (Some("challenge".to_owned()), 1)]);
    assert_eq!(authorizations(&server).len(), 4);
}
