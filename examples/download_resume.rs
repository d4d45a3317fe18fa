//! Downloads to a file, and goes on where an earlier run has come to, crashed or not.
//!
//!     cargo run --example download_resume
//!     cargo run --example download_resume -- https://shop.test/film.mp4 film.mp4 [SHA-256]

use std::error::Error;
use std::{env, fs, process};

use urlsession::testing::{Answer, Server};
use urlsession::{Session, Update};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => interrupt_and_go_on(),
        [url, place] => download(url, place, None),
        [url, place, digest] => download(url, place, Some(digest)),
        _ => Err("usage: download_resume [URL FILE [SHA-256]]".into()),
    }
}

/// Run again after a failure, a Ctrl-C or a crash, it asks for the rest alone.
fn download(url: &str, place: &str, digest: Option<&str>) -> Result<(), Box<dyn Error>> {
    let task = Session::shared().download_task(url);
    task.save_to(place)?;
    task.resumable(true)?;
    if let Some(digest) = digest {
        task.expects_sha256(digest)?;
    }
    for update in task.updates() {
        match update {
            Update::Resumed { offset, .. } => println!("goes on behind {offset} bytes"),
            Update::StartedOver(why) => println!("starts over: {why}"),
            Update::Progress(progress) => println!("{} bytes", progress.bytes_received),
            Update::Downloaded(file) => println!("{} is whole", file.path().display()),
            Update::Finished(outcome) => outcome?,
            _ => {}
        }
    }
    Ok(())
}

/// The same with a server of our own, which breaks the connection after 4 of 8 bytes.
fn interrupt_and_go_on() -> Result<(), Box<dyn Error>> {
    let (server, folder) = (Server::start(), env::temp_dir());
    let place = folder.join(format!("film-{}.mp4", process::id()));
    let place = place.to_str().ok_or("the folder's name is no text")?;
    server.enqueue(Answer::ok("the ").header("ETag", "\"1\"").announced_length(8));
    let broken = download(&server.url("/film.mp4"), place, None);
    println!("{}", broken.err().map_or_else(String::new, |error| error.to_string()));
    let rest = Answer::status(206).body("film").header("ETag", "\"1\"");
    server.enqueue(rest.header("Content-Range", "bytes 4-7/8"));
    download(&server.url("/film.mp4"), place, None)?;
    println!("{}", fs::read_to_string(place)?);
    Ok(fs::remove_file(place)?)
}
