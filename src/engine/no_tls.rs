//! TLS in a build that is without it: nobody can have any of this.

use std::convert::Infallible;
use std::sync::Arc;

use http::StatusCode;
use url::Url;

use super::Settings;
use super::spare::Shelf;
use super::stream::Stream;
use crate::error::{Error, ErrorKind, Stage};
use crate::wire::{Context, Question};

/// Says what is missing.
#[derive(Debug)]
pub(super) struct Tls(());

/// Only TLS sets terms for the use of a connection.
#[derive(Debug)]
pub(super) struct Terms(Infallible);

/// There is nothing to decide.
#[derive(Debug, Default)]
pub(super) struct Decisions(());

/// A stream that nothing makes.
#[derive(Debug)]
pub(super) struct TlsStream(Infallible);

impl Tls {
    #[expect(clippy::unnecessary_wraps, reason = "with TLS, the settings may make no sense")]
    pub(super) fn new(_: &Settings) -> Result<Self, Error> {
        Ok(Self(()))
    }

    pub(super) fn secure(
        &self,
        _: &Url,
        connect: impl Fn() -> Result<Stream, Error>,
        _: &mut Decisions,
        _: &Context,
    ) -> Result<Stream, Error> {
        drop(connect()?);
        let detail = "https needs the feature `tls`, which this build is without";
        Err(Error::new(ErrorKind::NotSupported, detail).at(Stage::Securing))
    }

    #[expect(clippy::unnecessary_wraps, reason = "with TLS, somebody is asked")]
    pub(super) fn confirm(
        &self,
        _: &mut Stream,
        _: &Url,
        _: &mut Question,
        _: &Context,
    ) -> Result<bool, Error> {
        Ok(true)
    }

    pub(super) fn allows(&self, terms: &Terms, _: &Context) -> bool {
        match terms.0 {}
    }

    pub(super) fn note_answer(&self, _: &mut Stream, _: StatusCode) {}
}

impl Terms {
    pub(super) fn make_an_exception(&self) -> bool {
        match self.0 {}
    }
}

impl TlsStream {
    pub(super) fn below(&self) -> &Stream {
        match self.0 {}
    }

    pub(super) fn terms(&self) -> Option<&Arc<Terms>> {
        match self.0 {}
    }

    pub(super) fn read(&mut self, _: &mut [u8], _: &Context) -> Result<usize, Error> {
        match self.0 {}
    }

    pub(super) fn write_all(&mut self, _: &[u8], _: &mut usize, _: &Context) -> Result<(), Error> {
        match self.0 {}
    }

    pub(super) fn read_now(&mut self, _: &mut [u8]) -> Result<Option<usize>, Error> {
        match self.0 {}
    }

    pub(super) fn write_now(&mut self, _: &[u8]) -> Result<usize, Error> {
        match self.0 {}
    }

    pub(super) fn flush_now(&mut self) -> Result<bool, Error> {
        match self.0 {}
    }

    pub(super) fn holds_input(&self) -> bool {
        match self.0 {}
    }

    pub(super) fn is_silent(&mut self) -> bool {
        match self.0 {}
    }

    pub(super) fn is_still_open(&mut self) -> bool {
        match self.0 {}
    }

    pub(super) fn say_goodbye(&mut self) {
        match self.0 {}
    }

    pub(super) fn borrow_memory(&mut self, _: &mut Shelf) {
        match self.0 {}
    }

    pub(super) fn return_memory(&mut self, _: &mut Shelf) {
        match self.0 {}
    }
}
