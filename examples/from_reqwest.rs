//! The program of `guide::coming_from_reqwest`: what is written with a `Client` there.
//!
//!     cargo run --example from_reqwest --features json
//!     cargo run --example from_reqwest --features json -- https://shop.test

use std::error::Error;
use std::io::{self, Write};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};
use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, Multipart, Request, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/orders" if request.header("authorization").is_none() => Answer::status(403),
        "/orders" => Answer::ok(request.body_text()),
        "/photos" => Answer::ok(format!("received {} bytes", request.body_length())),
        path => Answer::ok(format!("the page {path}")),
    });
    let base = std::env::args().nth(1).unwrap_or_else(|| server.url(""));

    // Client::builder().timeout(..).user_agent(..).default_headers(..).build()?
    let mut configuration = Configuration::ephemeral();
    configuration.timeout_for_resource = Duration::from_secs(30);
    configuration.additional_headers.set("User-Agent", "shop/1.0")?;
    let client = Session::new(configuration)?;

    // client.post(..).bearer_auth(..).json(..).send()?.error_for_status()?.json()?
    let order = Request::post(format!("{base}/orders")).json(&json!({"tea": 2}));
    let order = order.bearer_auth("secret").accepts_status(..400);
    let order: Value = client.data(order)?.json()?;
    println!("{} teas", order["tea"]);

    // client.post(..).multipart(Form::new().text(..).file(..)?).send()?
    let form = Multipart::new().text("tag", "holiday").text("place", "Rome");
    println!("{}", client.data(Request::post(format!("{base}/photos")).multipart(form))?.text());

    // client.get(..).send()?.copy_to(&mut out)?
    io::copy(&mut client.bytes(format!("{base}/about"))?, &mut io::stdout())?;
    io::stdout().write_all(b"\n")?;

    // join_all(urls.map(|url| client.get(url).send())), of the client that is not blocking
    let (sender, pages) = mpsc::channel();
    for page in 1..=20 {
        client.data_task_to(format!("{base}/pages/{page}"), &sender).resume();
    }
    drop(sender);
    let lengths = pages.iter().map(|page| page.outcome.map(|data| data.body.len()));
    println!("{} bytes in 20 pages", lengths.sum::<Result<usize, _>>()?);
    Ok(())
}
