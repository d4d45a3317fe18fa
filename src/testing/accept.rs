//! The thread that accepts, and the threads it starts.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use super::builder::ServerBuilder;
use super::connection::Conversation;
use super::fault::HandshakeFault;
use super::link::Link;
use super::recorded::ConnectionFacts;
use super::server::Server;
use super::socket::{Listener, Socket};
use super::state::{Entry, Shared};
#[cfg(feature = "tls")]
use super::tls::Acceptor;
use crate::foreign::caught;

impl Server {
    /// Opens a server on a listener.
    pub(super) fn open(
        settings: &ServerBuilder,
        listener: Listener,
        shared: Shared,
    ) -> io::Result<Self> {
        let reception = Reception {
            shared: Arc::new(shared),
            handshake_fault: settings.handshake_fault.clone(),
            thread_name: settings.thread_name.clone(),
            #[cfg(feature = "tls")]
            tls: settings.tls.acceptor()?,
        };
        #[cfg(feature = "tls")]
        let has_tls = reception.tls.is_some();
        #[cfg(not(feature = "tls"))]
        let has_tls = false;
        let (shared, listener) = (Arc::clone(&reception.shared), Arc::new(listener));
        let accepting = {
            let listener = Arc::clone(&listener);
            let thread = thread::Builder::new().name(format!("{}-accept", settings.thread_name));
            thread.spawn(move || Arc::new(reception).accept(&listener))?
        };
        Ok(Self { shared, listener, accepting: Some(accepting), has_tls })
    }
}

/// What every new connection is met with.
struct Reception {
    shared: Arc<Shared>,
    handshake_fault: Option<HandshakeFault>,
    thread_name: String,
    #[cfg(feature = "tls")]
    tls: Option<Acceptor>,
}

impl Reception {
    fn accept(self: Arc<Self>, listener: &Listener) {
        loop {
            let accepted = listener.accept();
            if self.shared.lock().closing {
                return;
            }
            let result = match accepted {
                Ok((socket, peer)) => self.welcome(socket, peer),
                Err(error) if is_passing(&error) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = result {
                return self.shared.fail(format!("the test server cannot accept: {error}"));
            }
        }
    }

    /// Registers a connection and starts its thread.
    fn welcome(self: &Arc<Self>, socket: Socket, peer: Option<SocketAddr>) -> io::Result<()> {
        let socket = Arc::new(socket);
        let has_tls = self.has_tls();
        let (number, fault) = self.shared.change(|state| {
            let number = state.stats.connections;
            state.stats.connections += 1;
            state.stats.open_connections += 1;
            state.running_threads += 1;
            let fault = state.handshake_faults.pop_front();
            let idle = fault.is_none() && self.handshake_fault.is_none() && !has_tls;
            let entry = Entry { socket: Some(Arc::clone(&socket)), idle, order: None };
            state.connections.insert(number, entry);
            (number, fault)
        });
        let fault = fault.or_else(|| self.handshake_fault.clone());
        let facts = ConnectionFacts { number, peer, ..ConnectionFacts::default() };
        let reception = Arc::clone(self);
        let thread = thread::Builder::new().name(format!("{}-{number}", self.thread_name));
        let thread = thread.spawn(move || {
            let conversation = || reception.converse(socket, facts, fault);
            if let Err(panicked) = caught("a test server", conversation) {
                reception.shared.fail(format!("the test server panicked: {}", panicked.text));
            }
            reception.farewell(number);
        });
        match thread {
            Ok(thread) => self.shared.change(|state| {
                state.threads.retain(|thread| !thread.is_finished());
                state.threads.push(thread);
            }),
            Err(error) => {
                self.farewell(number);
                return Err(error);
            }
        }
        Ok(())
    }

    fn has_tls(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        false
    }

    #[cfg_attr(not(feature = "tls"), allow(unused_mut))]
    fn converse(
        &self,
        socket: Arc<Socket>,
        mut facts: ConnectionFacts,
        fault: Option<HandshakeFault>,
    ) {
        let mut link = Link::new(socket);
        if let Some(fault) = fault {
            if self.has_tls() {
                self.shared.change(|state| state.stats.failed_handshakes += 1);
            }
            let shared = Arc::clone(&self.shared);
            return Conversation::new(shared, link, facts).misbehave(&fault);
        }
        #[cfg(feature = "tls")]
        if let Some(acceptor) = &self.tls {
            if let Err(error) = acceptor.accept(&mut link, &mut facts) {
                self.shared.change(|state| {
                    state.stats.failed_handshakes += 1;
                    state.handshake_errors.push(error.to_string());
                });
                // The client must be able to read the alert that says why.
                link.finish(false);
                return link.drain();
            }
            self.shared.change(|state| {
                state.stats.handshakes += 1;
                state.set_idle(facts.number, true);
            });
        }
        Conversation::new(Arc::clone(&self.shared), link, facts).run();
    }

    /// Forgets a connection; its socket is closed before that can be seen.
    fn farewell(&self, number: u64) {
        let entry =
            self.shared.lock().connections.get_mut(&number).map(|entry| entry.socket.take());
        drop(entry);
        self.shared.change(|state| {
            state.connections.remove(&number);
            state.stats.open_connections -= 1;
            state.running_threads -= 1;
        });
    }
}

/// Whether the next accept may work: the client was gone before it was accepted.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted)
}
