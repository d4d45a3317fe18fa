//! Uploads a photo with a tag, to a server of its own or to any URL.
//!
//!     cargo run --example upload_photo
//!     cargo run --example upload_photo -- https://shop.test/photos photo.jpg holiday

use std::error::Error;
use std::{env, fs, process};

use urlsession::testing::{Answer, Server};
use urlsession::{Multipart, Request, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => upload_to_a_server_of_our_own(),
        [url, photo, tag] => upload(url, photo, tag),
        _ => Err("usage: upload_photo [URL PHOTO TAG]".into()),
    }
}

/// The file is read while it is sent: it may be larger than the memory.
fn upload(url: &str, photo: &str, tag: &str) -> Result<(), Box<dyn Error>> {
    let form = Multipart::new().text("tag_name", tag).file("userfile", photo);
    let data = Session::shared().data(Request::post(url).multipart(form))?;
    println!("{}: {}", data.response.status(), data.text());
    Ok(())
}

fn upload_to_a_server_of_our_own() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|request| {
        let text = String::from_utf8_lossy(request.body()).into_owned();
        Answer::ok(format!("received {} bytes:\n{text}", text.len()))
    });
    let photo = env::temp_dir().join(format!("photo-{}.jpg", process::id()));
    fs::write(&photo, "(a photo)")?;
    let uploaded = upload(&server.url("/photos"), &photo.to_string_lossy(), "holiday");
    fs::remove_file(&photo)?;
    uploaded
}
