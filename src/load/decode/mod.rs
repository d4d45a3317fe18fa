//! Decodes bodies by their `Content-Encoding` (RFC 9110 §8.4) while they arrive.
//!
//! A [`Decoder`] stands between a body on the wire and its reader, with one layer for each
//! coding. A layer holds 16 KiB of what it has still to decode and the window of its
//! coding, whatever the body expands to: nobody's memory fills up before the reader has
//! seen the bytes and can stop.
//!
//! What follows the end of a compressed stream and is not another one is ignored, as in
//! Chromium; a stream that ends early is an error, so that half a file is never taken for
//! a whole one. An empty body is an empty body: servers announce a coding for those too.

mod asked;
#[cfg(feature = "brotli")]
mod brotli;
mod coding;
#[cfg(feature = "gzip")]
mod deflate;
#[cfg(all(feature = "gzip", any(test, fuzzing)))]
pub(crate) mod fuzz;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "zstd")]
mod zstd;

#[cfg(any(feature = "gzip", feature = "zstd"))]
use std::error::Error as StdError;
use std::fmt;

use crate::error::{Error, ErrorKind, Stage};
use crate::response::Response;
use crate::splice::SplicePipe;
use crate::wire::{Context, Patience, Wait, WireBody};

pub(super) use asked::undoes;
pub(crate) use coding::{Coding, accept_encoding, codings};

/// A body of the usual sizes stays in the CPU's cache on its way through.
const BUFFER: usize = 16 * 1024;

/// How much a codec is fed at a time that has given nothing for what it took last: the heads
/// of a stream, its blocks and members may all be empty, and each costs far more than its bytes.
const MORSEL: usize = 1024;

/// How much is decoded at most between two looks at cancel and timers.
const AT_A_TIME: usize = 64 * 1024;

/// A body, decoded.
pub(crate) struct Decoder {
    wire: CountedBody,
    /// The layer that was applied last, and is undone first, stands first.
    layers: Vec<Layer>,
    /// None where nothing is decoded: who reads the wire looks.
    context: Option<Context>,
    decoded: u64,
    /// What went wrong before; it stays wrong.
    failed: Option<Error>,
}

impl Decoder {
    /// Wraps a body with the codings that were applied to it, in that order.
    pub(crate) fn new(body: Box<dyn WireBody>, codings: &[Coding], context: &Context) -> Self {
        let layers = codings.iter().rev().filter_map(|coding| coding.codec()).map(Layer::new);
        let wire = CountedBody { body, bytes: 0, response: None };
        let layers = layers.collect::<Vec<_>>();
        let context = (!layers.is_empty()).then(|| context.clone());
        Self { wire, layers, context, decoded: 0, failed: None }
    }

    /// Ends a body that nobody wants.
    #[cold]
    pub(crate) fn discard(self) {
        self.wire.body.discard();
    }

    /// Ends a body of which nobody wants more: nothing comes of it any more.
    #[cold]
    pub(crate) fn end(&mut self) {
        self.layers.clear();
        std::mem::replace(&mut self.wire.body, Box::new(Ended)).discard();
    }

    /// Whether something may come behind the body.
    pub(super) fn may_have_trailers(&self) -> bool {
        self.wire.body.remaining().is_none()
    }

    /// Has the response learn what came behind the body, at its end.
    #[cold]
    pub(super) fn tell_trailers_to(&mut self, response: &Response) {
        self.wire.response = Some(response.clone());
    }

    /// Reads some bytes, decoded; none means the body is whole.
    ///
    /// Waits for the wire only if nothing that has arrived can be returned. A little of a
    /// compressed body can be decoded for hours, to much or to nothing: cancel, timers and
    /// pauses are looked at meanwhile.
    ///
    /// # Errors
    ///
    /// Those of the wire and of its waits, unchanged, and [`ErrorKind::CannotDecodeRawData`].
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        // Whoever waits is given some, or learns of the end.
        self.read_some(buffer, Patience::Waits).map(Option::unwrap_or_default)
    }

    /// Reads some bytes that are here, decoded; `None` if it would have to wait for them. What
    /// fails here, fails again when it is [read](Self::read).
    pub(crate) fn read_now(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        self.read_some(buffer, Patience::None)
    }

    /// Whether what comes next may be moved on by [`splice`](Self::splice).
    pub(crate) fn may_be_spliced(&mut self) -> bool {
        self.layers.is_empty() && self.failed.is_none() && self.wire.body.may_be_spliced()
    }

    /// Moves some bytes of a body that is not decoded into `pipe`, which is empty, but at most
    /// `most`: waits and fails as [`read`](Self::read) does. `None` if they have to be read.
    pub(crate) fn splice(
        &mut self,
        pipe: &mut SplicePipe,
        most: usize,
    ) -> Result<Option<usize>, Error> {
        if !self.may_be_spliced() {
            return Ok(None);
        }
        let spliced = self.wire.body.splice(pipe, most);
        if let Ok(Some(length)) = &spliced {
            self.wire.bytes += *length as u64;
        }
        self.count(spliced)
    }

    fn read_some(&mut self, buffer: &mut [u8], patience: Patience) -> Result<Option<usize>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if buffer.is_empty() {
            return Ok(Some(0));
        }
        let read = self.decode(buffer, patience);
        self.count(read)
    }

    /// Counts what has come, or remembers what went wrong.
    fn count(&mut self, come: Result<Option<usize>, Error>) -> Result<Option<usize>, Error> {
        match come {
            Ok(length) => {
                self.decoded += length.unwrap_or_default() as u64;
                Ok(length)
            }
            // It may go on with another thread; a cancel is seen again.
            Err(error) if error.is_cancelled() => Err(error),
            Err(error) => {
                self.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    fn decode(&mut self, buffer: &mut [u8], patience: Patience) -> Result<Option<usize>, Error> {
        let Some(context) = &self.context else { return self.wire.read(buffer, patience) };
        let most = buffer.len().min(AT_A_TIME);
        let mut work = Work { wire: &mut self.wire, context, wait: context.wait(), patience };
        work.look()?;
        work.pull(&mut self.layers, &mut buffer[..most])
    }

    /// Whether something is undone about the body.
    pub(crate) fn is_decoding(&self) -> bool {
        !self.layers.is_empty()
    }

    /// Returns how many bytes are still to be read, if that is known before they are decoded.
    pub(crate) fn remaining(&self) -> Option<u64> {
        if self.layers.is_empty() { self.wire.body.remaining() } else { None }
    }

    /// Returns how many bytes of the body came over the wire, as they were there.
    #[cfg(test)]
    pub(crate) fn wire_bytes(&self) -> u64 {
        self.wire.bytes
    }

    /// Returns how many bytes were read from this decoder.
    #[cfg(test)]
    pub(crate) fn decoded_bytes(&self) -> u64 {
        self.decoded
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("layers", &self.layers.len())
            .field("wire_bytes", &self.wire.bytes)
            .field("decoded_bytes", &self.decoded)
            .finish_non_exhaustive()
    }
}

struct CountedBody {
    body: Box<dyn WireBody>,
    bytes: u64,
    /// Who learns what comes behind it.
    response: Option<Response>,
}

/// A body of which nothing comes any more.
struct Ended;

impl WireBody for Ended {
    fn read(&mut self, _: &mut [u8]) -> Result<usize, Error> {
        Ok(0)
    }

    fn remaining(&self) -> Option<u64> {
        Some(0)
    }

    fn discard(self: Box<Self>) {}
}

struct Layer {
    codec: Box<dyn Codec>,
    buffer: Box<[u8]>,
    /// What of the buffer has still to be decoded.
    start: usize,
    end: usize,
    /// The layer below has nothing more.
    ended: bool,
    /// It has given nothing for what it took last.
    is_barren: bool,
}

impl Layer {
    fn new(codec: Box<dyn Codec>) -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Self { codec, buffer, start: 0, end: 0, ended: false, is_barren: false }
    }

    /// Returns how much is decoded next.
    fn morsel(&self) -> usize {
        let there = self.end - self.start;
        if self.is_barren { there.min(MORSEL) } else { there }
    }
}

impl CountedBody {
    fn read(&mut self, buffer: &mut [u8], patience: Patience) -> Result<Option<usize>, Error> {
        let length = match patience {
            Patience::Waits => Some(self.body.read(buffer)?),
            Patience::None => self.body.read_now(buffer)?,
        };
        self.bytes += length.unwrap_or_default() as u64;
        if length == Some(0)
            && let Some(response) = &self.response
            && let Some(trailers) = self.body.trailers()
        {
            response.ended_with(trailers);
        }
        Ok(length)
    }
}

/// The work for one read.
struct Work<'a> {
    wire: &'a mut CountedBody,
    context: &'a Context,
    /// Since something has come over the wire last.
    wait: Wait<'a>,
    patience: Patience,
}

impl Work<'_> {
    /// Looks at cancel and timers, and at pauses if whoever reads waits.
    fn look(&self) -> Result<(), Error> {
        match self.patience {
            Patience::Waits => self.wait.look(),
            Patience::None => self.wait.slice().map(|_| ()),
        }
    }

    /// Fills some of `buffer` from the last of `layers`, which pull from those before them.
    fn pull(&mut self, layers: &mut [Layer], buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        let Some((layer, below)) = layers.split_last_mut() else {
            let length = self.wire.read(buffer, self.patience)?;
            self.wait = self.context.wait();
            return Ok(length);
        };
        loop {
            let step = {
                let next = layer.start..layer.start + layer.morsel();
                layer.codec.decode(&layer.buffer[next], buffer)?
            };
            layer.start += step.consumed;
            layer.is_barren = step.produced == 0;
            if step.produced > 0 {
                return Ok(Some(step.produced));
            }
            if layer.start < layer.end {
                // A codec takes all of its input or gives some output; one that does neither
                // would be asked for ever.
                if step.consumed == 0 {
                    return Err(broken("the decoder makes no progress"));
                }
                // It may take as long as any wait.
                if self.patience == Patience::None {
                    return Ok(None);
                }
                self.look()?;
            } else if layer.ended {
                layer.codec.finish()?;
                return Ok(Some(0));
            } else {
                self.look()?;
                let Some(length) = self.pull(below, &mut layer.buffer)? else { return Ok(None) };
                layer.end = length;
                layer.start = 0;
                layer.ended = layer.end == 0;
            }
        }
    }
}

/// One coding, as a machine that is fed pieces.
trait Codec: Send {
    /// Decodes some of `input` into `output`, which is not empty. Asked with an empty
    /// `input`, it gives what it still holds.
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Error>;

    /// Reports whether the input, of which there is no more, was whole.
    fn finish(&mut self) -> Result<(), Error>;
}

/// How many bytes a codec took and gave.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    consumed: usize,
    produced: usize,
}

/// The body is not what its coding says.
fn broken(detail: &'static str) -> Error {
    let detail = format!("the compressed body is broken: {detail}");
    Error::new(ErrorKind::CannotDecodeRawData, detail).at(Stage::Receiving)
}

#[cfg(any(feature = "gzip", feature = "zstd"))]
fn broken_by(detail: &'static str, source: impl StdError + Send + Sync + 'static) -> Error {
    broken(detail).because(source)
}

#[cfg(test)]
mod tests;
