//! Transfers: one attempt of a task, from its request to the end of its body.

use std::sync::{Arc, Weak};

use http::StatusCode;

use super::Local;
use super::receive::{Reception, accepted, allowed, cannot_become_download};
use super::rest;
use crate::cancel::CancelToken;
use crate::census::Census;
use crate::configuration::Configuration;
use crate::download::{self, Course, Sink};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Stage};
use crate::load::{Hop, Load, Loaded, Means, Rules};
use crate::request::Request;
use crate::session::delegate::ResponseDisposition;
use crate::session::settings;
use crate::session::task::{Brought, Core, Kind, Listener};
use crate::wire::{Context, Dialogue, Loss, Question};

/// Transfers tasks, on whatever thread calls it; whoever schedules them says when.
#[derive(Debug)]
pub(in crate::session) struct Loader {
    pub(super) engine: Engine,
    pub(super) rules: Rules,
    /// Who has places for those who help.
    home: Weak<Local>,
}

/// What is kept of a task from one attempt to the next, and while no thread runs it.
#[derive(Debug, Default)]
pub(super) struct Transfer {
    /// Where an attempt was that has left its thread.
    pub(super) paused: Option<Paused>,
    /// The file of a download.
    pub(super) sink: Option<Box<dyn Sink>>,
}

impl Transfer {
    /// Whether there is nothing to go on with.
    pub(super) fn is_empty(&self) -> bool {
        self.paused.is_none() && self.sink.is_none()
    }

    /// The next attempt begins at the beginning, with what has come of a file.
    pub(super) fn start_over(&mut self) {
        self.paused = None;
    }
}

/// An attempt that has left its thread, and goes on where it was with whatever other one.
#[derive(Debug)]
pub(super) enum Paused {
    /// It has no request yet: somebody is asked for a body.
    Preparing(Question),
    /// It has no answer yet.
    Loading(Box<Loading>, Told),
    /// It was not decided yet what becomes of its answer.
    Answered(Box<Answered>, Told),
    /// Its body comes in.
    Receiving(Box<Receiving>),
}

/// An answer of which it was not decided yet what becomes of it.
#[derive(Debug)]
pub(super) struct Answered {
    loaded: Loaded,
    /// What it means for the file that is there, if the rest of one was asked for.
    course: Option<Course>,
    question: Question,
}

/// A load that has no answer yet.
#[derive(Debug)]
pub(super) struct Loading {
    load: Load,
    context: Context,
    /// The request with the body that the delegate has for it, or for the rest of a file.
    instead: Option<Box<Request>>,
}

/// Who is told of it.
type Told = Option<Arc<dyn Listener>>;

/// A transfer whose body comes in.
#[derive(Debug)]
pub(super) struct Receiving {
    reception: Reception,
    listener: Told,
}

/// What ends an attempt, and who is told of it.
type Attempt = (CancelToken, Told);

impl Loader {
    /// Makes what loads for a session; nothing is opened or started yet.
    pub(in crate::session) fn new(
        configuration: &Configuration,
        census: &Census,
    ) -> Result<Self, Error> {
        let engine = Engine::new(settings::engine(configuration, census))?;
        Ok(Self { engine, rules: settings::rules(configuration), home: Weak::new() })
    }

    /// Belongs to somebody who has places.
    pub(super) fn at_home(self, home: Weak<Local>) -> Self {
        Self { home, ..self }
    }

    pub(super) fn home(&self) -> Option<Arc<Local>> {
        self.home.upgrade()
    }

    /// Has every later exchange use a new connection.
    pub(in crate::session) fn renew_connections(&self) {
        self.engine.renew();
    }

    /// Closes what is open.
    pub(in crate::session) fn close(&self) {
        self.engine.close();
        self.flush();
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

    /// Transfers the whole task once, from its beginning or from where it was. If it leaves its
    /// thread, which is an error here, `transfer` says where.
    pub(super) fn attempt(&self, core: &Arc<Core>, transfer: &mut Transfer) -> Brought {
        let mut receiving = match transfer.paused.take() {
            None => self.begin(core, Question::default(), transfer)?,
            Some(paused) => self.resume(core, paused, transfer)?,
        };
        let Receiving { reception, listener } = &mut receiving;
        if let Err(error) = reception.receive((core, self), &mut transfer.sink, listener.as_deref())
        {
            let error = error.at(Stage::Receiving).on(reception.response().url());
            if has_left(core, &error) {
                transfer.paused = Some(Paused::Receiving(Box::new(receiving)));
            }
            return Err(error);
        }
        let Receiving { reception, listener } = receiving;
        reception.finish(core, &mut transfer.sink, listener.as_deref())
    }

    /// Transfers the task as far as its body; `question` is the one about a body to send.
    fn begin(
        &self,
        core: &Arc<Core>,
        mut question: Question,
        transfer: &mut Transfer,
    ) -> Result<Receiving, Error> {
        let (token, listener) = self.start_attempt(core)?;
        // What is at its place already is known before anything is transferred.
        if transfer.sink.is_none() && core.is_download() {
            transfer.sink = Some(sink(core)?);
        }
        let streamed = match streamed(core, &mut question) {
            Ok(streamed) => streamed,
            Err(error) => {
                if has_left(core, &error) {
                    transfer.paused = Some(Paused::Preparing(question));
                }
                return Err(error);
            }
        };
        let mut loading = None;
        let instead =
            streamed.or_else(|| rest::asked(&core.request, transfer.sink.as_deref_mut()?));
        match self.load(core, token, instead, &mut loading) {
            Ok(loaded) => answered(core, loaded, listener, transfer),
            Err(error) => {
                transfer.paused = loading.map(|loading| Paused::Loading(loading, listener));
                Err(error)
            }
        }
    }

    /// Goes on with a transfer that was left, as far as its body.
    #[cold]
    fn resume(
        &self,
        core: &Arc<Core>,
        paused: Paused,
        transfer: &mut Transfer,
    ) -> Result<Receiving, Error> {
        match paused {
            Paused::Preparing(question) => self.begin(core, question, transfer),
            Paused::Loading(loading, listener) => {
                let mut again = None;
                match self.go_on(core, *loading, &mut again) {
                    Ok(loaded) => answered(core, loaded, listener, transfer),
                    Err(error) => {
                        transfer.paused = again.map(|loading| Paused::Loading(loading, listener));
                        Err(error)
                    }
                }
            }
            Paused::Answered(answered, listener) => receive(core, *answered, listener, transfer),
            Paused::Receiving(receiving) => Ok(*receiving),
        }
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

    /// Sends the request, or another one `instead`, and receives the head. If the task leaves its
    /// thread before that, `left` is what goes on.
    fn load(
        &self,
        core: &Arc<Core>,
        token: CancelToken,
        instead: Option<Box<Request>>,
        left: &mut Option<Box<Loading>>,
    ) -> Result<Loaded, Error> {
        let context = context(core, Some(token), core.clone());
        let request = instead.as_deref().unwrap_or(&core.request);
        let hop = Hop::first(request, &self.rules)?;
        if let Some(url) = hop.secured(request) {
            // Its host is known to want that. The program may have put a body into what it was.
            let replaced = core.state.lock().seen.moved_to(request.clone().by(url.clone()));
            drop(replaced);
        }
        let load = Load::new(hop);
        self.go_on(core, Loading { load, context, instead }, left)
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
        let Loading { mut load, context, instead } = loading;
        let means = Means { wire: &self.engine, rules: &self.rules, context: &context };
        let response = match load.go_on(&means) {
            Ok(response) => response,
            Err(error) => {
                *left = unanswered(core, &error, load, context, instead);
                return Err(error);
            }
        };
        let loaded = load.deliver(response, &context)?;
        if may_retry(core, loaded.response.status())
            && let Some(error) = core.shared.scheduler().repeats(core, &loaded.response)
        {
            loaded.body.discard();
            return Err(error);
        }
        core.state.lock().seen.responded(loaded.response.clone());
        Ok(loaded)
    }
}

/// Returns what bounds a load for a task.
#[inline(always)]
pub(super) fn context(
    core: &Core,
    cancel: Option<CancelToken>,
    dialogue: Arc<dyn Dialogue>,
) -> Context {
    let configuration = &core.shared.configuration;
    Context {
        cancel,
        clock: configuration.clock.clone(),
        idle: core.request.timeout_for_request_or(configuration.timeout_for_request),
        deadline: core.deadline(&core.state.lock()),
        connect: core.request.connect_timeout_or(configuration.connect_timeout),
        dialogue: Some(dialogue),
    }
}

/// Whether an answer with this status may be tried again.
fn may_retry(core: &Core, status: StatusCode) -> bool {
    core.request.retries_by(&core.shared.configuration.retry_policy).is_for(status)
}

/// Keeps what goes on later of a load that has failed so.
#[cold]
fn unanswered(
    core: &Core,
    error: &Error,
    load: Load,
    context: Context,
    instead: Option<Box<Request>>,
) -> Option<Box<Loading>> {
    // Nobody has to be asked for the body again that nobody has read.
    if core.streams && Loss::of(error) == Some(Loss::Unconnected) {
        core.state.lock().attempts.keep_body(instead.as_deref());
    }
    has_left(core, error).then(|| Box::new(Loading { load, context, instead }))
}

/// Looks at what an answer means for the file that is there, if the rest of one was asked for.
#[inline(always)]
fn answered(
    core: &Arc<Core>,
    loaded: Loaded,
    listener: Told,
    transfer: &mut Transfer,
) -> Result<Receiving, Error> {
    let asked = transfer.sink.as_deref_mut().filter(|sink| sink.asked());
    let course = match asked {
        None => None,
        Some(sink) => Some(rest::course(core, sink, &loaded, listener.as_deref())?),
    };
    receive(core, Answered { loaded, course, question: Question::default() }, listener, transfer)
}

/// Begins to receive the body, unless the task leaves its thread.
#[inline(always)]
fn receive(
    core: &Arc<Core>,
    answered: Answered,
    told: Told,
    transfer: &mut Transfer,
) -> Result<Receiving, Error> {
    let Answered { loaded, course, mut question } = answered;
    let rested = core.rest().map_err(|error| error.at(Stage::Receiving));
    let listener = told.as_deref();
    let decided = rested.and_then(|()| allowed(core, &loaded.response, listener, &mut question));
    let disposition = match decided {
        Ok(disposition) => disposition,
        Err(error) => {
            let error = error.at(Stage::Receiving).on(loaded.response.url());
            if has_left(core, &error) {
                let answered = Box::new(Answered { loaded, course, question });
                transfer.paused = Some(Paused::Answered(answered, told));
            }
            return Err(error);
        }
    };
    let sink = &mut transfer.sink;
    let reception = Reception::begin(core, loaded, (disposition, course), sink, listener)?;
    Ok(Receiving { reception, listener: told })
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

/// Returns the file of a download.
pub(super) fn sink(core: &Core) -> Result<Box<dyn Sink>, Error> {
    let saving = match &core.state.lock().kind {
        Kind::Download(saving) => saving.clone(),
        Kind::Data | Kind::Upload(_) => Box::default(),
    };
    let shared = &core.shared;
    let folder = shared.configuration.temporary_directory.as_deref();
    (download::maker()?)(&saving, &core.request, folder, &shared.census)
}
