//! What the system said, in words for the one line that programs print.

use std::io;

use super::Error;

/// Returns what the system said, in a few words; `None` if it said nothing that may be shown:
/// the text of an error that a program has made may hold anything.
pub(super) fn words(error: &io::Error) -> Option<String> {
    if let Some(own) = Error::from_io(error) {
        return Some(own.to_string());
    }
    // What has no name among the kinds has a text of the system's.
    let known = match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::StorageFull => "no space left".to_owned(),
        io::ErrorKind::Other => String::new(),
        kind => kind.to_string().replace("uncategorized error", ""),
    };
    match (known.is_empty(), error.raw_os_error()) {
        (false, _) => Some(known),
        (true, Some(_)) => Some(error.to_string()),
        (true, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn what_the_system_said_is_named_and_what_a_program_wrote_is_not() {
        let own = Error::new(ErrorKind::StorageFull, "cannot write to /a: no space left");
        for (error, expected) in [
            (io::ErrorKind::ConnectionRefused.into(), Some("connection refused")),
            (io::ErrorKind::ConnectionReset.into(), Some("connection reset")),
            (io::ErrorKind::HostUnreachable.into(), Some("host unreachable")),
            (io::ErrorKind::NetworkUnreachable.into(), Some("network unreachable")),
            (io::ErrorKind::NotFound.into(), Some("no such file or folder")),
            (io::ErrorKind::StorageFull.into(), Some("no space left")),
            (io::ErrorKind::PermissionDenied.into(), Some("permission denied")),
            (io::Error::new(io::ErrorKind::BrokenPipe, "secret"), Some("broken pipe")),
            (io::Error::other("secret"), None),
            (own.into(), Some("cannot write to /a: no space left")),
        ] {
            assert_eq!(words(&error).as_deref(), expected, "{error:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_number_of_the_system_without_a_name_keeps_its_text() {
        for errno in [rustix::io::Errno::NFILE, rustix::io::Errno::PROTO] {
            let error = io::Error::from(errno);
            assert_eq!(words(&error), Some(error.to_string()));
        }
    }
}
