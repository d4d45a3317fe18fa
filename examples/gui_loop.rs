//! Loads something in a program with an event loop, without a second thread that sees its
//! widgets: any toolkit that can post an event from another thread will do. `examples/gui` does it
//! with one.
//!
//!     cargo run --example gui_loop
//!     cargo run --example gui_loop -- https://www.rust-lang.org/

use std::cell::RefCell;
use std::env;
use std::error::Error;
use std::rc::Rc;
use std::sync::{Arc, mpsc};

use urlsession::testing::{Answer, Server};
use urlsession::{Configuration, Delegate, Inbox, InboxSender, Progress, Session, Task};

enum Event {
    Click(String),
    LookAtInbox,
}

/// What the program is told, in words of its own.
enum Message {
    Progress(Progress),
    Ended(Option<urlsession::Error>),
}

/// Sends on what happens, from whatever thread it is called on.
struct Narrator(InboxSender<Message>);

impl Delegate for Narrator {
    fn did_make_progress(&self, _task: &Task, progress: Progress) {
        self.0.send(Message::Progress(progress));
    }

    fn did_complete(&self, _task: &Task, error: Option<&urlsession::Error>) {
        self.0.send(Message::Ended(error.cloned()));
    }
}

/// Widgets belong to one thread: nothing here is `Send`.
type Label = Rc<RefCell<String>>;

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.handle(|_| Answer::ok("").body_of_size(8 << 20));
    let url = env::args().nth(1).unwrap_or_else(|| server.url("/picture"));

    let (sender, events) = mpsc::channel();
    sender.send(Event::Click(url))?;
    let inbox = Inbox::new(move || sender.send(Event::LookAtInbox).unwrap_or_default());
    let session = Session::new(Configuration::ephemeral())?;
    let label = Label::default();
    for event in events {
        match event {
            Event::Click(url) => {
                let task = session.data_task(url);
                task.set_delegate(Arc::new(Narrator(inbox.sender())))?;
                task.resume();
            }
            Event::LookAtInbox => {
                for message in inbox.pending() {
                    match message {
                        Message::Progress(progress) => {
                            *label.borrow_mut() = format!("{} bytes", progress.bytes_received);
                            println!("{}", label.borrow());
                        }
                        Message::Ended(error) => return error.map_or(Ok(()), |it| Err(it.into())),
                    }
                }
            }
        }
    }
    Ok(())
}
