//! Trusts a server by an authority of one's own: for a whole session, or server by server.
//!
//!     cargo run --example trust_private_ca
//!     cargo run --example trust_private_ca -- https://intranet.test/ authority.pem

use std::error::Error;
use std::sync::Arc;
use std::{env, fs};

use urlsession::testing::{Answer, Authority, Server};
use urlsession::{
    Certificate, Challenge, Configuration, Credential, Delegate, DeliveryQueue, Disposition, Reply,
    Session,
};

/// Trusts the authority for one host only.
struct ForOneHost {
    host: &'static str,
    roots: Vec<Certificate>,
}

impl Delegate for ForOneHost {
    fn session_did_receive_challenge(
        &self,
        _session: &Session,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        match challenge.protection_space().server_trust() {
            Some(shown) if shown.host() == self.host => {
                reply.answer(match shown.evaluate_with_roots(&self.roots) {
                    Ok(()) => Disposition::UseCredential(Credential::for_trust(shown)),
                    Err(error) => {
                        eprintln!("{error}");
                        Disposition::Cancel
                    }
                });
            }
            // Everybody else has to be good for the system.
            _ => reply.answer(Disposition::PerformDefaultHandling),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["127.0.0.1"]));
    server.handle(|_| Answer::ok("hello"));
    let mut arguments = env::args().skip(1);
    let (url, pem) = match (arguments.next(), arguments.next()) {
        (Some(url), Some(file)) => (url, fs::read_to_string(file)?),
        _ => (server.url("/"), authority.certificate_pem()),
    };
    let roots = Certificate::from_pem(pem)?;

    let mut configuration = Configuration::ephemeral();
    configuration.additional_roots = roots.clone();
    println!("a session: {}", Session::new(configuration)?.data(&url)?.response.status());

    let delegate = Arc::new(ForOneHost { host: "127.0.0.1", roots });
    let queue = DeliveryQueue::serial();
    let session = Session::with_delegate(Configuration::ephemeral(), delegate, queue)?;
    println!("a delegate: {}", session.data(server.url("/"))?.response.status());
    Ok(())
}
