//! Writing the body of a response to a file.

use std::sync::Arc;

use super::pump::{MOST, Pump};
use super::transfer::Loader;
use super::{parts, rest};
use crate::download::{Course, End, Sink};
use crate::error::{Error, ErrorKind, Stage};
use crate::load::Decoder;
use crate::response::Response;
use crate::session::data::Download;
use crate::session::task::{Core, Listener};

/// A body on its way into a file.
#[derive(Debug)]
pub(super) struct Writing {
    pump: Pump,
    /// Nothing is missing in the file: the body is not its.
    is_complete: bool,
}

impl Writing {
    pub(super) fn new(course: Course) -> Self {
        let is_complete = matches!(course, Course::Complete { .. });
        Self { pump: Pump::default(), is_complete }
    }

    /// Writes all that is still to come.
    pub(super) fn receive(
        &mut self,
        (core, loader): (&Arc<Core>, &Loader),
        body: &mut Decoder,
        sink: &mut dyn Sink,
        listener: Option<&dyn Listener>,
    ) -> Result<(), Error> {
        let ended = self
            .receive_all((core, loader), body, sink, listener)
            .and_then(|()| sink.ended(&mut || core.go_on()));
        let ended = ended.or_else(|error| {
            let lost = if error.is_cancelled() { None } else { sink.lost() };
            lost.map(End::AsksAgain).ok_or(error)
        })?;
        match ended {
            End::Whole => Ok(()),
            End::AsksRest => Err(rest::again(core)),
            End::AsksAgain(reason) => {
                rest::tell_of_start(core, listener, reason);
                Err(rest::again(core))
            }
        }
    }

    /// Writes what comes by this body, and by others if it is a part.
    fn receive_all(
        &mut self,
        (core, loader): (&Arc<Core>, &Loader),
        body: &mut Decoder,
        sink: &mut dyn Sink,
        listener: Option<&dyn Listener>,
    ) -> Result<(), Error> {
        if !self.is_complete
            && let Some(parts) = sink.split(body.remaining() != Some(0))?
        {
            let receiving = (body, &mut self.pump);
            return parts::receive((core, loader), receiving, parts, sink, listener);
        }
        self.receive_alone(core, body, sink, listener)
    }

    /// Writes what comes by this body.
    fn receive_alone(
        &mut self,
        core: &Arc<Core>,
        body: &mut Decoder,
        sink: &mut dyn Sink,
        listener: Option<&dyn Listener>,
    ) -> Result<(), Error> {
        while !self.is_complete {
            let count = self.pump.turn(body, sink, MOST, &core.shared.census)?;
            if count == 0 {
                break;
            }
            core.counters.received(count as u64);
            sink.keep_up(core.shared.now())?;
            if let Some(listener) = listener {
                listener.progress(core);
            }
            if core.flags.must_look() {
                self.pump.pause();
            }
            core.rest()?;
        }
        Ok(())
    }
}

/// The body is whole: the file comes to its place.
pub(super) fn finish(
    sink: &mut Option<Box<dyn Sink>>,
    response: Response,
) -> Result<Download, Error> {
    let finished = match sink {
        Some(sink) => sink.finish(),
        None => Err(Error::new(ErrorKind::CannotCreateFile, "there is no file to write to")),
    };
    match finished {
        Ok(file) => {
            *sink = None;
            Ok(Download { response, file })
        }
        Err(error) => Err(error.at(Stage::Receiving).on(response.url())),
    }
}
