//! What a request wants of cookies.

use url::Url;

use super::Request;
use crate::error::{Error, ErrorKind};

/// What a request wants of cookies, if it is not what is usual. Boxed: few want anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CookieWishes(Option<Box<Wishes>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wishes {
    /// None are sent and none kept.
    refuses: bool,
    main_document: Option<Url>,
}

impl CookieWishes {
    /// Whether cookies are sent and kept.
    pub(crate) fn are_handled(&self) -> bool {
        self.0.as_ref().is_none_or(|wishes| !wishes.refuses)
    }

    /// The document that it is a part of.
    pub(crate) fn main_document(&self) -> Option<&Url> {
        self.0.as_ref()?.main_document.as_ref()
    }

    /// Returns these, or if there are none, the others.
    pub(crate) fn or(self, others: Self) -> Self {
        Self(self.0.or(others.0))
    }
}

impl Request {
    /// Sets whether cookies are sent with this request, and those kept that its responses set.
    ///
    /// Default: `true`.
    #[doc(alias = "httpShouldHandleCookies")]
    #[doc(alias = "HTTPShouldHandleCookies")]
    pub fn handles_cookies(mut self, handles: bool) -> Self {
        if handles != self.cookie_wishes().are_handled() {
            self.wishes().refuses = !handles;
        }
        self
    }

    /// Sets the URL of the document that this is loaded for, as an image is for a page: cookies
    /// are kept for its host and the domains above only, see
    /// [`OnlyFromMainDocumentDomain`](crate::CookieAcceptPolicy::OnlyFromMainDocumentDomain).
    /// Redirects take it along.
    ///
    /// Default: none; each request is its own document.
    #[doc(alias = "mainDocumentURL")]
    pub fn main_document_url(mut self, url: impl AsRef<str>) -> Self {
        match Url::parse(url.as_ref()) {
            Ok(mut url) => {
                // Only its host counts, and these fail only for URLs that cannot have them.
                let _ = url.set_username("");
                let _ = url.set_password(None);
                self.wishes().main_document = Some(url);
                self
            }
            Err(error) => {
                let detail = format!("the main_document_url is not a URL: {error}");
                self.noting(Err(Error::new(ErrorKind::BadUrl, detail)))
            }
        }
    }

    pub(crate) fn cookie_wishes(&self) -> CookieWishes {
        self.more.as_ref().map(|more| more.cookies.clone()).unwrap_or_default()
    }

    fn wishes(&mut self) -> &mut Wishes {
        self.more().cookies.0.get_or_insert_default()
    }
}
