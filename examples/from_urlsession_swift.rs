//! The program of `guide::coming_from_urlsession_in_swift`: `async` calls and a task group there.
//!
//!     cargo run --example from_urlsession_swift --features json
//!     cargo run --example from_urlsession_swift --features json -- https://shop.test

use std::error::Error;
use std::sync::mpsc;
use std::time::Duration;
use std::{env, fs, process};

use serde_json::{Value, json};
use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, Request, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/orders" => Answer::ok(request.body_text()),
        "/log" => Answer::ok("one\ntwo\nthree\n").chunked(5),
        path => Answer::ok(format!("the page {path}")),
    });
    let base = env::args().nth(1).unwrap_or_else(|| server.url(""));

    // let configuration = URLSessionConfiguration.ephemeral
    let mut configuration = Configuration::ephemeral();
    // configuration.timeoutIntervalForRequest = 10
    configuration.timeout_for_request = Duration::from_secs(10);
    // let session = URLSession(configuration: configuration)
    let session = Session::new(configuration)?;

    // var request = URLRequest(url: url); request.httpMethod = "POST"
    // request.httpBody = try JSONEncoder().encode(order)
    // let (data, response) = try await session.data(for: request)
    let order = Request::post(format!("{base}/orders")).json(&json!({"tea": 2}));
    let data = session.data(order)?;
    // guard (response as? HTTPURLResponse)?.statusCode == 200 else { .. }
    // try JSONDecoder().decode(Order.self, from: data)
    println!("{}: {} teas", data.response.status(), data.json::<Value>()?["tea"]);

    // for try await line in try await session.bytes(from: url).0.lines
    for line in session.bytes(format!("{base}/log"))?.lines() {
        println!("{}", line?);
    }

    // try await withThrowingTaskGroup(of: Data.self) { group in .. }
    let (sender, finished) = mpsc::channel();
    for page in 1..=20 {
        session.data_task_to(format!("{base}/pages/{page}"), &sender).resume();
    }
    drop(sender);
    println!("{} pages", finished.iter().filter(|page| page.outcome.is_ok()).count());

    // let (location, _) = try await session.download(from: url)
    // try FileManager.default.moveItem(at: location, to: place)
    let place = env::temp_dir().join(format!("catalogue-{}", process::id()));
    session.download(format!("{base}/catalogue"))?.file.persist(&place)?;
    Ok(fs::remove_file(place)?)
}
