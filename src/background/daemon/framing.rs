//! Whether a stream of frames is within one: pure.

/// Bytes of a length.
const HEADER: usize = 4;

/// Follows a stream of frames: a length of four bytes, the highest first, and so many bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Framing {
    header: [u8; HEADER],
    /// How many bytes of the length have come.
    of_header: usize,
    /// How many bytes of the frame are yet to come.
    of_frame: usize,
}

impl Framing {
    /// Takes note of what came.
    pub(super) fn advance(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.of_frame > 0 {
                let taken = self.of_frame.min(bytes.len());
                self.of_frame -= taken;
                bytes = &bytes[taken..];
                continue;
            }
            self.header[self.of_header] = *first;
            self.of_header += 1;
            bytes = rest;
            if self.of_header == HEADER {
                self.of_header = 0;
                self.of_frame = u32::from_be_bytes(self.header) as usize;
            }
        }
    }

    /// Whether a frame has begun and not ended.
    pub(super) fn is_within(&self) -> bool {
        self.of_header > 0 || self.of_frame > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_followed_however_they_come() {
        let stream = b"\0\0\0\x03abc\0\0\0\0\0\0\x01\0";
        let ends = [7, 11];
        for piece in 1..8 {
            let (mut framing, mut at) = (Framing::default(), 0);
            assert!(!framing.is_within());
            for bytes in stream[..11].chunks(piece) {
                framing.advance(bytes);
                at += bytes.len();
                assert_eq!(framing.is_within(), !ends.contains(&at), "{at} by {piece}");
            }
        }
        let mut framing = Framing::default();
        framing.advance(stream);
        assert!(framing.is_within());
        framing.advance(&[0; 256]);
        assert!(!framing.is_within());
    }
}
