//! The grammar of `WWW-Authenticate` and its sisters (RFC 9110 §11.6.1, §11.2, §5.6.1).
//!
//! Commas separate challenges as well as the parameters of one, so an element of the list
//! is told by its form: `word = value` is a parameter of the challenge before it, any other
//! word is the scheme of a new one.
//!
//! Servers write what they like, and other clients read it. So what is odd is passed over up to
//! the next comma, and the challenge that it stands in is kept: a value without quotes goes on
//! to the comma, or to the next name; semicolons and spaces separate parameters as well; a quote
//! that is never closed ends where something else begins; of a name that occurs twice the last
//! value counts, as in curl and Chrome. Values are bytes, as they go back to the server as they
//! came.

/// How many challenges are kept of a response.
const MOST_CHALLENGES: usize = 32;

/// How many parameters are kept of a challenge.
const MOST_PARAMETERS: usize = 64;

/// Schemes that begin a challenge even behind a quote that is never closed.
const SCHEMES: [&[u8]; 5] = [b"Basic", b"Bearer", b"Digest", b"Negotiate", b"NTLM"];

/// One challenge, as it was written, with the quotes and escapes of values undone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::credentials) struct ParsedChallenge {
    pub(super) scheme: String,
    pub(super) token68: Option<String>,
    pub(super) parameters: Parameters,
}

impl ParsedChallenge {
    pub(in crate::credentials) fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// Returns the value of a parameter, whose name is compared without case.
    pub(in crate::credentials) fn parameter(&self, name: &str) -> Option<&[u8]> {
        self.parameters.get(name)
    }
}

/// Parameters, by names that are compared without case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::credentials) struct Parameters(Vec<(String, Vec<u8>)>);

impl Parameters {
    /// Returns the value of a parameter.
    pub(in crate::credentials) fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| &**value)
    }

    /// Puts a value in, over an earlier one of the same name. Returns whether all is as the
    /// grammar has it: no name may occur twice (RFC 9110 §11.2).
    fn put(&mut self, name: &[u8], value: Vec<u8>) -> bool {
        let same = |known: &&mut (String, _)| known.0.as_bytes().eq_ignore_ascii_case(name);
        if let Some(known) = self.0.iter_mut().find(same) {
            known.1 = value;
            return false;
        }
        let has_room = self.0.len() < MOST_PARAMETERS;
        if has_room {
            self.0.push((text(name), value));
        }
        has_room
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &(String, Vec<u8>)> {
        self.0.iter()
    }
}

/// Returns the text of what consists of the characters of a token.
fn text(ascii: &[u8]) -> String {
    ascii.iter().copied().map(char::from).collect()
}

/// Reads the challenges of all fields of a head, in order, up to [`MOST_CHALLENGES`].
///
/// Each field is read by itself: a quote that is never closed ends with its field.
pub(in crate::credentials) fn challenges<T: AsRef<[u8]>>(
    fields: impl IntoIterator<Item = T>,
) -> Vec<ParsedChallenge> {
    let mut found = Vec::new();
    for field in fields {
        read_field(field.as_ref(), &mut found);
    }
    found
}

fn read_field(field: &[u8], found: &mut Vec<ParsedChallenge>) {
    let (before, mut elements) = (found.len(), Elements::of(field));
    while let Some(element) = elements.next() {
        match element {
            Element::Parameter(name, value) => {
                // What stands in front of the first scheme belongs to none.
                if let Some(open) = found[before..].last_mut() {
                    open.parameters.put(name, value);
                }
            }
            Element::Challenge(_) if found.len() == MOST_CHALLENGES => return,
            Element::Challenge(next) => found.push(next),
            Element::Odd => {}
        }
    }
}

/// Reads a field that is a list of parameters, such as `Authentication-Info` (RFC 7615 §3);
/// `None` if something in it is odd, as it is to prove something.
pub(in crate::credentials) fn parameters(field: &[u8]) -> Option<Parameters> {
    let mut elements = Elements::of(field);
    let mut all = Parameters::default();
    while let Some(element) = elements.next() {
        let Element::Parameter(name, value) = element else { return None };
        if !all.put(name, value) {
            return None;
        }
    }
    (!elements.was_odd).then_some(all)
}

enum Element<'a> {
    Parameter(&'a [u8], Vec<u8>),
    /// The beginning of a challenge.
    Challenge(ParsedChallenge),
    /// What is neither.
    Odd,
}

/// The elements of a list that are not empty.
struct Elements<'a> {
    rest: &'a [u8],
    /// What comes next stands at the beginning, or behind a comma.
    begins: bool,
    /// Something was read more leniently than it may be written.
    was_odd: bool,
}

impl<'a> Elements<'a> {
    fn of(field: &'a [u8]) -> Self {
        Self { rest: field, begins: true, was_odd: false }
    }

    fn next(&mut self) -> Option<Element<'a>> {
        // RFC 9110 §5.6.1.2: empty elements are to be passed over.
        let between = run(self.rest, |byte| byte == b',' || is_between(byte));
        self.begins |= self.take(between).contains(&b',');
        if self.rest.is_empty() {
            return None;
        }
        let begins = std::mem::take(&mut self.begins);
        let word = self.take(run(self.rest, is_token));
        let spaced = self.skip_blanks();
        if !word.is_empty() && self.rest.starts_with(b"=") {
            return Some(match self.value() {
                Some(value) => Element::Parameter(word, value),
                None => self.odd(),
            });
        }
        if word.is_empty() || !begins || !(spaced || at_end(self.rest)) {
            self.skip_to_comma();
            return Some(self.odd());
        }
        let token68 = self.token68().map(text);
        let (scheme, parameters) = (text(word), Parameters::default());
        Some(Element::Challenge(ParsedChallenge { scheme, token68, parameters }))
    }

    fn odd(&mut self) -> Element<'a> {
        self.was_odd = true;
        Element::Odd
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn skip_blanks(&mut self) -> bool {
        !self.take(run(self.rest, is_blank)).is_empty()
    }

    fn skip_to_comma(&mut self) {
        self.take(run(self.rest, |byte| byte != b','));
    }

    /// RFC 9110 §11.2: what has the form of a token and a parameter is a token if the
    /// element ends behind it, as `realm=` does, and a parameter if a value follows, as in
    /// `realm= a`.
    fn token68(&mut self) -> Option<&'a [u8]> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        let unpadded = run(self.rest, allowed);
        let end = unpadded + run(&self.rest[unpadded..], |byte| byte == b'=');
        let behind = &self.rest[end..];
        let blanks = run(behind, is_blank);
        let next = &behind[blanks..];
        let has_value = end - unpadded == 1 && is_value(next);
        let is_alone = at_end(behind) || blanks > 0 && !next.starts_with(b"=") && !has_value;
        (unpadded > 0 && is_alone).then(|| self.take(end))
    }

    /// Reads `= value` with the space that may be before the value; `None` if that has
    /// characters which cannot be sent back.
    fn value(&mut self) -> Option<Vec<u8>> {
        self.take(1);
        self.skip_blanks();
        let value = if self.rest.starts_with(b"\"") { self.quoted() } else { self.unquoted() };
        let is_control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
        (!value.iter().any(is_control)).then_some(value)
    }

    /// Reads up to a comma, or to a space or a semicolon behind which there is a name.
    fn unquoted(&mut self) -> Vec<u8> {
        let mut end = 0;
        loop {
            end += run(&self.rest[end..], |byte| byte != b',' && !is_between(byte));
            let behind = &self.rest[end..];
            let between = run(behind, is_between);
            if between == 0 || matches!(behind.get(between), None | Some(b',')) {
                break;
            }
            if names_parameter(&behind[between..]) {
                self.was_odd = true;
                break;
            }
            end += between;
        }
        let value = self.take(end);
        self.was_odd |= value.is_empty() || value.iter().any(|&byte| byte <= b' ' || byte == b'"');
        value.to_vec()
    }

    /// RFC 9110 §5.6.4, and what stands behind the quotes although nothing may.
    fn quoted(&mut self) -> Vec<u8> {
        let text = &self.rest[1..];
        let (mut value, mut at) = (Vec::new(), 0);
        while let Some(&byte) = text.get(at) {
            match byte {
                b'"' => {
                    self.rest = &text[at + 1..];
                    self.end_of_quoted();
                    return value;
                }
                b'\\' if at + 1 < text.len() => {
                    value.push(text[at + 1]);
                    at += 2;
                }
                byte => {
                    value.push(byte);
                    at += 1;
                }
            }
        }
        self.never_closed()
    }

    fn end_of_quoted(&mut self) {
        let between = run(self.rest, is_between);
        if matches!(self.rest.get(between), None | Some(b',')) {
            return;
        }
        self.was_odd = true;
        if between == 0 || !names_parameter(&self.rest[between..]) {
            self.skip_to_comma();
        }
    }

    /// Reads a value whose quote is never closed: up to a comma behind which something else
    /// begins.
    fn never_closed(&mut self) -> Vec<u8> {
        self.was_odd = true;
        let text = &self.rest[1..];
        let begins = |at: &usize| text[*at] == b',' && begins_element(&text[at + 1..]);
        let end = (0..text.len()).find(begins).unwrap_or(text.len());
        self.rest = &text[end..];
        text[..end].trim_ascii_end().to_vec()
    }
}

/// Returns how many bytes at the beginning are so.
#[inline(never)]
fn run(bytes: &[u8], are: fn(u8) -> bool) -> usize {
    bytes.iter().position(|&byte| !are(byte)).unwrap_or(bytes.len())
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// What separates parameters where commas are missing.
fn is_between(byte: u8) -> bool {
    byte == b';' || is_blank(byte)
}

/// Whether this begins with a value, rather than with the next parameter.
fn is_value(rest: &[u8]) -> bool {
    let word = run(rest, is_token);
    let behind = &rest[word..];
    rest.starts_with(b"\"") || word > 0 && !behind[run(behind, is_blank)..].starts_with(b"=")
}

/// Whether an element ends here.
fn at_end(rest: &[u8]) -> bool {
    let rest = &rest[run(rest, is_blank)..];
    matches!(rest.first(), None | Some(b',' | b';'))
}

fn names_parameter(rest: &[u8]) -> bool {
    let behind = &rest[run(rest, is_token)..];
    behind.len() < rest.len() && behind[run(behind, is_blank)..].starts_with(b"=")
}

/// Whether a parameter begins here, or a challenge of a scheme that is known.
fn begins_element(rest: &[u8]) -> bool {
    let rest = &rest[run(rest, is_blank)..];
    let (word, behind) = rest.split_at(run(rest, is_token));
    let is_scheme = SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(word));
    let ends = behind.first().is_none_or(|&byte| byte == b',' || is_between(byte));
    is_scheme && ends || names_parameter(rest)
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
