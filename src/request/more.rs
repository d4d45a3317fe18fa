//! What few requests have; all are moved, so it is boxed.

use std::any::Any;
use std::sync::Arc;

use url::Url;

use super::{CookieWishes, Request, UserInfo};
use crate::error::{Error, ErrorKind};
use crate::foreign::Foreign;
use crate::retry::RetryPolicy;

#[derive(Clone, Default)]
pub(super) struct More {
    /// On which network interface the URL's address is.
    pub(super) zone: Option<Box<str>>,
    /// A URL that is to be resolved.
    pub(super) relative: Option<Box<str>>,
    follows: Option<bool>,
    maximum_redirects: Option<usize>,
    /// Boxed, as ten thousand requests may have one of the others.
    pub(super) retry_policy: Option<Box<RetryPolicy>>,
    may_repeat: bool,
    pub(super) cookies: CookieWishes,
    task_key: Option<Box<str>>,
    tag: Option<Foreign<Arc<dyn Any + Send + Sync>>>,
    before_body: Option<BeforeBody>,
}

/// Is called before a request with a body goes onto a connection.
type BeforeBody = Arc<dyn Fn() -> Result<(), Error> + Send + Sync>;

impl PartialEq for More {
    fn eq(&self, other: &Self) -> bool {
        self.zone == other.zone
            && self.relative == other.relative
            && self.follows == other.follows
            && self.maximum_redirects == other.maximum_redirects
            && self.retry_policy == other.retry_policy
            && self.may_repeat == other.may_repeat
            && self.cookies == other.cookies
            && self.task_key == other.task_key
    }
}

/// Whether redirects are followed, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Redirects {
    pub(crate) are_followed: bool,
    pub(crate) most: usize,
}

impl Redirects {
    /// As many as Chromium, Firefox and OkHttp follow.
    pub(crate) const MOST: usize = 20;
}

impl Default for Redirects {
    fn default() -> Self {
        Self { are_followed: true, most: Self::MOST }
    }
}

impl Request {
    pub(super) fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// Sets whether sending this twice does no harm, although its method, as `POST`, does not say
    /// so and it has no `Idempotency-Key`: then a [`RetryPolicy`] sends it again after a connection
    /// that broke, and a [background session](crate::Configuration::background) an upload that was
    /// interrupted.
    ///
    /// Default: `false`. `GET`, `HEAD`, `PUT`, `DELETE`, `OPTIONS` and `TRACE` may be repeated anyhow
    /// (RFC 9110 §9.2.2).
    pub fn may_repeat(mut self, may_repeat: bool) -> Self {
        self.more().may_repeat = may_repeat;
        self
    }

    pub(crate) fn is_repeatable(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.may_repeat)
    }

    /// Gives the task that is made of this request in a
    /// [background session](crate::Configuration::background) a key of the program's own: as long
    /// as the session has a task with that key, making another one returns it instead. So a
    /// program that was interrupted while it made its tasks makes them all once more, and each is
    /// there once.
    ///
    /// Default: none. Other sessions do not look at it.
    pub fn task_key(mut self, key: impl Into<String>) -> Self {
        self.more().task_key = Some(key.into().into());
        self
    }

    #[cfg(feature = "background")]
    pub(crate) fn own_task_key(&self) -> Option<&str> {
        self.more.as_ref()?.task_key.as_deref()
    }

    /// Has `ask` called before anything of this, which has a body, goes onto a connection: on the
    /// thread that is about to send it, each time. With an error nothing goes.
    #[cfg(feature = "background")]
    pub(crate) fn asks_before_sending(
        mut self,
        ask: impl Fn() -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        self.more().before_body = Some(Arc::new(ask));
        self
    }

    /// Asks whether it may go onto a connection now.
    pub(crate) fn may_be_sent(&self) -> Result<(), Error> {
        match self.more.as_ref().and_then(|more| more.before_body.as_ref()) {
            Some(ask) => ask(),
            None => Ok(()),
        }
    }

    /// Takes the key away, and the room for it.
    #[cfg(feature = "background")]
    pub(crate) fn without_task_key(mut self) -> Self {
        if let Some(more) = &mut self.more {
            more.task_key = None;
            if more.tag.is_none() && more.before_body.is_none() && **more == More::default() {
                self.more = None;
            }
        }
        self
    }

    /// Returns what it says of its own about following redirects, and how many.
    #[cfg(feature = "background")]
    pub(crate) fn own_redirects(&self) -> (Option<bool>, Option<usize>) {
        self.more.as_ref().map_or((None, None), |more| (more.follows, more.maximum_redirects))
    }

    /// Sets whether redirects are followed. If not, the response that redirects is delivered
    /// as it is, with its body, and no delegate is asked.
    ///
    /// Default: the configuration's
    /// [`follows_redirects`](crate::Configuration::follows_redirects).
    ///
    /// ```
    /// use urlsession::testing::{Answer, Server};
    /// use urlsession::{Request, Session};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::redirect(302, "/there"));
    /// let url = server.url("/here");
    ///
    /// let data = Session::shared().data(Request::get(&url).follows_redirects(false))?;
    /// assert_eq!(&data.headers()["Location"], "/there");
    /// Ok::<(), urlsession::Error>(())
    /// ```
    pub fn follows_redirects(mut self, follows: bool) -> Self {
        self.more().follows = Some(follows);
        self
    }

    /// Sets how many redirects are followed before the load fails with
    /// [`ErrorKind::TooManyRedirects`].
    ///
    /// Default: the configuration's
    /// [`maximum_redirects`](crate::Configuration::maximum_redirects).
    pub fn maximum_redirects(mut self, count: usize) -> Self {
        self.more().maximum_redirects = Some(count);
        self
    }

    /// Sets which failures of this request are tried again, how often and when.
    ///
    /// Default: the configuration's [`retry_policy`](crate::Configuration::retry_policy).
    ///
    /// ```
    /// use urlsession::{Request, RetryPolicy};
    ///
    /// let order = Request::post("https://shop.test/orders")
    ///     // So that the server takes it once, however often it comes.
    ///     .header("Idempotency-Key", "8e03978e-40d5-43dd-bc93-6894a57f9324")
    ///     .retry_policy(RetryPolicy::attempts(3));
    /// assert!(order.check().is_ok());
    /// ```
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.more().retry_policy = Some(Box::new(policy));
        self
    }

    /// Gives the request something of the program's, of any type, to know it by: it is found
    /// again at its [task](crate::Task::tag), and at what that
    /// [brings](crate::Finished::tag). It means nothing to the session and is not sent.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use urlsession::testing::{Answer, Server};
    /// use urlsession::{Request, Session};
    ///
    /// let server = Server::start();
    /// server.enqueue(Answer::ok("one"));
    /// let url = server.url("/");
    ///
    /// #[derive(Debug, PartialEq)]
    /// struct Row(usize);
    ///
    /// let (sender, outcomes) = mpsc::channel();
    /// let _task = Session::shared().data_task_to(Request::get(&url).tag(Row(7)), &sender).resume();
    /// assert_eq!(outcomes.recv()?.tag(), Some(&Row(7)));
    /// Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tag(mut self, tag: impl Any + Send + Sync) -> Self {
        self.more().tag = Some(Foreign::new(Arc::new(tag)));
        self
    }

    /// Returns the program's tag, if it has this type.
    pub(crate) fn tagged<T: Any>(&self) -> Option<&T> {
        let tag = self.more.as_ref()?.tag.as_ref()?;
        (***tag).downcast_ref()
    }

    /// Returns what is tried again, by what is usual.
    pub(crate) fn retries_by<'a>(&'a self, usual: &'a RetryPolicy) -> &'a RetryPolicy {
        self.more.as_ref().and_then(|more| more.retry_policy.as_deref()).unwrap_or(usual)
    }

    /// Returns what becomes of redirects, by what is usual.
    pub(crate) fn redirects(&self, usual: Redirects) -> Redirects {
        let Some(more) = &self.more else { return usual };
        Redirects {
            are_followed: more.follows.unwrap_or(usual.are_followed),
            most: more.maximum_redirects.unwrap_or(usual.most),
        }
    }

    /// Resolves a relative URL against that of a session, as browsers do (WHATWG URL standard).
    #[cold]
    pub(crate) fn resolve(&mut self, base: Option<&Url>) {
        let Some(base) = base else { return };
        let Some(relative) = self.more.as_mut().and_then(|more| more.relative.take()) else {
            return;
        };
        match base.join(&relative) {
            Ok(mut url) => {
                self.user_info = UserInfo::take_from(&mut url).map(Box::new);
                self.url = Some(url);
            }
            // The text is not repeated: it may hold a password.
            Err(error) => {
                let detail = format!("the URL cannot be resolved against the base_url: {error}");
                self.wrong.get_or_insert_with(|| Error::new(ErrorKind::BadUrl, detail));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_url_is_resolved_as_a_browser_does() {
        let base = Url::parse("https://ann:pw@a.test/v2/x?old#old").unwrap();
        for (text, resolved) in [
            ("users/7", "https://a.test/v2/users/7"),
            ("./users", "https://a.test/v2/users"),
            ("../users", "https://a.test/users"),
            ("/users", "https://a.test/users"),
            ("?page=2", "https://a.test/v2/x?page=2"),
            ("#part", "https://a.test/v2/x?old#part"),
            ("", "https://a.test/v2/x?old"),
            ("//b.test/c", "https://b.test/c"),
            ("http://b.test/", "http://b.test/"),
            ("\\users", "https://a.test/users"),
        ] {
            let mut request = Request::get(text);
            request.resolve(Some(&base));
            assert_eq!(request.url().map(Url::as_str), Some(resolved), "{text:?}");
            let of_base = text != "//b.test/c" && text != "http://b.test/";
            assert_eq!(request.user_info().is_some(), of_base, "{text:?}");
            request.check().unwrap();
        }
        let mut request = Request::get("users");
        request.resolve(None);
        assert_eq!(request.check().unwrap_err().kind(), ErrorKind::BadUrl);
        assert!(request.check().unwrap_err().to_string().contains("base_url"));
        let mut request = Request::get("//[");
        request.resolve(Some(&base));
        assert_eq!(request.check().unwrap_err().kind(), ErrorKind::BadUrl);
    }

    #[test]
    fn a_relative_url_has_parameters_too() {
        let base = Url::parse("https://a.test/").unwrap();
        for (text, resolved) in [
            ("users", "https://a.test/users?q=1&r=%26"),
            ("users?a=b", "https://a.test/users?a=b&q=1&r=%26"),
            ("users?", "https://a.test/users?q=1&r=%26"),
            ("users#part", "https://a.test/users?q=1&r=%26#part"),
        ] {
            let mut request = Request::get(text).query("q", 1).query("r", "&");
            request.resolve(Some(&base));
            assert_eq!(request.url().map(Url::as_str), Some(resolved), "{text:?}");
        }
    }
}
