//! Who may use a file: what new files in a folder get, given to a file from elsewhere.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::path::Path;

use crate::{crash, random};

/// What the kernel gave to a new file in a folder, which it alone knows without a race:
/// by the umask, the folder's group if new files inherit it, its default access list.
#[derive(Debug)]
pub(super) struct Access {
    permissions: Permissions,
    #[cfg(unix)]
    group: u32,
    has_list: bool,
}

impl Access {
    /// Returns what `file`, which was just created, got.
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            permissions: metadata.permissions(),
            #[cfg(unix)]
            group: std::os::unix::fs::MetadataExt::gid(&metadata),
            has_list: has_list(file),
        })
    }

    /// Returns what a new file in `folder` gets, by creating one.
    pub(super) fn of_new_files(folder: &Path) -> io::Result<Self> {
        Self::of(&probe(folder)?)
    }

    /// Gives `file` the group, and returns whether the permissions are all that is then
    /// missing. An access list, or a group that this user is not in, only the kernel gives.
    pub(super) fn prepare(&self, file: &File) -> bool {
        !self.has_list && self.give_group(file).is_ok()
    }

    #[cfg(unix)]
    fn give_group(&self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt, fchown};
        if file.metadata()?.gid() == self.group {
            return Ok(());
        }
        fchown(file, None, Some(self.group))
    }

    #[cfg(not(unix))]
    fn give_group(&self, _file: &File) -> io::Result<()> {
        Ok(())
    }

    /// Gives `file` the permissions, and returns those that it had.
    pub(super) fn give(self, file: &File) -> io::Result<Permissions> {
        let before = file.metadata()?.permissions();
        crash::point("file.give_access");
        file.set_permissions(self.permissions)?;
        crash::point("file.access_given");
        Ok(before)
    }
}

/// Creates a file as every program does, which is gone when it is closed.
fn probe(folder: &Path) -> io::Result<File> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::fs::{Mode, OFlags, open};
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        if let Ok(file) = open(folder, flags, Mode::from_raw_mode(0o666)) {
            return Ok(File::from(file));
        }
    }
    let path = folder.join(format!(".urlsession-{:016x}.part", random::bits()));
    let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
    // Its permissions are still told when it has no name any more.
    fs::remove_file(&path)?;
    Ok(file)
}

/// With a list the group's bits of the mode are the mask of the list: given to a file
/// without one, they would let the group in.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn has_list(file: &File) -> bool {
    rustix::fs::fgetxattr(file, "system.posix_acl_access", &mut [0_u8; 0]).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn has_list(_file: &File) -> bool {
    false
}
