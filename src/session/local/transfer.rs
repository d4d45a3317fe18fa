//! Transfers: one attempt of a task, from its request to the end of its body.

use std::sync::Arc;

use super::receive::{Reception, accepted, allowed, cannot_become_download};
use crate::cancel::CancelToken;
use crate::census::Census;
use crate::configuration::Configuration;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Stage};
use crate::files::Target;
use crate::load::{self, Loaded, Rules};
use crate::request::Request;
use crate::session::delegate::ResponseDisposition;
use crate::session::settings;
use crate::session::task::{Brought, Core, Kind, Listener};
use crate::wire::{Context, Loss};

/// Transfers tasks, on whatever thread calls it; whoever schedules them says when.
#[derive(Debug)]
pub(in crate::session) struct Loader {
    engine: Engine,
    rules: Rules,
}

/// A transfer that goes on where it was, whatever thread it is on.
#[derive(Debug)]
pub(in crate::session) struct Transfer {
    reception: Reception,
    listener: Option<Arc<dyn Listener>>,
}

/// What ends an attempt, and who is told of it.
type Attempt = (CancelToken, Option<Arc<dyn Listener>>);

impl Loader {
    /// Makes what loads for a session; nothing is opened or started yet.
    pub(in crate::session) fn new(
        configuration: &Configuration,
        census: &Census,
    ) -> Result<Self, Error> {
        let engine = Engine::new(settings::engine(configuration, census))?;
        Ok(Self { engine, rules: settings::rules(configuration) })
    }

    /// Forgets what was learned about servers.
    pub(in crate::session) fn forget(&self) {
        self.rules.stores.authenticator.reset();
    }

    /// Has every later exchange use a new connection.
    pub(in crate::session) fn renew_connections(&self) {
        self.engine.renew();
    }

    /// Closes what is open.
    pub(in crate::session) fn close(&self) {
        self.engine.close();
    }

    /// Transfers the task as far as its head.
    pub(in crate::session) fn head(&self, core: &Arc<Core>) -> Result<Loaded, Error> {
        let (token, listener) = self.start_attempt(core)?;
        let loaded = self.load(core, &token)?;
        match allowed(core, &loaded.response, listener.as_deref())? {
            ResponseDisposition::BecomeDownload => Err(cannot_become_download()),
            _ => accepted(core, loaded),
        }
    }

    /// Transfers the whole task once, from its beginning or from where it `left` a thread.
    /// If it leaves another one, which is an error here, that says where.
    pub(in crate::session) fn attempt(
        &self,
        core: &Arc<Core>,
        left: &mut Option<Transfer>,
    ) -> Brought {
        let mut transfer = match left.take() {
            Some(transfer) => transfer,
            None => self.begin(core)?,
        };
        let Transfer { reception, listener } = &mut transfer;
        if let Err(error) = reception.receive(core, listener.as_deref()) {
            let error = error.at(Stage::Receiving).on(reception.response().url());
            if core.state.lock().attempts.has_left() {
                *left = Some(transfer);
            }
            return Err(error);
        }
        let Transfer { reception, listener } = transfer;
        reception.finish(core, listener.as_deref())
    }

    /// Transfers the task as far as its body.
    fn begin(&self, core: &Arc<Core>) -> Result<Transfer, Error> {
        let (token, listener) = self.start_attempt(core)?;
        // What is at its place already is known before anything is transferred.
        let target = target(core)?;
        let loaded = self.load(core, &token)?;
        let reception = Reception::begin(core, loaded, target, listener.as_deref())?;
        Ok(Transfer { reception, listener })
    }

    fn start_attempt(&self, core: &Arc<Core>) -> Result<Attempt, Error> {
        let mut state = core.state.lock();
        let token = state.attempts.begin();
        if state.life.is_over() {
            return Err(core.why_cancelled(&state));
        }
        drop(state);
        core.go_on()?;
        Ok((token, core.start_telling()))
    }

    /// Sends the request and receives the head.
    fn load(&self, core: &Arc<Core>, token: &CancelToken) -> Result<Loaded, Error> {
        let configuration = &core.shared.configuration;
        let (deadline, is_download) = {
            let state = core.state.lock();
            (core.deadline(&state), matches!(state.kind, Kind::Download(_)))
        };
        let context = Context {
            cancel: Some(token.clone()),
            clock: configuration.clock.clone(),
            idle: core.request.timeout_for_request_or(configuration.timeout_for_request),
            deadline,
            connect: core.request.connect_timeout_or(configuration.connect_timeout),
            dialogue: Some(core.clone()),
        };
        let streamed = streamed(core)?;
        let stored = is_download.then(|| as_stored(&core.request)).flatten();
        let request = streamed.as_ref().or(stored.as_ref()).unwrap_or(&core.request);
        let loaded = load::run(&self.engine, &self.rules, request, &context);
        let loaded = loaded.inspect_err(|error| {
            // Nobody has to be asked for the body again that nobody has read.
            if Loss::of(error) == Some(Loss::Unconnected) {
                core.state.lock().attempts.keep_body(streamed.as_ref());
            }
        })?;
        let mut state = core.state.lock();
        state.seen.responded(loaded.response.clone());
        // The body can be received on any thread.
        state.attempts.may_leave();
        drop(state);
        core.go_on().map_err(|error| error.at(Stage::Receiving))?;
        Ok(loaded)
    }
}

/// Returns the request with the body that the delegate has for it, if it is asked.
fn streamed(core: &Arc<Core>) -> Result<Option<Request>, Error> {
    if !core.streams {
        return Ok(None);
    }
    let kept = core.state.lock().attempts.take_body();
    if kept.is_some() {
        return Ok(kept);
    }
    let body = core.ask_for_body()?.ok_or_else(|| {
        let detail = "no delegate has a body to send: need_new_body_stream was not answered";
        Error::new(ErrorKind::RequestBodyStreamExhausted, detail).at(Stage::Preparing)
    })?;
    Ok(Some(core.request.clone().sending(body)))
}

/// Returns the request for a file as it is stored, unless the program has said what it wants.
fn as_stored(request: &Request) -> Option<Request> {
    request.decodes().is_none().then(|| request.clone().decodes_body(false))
}

/// Returns the place that was named for a download, if a file may come there.
fn target(core: &Core) -> Result<Option<Target>, Error> {
    let saving = match &core.state.lock().kind {
        Kind::Download(Some(saving)) => saving.clone(),
        Kind::Download(None) | Kind::Data | Kind::Upload(_) => return Ok(None),
    };
    Target::new(&saving.path, saving.existing, &core.shared.census).map(Some)
}
