//! What becomes a body by itself.

use std::borrow::Cow;
use std::fs::File;
use std::sync::Arc;

use super::handle::Handle;
use super::{Body, BytesType, Source};

impl Body {
    /// Makes a body of bytes whose maker knows as much of their type.
    pub(super) fn of_bytes(bytes: Vec<u8>, of: BytesType) -> Self {
        Self { source: Source::Bytes(Arc::new(bytes), of), length: None }
    }
}

impl PartialEq for Body {
    /// Bytes and files are equal if they are the same bytes and paths, of the same type;
    /// readers, open files and what opens them, if one is a clone of the other.
    fn eq(&self, other: &Self) -> bool {
        let is_same = match (&self.source, &other.source) {
            (Source::Bytes(one, of), Source::Bytes(other, of_other)) => {
                of == of_other && one == other
            }
            (Source::File(one), Source::File(other)) => one == other,
            (Source::Handle(one), Source::Handle(other)) => Arc::ptr_eq(one, other),
            (Source::Once(one), Source::Once(other)) => Arc::ptr_eq(one, other),
            (Source::Opened(one), Source::Opened(other)) => Arc::ptr_eq(one, other),
            (Source::Multipart(one), Source::Multipart(other)) => one.is_same(other),
            _ => false,
        };
        is_same && self.length == other.length
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::of_bytes(bytes, BytesType::Unknown)
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        Self::from(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Body {
    fn from(bytes: &[u8; N]) -> Self {
        Self::from(bytes.to_vec())
    }
}

impl From<&Vec<u8>> for Body {
    fn from(bytes: &Vec<u8>) -> Self {
        Self::from(bytes.clone())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self::from(text.as_bytes())
    }
}

impl From<&String> for Body {
    fn from(text: &String) -> Self {
        Self::from(text.as_bytes())
    }
}

impl From<Cow<'_, str>> for Body {
    fn from(text: Cow<'_, str>) -> Self {
        Self::from(text.into_owned())
    }
}

impl From<File> for Body {
    /// Sends a file that is open, from where it stands to its end, and as long as it is when
    /// it goes out. It can be sent again, from the same place. The place where the file stands
    /// is not moved by it; Windows moves it with every read, and it is set back.
    ///
    /// A pipe, a device or a socket is sent as a [`reader`](Self::reader) is: once, without a
    /// length, and while it blocks, neither a timer nor a cancel reaches the load.
    fn from(file: File) -> Self {
        match Handle::of(file) {
            Ok(handle) => Self { source: Source::Handle(Arc::new(handle)), length: None },
            Err(pipe) => Self::reader(pipe),
        }
    }
}
