//! Transfers: one attempt of a task, from its request to the end of its body.

use std::sync::Arc;

use super::receive::{Reception, accepted, allowed, cannot_become_download};
use crate::cancel::CancelToken;
use crate::census::Census;
use crate::configuration::Configuration;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Stage};
use crate::files::{self, Target};
use crate::load::{Hop, Load, Loaded, Means, Rules};
use crate::request::Request;
use crate::session::delegate::ResponseDisposition;
use crate::session::settings;
use crate::session::task::{Brought, Core, Kind, Listener};
use crate::wire::{Context, Loss, Question};

/// Transfers tasks, on whatever thread calls it; whoever schedules them says when.
#[derive(Debug)]
pub(in crate::session) struct Loader {
    engine: Engine,
    rules: Rules,
}

/// A transfer that has left its thread, and goes on where it was with whatever other one.
#[derive(Debug)]
pub(in crate::session) enum Transfer {
    /// It has no request yet: somebody is asked for a body.
    Preparing(Question),
    /// It has no answer yet.
    Loading(Box<Loading>, Told),
    /// It was not decided yet what becomes of its answer.
    Answered(Box<Loaded>, Told, Question),
    /// Its body comes in.
    Receiving(Receiving),
}

/// A load that has no answer yet.
#[derive(Debug)]
pub(in crate::session) struct Loading {
    load: Load,
    context: Context,
    /// The request with the body that the delegate has for it.
    streamed: Option<Box<Request>>,
}

/// Where a body goes, and who is told of it.
type Told = (Option<Target>, Option<Arc<dyn Listener>>);

/// A transfer whose body comes in.
#[derive(Debug)]
pub(in crate::session) struct Receiving {
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
        // The thread is the caller's, which no load leaves.
        let streamed = streamed(core, &mut Question::default())?;
        let loaded = self.load(core, token, streamed, &mut None)?;
        core.go_on().map_err(|error| error.at(Stage::Receiving))?;
        match allowed(core, &loaded.response, listener.as_deref(), &mut Question::default())? {
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
        let mut receiving = match left.take() {
            None => self.begin(core, Question::default(), left)?,
            Some(begun) => self.resume(core, begun, left)?,
        };
        let Receiving { reception, listener } = &mut receiving;
        if let Err(error) = reception.receive(core, listener.as_deref()) {
            let error = error.at(Stage::Receiving).on(reception.response().url());
            if has_left(core, &error) {
                *left = Some(Transfer::Receiving(receiving));
            }
            return Err(error);
        }
        let Receiving { reception, listener } = receiving;
        reception.finish(core, listener.as_deref())
    }

    /// Transfers the task as far as its body; `question` is the one about a body to send.
    fn begin(
        &self,
        core: &Arc<Core>,
        mut question: Question,
        left: &mut Option<Transfer>,
    ) -> Result<Receiving, Error> {
        let (token, listener) = self.start_attempt(core)?;
        // What is at its place already is known before anything is transferred.
        let target = target(core)?;
        let streamed = match streamed(core, &mut question) {
            Ok(streamed) => streamed,
            Err(error) => {
                if has_left(core, &error) {
                    *left = Some(Transfer::Preparing(question));
                }
                return Err(error);
            }
        };
        let mut loading = None;
        match self.load(core, token, streamed, &mut loading) {
            Ok(loaded) => receive(core, loaded, (target, listener), Question::default(), left),
            Err(error) => {
                *left = loading.map(|loading| Transfer::Loading(loading, (target, listener)));
                Err(error)
            }
        }
    }

    /// Goes on with a transfer that was left, as far as its body.
    #[cold]
    fn resume(
        &self,
        core: &Arc<Core>,
        begun: Transfer,
        left: &mut Option<Transfer>,
    ) -> Result<Receiving, Error> {
        let (loaded, told, question) = match begun {
            Transfer::Preparing(question) => return self.begin(core, question, left),
            Transfer::Loading(loading, told) => {
                let mut again = None;
                match self.go_on(core, *loading, &mut again) {
                    Ok(loaded) => (loaded, told, Question::default()),
                    Err(error) => {
                        *left = again.map(|loading| Transfer::Loading(loading, told));
                        return Err(error);
                    }
                }
            }
            Transfer::Answered(loaded, told, question) => (*loaded, told, question),
            Transfer::Receiving(receiving) => return Ok(receiving),
        };
        receive(core, loaded, told, question, left)
    }

    fn start_attempt(&self, core: &Arc<Core>) -> Result<Attempt, Error> {
        let mut state = core.state.lock();
        let token = state.attempts.begin();
        if state.life.is_over() {
            return Err(core.why_cancelled(&state));
        }
        drop(state);
        core.rest()?;
        Ok((token, core.start_telling()))
    }

    /// Sends the request and receives the head. If the task leaves its thread before that, `left`
    /// is what goes on.
    fn load(
        &self,
        core: &Arc<Core>,
        token: CancelToken,
        streamed: Option<Box<Request>>,
        left: &mut Option<Box<Loading>>,
    ) -> Result<Loaded, Error> {
        let configuration = &core.shared.configuration;
        let (deadline, is_download) = {
            let state = core.state.lock();
            (core.deadline(&state), matches!(state.kind, Kind::Download(_)))
        };
        let context = Context {
            cancel: Some(token),
            clock: configuration.clock.clone(),
            idle: core.request.timeout_for_request_or(configuration.timeout_for_request),
            deadline,
            connect: core.request.connect_timeout_or(configuration.connect_timeout),
            dialogue: Some(core.clone()),
        };
        let stored = is_download.then(|| as_stored(&core.request)).flatten();
        let request = streamed.as_deref().or(stored.as_ref()).unwrap_or(&core.request);
        let load = Load::new(Hop::first(request, &self.rules)?);
        self.go_on(core, Loading { load, context, streamed }, left)
    }

    /// Loads as far as the head.
    // Inlined, as moving a load costs the usual one 183 instructions.
    #[inline(always)]
    fn go_on(
        &self,
        core: &Arc<Core>,
        loading: Loading,
        left: &mut Option<Box<Loading>>,
    ) -> Result<Loaded, Error> {
        let Loading { mut load, context, streamed } = loading;
        let means = Means { wire: &self.engine, rules: &self.rules, context: &context };
        let response = match load.go_on(&means) {
            Ok(response) => response,
            Err(error) => {
                *left = unanswered(core, &error, load, context, streamed);
                return Err(error);
            }
        };
        if core.may_retry(response.head.status)
            && let Some(error) = core.shared.scheduler().repeats(core, load.answer(&response))
        {
            response.body.discard();
            return Err(error);
        }
        let loaded = load.deliver(response, &context)?;
        core.state.lock().seen.responded(loaded.response.clone());
        Ok(loaded)
    }
}

/// Keeps what goes on later of a load that has failed so.
#[cold]
fn unanswered(
    core: &Core,
    error: &Error,
    load: Load,
    context: Context,
    streamed: Option<Box<Request>>,
) -> Option<Box<Loading>> {
    // Nobody has to be asked for the body again that nobody has read.
    if Loss::of(error) == Some(Loss::Unconnected) {
        core.state.lock().attempts.keep_body(streamed.as_deref());
    }
    has_left(core, error).then(|| Box::new(Loading { load, context, streamed }))
}

/// Begins to receive the body, unless the task leaves its thread.
#[inline(always)]
fn receive(
    core: &Arc<Core>,
    loaded: Loaded,
    told: Told,
    mut question: Question,
    left: &mut Option<Transfer>,
) -> Result<Receiving, Error> {
    let rested = core.rest().map_err(|error| error.at(Stage::Receiving));
    let listener = told.1.as_deref();
    let decided = rested.and_then(|()| allowed(core, &loaded.response, listener, &mut question));
    let disposition = match decided {
        Ok(disposition) => disposition,
        Err(error) => {
            let error = error.at(Stage::Receiving).on(loaded.response.url());
            if has_left(core, &error) {
                *left = Some(Transfer::Answered(Box::new(loaded), told, question));
            }
            return Err(error);
        }
    };
    let (target, listener) = told;
    let reception = Reception::begin(core, loaded, disposition, target, listener.as_deref())?;
    Ok(Receiving { reception, listener })
}

/// Whether the error says that the transfer has left its thread.
#[cold]
fn has_left(core: &Core, error: &Error) -> bool {
    error.is_cancelled() && core.state.lock().attempts.has_left()
}

/// Returns the request with the body that the delegate has for it, if it is asked.
fn streamed(core: &Arc<Core>, question: &mut Question) -> Result<Option<Box<Request>>, Error> {
    if !core.streams {
        return Ok(None);
    }
    let kept = core.state.lock().attempts.take_body();
    if kept.is_some() {
        return Ok(kept);
    }
    let body = core.ask_for_body(question)?.ok_or_else(|| {
        let detail = "no delegate has a body to send: need_new_body_stream was not answered";
        Error::new(ErrorKind::RequestBodyStreamExhausted, detail).at(Stage::Preparing)
    })?;
    Ok(Some(Box::new(core.request.clone().sending(body))))
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
    (files::maker()?.target)(&saving.path, saving.existing, &core.shared.census).map(Some)
}
