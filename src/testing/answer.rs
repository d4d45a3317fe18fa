//! What a server answers, written down beforehand: status, fields, body and framing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::fault::Cut;
use super::takeover::Takeover;

/// A plan of what to send for one request, faults included.
///
/// By default an answer is sent once the whole request is in, with a `Content-Length`, and the
/// connection is kept. Nothing is added to the fields that the plan names except framing
/// (`Content-Length`, or `Transfer-Encoding`), unless the plan names those itself, and
/// `Connection: close` where the client asked for it. A body is left out where HTTP has none:
/// for HEAD, 1xx, 204 and 304, and for CONNECT with 2xx.
///
/// ```
/// use urlsession::testing::Answer;
///
/// let plain = Answer::ok("hello").header("Content-Type", "text/plain");
/// let cut = Answer::ok("only half of this arrives").chunked(8).truncate_after(12);
/// let hints = Answer::ok("page").informational(103, &[("Link", "</a.css>; rel=preload")]);
/// # let _ = (plain, cut, hints);
/// ```
#[derive(Clone)]
#[must_use]
pub struct Answer {
    pub(super) version: &'static str,
    pub(super) status: u16,
    pub(super) reason: Option<String>,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) informational: Vec<Informational>,
    pub(super) content: Content,
    pub(super) framing: AnswerFraming,
    pub(super) trailers: Vec<(String, String)>,
    pub(super) intake: Intake,
    pub(super) portion: Portion,
    pub(super) expect: ExpectPolicy,
    pub(super) head_delay: Option<Duration>,
    pub(super) stalls_before_head: bool,
    pub(super) stalls_after_head: bool,
    pub(super) skips_to: Option<Ending>,
    pub(super) cuts: Vec<(u64, Cut)>,
    pub(super) bytes_per_second: Option<u64>,
    pub(super) ending: Option<Ending>,
    pub(super) close_notify: bool,
    pub(super) takeover: Option<TakeoverCode>,
}

/// What goes on with a connection in place of requests and answers.
pub(super) type TakeoverCode = Arc<dyn Fn(&mut Takeover<'_>) + Send + Sync>;

/// A 1xx answer, and whether it goes out before the request's body is read.
#[derive(Clone, Debug)]
pub(super) struct Informational {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) early: bool,
}

/// The bytes of an answer.
#[derive(Clone)]
pub(super) enum Content {
    Bytes(Arc<[u8]>),
    /// A pattern over and over, up to a length or for ever.
    Pattern(Arc<[u8]>, Option<u64>),
    /// The whole answer, head and all.
    Raw(Arc<[u8]>),
}

/// How an answer says where its body ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum AnswerFraming {
    Length,
    Chunked(u64),
    UntilClose,
    Announced(u64),
    Nothing,
}

/// How much of the request's body is read, and when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Intake {
    Whole,
    AfterAnswer,
    Never,
    UpTo(u64, Ending),
}

/// How a request's body is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Portion {
    /// After how many bytes reading ends.
    pub(super) stop: u64,
    /// After how many bytes reading stalls, once.
    pub(super) stall: Option<u64>,
    pub(super) bytes_per_second: Option<u64>,
}

impl Default for Portion {
    fn default() -> Self {
        Self { stop: u64::MAX, stall: None, bytes_per_second: None }
    }
}

/// What becomes of the connection behind an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    Keep,
    Close,
    Reset,
}

/// What a server does when a client asks for `100 (Continue)` before it sends a body.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ExpectPolicy {
    /// Sends `100 (Continue)` as soon as the head is in. The default.
    #[default]
    Continue,
    /// Sends nothing and waits for the body, like a server that does not know `Expect`.
    Never,
    /// Sends the answer at once, in place of `100 (Continue)`.
    ///
    /// Whatever the client sends next is its request's body: one that goes on with another
    /// request on this connection is in error.
    FinalAnswer,
}

impl Answer {
    fn new(status: u16, content: Content) -> Self {
        Self {
            version: "HTTP/1.1",
            status,
            reason: None,
            headers: Vec::new(),
            informational: Vec::new(),
            content,
            framing: AnswerFraming::Length,
            trailers: Vec::new(),
            intake: Intake::Whole,
            portion: Portion::default(),
            expect: ExpectPolicy::Continue,
            head_delay: None,
            stalls_before_head: false,
            stalls_after_head: false,
            skips_to: None,
            cuts: Vec::new(),
            bytes_per_second: None,
            ending: None,
            close_notify: true,
            takeover: None,
        }
    }

    /// A 200 with this body.
    pub fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::status(200).body(body)
    }

    /// This status with an empty body.
    pub fn status(status: u16) -> Self {
        Self::new(status, Content::Bytes(Arc::from([])))
    }

    /// A redirect to `location`, which is sent as it is.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("Location", location)
    }

    /// These bytes and nothing else, in place of a head and a body. The connection is closed
    /// behind them unless [`keep_open`](Self::keep_open) says otherwise.
    ///
    /// ```
    /// use urlsession::testing::Answer;
    ///
    /// let malformed = Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello");
    /// # let _ = malformed;
    /// ```
    pub fn raw(bytes: impl AsRef<[u8]>) -> Self {
        Self::new(200, Content::Raw(Arc::from(bytes.as_ref())))
    }

    /// Sends another version on the status line. Default: `HTTP/1.1`.
    pub fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// Sends another reason phrase than the usual one.
    pub fn reason(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// Adds a field behind those given so far; nothing is checked, nothing replaced.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.content = Content::Bytes(Arc::from(body.as_ref()));
        self
    }

    /// Sets a body of `length` bytes that are made while they are sent: the letters a to z over
    /// and over, so that the byte at offset n is `b'a' + n % 26`.
    pub fn body_of_size(mut self, length: u64) -> Self {
        self.content = Content::Pattern(Arc::from(*b"abcdefghijklmnopqrstuvwxyz"), Some(length));
        self
    }

    /// Sets a body that repeats `pattern` until the client has enough; it ends with the
    /// connection unless it is [`chunked`](Self::chunked) or has an
    /// [`announced_length`](Self::announced_length).
    ///
    /// # Panics
    ///
    /// If `pattern` is empty.
    pub fn endless_body(mut self, pattern: impl AsRef<[u8]>) -> Self {
        let pattern = pattern.as_ref();
        assert!(!pattern.is_empty(), "an endless body needs a pattern");
        self.content = Content::Pattern(Arc::from(pattern), None);
        if self.framing == AnswerFraming::Length {
            self.framing = AnswerFraming::UntilClose;
        }
        self
    }

    /// Says the body's length in `Content-Length`. The default.
    pub fn length(mut self) -> Self {
        self.framing = AnswerFraming::Length;
        self
    }

    /// Sends the body in chunks of `size` bytes.
    ///
    /// # Panics
    ///
    /// If `size` is 0.
    pub fn chunked(mut self, size: u64) -> Self {
        assert!(size > 0, "a chunk of 0 bytes ends the body");
        self.framing = AnswerFraming::Chunked(size);
        self
    }

    /// Adds a field behind the last chunk of a [`chunked`](Self::chunked) body.
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends `Connection: close` and no length: the body ends with the connection.
    pub fn until_close(mut self) -> Self {
        self.framing = AnswerFraming::UntilClose;
        self
    }

    /// Says another length than the body has. A body that is shorter than that is followed by
    /// the end of the connection, one that is longer is sent whole.
    pub fn announced_length(mut self, length: u64) -> Self {
        self.framing = AnswerFraming::Announced(length);
        self
    }

    /// Says nothing about the body's length, and closes the connection behind it.
    pub fn no_framing(mut self) -> Self {
        self.framing = AnswerFraming::Nothing;
        self
    }

    /// Sends a 1xx answer once the request is in, before this one. May be repeated.
    pub fn informational(mut self, status: u16, headers: &[(&str, &str)]) -> Self {
        self.informational.push(Informational::new(status, headers, false));
        self
    }

    /// Sends a 1xx answer as soon as the request's head is in, while its body is still coming.
    /// May be repeated.
    pub fn early_informational(mut self, status: u16, headers: &[(&str, &str)]) -> Self {
        self.informational.push(Informational::new(status, headers, true));
        self
    }

    /// Says what to do if the client waits for `100 (Continue)`.
    pub fn on_expect(mut self, policy: ExpectPolicy) -> Self {
        self.expect = policy;
        self
    }

    /// Gives the connection to `code` behind this answer's head: for 101 and for CONNECT.
    ///
    /// The answer has no body and no framing then, and the connection is closed when `code`
    /// returns. `code` runs on the connection's thread; a panic fails the test.
    ///
    /// ```
    /// use std::io::{Read, Write};
    /// use urlsession::testing::Answer;
    ///
    /// let echo = Answer::status(101).header("Upgrade", "echo").take_over(|connection| {
    ///     let mut byte = [0];
    ///     while connection.read(&mut byte).is_ok_and(|count| count == 1) {
    ///         if connection.write_all(&byte).is_err() {
    ///             return;
    ///         }
    ///     }
    /// });
    /// # let _ = echo;
    /// ```
    pub fn take_over(mut self, code: impl Fn(&mut Takeover<'_>) + Send + Sync + 'static) -> Self {
        self.takeover = Some(Arc::new(code));
        self
    }

    /// Whether the plan brings a field of this name.
    pub(super) fn names(&self, name: &str) -> bool {
        self.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name))
    }

    /// Whether the plan tells the client that the connection ends.
    pub(super) fn says_close(&self) -> bool {
        self.headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("Connection") && value.eq_ignore_ascii_case(b"close")
        })
    }
}

impl Informational {
    fn new(status: u16, headers: &[(&str, &str)], early: bool) -> Self {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Self { status, headers: headers.collect(), early }
    }
}

impl Content {
    /// How many bytes it has; none if it never ends.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) | Self::Raw(bytes) => Some(bytes.len() as u64),
            Self::Pattern(_, length) => *length,
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Answer");
        match &self.content {
            Content::Raw(bytes) => shown.field("raw_length", &bytes.len()),
            content => shown
                .field("status", &self.status)
                .field("body_length", &content.length())
                .field("framing", &self.framing),
        };
        shown.field("cuts", &self.cuts).field("ending", &self.ending).finish_non_exhaustive()
    }
}
