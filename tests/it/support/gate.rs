//! A way to a server that takes little of what is sent until it is opened.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// Leads to a server, with a gate behind the first bytes of each connection.
pub(crate) struct Gate {
    address: SocketAddr,
    lock: Arc<Lock>,
}

#[derive(Default)]
struct Lock {
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Default)]
struct State {
    is_open: bool,
    /// How many connections wait behind it.
    waiting: usize,
    is_over: bool,
}

impl Gate {
    /// Makes one that is closed, and lets so many bytes pass.
    pub(crate) fn closed_after(passing: usize, server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, lock) = (listener.local_addr().unwrap(), Arc::new(Lock::default()));
        let of_gate = lock.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if of_gate.state.lock().unwrap().is_over {
                    return;
                }
                let (client, lock) = (client.unwrap(), of_gate.clone());
                let server = TcpStream::connect(server).unwrap();
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || carry(client, server, Some((passing, &lock))));
                thread::spawn(move || carry(back.0, back.1, None));
            }
        });
        Self { address, lock }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections have come to the gate while it was closed.
    pub(crate) fn waiting(&self) -> usize {
        self.lock.state.lock().unwrap().waiting
    }

    pub(crate) fn open(&self) {
        self.lock.state.lock().unwrap().is_open = true;
        self.lock.opened.notify_all();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.lock.state.lock().unwrap().is_over = true;
        self.open();
        // It looks when somebody comes.
        drop(TcpStream::connect(self.address));
    }
}

/// Carries what one side sends to the other, until one of them leaves.
fn carry(mut from: TcpStream, mut to: TcpStream, gate: Option<(usize, &Lock)>) {
    let carried = match gate {
        None => io::copy(&mut from, &mut to),
        Some((passing, lock)) => {
            io::copy(&mut (&mut from).take(passing as u64), &mut to).and_then(|_| {
                lock.pass();
                io::copy(&mut from, &mut to)
            })
        }
    };
    // Whoever has left has the other one leave.
    drop(carried);
    let _ = to.flush();
    let _ = to.shutdown(Shutdown::Write);
}

impl Lock {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        if !state.is_open {
            state.waiting += 1;
            drop(self.opened.wait_while(state, |state| !state.is_open).unwrap());
        }
    }
}
