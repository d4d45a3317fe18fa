//! Bytes that have arrived and not been used yet.

/// How much is read from a socket at a time, unless it goes straight to the reader. Heads
/// and small bodies fit; larger buffers cost more in the CPU's cache than they save.
pub(super) const SIZE: usize = 16 * 1024;

/// A buffer that is filled at its end and used up from its beginning.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    pub(super) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "TLS opens in place"))]
    pub(super) fn filled_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.end]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Returns room for at least `least` bytes behind what is filled.
    pub(super) fn room(&mut self, least: usize) -> &mut [u8] {
        if self.bytes.len() - self.end < least && self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.bytes.len() - self.end < least {
            self.bytes.resize(self.end + least, 0);
        }
        &mut self.bytes[self.end..]
    }

    /// Notes that `count` bytes of the room were filled.
    pub(super) fn fill(&mut self, count: usize) {
        self.end += count;
    }

    /// Notes that the first `count` bytes were used.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Copies as much as fits and uses it up.
    pub(super) fn copy_to(&mut self, target: &mut [u8]) -> usize {
        let count = target.len().min(self.filled().len());
        target[..count].copy_from_slice(&self.filled()[..count]);
        self.consume(count);
        count
    }

    /// Gives the memory away, if nothing is in it.
    pub(super) fn take_memory(&mut self) -> Vec<u8> {
        if self.is_empty() { std::mem::take(&mut self.bytes) } else { Vec::new() }
    }

    /// Takes memory to use, if there is none.
    pub(super) fn give_memory(&mut self, memory: Vec<u8>) {
        if self.bytes.is_empty() {
            self.bytes = memory;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_as_they_went_in_and_memory_is_used_again() {
        let mut buffer = Buffer::default();
        buffer.room(4)[..4].copy_from_slice(b"abcd");
        buffer.fill(4);
        buffer.consume(3);
        assert_eq!(buffer.filled(), b"d");
        buffer.room(3)[..3].copy_from_slice(b"efg");
        buffer.fill(3);
        assert_eq!((buffer.filled(), buffer.bytes.len()), (&b"defg"[..], 4));
        assert!(buffer.take_memory().is_empty());
        let mut two = [0; 2];
        assert_eq!(buffer.copy_to(&mut two), 2);
        assert_eq!(&two, b"de");
        let mut many = [0; 9];
        assert_eq!(buffer.copy_to(&mut many), 2);
        assert_eq!(buffer.take_memory().len(), 4);
        assert_eq!(buffer.room(1).len(), 1);
    }
}
