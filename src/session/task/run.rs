//! Running a task: on a worker, or on the thread of its caller.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::core::Core;
use super::finish::Brought;
use super::place::Then;
use super::product::{Kind, Product, Sink};
use super::report::{Reports, panicked};
use super::telling::Telling;
use crate::cancel::CancelToken;
use crate::delivery::caught;
use crate::error::{Error, ErrorKind, Stage};
use crate::files::Target;
use crate::load::{self, Decoder, Loaded};
use crate::request::Request;
use crate::response::Response;
use crate::session::delegate::ResponseDisposition;
use crate::session::inside::Inside;
use crate::session::line::{Place, Ticket};
use crate::session::pool::Ready;
use crate::session::shared::Shared;
use crate::session::{Data, data};
use crate::wire::Context;

/// How much of a body is read at a time for somebody who is told piece by piece.
const PIECE: usize = 64 * 1024;

/// Runs a task on the worker that calls this. Returns the place to free.
pub(crate) fn run_on_worker(ready: Ready) -> Option<Place> {
    let Ready { core, ticket, place } = ready;
    let freed = run_attached(&core, ticket, place);
    // It may be the last to hold what the program gave to the task.
    caught("what a task holds", || drop(core));
    freed
}

fn run_attached(core: &Arc<Core>, ticket: Ticket, place: Place) -> Option<Place> {
    if let Err(place) = core.attach(ticket, place) {
        return Some(place);
    }
    loop {
        let outcome = guarded(|| core.attempt());
        if !core.starts_over(outcome.as_ref().err()) {
            return core.complete(outcome, false);
        }
        match core.detach() {
            Then::Again => {}
            Then::Leave => return None,
            Then::Complete => return core.complete(Err(Error::cancelled()), false),
        }
    }
}

/// Ends a task for which there is no thread.
pub(crate) fn give_up(ready: Ready, error: Error) {
    let Ready { core, ticket, place } = ready;
    let freed = match core.attach(ticket, place) {
        Ok(()) => core.complete(Err(error), false),
        Err(place) => Some(place),
    };
    if let Some(place) = freed {
        core.shared.act(core.shared.pool().free(place));
    }
}

/// Runs what may call the program in ways that nobody else guards: readers of bodies that
/// are dropped, its logger.
fn guarded<T>(transfer: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    caught("code called by a transfer", transfer)
        .unwrap_or_else(|| Err(panicked("code called by the transfer")))
}

impl Core {
    /// Runs the task on the thread that calls this, from its beginning to its end.
    pub(crate) fn run(self: &Arc<Self>) -> Brought {
        self.attach_caller()?;
        let inside = Inside::enter(&self.shared);
        let mut outcome = guarded(|| self.attempt());
        while self.starts_over(outcome.as_ref().err()) && matches!(self.detach(), Then::Again) {
            outcome = guarded(|| self.attempt());
        }
        drop(inside);
        self.end(outcome)
    }

    /// Runs the task until its head has arrived, on the thread that calls this.
    pub(crate) fn open(self: &Arc<Self>) -> Result<Loaded, Error> {
        self.attach_caller()?;
        let inside = Inside::enter(&self.shared);
        let mut opened = guarded(|| self.head());
        while self.starts_over(opened.as_ref().err()) && matches!(self.detach(), Then::Again) {
            opened = guarded(|| self.head());
        }
        drop(inside);
        opened.map_err(|error| self.end(Err(error)).err().unwrap_or_else(Error::cancelled))
    }

    /// Transfers the task as far as its head.
    fn head(self: &Arc<Self>) -> Result<Loaded, Error> {
        let (token, telling) = self.start_attempt()?;
        let loaded = self.load(&token)?;
        match self.allowed(&loaded.response, telling.as_deref())? {
            ResponseDisposition::BecomeDownload => Err(cannot_become_download()),
            _ => Ok(loaded),
        }
    }

    /// Whether the transfer begins anew: it was ended for that, or was suspended for so
    /// long that its connection broke.
    fn starts_over(&self, error: Option<&Error>) -> bool {
        use ErrorKind::{NetworkConnectionLost, ZeroByteResource};

        let Some(error) = error else { return false };
        let mut state = self.state.lock();
        let broke = matches!(error.kind(), NetworkConnectionLost | ZeroByteResource)
            && mem::take(&mut state.may_have_broken)
            && self.may_start_over(&state);
        state.starts_over |= broke && !state.is_over();
        state.starts_over
    }

    /// Transfers the whole task once.
    fn attempt(self: &Arc<Self>) -> Brought {
        let (token, telling) = self.start_attempt()?;
        // What is at its place already is known before anything is transferred.
        let target = self.target()?;
        let loaded = self.load(&token)?;
        let url = loaded.response.clone();
        let received = self.receive(loaded, target, telling.as_deref());
        received.map_err(|error| error.at(Stage::Receiving).on(url.url()))
    }

    fn start_attempt(self: &Arc<Self>) -> Result<(CancelToken, Option<Arc<Telling>>), Error> {
        let token = CancelToken::new();
        let mut state = self.state.lock();
        state.attempt = Some(token.clone());
        state.may_have_broken = false;
        if state.is_over() {
            return Err(self.why_cancelled(&state));
        }
        drop(state);
        self.go_on()?;
        Ok((token, self.start_telling()))
    }

    /// Sends the request and receives the head.
    fn load(self: &Arc<Self>, token: &CancelToken) -> Result<Loaded, Error> {
        let configuration = &self.shared.configuration;
        let context = Context {
            cancel: Some(token.clone()),
            clock: configuration.clock.clone(),
            idle: self.request.timeout_or(configuration.timeout_for_request),
            deadline: self.state.lock().deadline,
            dialogue: Some(self.clone()),
        };
        let streamed = self.streamed()?;
        let request = streamed.as_ref().unwrap_or(&self.request);
        let (engine, rules) = (&self.shared.engine, &self.shared.rules);
        let loaded = loop {
            match load::run(engine, rules, request, &context) {
                Ok(loaded) => break loaded,
                Err(error) => self.wait_for_connectivity(error)?,
            }
        };
        self.state.lock().seen.response = Some(loaded.response.clone());
        self.go_on().map_err(|error| error.at(Stage::Receiving))?;
        Ok(loaded)
    }

    /// Returns the request with the body that the delegate has for it, if it is asked.
    fn streamed(self: &Arc<Self>) -> Result<Option<Request>, Error> {
        if !self.streams {
            return Ok(None);
        }
        let body = self.ask_for_body()?.ok_or_else(|| {
            let detail = "no delegate has a body to send: need_new_body_stream was not answered";
            Error::new(ErrorKind::RequestBodyStreamExhausted, detail).at(Stage::Preparing)
        })?;
        Ok(Some(self.request.clone().body(body)))
    }

    /// Returns the place that was named for a download, if a file may come there.
    fn target(&self) -> Result<Option<Target>, Error> {
        let saving = match &self.state.lock().kind {
            Kind::Download(Some(saving)) => saving.clone(),
            Kind::Download(None) | Kind::Data | Kind::Upload(_) => return Ok(None),
        };
        Target::new(&saving.path, saving.existing, &self.shared.census).map(Some)
    }

    /// Asks what becomes of the body.
    fn allowed(
        self: &Arc<Self>,
        response: &Response,
        telling: Option<&Telling>,
    ) -> Result<ResponseDisposition, Error> {
        match telling.map(|telling| telling.response(self, response)).transpose()? {
            None => Ok(ResponseDisposition::Allow),
            Some(ResponseDisposition::Cancel) => {
                Err(Error::cancelled().at(Stage::Receiving).on(response.url()))
            }
            Some(disposition) => Ok(disposition),
        }
    }

    /// Receives the body, for whoever wants it.
    fn receive(
        self: &Arc<Self>,
        loaded: Loaded,
        target: Option<Target>,
        telling: Option<&Telling>,
    ) -> Brought {
        let disposition = self.allowed(&loaded.response, telling)?;
        if disposition == ResponseDisposition::BecomeDownload {
            self.become_download(telling)?;
        }
        if self.is_download() {
            return self.save(loaded, target);
        }
        let Loaded { response, mut body } = loaded;
        let is_collected = self.state.lock().reports.wants_data();
        let limit = self.shared.configuration.maximum_body_in_memory;
        let Some(telling) = telling.filter(|telling| telling.takes_body()) else {
            if !is_collected {
                return self.skip(&mut body).map(|()| Product::Nothing);
            }
            let body = data::read_all(&mut body, limit, |count| self.took(count))?;
            return Ok(Product::Data(Data { response, body }));
        };
        if !is_collected && !self.is_incremental() {
            let whole = data::read_all(&mut body, limit, |count| {
                self.took(count)?;
                self.tell_progress();
                Ok(())
            })?;
            if !whole.is_empty() {
                telling.data(self, whole)?;
            }
            return Ok(Product::Nothing);
        }
        let mut collected = is_collected.then(Vec::new);
        let mut pieces = Pieces::default();
        while let Some(piece) = pieces.next(&mut body)? {
            self.took(piece.len())?;
            if let Some(collected) = &mut collected {
                data::append(collected, &piece, limit)?;
            }
            telling.data(self, piece)?;
            self.tell_progress();
        }
        Ok(match collected {
            Some(body) => Product::Data(Data { response, body }),
            None => Product::Nothing,
        })
    }

    /// Whether the body is told of while it arrives.
    fn is_incremental(&self) -> bool {
        let state = self.state.lock();
        state.is_incremental || !matches!(state.reports, Reports::Delegates)
    }

    /// Whether the body goes to a file.
    pub(super) fn is_download(&self) -> bool {
        matches!(self.state.lock().kind, Kind::Download(_))
    }

    fn become_download(self: &Arc<Self>, telling: Option<&Telling>) -> Result<(), Error> {
        let mut state = self.state.lock();
        if matches!(state.kind, Kind::Download(_)) {
            return Ok(());
        }
        if !matches!(state.reports, Reports::Delegates) {
            return Err(cannot_become_download());
        }
        state.kind = Kind::Download(None);
        drop(state);
        telling.inspect(|telling| telling.became_download(self));
        Ok(())
    }

    /// Writes the body to a file.
    fn save(self: &Arc<Self>, loaded: Loaded, target: Option<Target>) -> Brought {
        let Loaded { response, mut body } = loaded;
        let Shared { configuration, census, .. } = &*self.shared;
        let folder = configuration.temporary_directory.as_ref();
        let mut file = Sink::create(target, folder, census)?;
        let mut buffer = vec![0; PIECE];
        loop {
            let count = body.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            file.write_all(&buffer[..count])?;
            self.took(count)?;
            self.tell_progress();
        }
        file.finish(response).map(Product::Download)
    }

    /// Reads a body that nobody wants.
    fn skip(self: &Arc<Self>, body: &mut Decoder) -> Result<(), Error> {
        let mut buffer = vec![0; PIECE];
        loop {
            match body.read(&mut buffer)? {
                0 => return Ok(()),
                count => self.took(count)?,
            }
        }
    }

    /// Counts what was received, and stops here while the task is suspended.
    pub(crate) fn took(self: &Arc<Self>, count: usize) -> Result<(), Error> {
        self.received.fetch_add(count as u64, Ordering::Relaxed);
        self.go_on()
    }

    /// Hands a copy of what the caller has read to the task's delegate, if it has one.
    pub(crate) fn tell_read(self: &Arc<Self>, read: &[u8]) -> Result<(), Error> {
        if !self.tells.load(Ordering::Acquire) || read.is_empty() {
            return Ok(());
        }
        let Some(telling) = self.state.lock().telling.clone() else { return Ok(()) };
        telling.data(self, read.to_vec())?;
        self.tell_progress();
        Ok(())
    }
}

/// Reads a body in pieces that can be given away.
#[derive(Default)]
struct Pieces {
    /// Memory that the last piece left.
    spare: Vec<u8>,
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
fn cannot_become_download() -> Error {
    let detail = "only a task that reports to its delegates can become a download";
    Error::new(ErrorKind::InvalidRequest, detail).at(Stage::Receiving)
}
