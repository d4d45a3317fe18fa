//! The kinds of errors, with Apple's numbers, and the stages of a load.

use std::fmt;

/// What kind of failure an [`Error`](crate::Error) is.
///
/// The kinds are those of Apple's `URLError`, and [`code`](Self::code) returns its
/// numbers; kinds that Apple does not have carry the number of the nearest one.
#[doc(alias = "URLError.Code")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something that fits no other kind.
    Unknown,
    /// [`Task::cancel`](crate::Task::cancel), a [`CancelToken`](crate::CancelToken) or a
    /// dropped reader ended it.
    #[doc(alias = "NSURLErrorCancelled")]
    Cancelled,
    /// The URL cannot be parsed or has no host.
    #[doc(alias = "NSURLErrorBadURL")]
    BadUrl,
    /// A header, a method or a body of the request cannot be sent as it is.
    InvalidRequest,
    /// A timer passed; the message says which, and how long it was.
    #[doc(alias = "NSURLErrorTimedOut")]
    TimedOut,
    /// The scheme is not one that this session loads.
    #[doc(alias = "NSURLErrorUnsupportedURL")]
    UnsupportedUrl,
    /// The host name has no address, although this machine has a network.
    #[doc(alias = "NSURLErrorCannotFindHost")]
    CannotFindHost,
    /// No address of the host accepted a connection: it refused, did not answer, or is
    /// switched off.
    #[doc(alias = "NSURLErrorCannotConnectToHost")]
    CannotConnectToHost,
    /// The connection broke before the response was whole.
    #[doc(alias = "NSURLErrorNetworkConnectionLost")]
    NetworkConnectionLost,
    /// More redirects than
    /// [`maximum_redirects`](crate::Configuration::maximum_redirects) allows.
    #[doc(alias = "NSURLErrorHTTPTooManyRedirects")]
    TooManyRedirects,
    /// What was asked for is not there without going to the network.
    #[doc(alias = "NSURLErrorResourceUnavailable")]
    ResourceUnavailable,
    /// This machine has no network: a host name cannot be looked up, or no route leads to the
    /// address.
    #[doc(alias = "NSURLErrorNotConnectedToInternet")]
    NotConnectedToInternet,
    /// The server's answer breaks the protocol, or a limit.
    #[doc(alias = "NSURLErrorBadServerResponse")]
    BadServerResponse,
    /// The status of the response is not one that the request
    /// [accepts](crate::Request::accepts_status); the error has
    /// [the response](crate::Error::response).
    UnacceptableStatus,
    /// The server closed the connection without a single byte of a promised body.
    #[doc(alias = "NSURLErrorZeroByteResource")]
    ZeroByteResource,
    /// The body is compressed as announced, but broken.
    #[doc(alias = "NSURLErrorCannotDecodeRawData")]
    CannotDecodeRawData,
    /// The body has more layers of compression than the limit of five.
    #[doc(alias = "NSURLErrorCannotDecodeContentData")]
    CannotDecodeContentData,
    /// The server's answer is not HTTP.
    #[doc(alias = "NSURLErrorCannotParseResponse")]
    CannotParseResponse,
    /// The body is not JSON, or not the JSON that was expected; the message says what is
    /// missing or of another type, and where, without values.
    #[doc(alias = "DecodingError")]
    CannotParseJson,
    /// The body has to be sent again, and was a reader that can be read once.
    #[doc(alias = "NSURLErrorRequestBodyStreamExhausted")]
    RequestBodyStreamExhausted,
    /// An `http` URL, or a redirect to one, that the configuration does not allow.
    #[doc(alias = "NSURLErrorAppTransportSecurityRequiresSecureConnection")]
    SecureConnectionRequired,
    /// The file to send does not exist.
    #[doc(alias = "NSURLErrorFileDoesNotExist")]
    FileDoesNotExist,
    /// The file to send, or the place to download to, is a directory.
    #[doc(alias = "NSURLErrorFileIsDirectory")]
    FileIsDirectory,
    /// The file to send may not be read.
    #[doc(alias = "NSURLErrorNoPermissionsToReadFile")]
    NoPermissionsToReadFile,
    /// A body held in memory exceeds
    /// [`maximum_body_in_memory`](crate::Configuration::maximum_body_in_memory), or a
    /// `GET` has a body.
    #[doc(alias = "NSURLErrorDataLengthExceedsMaximum")]
    DataLengthExceedsMaximum,
    /// The file to download to cannot be created.
    #[doc(alias = "NSURLErrorCannotCreateFile")]
    CannotCreateFile,
    /// A downloaded file cannot be opened.
    #[doc(alias = "NSURLErrorCannotOpenFile")]
    CannotOpenFile,
    /// What was written did not reach the disk.
    #[doc(alias = "NSURLErrorCannotCloseFile")]
    CannotCloseFile,
    /// A download cannot be written to its file.
    #[doc(alias = "NSURLErrorCannotWriteToFile")]
    CannotWriteToFile,
    /// A downloaded file cannot be moved to its place.
    #[doc(alias = "NSURLErrorCannotMoveFile")]
    CannotMoveFile,
    /// The disk, or the user's share of it, is full.
    StorageFull,
    /// There is a file where the download should go, and it may not be replaced.
    FileAlreadyExists,
    /// The folder to download to does not exist, or no longer.
    FolderDoesNotExist,
    /// The partial file of a download is being written by another task or program.
    FileInUse,
    /// What a download could go on with is broken, was written by a newer version, or its file
    /// has vanished or changed; see [`ResumeData`](crate::ResumeData).
    #[doc(alias = "NSURLSessionDownloadTaskResumeData")]
    CannotResume,
    /// The body is not as long as was expected; see
    /// [`expects_length`](crate::DownloadTask::expects_length).
    LengthMismatch,
    /// The body does not have the digest that was expected; see
    /// [`expects_sha256`](crate::DownloadTask::expects_sha256).
    DigestMismatch,
    /// The TLS handshake failed for a reason other than a certificate.
    #[doc(alias = "NSURLErrorSecureConnectionFailed")]
    SecureConnectionFailed,
    /// The server's certificate has expired.
    #[doc(alias = "NSURLErrorServerCertificateHasBadDate")]
    ServerCertificateHasBadDate,
    /// The server's certificate is not good for this host, or is broken.
    #[doc(alias = "NSURLErrorServerCertificateUntrusted")]
    ServerCertificateUntrusted,
    /// The server's certificate leads to no root that is trusted.
    #[doc(alias = "NSURLErrorServerCertificateHasUnknownRoot")]
    ServerCertificateHasUnknownRoot,
    /// The server's certificate is not valid yet.
    #[doc(alias = "NSURLErrorServerCertificateNotYetValid")]
    ServerCertificateNotYetValid,
    /// The server refused the client's certificate, or what was given makes no
    /// [`Identity`](crate::Identity): it is broken or incomplete, or its pass phrase is wrong.
    #[doc(alias = "NSURLErrorClientCertificateRejected")]
    ClientCertificateRejected,
    /// The server demands a client certificate.
    #[doc(alias = "NSURLErrorClientCertificateRequired")]
    ClientCertificateRequired,
    /// The system refused a thread, a descriptor or memory.
    OutOfResources,
    /// Code of the program that the task called (a delegate, a resolver, a body's reader)
    /// panicked.
    #[doc(alias = "panic")]
    DelegatePanicked,
    /// The background session of this identifier is open already, in this process or in another
    /// one; the message says in which. It is free again when that session has become invalid, or
    /// its process has ended.
    #[doc(alias = "NSURLErrorBackgroundSessionInUseByAnotherProcess")]
    #[doc(alias = "backgroundSessionInUseByAnotherProcess")]
    BackgroundSessionInUse,
    /// The session was invalidated and takes no more tasks.
    SessionInvalidated,
    /// An upload in the background was interrupted after some of it may have been sent, and
    /// [must not be repeated](crate::Request::may_repeat).
    UploadInterrupted,
    /// The configuration asks for something that this version cannot do.
    NotSupported,
}

impl ErrorKind {
    /// Returns Apple's number, as in `NSURLErrorDomain`.
    ///
    /// Kinds that Apple does not have return the nearest number, or -1 (unknown).
    pub fn code(self) -> i32 {
        match self {
            Self::Unknown
            | Self::OutOfResources
            | Self::DelegatePanicked
            | Self::SessionInvalidated
            | Self::CannotResume
            | Self::NotSupported => -1,
            Self::BackgroundSessionInUse => -996,
            Self::Cancelled => -999,
            Self::BadUrl | Self::InvalidRequest => -1000,
            Self::TimedOut => -1001,
            Self::UnsupportedUrl => -1002,
            Self::CannotFindHost => -1003,
            Self::CannotConnectToHost => -1004,
            Self::NetworkConnectionLost | Self::UploadInterrupted => -1005,
            Self::TooManyRedirects => -1007,
            Self::ResourceUnavailable => -1008,
            Self::NotConnectedToInternet => -1009,
            Self::BadServerResponse
            | Self::UnacceptableStatus
            | Self::LengthMismatch
            | Self::DigestMismatch => -1011,
            Self::ZeroByteResource => -1014,
            Self::CannotDecodeRawData => -1015,
            Self::CannotDecodeContentData => -1016,
            Self::CannotParseResponse | Self::CannotParseJson => -1017,
            Self::RequestBodyStreamExhausted => -1021,
            Self::SecureConnectionRequired => -1022,
            Self::FileDoesNotExist => -1100,
            Self::FileIsDirectory => -1101,
            Self::NoPermissionsToReadFile => -1102,
            Self::DataLengthExceedsMaximum => -1103,
            Self::CannotCreateFile
            | Self::FileAlreadyExists
            | Self::FileInUse
            | Self::FolderDoesNotExist => -3000,
            Self::CannotOpenFile => -3001,
            Self::CannotCloseFile => -3002,
            Self::CannotWriteToFile | Self::StorageFull => -3003,
            Self::CannotMoveFile => -3005,
            Self::SecureConnectionFailed => -1200,
            Self::ServerCertificateHasBadDate => -1201,
            Self::ServerCertificateUntrusted => -1202,
            Self::ServerCertificateHasUnknownRoot => -1203,
            Self::ServerCertificateNotYetValid => -1204,
            Self::ClientCertificateRejected => -1205,
            Self::ClientCertificateRequired => -1206,
        }
    }
}

/// How far a load had come when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Before anything was asked of the network.
    Preparing,
    /// Looking up the host's addresses.
    LookingUp,
    /// Connecting to one of the addresses.
    Connecting,
    /// The TLS handshake.
    Securing,
    /// Sending the request and its body.
    Sending,
    /// Waiting for the response's status line and headers.
    WaitingForResponse,
    /// Receiving the response's body.
    Receiving,
    /// Deciding about a redirect.
    Redirecting,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Preparing => "preparing the request",
            Self::LookingUp => "looking up the host",
            Self::Connecting => "connecting",
            Self::Securing => "negotiating TLS",
            Self::Sending => "sending the request",
            Self::WaitingForResponse => "waiting for the response",
            Self::Receiving => "receiving the body",
            Self::Redirecting => "following a redirect",
        })
    }
}
