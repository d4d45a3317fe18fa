//! Writing the body of a response to a file.

use std::sync::Arc;

use super::pump::Pump;
use crate::error::{Error, Stage};
use crate::files::{self, Sink, Target};
use crate::load::Decoder;
use crate::response::Response;
use crate::session::data::Download;
use crate::session::task::{Core, Listener};

/// A body on its way into a file.
#[derive(Debug)]
pub(super) struct Writing {
    sink: Box<dyn Sink>,
    pump: Pump,
}

impl Writing {
    /// Creates the file: beside its place if it has one, else a temporary one.
    pub(super) fn begin(core: &Core, target: Option<Target>) -> Result<Self, Error> {
        let folder = core.shared.configuration.temporary_directory.as_ref();
        let sink = (files::maker()?.create)(target, folder, &core.shared.census)?;
        Ok(Self { sink, pump: Pump::default() })
    }

    /// Writes all that is still to come.
    pub(super) fn receive(
        &mut self,
        core: &Arc<Core>,
        body: &mut Decoder,
        listener: Option<&dyn Listener>,
    ) -> Result<(), Error> {
        loop {
            let count = self.pump.turn(body, &mut *self.sink)?;
            if count == 0 {
                return Ok(());
            }
            core.counters.received(count as u64);
            if let Some(listener) = listener {
                listener.progress(core);
            }
            core.rest()?;
        }
    }

    /// The body is whole: the file comes to its place.
    pub(super) fn finish(self, response: Response) -> Result<Download, Error> {
        match self.sink.finish() {
            Ok(file) => Ok(Download { response, file }),
            Err(error) => Err(error.at(Stage::Receiving).on(response.url())),
        }
    }
}
