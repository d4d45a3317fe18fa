//! Files of the program's that are taken over as they are at this moment.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::census::{Census, Kind};
use crate::crash;
use crate::error::Error;
use crate::files::failure::{Action, failed};
use crate::files::moving::try_sync_folder;
use crate::files::partial::{create_new, sync_data};
use crate::files::private;

/// How much is copied at once.
const PIECE: u64 = 16 * 1024 * 1024;

/// Copies the first `length` bytes of `source` to `path`, for this user only, in place of what an
/// earlier start has left there; on an error there is nothing. They are on the disk when this
/// returns. `between` is called before each piece.
///
/// Where the file system can, nothing is copied: both files share the bytes until one of them is
/// changed (ioctl_ficlone(2)). That one has all of `source`, at one moment.
pub(crate) fn copy_to_new(
    source: &File,
    length: u64,
    path: &Path,
    census: &Census,
    between: &mut dyn FnMut(),
) -> Result<(), Error> {
    let _counted = census.count(Kind::File);
    crash::point("copy.create");
    let created = private::try_remove(path).and_then(|()| create_new(path));
    let copy = created.map_err(|error| failed(Action::Create, path, error))?;
    crash::point("copy.created");
    let copied = fill(source, length, &copy, between)
        .map_err(|error| failed(Action::Write, path, error))
        .and_then(|()| sync_data(&copy, path))
        .and_then(|()| {
            let synced = try_sync_folder(path.parent().unwrap_or(path), census);
            synced.map_err(|error| failed(Action::Sync, path, error))
        });
    drop(copy);
    copied.inspect_err(|_| private::remove(path))
}

fn fill(source: &File, length: u64, copy: &File, between: &mut dyn FnMut()) -> io::Result<()> {
    between();
    if share(source, copy) {
        crash::point("copy.shared");
        return Ok(());
    }
    let mut left = length;
    while left > 0 {
        // Inside the kernel, where std knows how.
        let count = io::copy(&mut source.take(PIECE.min(left)), &mut &*copy)?;
        crash::point("copy.piece");
        if count == 0 {
            // It is shorter by now, which whoever looks at it sees.
            break;
        }
        left -= count;
        between();
    }
    Ok(())
}

/// Has both share all bytes of `source`, if the file system can.
#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    not(any(target_arch = "sparc", target_arch = "sparc64"))
))]
fn share(source: &File, copy: &File) -> bool {
    rustix::fs::ioctl_ficlone(copy, source).is_ok()
}

#[cfg(not(all(
    any(target_os = "linux", target_os = "android"),
    not(any(target_arch = "sparc", target_arch = "sparc64"))
)))]
fn share(_source: &File, _copy: &File) -> bool {
    false
}
