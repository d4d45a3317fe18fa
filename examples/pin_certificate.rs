//! Trusts a server only if its key, or one of its authorities' keys, is a known one.
//!
//!     cargo run --example pin_certificate
//!     cargo run --example pin_certificate -- https://www.rust-lang.org/ sha256/AAAA...=

use std::env;
use std::error::Error;

use urlsession::testing::{Answer, Authority, Server};
use urlsession::{Certificate, Configuration, PublicKeyPins, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let authority = Authority::new();
    let identity = authority.identity(&["127.0.0.1"]);
    let server = Server::start_tls(&identity);
    server.handle(|_| Answer::ok("pinned"));
    let own = Certificate::from_der(identity.certificate_der());

    let mut arguments = env::args().skip(1);
    let (url, pin) = match (arguments.next(), arguments.next()) {
        (Some(url), Some(pin)) => (url, pin),
        _ => (server.url("/"), own.public_key_pin()?),
    };
    let host =
        urlsession::Request::get(&url).url().and_then(|url| url.host_str().map(str::to_owned));
    // A key that is kept in a safe, for the day when the first one is lost.
    let backup = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    let mut configuration = Configuration::ephemeral();
    configuration.additional_roots = Certificate::from_pem(authority.certificate_pem())?;
    let pins = PublicKeyPins::new(&host.unwrap_or_default(), [pin.as_str(), backup])?;
    configuration.pinned_public_keys = vec![pins];
    let data = Session::new(configuration.clone())?.data(&url)?;
    println!("{} with {pin}", data.response.status());

    // With the backup alone, nobody is trusted who does not have that key.
    configuration.pinned_public_keys = vec![PublicKeyPins::new("127.0.0.1", [backup])?];
    match Session::new(configuration)?.data(server.url("/")) {
        Ok(_) => Err("a server with another key was trusted".into()),
        Err(error) => {
            println!("{error}");
            Ok(())
        }
    }
}
