//! Posts the fields of a form, to a server of its own or to any URL.
//!
//!     cargo run --example post_form
//!     cargo run --example post_form -- https://shop.test/sign-up name=Brendon tag=a tag=b

use std::error::Error;

use urlsession::testing::{Answer, Server};
use urlsession::{Form, Request, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next();
    let fields: Vec<String> = arguments.collect();
    let given: Form = fields.iter().filter_map(|field| field.split_once('=')).collect();

    let server = Server::start();
    server.handle(|request| Answer::ok(format!("received {}", request.body_text())));
    let (url, form) = match url {
        Some(url) => (url, given),
        None => {
            (server.url("/sign-up"), Form::from([("name", "Brendon & Co"), ("password", "a=b")]))
        }
    };

    let data = Session::shared().data(Request::post(url).form(form))?;
    println!("{}: {}", data.response.status(), data.text());
    Ok(())
}
