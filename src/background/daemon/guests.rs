//! Who is connected, and who has to go when there are too many.

use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use crate::sync::{Mutex, Rank};

/// How many may be connected.
const MOST: usize = 256;

/// All connections, oldest first.
#[derive(Debug)]
pub(super) struct Guests(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    last: u64,
    there: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    stream: Arc<UnixStream>,
    /// It has finished the handshake.
    is_greeted: bool,
}

impl Default for Guests {
    fn default() -> Self {
        Self(Mutex::new(Rank::Guests, List::default()))
    }
}

impl Guests {
    /// Adds one, and returns its number. For its place the oldest that has not finished its
    /// handshake goes; none if all have.
    pub(super) fn add(&self, stream: &Arc<UnixStream>) -> Option<u64> {
        let mut list = self.0.lock();
        if list.there.len() >= MOST && !list.send_one_away() {
            return None;
        }
        list.last += 1;
        let entry = Entry { number: list.last, stream: stream.clone(), is_greeted: false };
        list.there.push(entry);
        Some(list.last)
    }

    /// Notes that one has finished its handshake.
    pub(super) fn greet(&self, number: u64) {
        let mut list = self.0.lock();
        if let Some(entry) = list.there.iter_mut().find(|entry| entry.number == number) {
            entry.is_greeted = true;
        }
    }

    /// Removes one; returns whether nobody is left.
    pub(super) fn remove(&self, number: u64) -> bool {
        let mut list = self.0.lock();
        list.there.retain(|entry| entry.number != number);
        list.there.is_empty()
    }

    /// Has the oldest go that has not finished its handshake.
    pub(super) fn send_one_away(&self) {
        self.0.lock().send_one_away();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().there.is_empty()
    }
}

impl List {
    fn send_one_away(&mut self) -> bool {
        let Some(at) = self.there.iter().position(|entry| !entry.is_greeted) else { return false };
        let entry = self.there.remove(at);
        // Its thread reads that this is the end; the other side may have gone already.
        let _ = entry.stream.shutdown(Shutdown::Both);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_oldest_without_a_handshake_goes_first() {
        let guests = Guests::default();
        let ends: Vec<(u64, UnixStream)> = (0..MOST)
            .map(|_| {
                let (near, far) = UnixStream::pair().unwrap();
                (guests.add(&Arc::new(near)).unwrap(), far)
            })
            .collect();
        guests.greet(ends[0].0);
        let (near, _far) = UnixStream::pair().unwrap();
        let near = Arc::new(near);
        let number = guests.add(&near).unwrap();
        let mut gone = &ends[1].1;
        assert_eq!(gone.read(&mut [0]).unwrap(), 0);
        for (_, stays) in [&ends[0], &ends[2]] {
            stays.set_nonblocking(true).unwrap();
            let mut stays = stays;
            let kind = stays.read(&mut [0]).unwrap_err().kind();
            assert_eq!(kind, std::io::ErrorKind::WouldBlock);
        }
        for (number, _) in &ends {
            guests.greet(*number);
        }
        guests.greet(number);
        assert_eq!(guests.add(&near), None);
        assert!(!guests.remove(number));
        assert!(guests.add(&near).is_some());
    }
}
