//! Loads something in a program with an event loop, without a second thread that sees its
//! widgets: any toolkit that can post an event from another thread will do.
//!
//!     cargo run --example gui_loop
//!     cargo run --example gui_loop -- https://www.rust-lang.org/

use std::cell::RefCell;
use std::env;
use std::error::Error;
use std::rc::Rc;
use std::sync::mpsc;

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, DeliveryQueue, Session, Update, Updates};

enum Event {
    Click(String),
    LookAtQueue,
}

/// Widgets belong to one thread: nothing here is `Send`.
type Label = Rc<RefCell<String>>;

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|_| Answer::ok("").body_of_size(8 << 20));
    let url = env::args().nth(1).unwrap_or_else(|| server.url("/picture"));

    let (sender, events) = mpsc::channel();
    sender.send(Event::Click(url))?;
    let queue = DeliveryQueue::manual(move || {
        let _ = sender.send(Event::LookAtQueue);
    });
    let session = Session::with_queue(Configuration::ephemeral(), queue.clone())?;
    let label = Label::default();
    let mut loading: Option<Updates> = None;
    for event in events {
        match event {
            Event::Click(url) => loading = Some(session.data_task(url).updates()),
            Event::LookAtQueue => {
                // Delegates and closures, if there were any, would be called here...
                queue.run_pending();
                // ... and what needs the widgets is taken from a channel.
                while let Some(Ok(update)) = loading.as_ref().map(Updates::try_recv) {
                    match update {
                        Update::Progress(progress) => {
                            *label.borrow_mut() = format!("{} bytes", progress.bytes_received);
                            println!("{}", label.borrow());
                        }
                        Update::Finished(outcome) => return Ok(outcome?),
                        _ => {}
                    }
                }
            }
        }
    }
    Ok(())
}
