//! The program of `guide::coming_from_urlsession_in_objective_c`: a delegate there.
//!
//!     cargo run --example from_urlsession_objc
//!     cargo run --example from_urlsession_objc -- https://shop.test/catalogue.pdf

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, process};

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, Delegate, DeliveryQueue, DownloadedFile, Error, Session, Task};

// @interface Downloader : NSObject <NSURLSessionDownloadDelegate>
struct Downloader;

impl Delegate for Downloader {
    // URLSession:downloadTask:didWriteData:totalBytesWritten:totalBytesExpectedToWrite:
    fn did_write_data(&self, _task: &Task, _written: u64, total: u64, expected: Option<u64>) {
        println!("{total} of {expected:?} bytes");
    }

    // URLSession:downloadTask:didFinishDownloadingToURL:
    fn did_finish_downloading(&self, _task: &Task, mut file: DownloadedFile) {
        let place = env::temp_dir().join(format!("catalogue-{}.pdf", process::id()));
        // [[NSFileManager defaultManager] moveItemAtURL:location toURL:place error:&error]
        match file.persist(&place) {
            Ok(()) => println!("{} bytes at their place", file.len()),
            Err(error) => eprintln!("{error}"),
        }
        let _ = fs::remove_file(place);
    }

    // URLSession:task:didCompleteWithError:
    fn did_complete(&self, _task: &Task, error: Option<&Error>) {
        println!("over; error: {error:?}");
    }
}

fn main() -> Result<(), Box<dyn StdError>> {
    let server = Server::start();
    server.handle(|_| Answer::ok("").body_of_size(8 << 20));
    let url = env::args().nth(1).unwrap_or_else(|| server.url("/catalogue.pdf"));

    // [NSURLSessionConfiguration ephemeralSessionConfiguration]
    let configuration = Configuration::ephemeral();
    // [NSURLSession sessionWithConfiguration:configuration delegate:self delegateQueue:nil]
    let queue = DeliveryQueue::serial();
    let session = Session::with_delegate(configuration, Arc::new(Downloader), queue)?;

    // NSURLSessionDownloadTask *task = [session downloadTaskWithURL:url]; [task resume];
    let task = session.download_task(url);
    task.resume();
    // [session finishTasksAndInvalidate];
    session.finish_tasks_and_invalidate();

    // A run loop keeps a program of Apple's alive; here, it waits.
    session.wait_until_idle(Duration::from_secs(600));
    task.error().map_or(Ok(()), |error| Err(error.into()))
}
