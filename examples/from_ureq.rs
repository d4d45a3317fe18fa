//! The program of `guide::coming_from_ureq`: what is written with an `Agent` there.
//!
//!     cargo run --example from_ureq
//!     cargo run --example from_ureq -- https://shop.test

use std::error::Error;
use std::io::Read;
use std::time::Duration;
use std::{env, fs, process};

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, ErrorKind, Request, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/search" => Answer::ok(format!("nothing for {:?}", request.query())),
        "/orders" => Answer::status(201).body(request.body_text()),
        "/catalogue" => Answer::ok("").body_of_size(1 << 20),
        _ => Answer::status(404).body("no such page"),
    });
    let base = env::args().nth(1).unwrap_or_else(|| server.url(""));

    // Agent::config_builder().timeout_global(Some(..)).build().into()
    let mut configuration = Configuration::ephemeral();
    configuration.timeout_for_resource = Duration::from_secs(30);
    let agent = Session::new(configuration)?;

    // agent.get(..).query(..).header(..).call()?.body_mut().read_to_string()?
    let search = Request::get(format!("{base}/search"));
    let search = search.query("q", "tea & biscuits").header("X-Trace-ID", "7");
    println!("{}", agent.data(search)?.text());

    // agent.post(..).send_form(..)?
    let order = Request::post(format!("{base}/orders")).form([("name", "Ann"), ("tea", "2")]);
    println!("{}", agent.data(order)?.response.status());

    // Err(ureq::Error::StatusCode(404)), if it is asked for.
    let gone = Request::get(format!("{base}/gone"));
    println!("{}", agent.data(gone.clone())?.text());
    match agent.data(gone.accepts_status(..400)) {
        Err(error) if error.kind() == ErrorKind::UnacceptableStatus => println!("{error}"),
        other => println!("{}", other?.response.status()),
    }

    // .into_body().into_reader()
    let mut bytes = agent.bytes(format!("{base}/catalogue"))?;
    let mut start = [0; 16];
    bytes.read_exact(&mut start)?;
    drop(bytes);

    // io::copy(.., &mut File::create(place)?)
    let place = env::temp_dir().join(format!("catalogue-{}", process::id()));
    agent.download_to(format!("{base}/catalogue"), &place)?;
    println!("{} bytes in a file", fs::metadata(&place)?.len());
    Ok(fs::remove_file(place)?)
}
