//! A window that loads a picture: a field for its URL, a button to load it and one to cancel, a
//! progress bar. Threads of the session tell it what happens through an inbox.
//!
//!     cargo run --manifest-path examples/gui/Cargo.toml
//!     cargo run --manifest-path examples/gui/Cargo.toml -- http://localhost:8000/picture.png
//!
//! Without a URL it talks to a slow server of its own.

mod narrator;
mod slow_server;

use std::env;
use std::error::Error;
use std::sync::Arc;

use eframe::egui;
use urlsession::{Configuration, DataTask, Inbox, Session};

use crate::narrator::{Message, Narrator, Said};

const BLUE: egui::Color32 = egui::Color32::from_rgb(40, 110, 220);
const GREEN: egui::Color32 = egui::Color32::from_rgb(120, 200, 120);
const RED: egui::Color32 = egui::Color32::from_rgb(235, 130, 120);
const YELLOW: egui::Color32 = egui::Color32::from_rgb(250, 220, 130);

fn main() -> Result<(), Box<dyn Error>> {
    // Lives for as long as the window.
    let server = slow_server::start()?;
    let url = env::args().nth(1).unwrap_or_else(|| server.url("/picture.png"));
    let session = Session::new(Configuration::ephemeral())?;
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default().with_inner_size([480.0, 400.0]),
        ..Default::default()
    };
    eframe::run_native(
        "A picture",
        options,
        Box::new(|creation| Ok(Box::new(Window::new(&creation.egui_ctx, session, url)))),
    )?;
    Ok(())
}

/// What is on the screen. It belongs to the toolkit's thread; nothing of it is locked.
struct Window {
    session: Session,
    inbox: Inbox<Message>,
    url: String,
    /// What is being loaded.
    task: Option<DataTask>,
    fraction: f32,
    status: Result<String, String>,
    picture: Option<egui::TextureHandle>,
}

impl Window {
    fn new(context: &egui::Context, session: Session, url: String) -> Self {
        context.set_theme(egui::Theme::Light);
        let waking = context.clone();
        Self {
            session,
            inbox: Inbox::new(move || waking.request_repaint()),
            url,
            task: None,
            fraction: 0.0,
            status: Ok("nothing loaded yet".to_owned()),
            picture: None,
        }
    }

    fn load(&mut self) {
        self.cancel();
        (self.fraction, self.picture) = (0.0, None);
        let task = self.session.data_task(self.url.trim());
        match task.set_delegate(Arc::new(Narrator::new(self.inbox.sender()))) {
            Ok(()) => {
                task.resume();
                self.status = Ok("loading".to_owned());
                self.task = Some(task);
            }
            Err(error) => self.status = Err(error.to_string()),
        }
    }

    /// What the task has said already, and will say, is of no interest any more.
    fn cancel(&mut self) {
        if let Some(task) = self.task.take() {
            task.cancel();
            self.fraction = 0.0;
            self.status = Err("cancelled".to_owned());
        }
    }

    fn take(&mut self, context: &egui::Context, message: Message) {
        if self.task.as_ref().is_none_or(|task| task.id() != message.task) {
            return;
        }
        match message.said {
            Said::Progress(progress) => {
                self.fraction = progress.fraction_received().unwrap_or_default() as f32;
                self.status = Ok(format!("{} KiB", progress.bytes_received / 1024));
            }
            Said::Ended(outcome) => {
                self.task = None;
                self.fraction = if outcome.is_ok() { 1.0 } else { 0.0 };
                self.status = outcome.map(|picture| {
                    let [width, height] = picture.size;
                    let options = egui::TextureOptions::NEAREST;
                    self.picture = Some(context.load_texture("picture", picture, options));
                    format!("{width} x {height} pixels")
                });
            }
        }
    }

    fn controls(&mut self, ui: &mut egui::Ui) {
        ui.horizontal(|ui| {
            let field = egui::TextEdit::singleline(&mut self.url).desired_width(330.0);
            let field = ui.add(field);
            let enter = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            if ui.add(egui::Button::new("Load").fill(GREEN)).clicked() || enter {
                self.load();
            }
            let cancel = egui::Button::new("Cancel").fill(RED);
            if ui.add_enabled(self.task.is_some(), cancel).clicked() {
                self.cancel();
            }
        });
        let bar = egui::ProgressBar::new(self.fraction).desired_height(14.0);
        ui.add(bar.corner_radius(0).fill(BLUE));
        match &self.status {
            Ok(text) => ui.label(text),
            Err(text) => ui.label(egui::RichText::new(text).background_color(YELLOW)),
        };
    }
}

impl eframe::App for Window {
    /// Also called while the window is hidden.
    fn logic(&mut self, context: &egui::Context, _frame: &mut eframe::Frame) {
        for message in self.inbox.pending() {
            self.take(context, message);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        egui::CentralPanel::default().show(ui, |ui| {
            self.controls(ui);
            if let Some(picture) = &self.picture {
                let picture = egui::Image::new(picture).max_size(ui.available_size());
                ui.add(picture.fit_to_original_size(1.0));
            }
        });
    }
}
