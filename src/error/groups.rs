//! What programs ask of an error when its very kind does not matter, and the words for a kind.

use std::fmt;

use super::{Error, ErrorKind, Stage};

impl ErrorKind {
    /// Returns whether a timer passed: [`TimedOut`](Self::TimedOut).
    pub fn is_timeout(self) -> bool {
        self == Self::TimedOut
    }

    /// Returns whether the program, or what it dropped, ended the load:
    /// [`Cancelled`](Self::Cancelled).
    pub fn is_cancelled(self) -> bool {
        self == Self::Cancelled
    }

    /// Returns whether there was no connection to the server: it was not found, not reached, or
    /// not trusted.
    pub fn is_connect(self) -> bool {
        matches!(
            self,
            Self::CannotFindHost | Self::CannotConnectToHost | Self::NotConnectedToInternet
        ) || matches!(self, Self::SecureConnectionFailed | Self::ClientCertificateRequired)
            || self.is_certificate()
    }

    /// Returns whether the server's certificate is not trusted.
    pub fn is_certificate(self) -> bool {
        matches!(
            self,
            Self::ServerCertificateHasBadDate
                | Self::ServerCertificateUntrusted
                | Self::ServerCertificateHasUnknownRoot
                | Self::ServerCertificateNotYetValid
        )
    }

    /// Returns whether the request itself is wrong: it was not sent, and never will be as it is.
    pub fn is_request(self) -> bool {
        matches!(self, Self::BadUrl | Self::InvalidRequest | Self::UnsupportedUrl)
    }

    /// Returns whether what came is not what it says it is: not HTTP, broken compression, not
    /// the JSON that was asked for.
    pub fn is_decode(self) -> bool {
        matches!(self, Self::CannotParseResponse | Self::CannotParseJson)
            || matches!(self, Self::CannotDecodeRawData | Self::CannotDecodeContentData)
    }

    /// Returns whether it is about a file of this machine: one to send, or one to write.
    pub fn is_file(self) -> bool {
        matches!(
            self,
            Self::FileDoesNotExist
                | Self::FileIsDirectory
                | Self::NoPermissionsToReadFile
                | Self::CannotCreateFile
                | Self::CannotOpenFile
                | Self::CannotCloseFile
                | Self::CannotWriteToFile
                | Self::CannotMoveFile
                | Self::StorageFull
                | Self::FileAlreadyExists
                | Self::FolderDoesNotExist
                | Self::FileInUse
                | Self::CannotResume
        )
    }

    /// Returns whether the same request may succeed a while later, without anything being
    /// changed: no connection, one that broke, a timer that passed, a machine that was short
    /// of threads or memory.
    ///
    /// The server may have acted on the request all the same, so that sending it again is safe
    /// only where the method says so (RFC 9110 §9.2.2), or where [`Error::stage`] is before
    /// [`Stage::Sending`]. Of [`UnacceptableStatus`](Self::UnacceptableStatus) the status
    /// decides, which [`Error::is_transient`] looks at. A [`RetryPolicy`](crate::RetryPolicy) tries
    /// again what is safe to be.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::CannotFindHost | Self::CannotConnectToHost | Self::NotConnectedToInternet
        ) || matches!(self, Self::TimedOut | Self::NetworkConnectionLost | Self::ZeroByteResource)
            || self == Self::OutOfResources
    }
}

impl Error {
    /// Returns whether a timer passed; see [`ErrorKind::is_timeout`].
    pub fn is_timeout(&self) -> bool {
        self.kind().is_timeout()
    }

    /// Returns whether the program ended the load; see [`ErrorKind::is_cancelled`].
    pub fn is_cancelled(&self) -> bool {
        self.kind().is_cancelled()
    }

    /// Returns whether there was no connection to the server, be it because a timer passed
    /// meanwhile; see [`ErrorKind::is_connect`]. Nothing of the request was sent.
    pub fn is_connect(&self) -> bool {
        let was_connecting =
            matches!(self.stage(), Some(Stage::LookingUp | Stage::Connecting | Stage::Securing));
        self.kind().is_connect() || (was_connecting && self.is_timeout())
    }

    /// Returns whether the server's certificate is not trusted; see
    /// [`ErrorKind::is_certificate`].
    pub fn is_certificate(&self) -> bool {
        self.kind().is_certificate()
    }

    /// Returns whether the request itself is wrong; see [`ErrorKind::is_request`].
    pub fn is_request(&self) -> bool {
        self.kind().is_request()
    }

    /// Returns whether what came is not what it says it is; see [`ErrorKind::is_decode`].
    pub fn is_decode(&self) -> bool {
        self.kind().is_decode()
    }

    /// Returns whether it is about a file of this machine; see [`ErrorKind::is_file`].
    pub fn is_file(&self) -> bool {
        self.kind().is_file()
    }
}

/// In a few words, as in "the host was not found".
impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown error",
            Self::Cancelled => "cancelled",
            Self::BadUrl => "bad URL",
            Self::InvalidRequest => "invalid request",
            Self::TimedOut => "timed out",
            Self::UnsupportedUrl => "unsupported URL",
            Self::CannotFindHost => "the host was not found",
            Self::CannotConnectToHost => "cannot connect to the host",
            Self::NetworkConnectionLost => "the connection was lost",
            Self::TooManyRedirects => "too many redirects",
            Self::ResourceUnavailable => "the resource is unavailable",
            Self::NotConnectedToInternet => "not connected to a network",
            Self::BadServerResponse => "bad response of the server",
            Self::UnacceptableStatus => "the status is not accepted",
            Self::ZeroByteResource => "the body did not come",
            Self::CannotDecodeRawData => "the compressed body is broken",
            Self::CannotDecodeContentData => "the body is compressed too often",
            Self::CannotParseResponse => "the response is not HTTP",
            Self::CannotParseJson => "the body is not the JSON that was expected",
            Self::RequestBodyStreamExhausted => "the body cannot be sent again",
            Self::SecureConnectionRequired => "a secure connection is required",
            Self::FileDoesNotExist => "the file does not exist",
            Self::FileIsDirectory => "the file is a directory",
            Self::NoPermissionsToReadFile => "no permission to read the file",
            Self::DataLengthExceedsMaximum => "too much data",
            Self::CannotCreateFile => "cannot create the file",
            Self::CannotOpenFile => "cannot open the file",
            Self::CannotCloseFile => "cannot close the file",
            Self::CannotWriteToFile => "cannot write to the file",
            Self::CannotMoveFile => "cannot move the file",
            Self::StorageFull => "the disk is full",
            Self::FileAlreadyExists => "the file exists already",
            Self::FolderDoesNotExist => "the folder does not exist",
            Self::FileInUse => "the partial file is in use",
            Self::CannotResume => "the download cannot be resumed",
            Self::LengthMismatch => "the body has another length than expected",
            Self::DigestMismatch => "the body has another digest than expected",
            Self::SecureConnectionFailed => "the secure connection failed",
            Self::ServerCertificateHasBadDate => "the server's certificate has expired",
            Self::ServerCertificateUntrusted => "the server's certificate is not trusted",
            Self::ServerCertificateHasUnknownRoot => "the server's certificate has an unknown root",
            Self::ServerCertificateNotYetValid => "the server's certificate is not valid yet",
            Self::ClientCertificateRejected => "the client's certificate was rejected",
            Self::ClientCertificateRequired => "a client certificate is required",
            Self::OutOfResources => "out of resources",
            Self::DelegatePanicked => "a delegate panicked",
            Self::BackgroundSessionInUse => "the background session is in use",
            Self::SessionInvalidated => "the session was invalidated",
            Self::UploadInterrupted => "an upload was interrupted",
            Self::NotSupported => "not supported",
        })
    }
}

#[cfg(test)]
mod tests;
