//! Receiving the body of a response, for whoever wants it.

use std::mem;
use std::sync::Arc;

use super::collect::{Gathered, append};
use super::transfer::Loader;
use super::writing::{self, Writing};
use super::{rest, transfer};
use crate::download::{Course, Sink};
use crate::error::{Error, ErrorKind, Stage};
use crate::load::{Decoder, Loaded};
use crate::log;
use crate::response::Response;
use crate::session::data::Data;
use crate::session::delegate::ResponseDisposition;
use crate::session::task::{Brought, Core, Kind, Listener, Product};
use crate::wire::Question;

/// How much of a body is read at a time for somebody who is told piece by piece.
const PIECE: usize = 64 * 1024;

/// How much is kept of the body of a response that is not accepted, and read of it at a time.
const REFUSAL: usize = 64 * 1024;
const STEP: usize = 8 * 1024;

/// Asks what becomes of the body.
pub(super) fn allowed(
    core: &Arc<Core>,
    response: &Response,
    listener: Option<&dyn Listener>,
    question: &mut Question,
) -> Result<ResponseDisposition, Error> {
    match listener.map(|listener| listener.response(core, response, question)).transpose()? {
        None => Ok(ResponseDisposition::Allow),
        Some(ResponseDisposition::Cancel) => {
            Err(Error::cancelled().at(Stage::Receiving).on(response.url()))
        }
        Some(disposition) => Ok(disposition),
    }
}

/// A body that is being received, for whoever wants it. It can be left, and gone on with on
/// another thread.
#[derive(Debug)]
pub(super) struct Reception {
    response: Response,
    body: Decoder,
    receiver: Receiver,
}

/// Who wants a body.
#[derive(Debug)]
enum Receiver {
    /// Nobody.
    Nobody(Vec<u8>),
    /// Whoever looks at the error of a response that is not accepted.
    Refusal(Vec<u8>),
    /// Whoever is told of the end.
    Memory(Gathered),
    /// A listener, in pieces, and perhaps whoever is told of the end.
    Pieces(Box<Pieces>),
    /// A listener, at once.
    Whole(Gathered),
    /// A file.
    File(Writing),
}

impl Receiver {
    /// Prepares for what becomes of the body.
    fn of(
        core: &Arc<Core>,
        loaded: &Loaded,
        (disposition, course): (ResponseDisposition, Option<Course>),
        sink: &mut Option<Box<dyn Sink>>,
        listener: Option<&dyn Listener>,
    ) -> Result<Self, Error> {
        let is_rest = matches!(course, Some(Course::GoesOn { .. } | Course::Complete { .. }));
        let is_refused = course == Some(Course::Refused);
        if is_refused || (!is_rest && !accepts(core, &loaded.response)) {
            return Ok(Self::Refusal(Vec::new()));
        }
        if disposition == ResponseDisposition::BecomeDownload {
            become_download(core, listener)?;
        }
        let is_collected = core.state.lock().recipients.reports().wants_data();
        let limit = core.shared.configuration.maximum_body_in_memory;
        let is_told = listener.is_some_and(|listener| listener.takes_body());
        Ok(if core.is_download() {
            let course = match course {
                Some(course) => course,
                None => begin_file(core, sink, loaded, listener)?,
            };
            Self::File(Writing::new(course))
        } else if !is_told && is_collected {
            Self::Memory(Gathered::new(&loaded.body, limit)?)
        } else if !is_told {
            Self::Nobody(vec![0; PIECE])
        } else if !is_collected && !is_incremental(core) {
            Self::Whole(Gathered::new(&loaded.body, limit)?)
        } else {
            let collected = is_collected.then(Vec::new);
            Self::Pieces(Box::new(Pieces { collected, ..Pieces::default() }))
        })
    }
}

impl Reception {
    /// Prepares for what becomes of the body.
    pub(super) fn begin(
        core: &Arc<Core>,
        loaded: Loaded,
        decided: (ResponseDisposition, Option<Course>),
        sink: &mut Option<Box<dyn Sink>>,
        listener: Option<&dyn Listener>,
    ) -> Result<Self, Error> {
        let receiver = Receiver::of(core, &loaded, decided, sink, listener)
            .map_err(|error| error.at(Stage::Receiving).on(loaded.response.url()))?;
        let Loaded { response, body } = loaded;
        Ok(Self { response, body, receiver })
    }

    pub(super) fn response(&self) -> &Response {
        &self.response
    }

    /// Receives all that is still to come.
    pub(super) fn receive(
        &mut self,
        (core, loader): (&Arc<Core>, &Loader),
        sink: &mut Option<Box<dyn Sink>>,
        listener: Option<&dyn Listener>,
    ) -> Result<(), Error> {
        let body = &mut self.body;
        let tell = || listener.into_iter().for_each(|listener| listener.progress(core));
        match &mut self.receiver {
            Receiver::Memory(gathered) => gathered.read_all(body, |count| core.took(count)),
            Receiver::Whole(gathered) => gathered.read_all(body, |count| {
                tell();
                core.took(count)
            }),
            Receiver::Nobody(buffer) => loop {
                match body.read(buffer)? {
                    0 => return Ok(()),
                    count => core.took(count)?,
                }
            },
            Receiver::Refusal(read) => read_refusal(core, body, read),
            Receiver::File(writing) => match sink {
                Some(sink) => writing.receive((core, loader), body, &mut **sink, listener),
                None => Ok(()),
            },
            Receiver::Pieces(pieces) => {
                let limit = core.shared.configuration.maximum_body_in_memory;
                loop {
                    if pieces.untold.is_none() {
                        let Some(piece) = pieces.next(body)? else { return Ok(()) };
                        core.counters.received(piece.len() as u64);
                        if let Some(collected) = &mut pieces.collected {
                            append(collected, &piece, limit)?;
                        }
                        pieces.untold = Some(piece);
                    }
                    if let (Some(listener), Some(piece)) = (listener, &mut pieces.untold) {
                        // Not while it is suspended, as far as that is known.
                        core.rest()?;
                        listener.data(core, piece)?;
                        listener.progress(core);
                    }
                    pieces.untold = None;
                    core.rest()?;
                }
            }
        }
    }

    /// Hands over what was received, when all of it is there.
    pub(super) fn finish(
        self,
        core: &Arc<Core>,
        sink: &mut Option<Box<dyn Sink>>,
        listener: Option<&dyn Listener>,
    ) -> Brought {
        let Self { response, receiver, .. } = self;
        match receiver {
            Receiver::Memory(gathered) => {
                Ok(Product::Data(Data { response, body: gathered.into_bytes() }))
            }
            Receiver::Pieces(pieces) => Ok(match pieces.collected {
                Some(body) => Product::Data(Data { response, body }),
                None => Product::Nothing,
            }),
            Receiver::Nobody(_) => Ok(Product::Nothing),
            Receiver::Refusal(body) => Err(response.refused(body).at(Stage::Receiving)),
            Receiver::Whole(gathered) => {
                let mut whole = gathered.into_bytes();
                if !whole.is_empty()
                    && let Some(listener) = listener
                {
                    listener.data(core, &mut whole)?;
                }
                Ok(Product::Nothing)
            }
            Receiver::File(_) => writing::finish(sink, response).map(Product::Download),
        }
    }
}

/// Decides whether the task accepts its response.
fn accepts(core: &Core, response: &Response) -> bool {
    let is_saved = matches!(&core.state.lock().kind, Kind::Download(saving) if saving.is_choosy());
    core.request.accepts(response.status(), is_saved)
}

/// Returns the response, or the error with what can be read of its body if the task does not
/// accept it.
pub(super) fn accepted(core: &Arc<Core>, loaded: Loaded) -> Result<Loaded, Error> {
    if accepts(core, &loaded.response) {
        return Ok(loaded);
    }
    let Loaded { response, mut body } = loaded;
    let mut read = Vec::new();
    read_refusal(core, &mut body, &mut read)?;
    Err(response.refused(read).at(Stage::Receiving))
}

/// Reads what is kept of the body of a response that is not accepted. Fails if the task has
/// to end, or leaves its thread; a body that breaks is as long as it came.
fn read_refusal(core: &Arc<Core>, body: &mut Decoder, read: &mut Vec<u8>) -> Result<(), Error> {
    while read.len() < REFUSAL {
        let begin = read.len();
        read.resize(REFUSAL.min(begin + STEP), 0);
        let count = body.read(&mut read[begin..]);
        read.truncate(begin + count.as_ref().map_or(0, |count| *count));
        match count {
            Ok(0) => break,
            Ok(_) => core.rest()?,
            Err(error) if error.is_cancelled() || error.kind() == ErrorKind::TimedOut => {
                return Err(error);
            }
            Err(error) => {
                log::debug!("the body of a response that is not accepted: {error}");
                break;
            }
        }
    }
    Ok(())
}

/// Whether the body is told of while it arrives.
fn is_incremental(core: &Core) -> bool {
    let recipients = &core.state.lock().recipients;
    recipients.is_incremental() || !recipients.are_delegates()
}

/// Looks at the head of the answer to a request for a whole file, and prepares for its body.
fn begin_file(
    core: &Arc<Core>,
    sink: &mut Option<Box<dyn Sink>>,
    loaded: &Loaded,
    listener: Option<&dyn Listener>,
) -> Result<Course, Error> {
    let sink = match sink {
        Some(sink) => sink,
        // The task has just become a download.
        None => sink.insert(transfer::sink(core)?),
    };
    let course = sink.answered(&loaded.response, loaded.body.is_decoding())?;
    if let Course::StartsOver(reason) = course {
        rest::tell_of_start(core, listener, reason);
    }
    Ok(course)
}

fn become_download(core: &Arc<Core>, listener: Option<&dyn Listener>) -> Result<(), Error> {
    let mut state = core.state.lock();
    if matches!(state.kind, Kind::Download(_)) {
        return Ok(());
    }
    if !state.recipients.are_delegates() {
        return Err(cannot_become_download());
    }
    state.kind = Kind::Download(Box::default());
    drop(state);
    listener.inspect(|listener| listener.became_download(core));
    Ok(())
}

/// Reads a body in pieces that can be given away.
#[derive(Debug, Default)]
struct Pieces {
    /// Memory that the last piece left.
    spare: Vec<u8>,
    /// A piece that nobody was told of yet.
    untold: Option<Vec<u8>>,
    /// What whoever is told of the end gets.
    collected: Option<Vec<u8>>,
}

impl Pieces {
    /// Returns the next piece, in memory that is not much larger than it is.
    fn next(&mut self, body: &mut Decoder) -> Result<Option<Vec<u8>>, Error> {
        let mut piece = mem::take(&mut self.spare);
        piece.resize(PIECE, 0);
        let count = body.read(&mut piece)?;
        if count == 0 {
            return Ok(None);
        }
        if count < PIECE / 2 {
            let small = piece[..count].to_vec();
            self.spare = piece;
            return Ok(Some(small));
        }
        piece.truncate(count);
        Ok(Some(piece))
    }
}

/// The error of a task that would have nobody to give its file to.
pub(super) fn cannot_become_download() -> Error {
    let detail = "only a task that reports to its delegates can become a download";
    Error::new(ErrorKind::InvalidRequest, detail).at(Stage::Receiving)
}
