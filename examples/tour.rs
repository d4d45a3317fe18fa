//! Walks through what the crate does, against a server of its own or any URL.
//!
//!     cargo run --release --example tour
//!     cargo run --release --example tour -- https://www.rust-lang.org/

use std::error::Error;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use urlsession::testing::{Answer, Recorded, Server};
use urlsession::{CancelToken, Configuration, Request, Session};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1) {
        Some(url) => load(&url),
        None => tour(),
    };
    if let Err(error) = outcome {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Loads any URL and says what came back.
fn load(url: &str) -> Outcome {
    let began = Instant::now();
    let mut bytes = Session::shared().bytes(url)?;
    let response = bytes.response();
    println!("{} from {}", response.status(), response.url());
    for (name, value) in response.headers().iter() {
        println!("  {name}: {value}");
    }
    let suggested = response.suggested_filename();
    let mut body = Vec::new();
    bytes.read_to_end(&mut body)?;
    println!(
        "{} bytes in {:.0?}; a file of it would be {suggested:?}",
        body.len(),
        began.elapsed()
    );
    Ok(())
}

fn tour() -> Outcome {
    let server = Server::start();
    server.handle(serve);
    println!("A loopback server listens at {}.\n", server.url("/"));
    let session = Session::new(Configuration::ephemeral())?;

    step("A GET");
    let data = session.data(server.url("/hello"))?;
    println!("{}: {}", data.response.status(), data.text());

    step("A query, headers, and a status that is no error");
    let request =
        Request::get(server.url("/search")).query("q", "tea & biscuits").header("X-Trace-ID", "7");
    let data = session.data(request)?;
    println!("{}: {}", data.response.status(), data.text());

    step("A redirect, followed");
    let data = session.data(server.url("/old"))?;
    println!("{} from {}", data.response.status(), data.response.url());

    step("A POST");
    let data = session.data(Request::post(server.url("/echo")).body("three words here"))?;
    println!("{}: {}", data.response.status(), data.text());

    step("A body, read line by line as it arrives");
    for line in session.bytes(server.url("/log"))?.lines() {
        println!("  {}", line?);
    }

    step("A load without end, cancelled from another thread");
    cancel(&session, &server.url("/endless"))?;

    step("A server that says nothing, and a timeout of 200 ms");
    let request = Request::get(server.url("/silence")).timeout(Duration::from_millis(200));
    match session.data(request) {
        Ok(data) => println!("answered after all: {}", data.response.status()),
        Err(error) => println!("{error} (code {})", error.code()),
    }

    println!(
        "\n{} requests over {} connections.",
        server.request_count(),
        server.connection_count()
    );
    encrypted()
}

fn cancel(session: &Session, url: &str) -> Outcome {
    let token = CancelToken::new();
    let mut bytes = session.bytes(Request::get(url).cancel_token(&token))?;
    let other = thread::spawn(move || token.cancel());
    let (mut buffer, mut received) = ([0; 16 * 1024], 0);
    let error = loop {
        match bytes.read(&mut buffer) {
            Ok(count) => received += count,
            Err(error) => break error,
        }
    };
    println!("{error}, after {received} bytes");
    other.join().map_err(|_| "the other thread panicked")?;
    Ok(())
}

#[cfg(feature = "tls")]
fn encrypted() -> Outcome {
    use urlsession::Certificate;
    use urlsession::testing::Authority;

    step("TLS, trusting a private authority only");
    let authority = Authority::new();
    let server = Server::start_tls(&authority.identity(&["localhost", "127.0.0.1"]));
    server.handle(serve);
    let mut configuration = Configuration::ephemeral();
    configuration.additional_roots = Certificate::from_pem(authority.certificate_pem())?;
    configuration.trusts_system_roots = false;
    let session = Session::new(configuration)?;
    println!("{}", session.data(server.url("/hello"))?.text());
    let stranger = Session::new(Configuration::ephemeral())?;
    match stranger.data(server.url("/hello")) {
        Ok(_) => Err("a certificate of an unknown authority was accepted".into()),
        Err(error) => {
            println!("a session that does not trust it: {error}");
            Ok(())
        }
    }
}

#[cfg(not(feature = "tls"))]
fn encrypted() -> Outcome {
    Ok(())
}

/// What the loopback server answers.
fn serve(request: &Recorded) -> Answer {
    match request.path() {
        "/hello" => Answer::ok("Hello from the loopback server."),
        "/search" => {
            let trace = request.header("x-trace-id").unwrap_or_default();
            let text = format!("nothing for {:?}, trace {trace}", request.query());
            Answer::status(404).body(text)
        }
        "/old" => Answer::redirect(302, "/hello"),
        "/echo" => Answer::ok(format!("received {} bytes", request.body().len())),
        "/log" => Answer::ok("one\ntwo\nthree\n").chunked(5),
        "/endless" => Answer::ok("").endless_body("0123456789abcdef"),
        "/silence" => Answer::ok("").stall_before_head(),
        _ => Answer::status(404),
    }
}

fn step(title: &str) {
    println!("\n── {title}");
    // What came before is seen before the step takes its time.
    let _ = std::io::stdout().flush();
}
