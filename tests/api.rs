//! What the types of the public API promise about themselves, held by the compiler.

use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::io::{self, Read};

use urlsession::testing::{
    Answer, Counters, ExpectPolicy, HandshakeFault, Recorded, Refusal, RequestFault, Server,
    ServerBuilder, Stats,
};
use urlsession::{
    Body, Bytes, CancelToken, Certificate, CertificateDetails, Clock, Configuration, Cookie,
    CookieAcceptPolicy, CookieObserver, CookieStorage, Data, DistinguishedName, DownloadedFile,
    Error, ErrorKind, Form, Headers, Identity, Inbox, InboxSender, Multipart, Part, Request,
    Resolver, Response, Retry, RetryPolicy, SameSite, Session, Stage, SubjectName, TlsVersion,
};

/// May be given to other threads, and owns all it has.
const fn sent<T: Send + Debug + 'static>() {}

/// May be used by several threads at once.
const fn shared<T: Send + Sync + Debug + 'static>() {}

/// And copied for each.
const fn cloned<T: Send + Sync + Clone + Debug + 'static>() {}

/// A value like a number: comparable, and a key of maps.
const fn value<T: Copy + Eq + Hash + Send + Sync + Debug + 'static>() {}

const _: () = {
    cloned::<Session>();
    cloned::<Configuration>();
    cloned::<Request>();
    cloned::<Response>();
    cloned::<Retry>();
    cloned::<RetryPolicy>();
    cloned::<Headers>();
    cloned::<Body>();
    cloned::<Form>();
    cloned::<Multipart>();
    cloned::<Part>();
    cloned::<Data>();
    cloned::<Error>();
    cloned::<CancelToken>();
    cloned::<Certificate>();
    cloned::<CertificateDetails>();
    cloned::<DistinguishedName>();
    cloned::<SubjectName>();
    cloned::<Identity>();
    cloned::<Resolver>();
    cloned::<Clock>();
    cloned::<Cookie>();
    cloned::<CookieStorage>();
    shared::<CookieObserver>();
    value::<CookieAcceptPolicy>();
    value::<SameSite>();
    sent::<Bytes>();
    // Messages need not be `Sync` nor `Clone`.
    shared::<Inbox<Box<dyn FnOnce() + Send>>>();
    cloned::<InboxSender<Box<dyn FnOnce() + Send>>>();
    shared::<DownloadedFile>();
    value::<ErrorKind>();
    value::<Stage>();
    value::<TlsVersion>();
    shared::<Server>();
    shared::<Refusal>();
    cloned::<ServerBuilder>();
    cloned::<Answer>();
    cloned::<Recorded>();
    cloned::<Counters>();
    cloned::<HandshakeFault>();
    cloned::<RequestFault>();
    cloned::<Stats>();
    cloned::<ExpectPolicy>();
};

#[cfg(feature = "tls")]
const _: () = {
    cloned::<urlsession::testing::Authority>();
    cloned::<urlsession::testing::Identity>();
    cloned::<urlsession::testing::ServedVersion>();
};

#[cfg(target_os = "linux")]
const _: () = shared::<urlsession::testing::BlackHole>();

const fn error<T: StdError + Send + Sync + 'static>() {}

const fn reader<T: Read + Send + 'static>() {}

const fn loaded<T: Into<Request>>() {}

const fn sendable<T: Into<Body>>() {}

const _: () = {
    error::<Error>();
    reader::<Bytes>();
    reader::<Box<dyn Read + Send>>();
    loaded::<&str>();
    loaded::<&&str>();
    loaded::<String>();
    loaded::<&String>();
    loaded::<url::Url>();
    loaded::<&url::Url>();
    loaded::<Request>();
    loaded::<&Request>();
    loaded::<http::Request<Vec<u8>>>();
    loaded::<http::Request<&str>>();
    loaded::<http::Request<Body>>();
    sendable::<Vec<u8>>();
    sendable::<&[u8]>();
    sendable::<&[u8; 3]>();
    sendable::<String>();
    sendable::<&String>();
    sendable::<&Vec<u8>>();
    sendable::<std::fs::File>();
    sendable::<Form>();
    sendable::<Multipart>();
    sendable::<&str>();
};

/// What lists of fields can be made of.
const fn a_form<T: Into<Form>>() {}

const _: () = {
    a_form::<Vec<(String, u32)>>();
    a_form::<&[(&str, &str)]>();
    a_form::<[(&str, &str); 2]>();
    a_form::<std::collections::HashMap<String, String>>();
    a_form::<&std::collections::BTreeMap<&str, f64>>();
};

const fn displayed<T: Display>() {}

const _: () = {
    displayed::<Error>();
    displayed::<Stage>();
};

/// An error crosses `catch_unwind`, `Box<dyn Error + Send + Sync>` and `io::Error`.
#[test]
fn an_error_goes_wherever_errors_go() {
    fn boxed(error: Error) -> Box<dyn StdError + Send + Sync> {
        error.into()
    }
    let error = Session::shared().data("nothing").unwrap_err();
    assert!(boxed(error.clone()).downcast_ref::<Error>().is_some());
    assert!(Error::from_io(&io::Error::from(error)).is_some());
}

/// Threads that share a session and a request need no lock.
#[test]
fn a_session_and_its_requests_are_used_by_reference_from_any_thread() {
    let server = Server::start();
    server.handle(|_| Answer::ok("hello"));
    let session = Session::new(Configuration::ephemeral()).unwrap();
    let request = Request::get(server.url("/"));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(session.data(&request).unwrap().text(), "hello"));
        }
    });
    let bytes = session.bytes(&request).unwrap();
    let lines = std::thread::spawn(move || bytes.lines().count()).join();
    assert_eq!(lines.unwrap(), 1);
}
