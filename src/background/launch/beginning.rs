//! What a daemon says of its beginning to who has started it: pure.

/// What came of starting a daemon, as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::background) enum Beginning {
    /// It listens.
    Ready,
    /// Another one runs.
    Held,
    /// It cannot run; why.
    Failed(String),
}

impl Beginning {
    pub(in crate::background) fn line(&self) -> String {
        match self {
            Self::Ready => "ready\n".to_owned(),
            Self::Held => "held\n".to_owned(),
            Self::Failed(words) => format!("failed: {}\n", words.replace('\n', " ")),
        }
    }

    /// Reads what came until the end of the stream; what is no such line is said by something
    /// that is no daemon.
    pub(in crate::background) fn read(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let line = text.lines().next().unwrap_or_default();
        match line {
            "ready" => Self::Ready,
            "held" => Self::Held,
            "" => Self::Failed("it ended without a word".to_owned()),
            _ => Self::Failed(match line.strip_prefix("failed: ") {
                Some(words) => words.to_owned(),
                None => "what was started is no urlsessiond".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_read() {
        let failed = Beginning::Failed("a b".to_owned());
        for beginning in [Beginning::Ready, Beginning::Held, failed] {
            assert_eq!(Beginning::read(beginning.line().as_bytes()), beginning);
        }
        assert_eq!(Beginning::Failed("a\nb".to_owned()).line(), "failed: a b\n");
        for (text, words) in [
            (&b""[..], "it ended without a word"),
            (b"Usage: fetch URL\n", "what was started is no urlsessiond"),
            (b"\xff\xfe", "what was started is no urlsessiond"),
        ] {
            assert_eq!(Beginning::read(text), Beginning::Failed(words.to_owned()));
        }
    }
}
