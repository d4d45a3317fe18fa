//! Loads many URLs at once; one channel brings all outcomes, in the order of their ends.
//!
//!     cargo run --example channel_of_many
//!     cargo run --example channel_of_many -- https://www.rust-lang.org/ https://docs.rs/

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::sync::mpsc;

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|request| Answer::ok(format!("this is {}", request.path())));
    let mut urls: Vec<String> = env::args().skip(1).collect();
    if urls.is_empty() {
        urls = (1..=20).map(|page| server.url(&format!("/pages/{page}"))).collect();
    }

    let session = Session::new(Configuration::ephemeral())?;
    let (sender, outcomes) = mpsc::channel();
    let mut tasks = HashMap::new();
    for url in urls {
        // At most six run on one host at a time; the others wait without a thread.
        let task = session.data_task_to(&url, &sender);
        task.resume();
        tasks.insert(task.id(), url);
    }
    // The tasks have clones of it: the loop ends with the last of them.
    drop(sender);

    let (count, mut failed) = (tasks.len(), 0);
    for finished in outcomes {
        let url = &tasks[&finished.id];
        match finished.outcome {
            Ok(data) => println!("{url}: {}, {}", data.response.status(), data.body.len()),
            Err(error) => {
                eprintln!("{error}");
                failed += 1;
            }
        }
    }
    println!("{} of {count} arrived", count - failed);
    if failed == 0 { Ok(()) } else { Err("not all arrived".into()) }
}
