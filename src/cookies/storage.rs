//! [`CookieStorage`]: the cookies of sessions.

use std::cmp::Ordering;
use std::fmt;
use std::sync::atomic::{self, AtomicBool};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use url::Url;

use super::cookie::Cookie;
use super::fields;
use super::host::Host;
use super::jar::Jar;
use super::moment::{Moment, moment};
use super::observers::{CookieObserver, Observers};
use super::policy::CookieAcceptPolicy;
use crate::clock::Clock;
use crate::headers::Headers;
use crate::sync::{Mutex, Rank};

/// Cookies, which sessions keep and send along: by the rules of RFC 6265bis, as browsers do.
///
/// A clone is the same storage. It holds 180 cookies of one domain, and 3,300 in all: of more,
/// those that have expired go first, then those that were not used for the longest time.
///
/// | What is set | Is kept if |
/// |---|---|
/// | for a domain above the host | strangers have no names below that, which the list of public suffixes says (feature `public-suffix`, on by default; without it, a name without a dot is one), and the host is no address |
/// | `Secure` | it comes by `https`; over plain `http` nobody replaces it |
/// | `__Secure-…`, `__Host-…` | it is what its name promises |
/// | with a name and value of more than 4,096 bytes, or a control character | never |
/// | as the 51st of one response | never |
/// | for more than 400 days | for 400 days |
///
/// Sent are at most 8,190 bytes, those with the longest path first, and of equals the oldest.
///
/// # Examples
///
/// ```
/// use urlsession::testing::{Answer, Server};
/// use urlsession::{Configuration, CookieStorage, Session};
///
/// let server = Server::start();
/// server.enqueue(Answer::ok("").header("Set-Cookie", "sid=31d4d96e"));
/// server.enqueue(Answer::ok("Hello, Ann"));
///
/// let cookies = CookieStorage::new();
/// let session = Session::new(Configuration::ephemeral().cookie_storage(cookies.clone()))?;
/// session.data(server.url("/login"))?;
/// session.data(server.url("/"))?;
/// server.take_request();
/// assert_eq!(server.take_request().header("cookie"), Some("sid=31d4d96e"));
/// assert_eq!(cookies.cookies()[0].name(), "sid");
/// Ok::<(), urlsession::Error>(())
/// ```
///
/// # Differences from Foundation
///
/// * There are no forms with a task and a completion: no call here waits for anything.
/// * [`set`](Self::set) says whether it keeps the cookie.
#[doc(alias = "HTTPCookieStorage")]
#[doc(alias = "NSHTTPCookieStorage")]
#[derive(Clone)]
pub struct CookieStorage(Arc<Shared>);

struct Shared {
    clock: Clock,
    /// Held for a look-up or a change, never while observers run.
    state: Mutex<State>,
    /// There is something to look up. Whoever sees an older answer loads at the same time.
    has_any: AtomicBool,
    observers: Arc<Observers>,
}

struct State {
    jar: Jar,
    policy: CookieAcceptPolicy,
}

impl CookieStorage {
    /// Makes an empty storage, in memory.
    pub fn new() -> Self {
        Self::with_clock(&Clock::system())
    }

    /// Makes an empty storage, in memory, that goes by this clock when the program asks it. Loads
    /// go by their session's.
    pub fn with_clock(clock: &Clock) -> Self {
        let state = State { jar: Jar::default(), policy: CookieAcceptPolicy::default() };
        Self(Arc::new(Shared {
            clock: clock.clone(),
            state: Mutex::new(Rank::Cookies, state),
            has_any: AtomicBool::new(false),
            observers: Observers::new(),
        }))
    }

    /// Returns the storage that the program's sessions share by default.
    #[doc(alias = "sharedHTTPCookieStorage")]
    pub fn shared() -> Self {
        static SHARED: OnceLock<CookieStorage> = OnceLock::new();
        SHARED.get_or_init(Self::new).clone()
    }

    /// Returns which cookies are kept that are set here.
    #[doc(alias = "cookieAcceptPolicy")]
    pub fn accept_policy(&self) -> CookieAcceptPolicy {
        self.0.state.lock().policy
    }

    /// Sets which cookies are kept that are [set](Self::set) here; for loads, the configuration's
    /// [`cookie_accept_policy`](crate::Configuration::cookie_accept_policy) says so.
    ///
    /// Default: [`CookieAcceptPolicy::OnlyFromMainDocumentDomain`].
    #[doc(alias = "cookieAcceptPolicy")]
    pub fn set_accept_policy(&self, policy: CookieAcceptPolicy) {
        self.0.state.lock().policy = policy;
    }

    /// Returns all cookies, in the order in which they were first set.
    pub fn cookies(&self) -> Vec<Cookie> {
        self.0.state.lock().jar.all(self.now())
    }

    /// Returns all cookies in this order.
    #[doc(alias = "sortedCookiesUsingDescriptors:")]
    #[doc(alias = "sortedCookies(using:)")]
    pub fn sorted(&self, compare: impl FnMut(&Cookie, &Cookie) -> Ordering) -> Vec<Cookie> {
        let mut cookies = self.cookies();
        cookies.sort_by(compare);
        cookies
    }

    /// Returns the cookies that go along with a request to `url`, in the order in which they are
    /// sent.
    #[doc(alias = "cookiesForURL:")]
    #[doc(alias = "cookies(for:)")]
    pub fn cookies_for(&self, url: &Url) -> Vec<Cookie> {
        let state = self.0.state.lock();
        state.jar.matching(url, self.now()).into_iter().cloned().collect()
    }

    /// Keeps a cookie in place of the one of the same name, domain and path; returns whether it
    /// does. One whose time is over removes that one and is not kept; neither is one that is not
    /// what a prefix of its name promises, nor any if [nobody's](CookieAcceptPolicy::Never) is.
    #[doc(alias = "setCookie:")]
    pub fn set(&self, cookie: Cookie) -> bool {
        let now = self.now();
        let is_alive = !cookie.has_expired(now);
        let is_kept = self.change(|State { jar, policy }| {
            let is_kept = *policy != CookieAcceptPolicy::Never && cookie.keeps_its_prefix(true);
            (is_kept, is_kept && jar.put(cookie, now))
        });
        is_kept && is_alive
    }

    /// Keeps cookies that `url` has set, as a response of it would: not those for another domain,
    /// and none if the [`accept_policy`](Self::accept_policy) does not accept them for the main
    /// document, if there is one.
    #[doc(alias = "setCookies:forURL:mainDocumentURL:")]
    #[doc(alias = "setCookies(_:for:mainDocumentURL:)")]
    pub fn set_for(
        &self,
        cookies: impl IntoIterator<Item = Cookie>,
        url: &Url,
        main_document_url: Option<&Url>,
    ) {
        let cookies: Vec<_> = cookies.into_iter().collect();
        if self.accept_policy().accepts(url, main_document_url) {
            self.take(cookies, url, self.now());
        }
    }

    /// Removes the cookie of the same name, domain and path; returns whether there was one.
    #[doc(alias = "deleteCookie:")]
    pub fn delete(&self, cookie: &Cookie) -> bool {
        self.change(|state| {
            let was_there = state.jar.remove(cookie).is_some();
            (was_there, was_there)
        })
    }

    /// Removes the cookies that were first set at this date or later.
    #[doc(alias = "removeCookiesSinceDate:")]
    #[doc(alias = "removeCookies(since:)")]
    pub fn remove_since(&self, date: SystemTime) {
        let since = moment(date);
        self.remove_each(|cookie| cookie.created >= since);
    }

    /// Removes every cookie.
    pub fn remove_all(&self) {
        self.remove_each(|_| true);
    }

    /// Calls `observer` after every change, until what is returned is dropped.
    ///
    /// Called on the thread that made the change, which may be one of a session's, with no lock
    /// held, so it may use the storage; a change that it makes calls it again. A panic in it is
    /// caught and logged.
    #[doc(alias = "NSHTTPCookieManagerCookiesChangedNotification")]
    pub fn on_change(&self, observer: impl Fn() + Send + Sync + 'static) -> CookieObserver {
        self.0.observers.add(observer)
    }

    fn now(&self) -> Moment {
        moment(self.0.clock.date())
    }

    fn remove_each(&self, is_meant: impl Fn(&Cookie) -> bool) {
        self.change(|state| ((), state.jar.remove_each(is_meant)));
    }

    /// Makes a change, and tells the observers if it says, beside what is returned, that it was one.
    fn change<T>(&self, make: impl FnOnce(&mut State) -> (T, bool)) -> T {
        let (made, has_changed) = {
            let mut state = self.0.state.lock();
            let made = make(&mut state);
            self.0.has_any.store(state.jar.len() > 0, atomic::Ordering::Release);
            made
        }; // Unlocked here: observers may call back into this storage.
        if has_changed {
            self.0.observers.tell();
        }
        made
    }

    /// Keeps what `url` has set, and may.
    fn take(&self, cookies: Vec<Cookie>, url: &Url, now: Moment) {
        let Some(host) = Host::of(url) else { return };
        let may_set = |cookie: &Cookie| {
            let is_own = cookie.domain.as_ref() == host.name;
            (is_own || !cookie.host_only && host.is_in(&cookie.domain))
                && cookie.keeps_its_prefix(true)
        };
        self.change(|state| {
            let mut has_changed = false;
            for cookie in cookies.into_iter().filter(may_set) {
                has_changed |= state.jar.take(cookie, url, now);
            }
            ((), has_changed)
        });
    }
}

/// What loads do.
impl CookieStorage {
    /// Whether there is any cookie.
    #[inline]
    pub(crate) fn has_any(&self) -> bool {
        self.0.has_any.load(atomic::Ordering::Acquire)
    }

    /// Adds the field that a request to `url` goes out with, if it has cookies.
    pub(crate) fn add_to(&self, headers: &mut Headers, url: &Url, clock: &Clock) {
        let state = self.0.state.lock();
        fields::add_to(headers, &state.jar.matching(url, moment(clock.date())));
    }

    /// Keeps what a response to `url` sets.
    pub(crate) fn keep(&self, headers: &Headers, url: &Url, clock: &Clock) {
        let now = moment(clock.date());
        self.take(fields::set_by(headers, url, now), url, now);
    }

    /// Whether it is the one that sessions share.
    #[cfg(feature = "background")]
    pub(crate) fn is_shared(&self) -> bool {
        Arc::ptr_eq(&self.0, &Self::shared().0)
    }
}

impl Default for CookieStorage {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CookieStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cookies = self.0.state.lock().jar.len();
        f.debug_struct("CookieStorage").field("cookies", &cookies).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
