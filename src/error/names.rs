//! The kinds of errors by their names, for what is written down and read again.

use super::ErrorKind;

macro_rules! kinds {
    ($($kind:ident)*) => {
        /// Every kind.
        const ALL: &[ErrorKind] = &[$(ErrorKind::$kind),*];

        impl ErrorKind {
            /// Returns its name.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($kind),)*
                }
            }

            /// Returns the kind of that name.
            pub(crate) fn named(name: &str) -> Option<Self> {
                ALL.iter().copied().find(|kind| kind.name() == name)
            }
        }
    };
}

kinds! {
    Unknown
    Cancelled
    BadUrl
    InvalidRequest
    TimedOut
    UnsupportedUrl
    CannotFindHost
    CannotConnectToHost
    NetworkConnectionLost
    TooManyRedirects
    ResourceUnavailable
    NotConnectedToInternet
    BadServerResponse
    UnacceptableStatus
    ZeroByteResource
    CannotDecodeRawData
    CannotDecodeContentData
    CannotParseResponse
    CannotParseJson
    RequestBodyStreamExhausted
    SecureConnectionRequired
    FileDoesNotExist
    FileIsDirectory
    NoPermissionsToReadFile
    DataLengthExceedsMaximum
    CannotCreateFile
    CannotOpenFile
    CannotCloseFile
    CannotWriteToFile
    CannotMoveFile
    StorageFull
    FileAlreadyExists
    FolderDoesNotExist
    FileInUse
    CannotResume
    LengthMismatch
    DigestMismatch
    SecureConnectionFailed
    ServerCertificateHasBadDate
    ServerCertificateUntrusted
    ServerCertificateHasUnknownRoot
    ServerCertificateNotYetValid
    ClientCertificateRejected
    ClientCertificateRequired
    OutOfResources
    DelegatePanicked
    SessionInvalidated
    UploadInterrupted
    BackgroundSessionInUse
    NotSupported
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in ALL {
            assert_eq!(kind.name(), format!("{kind:?}"));
            assert_eq!(ErrorKind::named(kind.name()), Some(*kind));
        }
        assert_eq!(ErrorKind::named("NoKind"), None);
    }
}
