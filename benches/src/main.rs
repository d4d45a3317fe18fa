//! Runs one client through one load and prints one line of numbers.
//!
//! `bench warm-get --client NAME --url URL --count N [--ca PEM]`
//! `bench threads  --client NAME --url URL --count N --threads 8 [--ca PEM]`
//! `bench tasks    --client urlsession --url URL --count N [--ca PEM]`
//! `bench bulk     --client NAME --url URL [--buffer BYTES] [--ca PEM]`
//! `bench download --client NAME --url URL --file NEW [--sync true] [--ca PEM]`
//! `bench download-temporary --client urlsession --url URL [--ca PEM]`
//! `bench upload   --client NAME --url URL --file FILE [--ca PEM]`
//! `bench multipart --client NAME --url URL --file FILE [--ca PEM]`
//! `bench clients` lists the names.
//! `bench sink CERTIFICATE KEY` is the server of the uploads.
//!
//! `measure.py` starts the server, runs this program in turns and makes the tables.

mod arguments;
mod clients;
mod cost;
mod loads;
mod sink;

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
    let what = words.next().ok_or("say which load, clients or sink")?;
    if what == "clients" {
        return Ok(clients::NAMES.join(" "));
    }
    if what == "sink" {
        let mut path = || words.next().ok_or("say the files of the certificate and its key");
        return sink::serve(path()?.as_ref(), path()?.as_ref()).map(|()| String::new());
    }
    let arguments = Arguments::parse(words)?;
    let shared = clients::open(&arguments.client, arguments.ca.as_deref())?;
    let cost = match what.as_str() {
        "warm-get" => loads::warm_get(&*shared, &arguments)?,
        "threads" => loads::threads(&*shared, &arguments)?,
        "tasks" => loads::tasks(&*shared, &arguments)?,
        "bulk" => loads::bulk(&*shared, &arguments)?,
        "download" => loads::download(&*shared, &arguments)?,
        "download-temporary" => loads::download_temporary(&*shared, &arguments)?,
        "upload" => loads::upload(&*shared, &arguments)?,
        "multipart" => loads::multipart(&*shared, &arguments)?,
        other => return Err(format!("no load is called `{other}`").into()),
    };
    Ok(format!("client={} what={what} {cost}", arguments.client))
}
