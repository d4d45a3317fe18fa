//! Whose files are opened here: this user's own, and what lies at the path itself.

use std::fs::{Metadata, OpenOptions};

/// Whether it is a file, and this user's as far as the system tells.
#[cfg(unix)]
pub(crate) fn is_own(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.is_file() && metadata.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
pub(crate) fn is_own(metadata: &Metadata) -> bool {
    metadata.is_file()
}

/// Whether it is a folder, and this user's as far as the system tells.
#[cfg(unix)]
pub(super) fn is_own_folder(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
pub(super) fn is_own_folder(metadata: &Metadata) -> bool {
    metadata.is_dir()
}

/// Has no symbolic link followed, and no pipe keep whoever opens it waiting.
#[cfg(unix)]
pub(super) fn follow_no_link(options: &mut OpenOptions) -> &mut OpenOptions {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.custom_flags(flags.bits().cast_signed())
}

#[cfg(not(unix))]
pub(super) fn follow_no_link(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}
