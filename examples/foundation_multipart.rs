//! The fifth listing of `guide::nsurlsession`: a photo and a tag as `multipart/form-data`, with a
//! delegate that is told how far it is.
//!
//!     cargo run --example foundation_multipart
//!     cargo run --example foundation_multipart -- https://server.io/api/script.php photo.jpg

use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, Delegate, DeliveryQueue, Multipart, Part, Request, Session, Task};

struct Uploading;

impl Delegate for Uploading {
    fn did_send_body_data(&self, _task: &Task, _sent: u64, total: u64, expected: Option<u64>) {
        println!("{total} of {expected:?} bytes");
    }

    fn did_receive_data(&self, _task: &Task, data: Vec<u8>) {
        println!("{}", String::from_utf8_lossy(&data));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|request| Answer::ok(format!("received {} bytes", request.body_length())));
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| server.url("/api/script.php"));
    // With `Part::file` it would be read while it is sent.
    let image_data = arguments.next().map_or_else(|| Ok(vec![0xff; 100_000]), fs::read)?;

    // The boundary, the headers of the parts and the length follow from this. A name may have
    // any characters.
    let picture =
        Part::new(image_data).file_name("photoName.jpg").content_type("application/octet-stream");
    let form = Multipart::new().text("tag_name", "company").part("userfile", picture);

    let queue = DeliveryQueue::serial();
    let session = Session::with_delegate(Configuration::default(), Arc::new(Uploading), queue)?;
    let upload_task = session.data_task(Request::post(url).multipart(form));
    upload_task.resume();

    session.finish_tasks_and_invalidate();
    session.wait_until_idle(Duration::from_secs(60));
    upload_task.error().map_or(Ok(()), |error| Err(error.into()))
}
