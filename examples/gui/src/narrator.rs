//! What threads of the session tell the window.

use std::mem;
use std::sync::Mutex;

use eframe::egui::ColorImage;
use urlsession::{
    Delegate, Error, InboxSender, Progress, Reply, Response, ResponseDisposition, Task,
};

/// What was said, and by which task.
pub struct Message {
    pub task: u64,
    pub said: Said,
}

pub enum Said {
    Progress(Progress),
    Ended(Result<ColorImage, String>),
}

/// The delegate of one task: it gathers the body, and decodes it where no window waits for it.
pub struct Narrator {
    sender: InboxSender<Message>,
    /// Calls of one task never overlap, so nobody waits here.
    body: Mutex<Vec<u8>>,
}

impl Narrator {
    pub fn new(sender: InboxSender<Message>) -> Self {
        Self { sender, body: Mutex::default() }
    }

    fn body(&self) -> impl std::ops::DerefMut<Target = Vec<u8>> {
        self.body.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn say(&self, task: &Task, said: Said) {
        if !self.sender.send(Message { task: task.id(), said }) {
            // The window was closed.
            task.cancel();
        }
    }
}

impl Delegate for Narrator {
    fn did_receive_response(
        &self,
        _task: &Task,
        _response: &Response,
        reply: Reply<ResponseDisposition>,
    ) {
        // A second one means that the transfer had to start over.
        self.body().clear();
        reply.answer(ResponseDisposition::Allow);
    }

    fn did_receive_data(&self, task: &Task, data: Vec<u8>) {
        self.body().extend(data);
        self.say(task, Said::Progress(task.progress()));
    }

    fn did_complete(&self, task: &Task, error: Option<&Error>) {
        let body = mem::take(&mut *self.body());
        let outcome = match error {
            Some(error) => Err(error.to_string()),
            None => decoded(task.response().as_ref(), &body),
        };
        self.say(task, Said::Ended(outcome));
    }
}

fn decoded(response: Option<&Response>, body: &[u8]) -> Result<ColorImage, String> {
    if let Some(response) = response.filter(|response| !response.status().is_success()) {
        return Err(format!("the server answers with {}", response.status()));
    }
    let picture = image::load_from_memory(body).map_err(|error| error.to_string())?.to_rgb8();
    let size = [picture.width() as usize, picture.height() as usize];
    Ok(ColorImage::from_rgb(size, &picture))
}
