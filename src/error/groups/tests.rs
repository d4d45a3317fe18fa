use super::*;
use ErrorKind as K;

/// All kinds, each with the questions that it answers by yes: timeout, cancelled, connect,
/// certificate, request, decode, file, transient.
const ALL: [(ErrorKind, &str); 49] = [
    (K::Unknown, ""),
    (K::Cancelled, "cancelled"),
    (K::BadUrl, "request"),
    (K::InvalidRequest, "request"),
    (K::TimedOut, "timeout transient"),
    (K::UnsupportedUrl, "request"),
    (K::CannotFindHost, "connect transient"),
    (K::CannotConnectToHost, "connect transient"),
    (K::NetworkConnectionLost, "transient"),
    (K::TooManyRedirects, ""),
    (K::ResourceUnavailable, ""),
    (K::NotConnectedToInternet, "connect transient"),
    (K::BadServerResponse, ""),
    (K::UnacceptableStatus, ""),
    (K::ZeroByteResource, "transient"),
    (K::CannotDecodeRawData, "decode"),
    (K::CannotDecodeContentData, "decode"),
    (K::CannotParseResponse, "decode"),
    (K::CannotParseJson, "decode"),
    (K::RequestBodyStreamExhausted, ""),
    (K::SecureConnectionRequired, ""),
    (K::FileDoesNotExist, "file"),
    (K::FileIsDirectory, "file"),
    (K::NoPermissionsToReadFile, "file"),
    (K::DataLengthExceedsMaximum, ""),
    (K::CannotCreateFile, "file"),
    (K::CannotOpenFile, "file"),
    (K::CannotCloseFile, "file"),
    (K::CannotWriteToFile, "file"),
    (K::CannotMoveFile, "file"),
    (K::StorageFull, "file"),
    (K::FileAlreadyExists, "file"),
    (K::FolderDoesNotExist, "file"),
    (K::FileInUse, "file"),
    (K::CannotResume, "file"),
    (K::LengthMismatch, ""),
    (K::DigestMismatch, ""),
    (K::SecureConnectionFailed, "connect"),
    (K::ServerCertificateHasBadDate, "connect certificate"),
    (K::ServerCertificateUntrusted, "connect certificate"),
    (K::ServerCertificateHasUnknownRoot, "connect certificate"),
    (K::ServerCertificateNotYetValid, "connect certificate"),
    (K::ClientCertificateRejected, ""),
    (K::ClientCertificateRequired, "connect"),
    (K::OutOfResources, "transient"),
    (K::DelegatePanicked, ""),
    (K::BackgroundSessionInUse, ""),
    (K::SessionInvalidated, ""),
    (K::NotSupported, ""),
];

#[test]
fn every_kind_answers_what_programs_ask() {
    for (kind, expected) in ALL {
        let answers = [
            (kind.is_timeout(), "timeout"),
            (kind.is_cancelled(), "cancelled"),
            (kind.is_connect(), "connect"),
            (kind.is_certificate(), "certificate"),
            (kind.is_request(), "request"),
            (kind.is_decode(), "decode"),
            (kind.is_file(), "file"),
            (kind.is_transient(), "transient"),
        ];
        let yes: Vec<_> = answers.iter().filter(|(yes, _)| *yes).map(|(_, name)| *name).collect();
        assert_eq!(yes.join(" "), expected, "{kind:?}");
        let error = Error::new(kind, "x");
        assert_eq!(error.is_transient(), kind.is_transient(), "{kind:?}");
        assert_eq!(error.is_connect(), kind.is_connect(), "{kind:?}");
    }
}

#[test]
fn every_kind_has_words_of_its_own_in_one_line() {
    let mut seen = std::collections::BTreeSet::new();
    for (kind, _) in ALL {
        let words = kind.to_string();
        assert!(!words.is_empty() && !words.contains('\n') && !words.ends_with('.'), "{words}");
        assert!(seen.insert(words), "{kind:?} has the words of another");
    }
}

#[test]
fn a_timer_that_passes_while_connecting_is_about_the_connection() {
    for (stage, is_connect) in [
        (Stage::Preparing, false),
        (Stage::LookingUp, true),
        (Stage::Connecting, true),
        (Stage::Securing, true),
        (Stage::Sending, false),
        (Stage::WaitingForResponse, false),
        (Stage::Receiving, false),
    ] {
        assert_eq!(Error::new(K::TimedOut, "x").at(stage).is_connect(), is_connect, "{stage}");
        assert!(!Error::new(K::Cancelled, "x").at(stage).is_connect(), "{stage}");
    }
}
