//! Where a connection goes when its exchange is over.

use std::sync::Arc;

use super::Engine;
use super::connection::Connection;
use super::pool::Pool;
use crate::error::Error;
use crate::sync::{Mutex, Rank};
use crate::wire::{Context, Wire, WireRequest, WireResponse};

/// Where a connection goes when its exchange is over.
#[derive(Debug)]
pub(super) enum Home {
    /// Any load may have it next.
    Pool(Arc<Pool>),
    /// It belongs to one load.
    Reserved(Arc<Berth>),
}

/// The place of a load's own connection between two exchanges.
#[derive(Debug)]
pub(super) struct Berth(Mutex<Option<Box<Connection>>>);

impl Berth {
    fn new() -> Self {
        Self(Mutex::new(Rank::Berth, None))
    }

    pub(super) fn put(&self, connection: Box<Connection>) {
        let before = self.0.lock().replace(connection);
        // Closing asks the system, so it is done outside of the lock.
        drop(before);
    }

    pub(super) fn take(&self) -> Option<Box<Connection>> {
        self.0.lock().take()
    }
}

/// The wire of one load that has a connection of its own; it is closed with this.
pub(super) struct Reserved<'a> {
    engine: &'a Engine,
    berth: Arc<Berth>,
}

impl<'a> Reserved<'a> {
    pub(super) fn new(engine: &'a Engine) -> Self {
        Self { engine, berth: Arc::new(Berth::new()) }
    }
}

impl Wire for Reserved<'_> {
    fn exchange(
        &self,
        request: &WireRequest<'_>,
        context: &Context,
    ) -> Result<WireResponse, Error> {
        self.engine.exchange_over(Some(&self.berth), request, context)
    }

    fn reserved(&self) -> Box<dyn Wire + '_> {
        self.engine.reserved()
    }
}
