//! Where a connection goes when its exchange is over.

use std::sync::Arc;

use super::connection::Connection;
use super::pool::Pool;
use super::{Call, Works};
use crate::error::Error;
use crate::sync::{Mutex, Rank};
use crate::wire::{Context, Paused, Wire, WireRequest, WireResponse};

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
pub(super) struct Reserved {
    works: Arc<Works>,
    berth: Arc<Berth>,
}

impl Reserved {
    pub(super) fn new(works: Arc<Works>) -> Self {
        Self { works, berth: Arc::new(Berth::new()) }
    }
}

impl Wire for Reserved {
    fn exchange(
        &self,
        request: &WireRequest<'_>,
        context: &Context,
        paused: &mut Paused,
    ) -> Result<WireResponse, Error> {
        let call = Call { request, context, berth: Some(&self.berth) };
        self.works.exchange_over(None, &call, paused)
    }

    fn reserved(&self) -> Box<dyn Wire> {
        Box::new(Self::new(self.works.clone()))
    }
}
