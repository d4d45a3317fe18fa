//! Receiving the body of a response, for whoever wants it.

use std::mem;
use std::sync::Arc;

use super::collect::{append, read_all};
use super::sink::Sink;
use crate::error::{Error, ErrorKind, Stage};
use crate::files::Target;
use crate::load::{Decoder, Loaded};
use crate::response::Response;
use crate::session::data::Data;
use crate::session::delegate::ResponseDisposition;
use crate::session::task::{Brought, Core, Kind, Listener, Product, Reports};

/// How much of a body is read at a time for somebody who is told piece by piece.
const PIECE: usize = 64 * 1024;

/// Asks what becomes of the body.
pub(super) fn allowed(
    core: &Arc<Core>,
    response: &Response,
    listener: Option<&dyn Listener>,
) -> Result<ResponseDisposition, Error> {
    match listener.map(|listener| listener.response(core, response)).transpose()? {
        None => Ok(ResponseDisposition::Allow),
        Some(ResponseDisposition::Cancel) => {
            Err(Error::cancelled().at(Stage::Receiving).on(response.url()))
        }
        Some(disposition) => Ok(disposition),
    }
}

/// Receives the body, for whoever wants it.
pub(super) fn receive(
    core: &Arc<Core>,
    loaded: Loaded,
    target: Option<Target>,
    listener: Option<&dyn Listener>,
) -> Brought {
    let disposition = allowed(core, &loaded.response, listener)?;
    if disposition == ResponseDisposition::BecomeDownload {
        become_download(core, listener)?;
    }
    if core.is_download() {
        return save(core, loaded, target, listener);
    }
    let Loaded { response, mut body } = loaded;
    let is_collected = core.state.lock().recipients.reports.wants_data();
    let limit = core.shared.configuration.maximum_body_in_memory;
    let Some(listener) = listener.filter(|listener| listener.takes_body()) else {
        if !is_collected {
            return skip(core, &mut body).map(|()| Product::Nothing);
        }
        let body = read_all(&mut body, limit, |count| core.took(count))?;
        return Ok(Product::Data(Data { response, body }));
    };
    if !is_collected && !is_incremental(core) {
        let whole = read_all(&mut body, limit, |count| {
            core.took(count)?;
            listener.progress(core);
            Ok(())
        })?;
        if !whole.is_empty() {
            listener.data(core, whole)?;
        }
        return Ok(Product::Nothing);
    }
    let mut collected = is_collected.then(Vec::new);
    let mut pieces = Pieces::default();
    while let Some(piece) = pieces.next(&mut body)? {
        core.took(piece.len())?;
        if let Some(collected) = &mut collected {
            append(collected, &piece, limit)?;
        }
        listener.data(core, piece)?;
        listener.progress(core);
    }
    Ok(match collected {
        Some(body) => Product::Data(Data { response, body }),
        None => Product::Nothing,
    })
}

/// Whether the body is told of while it arrives.
fn is_incremental(core: &Core) -> bool {
    let recipients = &core.state.lock().recipients;
    recipients.is_incremental || !matches!(recipients.reports, Reports::Delegates)
}

fn become_download(core: &Arc<Core>, listener: Option<&dyn Listener>) -> Result<(), Error> {
    let mut state = core.state.lock();
    if matches!(state.kind, Kind::Download(_)) {
        return Ok(());
    }
    if !matches!(state.recipients.reports, Reports::Delegates) {
        return Err(cannot_become_download());
    }
    state.kind = Kind::Download(None);
    drop(state);
    listener.inspect(|listener| listener.became_download(core));
    Ok(())
}

/// Writes the body to a file.
fn save(
    core: &Arc<Core>,
    loaded: Loaded,
    target: Option<Target>,
    listener: Option<&dyn Listener>,
) -> Brought {
    let Loaded { response, mut body } = loaded;
    let folder = core.shared.configuration.temporary_directory.as_ref();
    let mut file = Sink::create(target, folder, &core.shared.census)?;
    let mut buffer = vec![0; PIECE];
    loop {
        let count = body.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        file.write_all(&buffer[..count])?;
        core.took(count)?;
        listener.inspect(|listener| listener.progress(core));
    }
    file.finish(response).map(Product::Download)
}

/// Reads a body that nobody wants.
fn skip(core: &Arc<Core>, body: &mut Decoder) -> Result<(), Error> {
    let mut buffer = vec![0; PIECE];
    loop {
        match body.read(&mut buffer)? {
            0 => return Ok(()),
            count => core.took(count)?,
        }
    }
}

/// Reads a body in pieces that can be given away.
#[derive(Default)]
struct Pieces {
    /// Memory that the last piece left.
    spare: Vec<u8>,
}

impl Pieces {
    /// Returns the next piece, in memory that is not much larger than it is.
    fn next(&mut self, body: &mut Decoder) -> Result<Option<Vec<u8>>, Error> {
        let mut piece = mem::take(&mut self.spare);
        piece.resize(PIECE, 0);
        let count = body.read(&mut piece)?;
        if count == 0 {
            return Ok(None);
        }
        if count < PIECE / 2 {
            let small = piece[..count].to_vec();
            self.spare = piece;
            return Ok(Some(small));
        }
        piece.truncate(count);
        Ok(Some(piece))
    }
}

/// The error of a task that would have nobody to give its file to.
pub(super) fn cannot_become_download() -> Error {
    let detail = "only a task that reports to its delegates can become a download";
    Error::new(ErrorKind::InvalidRequest, detail).at(Stage::Receiving)
}
