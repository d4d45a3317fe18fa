//! Runs one client through one load and prints one line of numbers.
//!
//! `bench warm-get --client NAME --url URL --count N [--ca PEM]`
//! `bench threads  --client NAME --url URL --count N --threads 8 [--ca PEM]`
//! `bench bulk     --client NAME --url URL [--buffer BYTES] [--ca PEM]`
//! `bench clients` lists the names.
//!
//! `measure.py` starts the server, runs this program in turns and makes the tables.

mod arguments;
mod clients;
mod cost;
mod loads;

use std::process::ExitCode;

use arguments::Arguments;

/// What a load or a client reports when it cannot go on.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match run() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String, Failure> {
    let mut words = std::env::args().skip(1);
    let what = words.next().ok_or("say warm-get, threads, bulk or clients")?;
    if what == "clients" {
        return Ok(clients::NAMES.join(" "));
    }
    let arguments = Arguments::parse(words)?;
    let shared = clients::open(&arguments.client, arguments.ca.as_deref())?;
    let cost = match what.as_str() {
        "warm-get" => loads::warm_get(&*shared, &arguments)?,
        "threads" => loads::threads(&*shared, &arguments)?,
        "bulk" => loads::bulk(&*shared, &arguments)?,
        other => return Err(format!("no load is called `{other}`").into()),
    };
    Ok(format!("client={} what={what} {cost}", arguments.client))
}
