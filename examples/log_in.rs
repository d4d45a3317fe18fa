//! Logs in, and stays logged in: the server knows the session by its cookie.
//!
//!     cargo run --example log_in
//!     cargo run --example log_in -- https://shop.test/login ann 'open sesame' https://shop.test/orders

use std::env;
use std::error::Error;

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{Configuration, CookieStorage, Request, Session};

/// A server that knows who has logged in.
fn shop(request: &Recorded) -> Answer {
    match (request.path(), request.header("cookie")) {
        ("/login", _) => {
            let cookie = "sid=31d4d96e407aad42; Max-Age=3600; HttpOnly; SameSite=Lax";
            Answer::redirect(303, "/orders").header("Set-Cookie", cookie)
        }
        (_, Some("sid=31d4d96e407aad42")) => Answer::ok("one teapot"),
        _ => Answer::status(403).body("who are you?"),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(shop);
    let given: Vec<_> = env::args().skip(1).collect();
    let (login, user, password, orders) = match &given[..] {
        [login, user, password, orders] => {
            (login.clone(), user.as_str(), password.as_str(), orders.clone())
        }
        _ => (server.url("/login"), "ann", "open sesame", server.url("/orders")),
    };

    // The sessions of a program share their cookies.
    let session = Session::new(Configuration::default())?;
    let form = [("user", user), ("password", password)];
    let data = session.data(Request::post(login).form(form))?;
    println!("{}: {}", data.status(), data.text());

    let later = Session::new(Configuration::default())?;
    println!("again: {}", later.data(orders)?.text());
    for cookie in CookieStorage::shared().cookies() {
        println!("kept: {cookie}, until {:?}", cookie.expires());
    }
    Ok(())
}
