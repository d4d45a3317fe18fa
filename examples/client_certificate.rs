//! Shows a certificate of one's own to a server that asks who connects.
//!
//!     cargo run --example client_certificate
//!     cargo run --example client_certificate -- https://intranet.test/ identity.pem

use std::error::Error;
use std::sync::Arc;
use std::{env, fs};

use urlsession::testing::{Answer, Authority, Server};
use urlsession::{
    AuthenticationMethod, Certificate, Challenge, Configuration, Credential, Delegate,
    DeliveryQueue, Disposition, Identity, Reply, Session,
};

struct Shows(Identity);

impl Delegate for Shows {
    fn session_did_receive_challenge(
        &self,
        _session: &Session,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        let space = challenge.protection_space();
        if space.method() != AuthenticationMethod::ClientCertificate {
            // Whether the server is to be trusted is asked first.
            return reply.answer(Disposition::PerformDefaultHandling);
        }
        println!(
            "{} takes certificates of {} authorities",
            space.host(),
            space.distinguished_names().len()
        );
        reply.answer(Disposition::UseCredential(Credential::from_identity(&self.0)));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let authority = Authority::new();
    let server = Server::builder()
        .tls(&authority.identity(&["127.0.0.1"]))
        .require_client_certificate(&authority)
        .start();
    server.handle(|request| {
        Answer::ok(format!("{} certificates were shown", request.client_certificates().len()))
    });
    let own = authority.identity_builder(&["ann"]).for_clients_only().build();
    let mut arguments = env::args().skip(1);
    let (url, pem) = match (arguments.next(), arguments.next()) {
        // Certificate and key; one that is encrypted needs the feature `encrypted-keys`.
        (Some(url), Some(file)) => (url, fs::read_to_string(file)?),
        _ => (server.url("/"), own.chain_pem() + &own.key_pem()),
    };

    let mut configuration = Configuration::ephemeral();
    configuration.additional_roots = Certificate::from_pem(authority.certificate_pem())?;
    let delegate = Arc::new(Shows(Identity::from_pem(pem, None)?));
    let session = Session::with_delegate(configuration, delegate, DeliveryQueue::serial())?;
    let data = session.data(&url)?;
    println!("{}: {}", data.response.status(), data.text());
    Ok(())
}
