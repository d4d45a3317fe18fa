//! Memory that passes from connections that became idle to those that become busy.
//!
//! An idle connection holds next to none, and a busy one need not ask for it and have it
//! cleared.

use super::buffer::Buffer;

/// How many buffers of a kind are kept.
const KEPT: usize = 8;

/// Larger ones, which an unusual head has made, are not.
const LARGEST: usize = 64 * 1024;

/// The spare memory of one session.
#[derive(Debug, Default)]
pub(super) struct Spare {
    pub(super) inboxes: Shelf,
    /// For what is still sealed; larger.
    pub(super) sealed: Shelf,
}

/// Buffers of one kind.
#[derive(Debug, Default)]
pub(super) struct Shelf(Vec<Vec<u8>>);

impl Shelf {
    /// Takes the memory of `buffer`, if nothing is in it.
    pub(super) fn keep(&mut self, buffer: &mut Buffer) {
        let memory = buffer.take_memory();
        if self.0.len() < KEPT && (1..=LARGEST).contains(&memory.len()) {
            self.0.push(memory);
        }
    }

    /// Gives memory to `buffer`, if there is any.
    pub(super) fn lend(&mut self, buffer: &mut Buffer) {
        if let Some(memory) = self.0.pop() {
            buffer.give_memory(memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_memory_of_the_usual_size_is_kept() {
        for (size, kept) in [(16 * 1024, 16 * 1024), (256 * 1024, 0)] {
            let (mut shelf, mut one, mut other) =
                (Shelf::default(), Buffer::default(), Buffer::default());
            one.room(size);
            shelf.keep(&mut one);
            shelf.lend(&mut other);
            assert_eq!(other.take_memory().len(), kept, "{size}");
        }
    }
}
