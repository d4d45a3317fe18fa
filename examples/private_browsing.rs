//! Loads a URL twice without leaving a trace: what is set by cookies ends with the session.
//!
//!     cargo run --example private_browsing
//!     cargo run --example private_browsing -- https://www.rust-lang.org/

use std::env;
use std::error::Error;

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, CookieStorage, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|request| {
        let seen = request.header("cookie").unwrap_or("nobody").to_owned();
        Answer::ok(seen).header("Set-Cookie", "visitor=7; Max-Age=31536000")
    });
    let url = env::args().nth(1).unwrap_or_else(|| server.url("/"));

    for _ in 0..2 {
        // Its cookies and credentials are its own, in memory.
        let private = Configuration::ephemeral();
        let cookies = private.cookie_storage.clone().unwrap_or_default();
        let session = Session::new(private)?;
        for _ in 0..2 {
            let data = session.data(&url)?;
            println!("{}: {} bytes; cookies: {:?}", data.status(), data.body.len(), cookies);
        }
    }
    println!("left over: {:?}", CookieStorage::shared());
    Ok(())
}
