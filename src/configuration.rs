//! The settings that a session copies when it is made.

#[cfg(all(feature = "daemon", unix))]
mod daemon;
mod defaults;
mod setters;

use std::path::PathBuf;
use std::time::Duration;

#[cfg(all(feature = "daemon", unix))]
pub use self::daemon::BackgroundDaemon;
use crate::clock::Clock;
use crate::cookies::{CookieAcceptPolicy, CookieStorage};
use crate::credentials::CredentialStorage;
use crate::headers::Headers;
use crate::hsts::Hsts;
use crate::resolver::Resolver;
use crate::retry::RetryPolicy;
use crate::trust::{Certificate, PublicKeyPins, TlsVersion};

/// Settings of a session: a bag of fields, copied by [`Session::new`](crate::Session::new).
///
/// Each field has a method of its name that sets it, so that a configuration can be written in
/// one go. Later changes to a configuration do not reach sessions that were made from it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use urlsession::{Configuration, Session};
///
/// let configuration = Configuration::ephemeral()
///     .timeout_for_request(Duration::from_secs(10))
///     .additional_headers([("Accept-Language", "de")])
///     .https_only(true);
/// let session = Session::new(configuration)?;
/// Ok::<(), urlsession::Error>(())
/// ```
#[doc(alias = "URLSessionConfiguration")]
#[doc(alias = "NSURLSessionConfiguration")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Configuration {
    /// The identifier of a background session; set by [`background`](Self::background).
    ///
    /// Default: none.
    pub identifier: Option<String>,

    /// What the program is called where something of it lasts beyond its process, as what a
    /// background session keeps does, and [what was learned of hosts](Self::hsts): it lies in a folder of that name in the user's state folder
    /// (`$XDG_STATE_HOME` or `~/.local/state` on Linux, `~/Library/Application Support` on macOS,
    /// the folder of local application data on Windows; `URLSESSION_HOME` moves it). Programs that
    /// have the same name share it; one that is moved keeps what it has only if it has a name.
    ///
    /// Default: none, which is the name of the executable, and a number that follows from where
    /// that lies.
    #[doc(alias = "CFBundleIdentifier")]
    pub program: Option<String>,

    /// The folder in which what lasts is kept: the journal and the files of
    /// [background](Self::background) sessions, and [what was learned of hosts](Self::hsts). It is created for this user only.
    ///
    /// Default: none, which is `urlsession` in the user's state folder: `$XDG_STATE_HOME` or
    /// `~/.local/state` on Linux, `~/Library/Application Support` on macOS, `%LOCALAPPDATA%` on
    /// Windows; `URLSESSION_HOME` moves it.
    pub state_directory: Option<PathBuf>,

    /// Whether a [background](Self::background) session writes down what is secret in the requests of
    /// its tasks: `Authorization`, `Cookie`, `Proxy-Authorization`, headers that are
    /// [marked](crate::Request::sensitive_header) so, and a user name and a password of the URL. They stand in a file that only this user can
    /// read. Otherwise a task that has some asks for them when the program has been away, see
    /// [`did_need_new_request`](crate::Delegate::did_need_new_request).
    ///
    /// Default: `false`.
    pub persists_secrets: bool,

    /// Which daemon runs the transfers of a [background](Self::background) session, so that they
    /// go on when the program ends; [`background_host`](crate::Session::background_host) says
    /// whether there is one. Sessions with a [`clock`](Self::clock) of their own have none.
    ///
    /// Default: [`BackgroundDaemon::Search`].
    #[cfg(all(feature = "daemon", unix))]
    pub daemon: BackgroundDaemon,

    /// How long a load may wait for a byte, either way, before it fails with
    /// [`ErrorKind::TimedOut`](crate::ErrorKind::TimedOut). Every byte received or sent
    /// starts it anew, those of a TLS handshake too; looking up the host and connecting to
    /// its addresses count as one wait each.
    /// [`Request::timeout_for_request`](crate::Request::timeout_for_request) replaces it for one
    /// request.
    ///
    /// Default: 60 seconds.
    #[doc(alias = "timeoutIntervalForRequest")]
    pub timeout_for_request: Duration,

    /// How long a whole load may take, over waiting in line, look-ups, redirects and retries,
    /// before it fails with [`ErrorKind::TimedOut`](crate::ErrorKind::TimedOut).
    /// [`Request::timeout_for_resource`](crate::Request::timeout_for_resource) replaces it for one
    /// request.
    ///
    /// Default: seven days.
    #[doc(alias = "timeoutIntervalForResource")]
    pub timeout_for_resource: Duration,

    /// How long it may take to make a connection, before the load fails with
    /// [`ErrorKind::TimedOut`](crate::ErrorKind::TimedOut): from the look-up of the host to the
    /// end of the TLS handshake, over all of its addresses. A connection that is there already
    /// costs nothing of it.
    /// [`Request::connect_timeout`](crate::Request::connect_timeout) replaces it for one request.
    ///
    /// Default: none; each step has [`timeout_for_request`](Self::timeout_for_request).
    pub connect_timeout: Option<Duration>,

    /// Whether a task waits if no connection to its host can be made, instead of failing:
    /// because the host is not found, refuses, or no network leads there. It tries again when
    /// the network changes, where the system tells of that (Linux: a link that comes up, an
    /// address, a route), and everywhere after one second, then two, up to once a minute, until
    /// [`timeout_for_resource`](Self::timeout_for_resource) has passed, and tells its
    /// delegate once. A task that waits has no thread. Only the first connection of a task is
    /// waited for, not one to where a redirect leads.
    ///
    /// Default: `false`.
    #[doc(alias = "waitsForConnectivity")]
    pub waits_for_connectivity: bool,

    /// Which failures are tried again, how often and when.
    /// [`Request::retry_policy`](crate::Request::retry_policy) replaces it for one request.
    ///
    /// Default: [`RetryPolicy::off`].
    pub retry_policy: RetryPolicy,

    /// Headers that are added to every request that does not have them.
    ///
    /// Default: none. Without an entry for it here or in the request, `Accept: */*`,
    /// `Accept-Encoding` and `User-Agent` are added. `Host` replaces what the URL says;
    /// `Content-Length` and `Transfer-Encoding` follow from the body and are refused. For the
    /// others that are about the message or its connection, see
    /// [`Request::header`](crate::Request::header).
    #[doc(alias = "httpAdditionalHeaders")]
    pub additional_headers: Headers,

    /// Whether `http` URLs are refused with
    /// [`ErrorKind::SecureConnectionRequired`](crate::ErrorKind::SecureConnectionRequired),
    /// in requests and in redirects.
    ///
    /// Default: `false`.
    #[doc(alias = "NSAppTransportSecurity")]
    pub https_only: bool,

    /// Whether a redirect may lead from `https` to `http`. If not, such a load fails with
    /// [`ErrorKind::SecureConnectionRequired`](crate::ErrorKind::SecureConnectionRequired).
    ///
    /// Default: `false`.
    pub allows_insecure_redirects: bool,

    /// Whether redirects are followed. If not, the response that redirects is delivered as it
    /// is, with its body, and no delegate is asked.
    /// [`Request::follows_redirects`](crate::Request::follows_redirects) says otherwise for one
    /// request.
    ///
    /// Default: `true`.
    pub follows_redirects: bool,

    /// How many redirects a load follows before it fails with
    /// [`ErrorKind::TooManyRedirects`](crate::ErrorKind::TooManyRedirects).
    /// [`Request::maximum_redirects`](crate::Request::maximum_redirects) replaces it for one
    /// request.
    ///
    /// Default: 20.
    pub maximum_redirects: usize,

    /// What relative URLs of requests are resolved against, as a browser resolves a link on
    /// that page: with `https://shop.test/v2/`, `users/7` is `https://shop.test/v2/users/7`,
    /// while `/users` is `https://shop.test/users`. Mind the slash at its end: without it, the
    /// last segment is replaced. A URL that is whole is taken as it is.
    ///
    /// A user name and password in it go to its origin, as those of any URL. What is no
    /// `http` or `https` URL is refused when a session is made.
    ///
    /// Default: none; a relative URL fails with
    /// [`ErrorKind::BadUrl`](crate::ErrorKind::BadUrl).
    #[doc(alias = "relativeTo")]
    #[doc(alias = "baseURL")]
    pub base_url: Option<String>,

    /// Whether bodies are asked for compressed, and decoded while they arrive. The
    /// response keeps its `Content-Encoding` either way.
    ///
    /// The codings are gzip and deflate with the feature `gzip` (on by default), and
    /// brotli and zstd with theirs. A request that sets `Accept-Encoding` itself is
    /// decoded too, unless it asks for `identity` alone. Downloads to files, and requests
    /// with a `Range`, ask for `identity` and bring the bytes that come: a file that is
    /// stored compressed stays so. [`Request::decodes_body`](crate::Request::decodes_body)
    /// says otherwise for one request, either way.
    ///
    /// Default: `true`.
    pub decodes_bodies: bool,

    /// How many bytes of a body, after decoding, [`Session::data`](crate::Session::data), and
    /// every other task that collects a body, holds in memory before it fails with
    /// [`ErrorKind::DataLengthExceedsMaximum`](crate::ErrorKind::DataLengthExceedsMaximum).
    /// Bodies that are read as streams are not bounded by it.
    ///
    /// Default: 256 MiB.
    pub maximum_body_in_memory: u64,

    /// How many tasks run at once; the others wait in line. Each that runs has a thread.
    /// Blocking calls, which bring their caller's, count only where
    /// [`maximum_connections_per_host`](Self::maximum_connections_per_host) is set.
    ///
    /// Default: 64. 0 counts as 1.
    #[doc(alias = "OperationQueue.maxConcurrentOperationCount")]
    pub maximum_concurrent_tasks: usize,

    /// How many loads run at once for one scheme, host and port; the others wait in line. What is
    /// set binds everything, blocking calls among them.
    ///
    /// A line in which somebody waits for more than ten seconds is a warning in the log, which
    /// names the host and who holds its places: a body that is not read, of
    /// [`Session::bytes`](crate::Session::bytes), holds one.
    ///
    /// Default: none, which is six for tasks, and no limit for blocking calls, whose callers bring
    /// their own threads: they wait for no place and take none. `Some(0)` counts as 1.
    #[doc(alias = "httpMaximumConnectionsPerHost")]
    pub maximum_connections_per_host: Option<usize>,

    /// How often progress is told at most, see
    /// [`did_make_progress`](crate::Delegate::did_make_progress). With zero, every piece of
    /// a body is told of.
    ///
    /// Default: 100 milliseconds.
    pub progress_interval: Duration,

    /// The folder of downloads that have no place of their own yet.
    ///
    /// Default: `urlsession` in the user's cache folder, or where that cannot be had, the
    /// system's folder for temporary files, which may be memory.
    #[doc(alias = "NSTemporaryDirectory")]
    pub temporary_directory: Option<PathBuf>,

    /// How many idle connections are kept for one scheme, host and port; the one used
    /// last is used first.
    ///
    /// Default: none, which is as many as were in use at once within the
    /// [`idle_connection_timeout`](Self::idle_connection_timeout).
    pub maximum_idle_connections_per_host: Option<usize>,

    /// How many idle connections are kept in all; beyond it the oldest is closed.
    ///
    /// Default: none, which is 256.
    pub maximum_idle_connections: Option<usize>,

    /// How long an idle connection is kept. Where its server says that it keeps it for less
    /// (`Keep-Alive: timeout=5`), it is closed then, and in the last second before, or in the
    /// second half of a shorter time, it carries no request that must not be repeated.
    ///
    /// Default: 90 seconds.
    pub idle_connection_timeout: Duration,

    /// The oldest version of TLS that is spoken.
    ///
    /// Default: TLS 1.2.
    #[doc(alias = "tlsMinimumSupportedProtocolVersion")]
    pub tls_minimum_version: TlsVersion,

    /// The newest version of TLS that is spoken.
    ///
    /// Default: TLS 1.3.
    #[doc(alias = "tlsMaximumSupportedProtocolVersion")]
    pub tls_maximum_version: TlsVersion,

    /// Certificates that are trusted, beside the system's: as roots, unless what they say of
    /// themselves (basic constraints, key usage) is that they vouch for nobody, and each for its
    /// own names, if a server shows it, whoever has issued it.
    ///
    /// Default: none. Revocation is not checked, for these and the system's alike.
    pub additional_roots: Vec<Certificate>,

    /// Whether the system's roots are trusted: the system's store, or what
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` name. If not, only
    /// [`additional_roots`](Self::additional_roots) are.
    ///
    /// Default: `true`.
    pub trusts_system_roots: bool,

    /// The public keys that hosts must have, beside a certificate that is good otherwise.
    ///
    /// For a host with pins, the path that was validated, the root included, must have one
    /// of the keys that all entries for it name; else a load fails with
    /// [`ErrorKind::ServerCertificateUntrusted`](crate::ErrorKind::ServerCertificateUntrusted).
    /// A delegate cannot accept what lacks them: of a certificate that it accepts against the
    /// evaluation, the server's own key must be pinned, as there is no path that was
    /// validated.
    ///
    /// Default: none.
    #[doc(alias = "NSPinnedDomains")]
    pub pinned_public_keys: Vec<PublicKeyPins>,

    /// Where credentials come from that are used without asking, and where those go that a
    /// server has accepted. Without one, nothing is kept but what a connection needs.
    ///
    /// Default: [`CredentialStorage::shared`]; for [`ephemeral`](Self::ephemeral) one of its
    /// own.
    #[doc(alias = "urlCredentialStorage")]
    pub credential_storage: Option<CredentialStorage>,

    /// Where cookies are kept that responses set, and come from that go along with requests, as
    /// [`CookieStorage`] says: before a redirect is followed, and before an end is told. A `Cookie`
    /// of a request's own, or of [`additional_headers`](Self::additional_headers), is sent alone.
    ///
    /// Default: [`CookieStorage::shared`]; for [`ephemeral`](Self::ephemeral) one of its own. For a
    /// [background](Self::background) session that of whoever hosts it, or none; another is refused.
    #[doc(alias = "httpCookieStorage")]
    #[doc(alias = "HTTPCookieStorage")]
    pub cookie_storage: Option<CookieStorage>,

    /// Which cookies are kept of those that responses set. It goes before the
    /// [policy](CookieStorage::set_accept_policy) of the storage.
    ///
    /// Default: [`CookieAcceptPolicy::OnlyFromMainDocumentDomain`].
    #[doc(alias = "httpCookieAcceptPolicy")]
    #[doc(alias = "HTTPCookieAcceptPolicy")]
    pub cookie_accept_policy: CookieAcceptPolicy,

    /// Whether cookies of the [`cookie_storage`](Self::cookie_storage) go along with requests. If
    /// not, those that responses set are kept nevertheless;
    /// [`Request::handles_cookies`](crate::Request::handles_cookies) turns off both for one request.
    ///
    /// Default: `true`.
    #[doc(alias = "httpShouldSetCookies")]
    #[doc(alias = "HTTPShouldSetCookies")]
    pub sends_cookies: bool,

    /// Whether the user's `.netrc` is asked for a password when a server asks for one: the
    /// file that the variable `NETRC` names, else `.netrc` in the user's folder (`_netrc` on
    /// Windows). It is read when it is first needed, up to 128 KiB, and kept; one
    /// that is missing, empty or broken is read again the next time.
    ///
    /// Only an entry of the request's exact host counts, none that is called `default`, and
    /// never after a redirect. The [`credential_storage`](Self::credential_storage) comes
    /// first. With `true`, a session needs the feature `netrc`; without it making the session
    /// fails with [`ErrorKind::NotSupported`](crate::ErrorKind::NotSupported).
    ///
    /// Default: `false`.
    pub uses_netrc: bool,

    /// Whether a server that takes an answer by Digest has to prove that it knows the password
    /// too, by an `Authentication-Info` (RFC 7616 §3.5): mutual authentication.
    ///
    /// With `true`, a response to such a request without the proof, or with one that is wrong
    /// or belongs to another request, fails the load with
    /// [`ErrorKind::BadServerResponse`](crate::ErrorKind::BadServerResponse), although the
    /// server may have acted on the request; where the proof covers the body, which is known
    /// at its end, reading it fails. Whoever else speaks for the server, as a proxy in front
    /// of it does with a 502, fails likewise. With `false` a wrong proof is a warning in the
    /// log, and the response is delivered.
    ///
    /// The other methods have no such proof and are not affected: a server that is not to be
    /// believed without one must not be answered by Basic either.
    ///
    /// Default: `false`, as few servers send one.
    pub requires_digest_proof: bool,

    /// Whether hosts are loaded from by `https` alone that have asked for it with a
    /// `Strict-Transport-Security` header (HSTS, RFC 6797), and where it is kept which have.
    ///
    /// An `http` URL of such a host is loaded as the `https` URL that it stands for, before the
    /// task stands in line and before anything is sent: port 80 becomes 443, others stay. So it is
    /// with where a redirect leads. That is no redirect, and nobody is told: the task's
    /// [`current_request`](crate::Task::current_request) and the response have the `https` URL. What
    /// a host asks for is learned over connections whose certificate is good by evaluation.
    /// Addresses are never known hosts. Without the feature `tls` a known host fails with
    /// [`ErrorKind::NotSupported`](crate::ErrorKind::NotSupported).
    ///
    /// What is learned lies in the file `hsts` of the [`program`](Self::program)'s folder, for all
    /// of its sessions and processes. If it cannot be read or written, the log warns of it.
    ///
    /// Default: [`Hsts::Persistent`]; for [`ephemeral`](Self::ephemeral), [`Hsts::InMemory`].
    #[doc(alias = "Strict-Transport-Security")]
    pub hsts: Hsts,

    /// Replaces the system's look-up of host names.
    ///
    /// Default: none.
    pub resolver: Option<Resolver>,

    /// A Unix socket that every connection of the session is made to, whatever host its
    /// URL names; the host is still what the request says, and what TLS verifies.
    ///
    /// Default: none.
    #[cfg(unix)]
    #[cfg_attr(docsrs, doc(cfg(unix)))]
    pub unix_socket: Option<PathBuf>,

    /// The clock that every timer of the session goes by, and the dates of certificates.
    ///
    /// Default: the system's.
    pub clock: Clock,
}
