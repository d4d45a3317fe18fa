//! The grammar of `WWW-Authenticate` and its sisters (RFC 9110 §11.6.1, §11.2, §5.6.1).
//!
//! Commas separate challenges as well as the parameters of one, so an element of the list
//! is told by its form: `word = value` is a parameter of the challenge before it, any other
//! word is the scheme of a new one.
//!
//! A broken challenge is dropped whole, as half of one could be another one. What is read
//! more leniently than it is written: an unquoted value may have any visible characters but
//! a comma and a quote, since many servers leave the quotes off base64.

/// How many challenges are kept of a response.
const MOST_CHALLENGES: usize = 32;

/// How many parameters a challenge may have.
const MOST_PARAMETERS: usize = 64;

/// One challenge, as it was written, with the quotes and escapes of values undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::credentials) struct ParsedChallenge {
    pub(super) scheme: String,
    pub(super) token68: Option<String>,
    pub(super) parameters: Vec<(String, String)>,
}

impl ParsedChallenge {
    pub(in crate::credentials) fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// Returns the value of a parameter, whose name is compared without case.
    pub(in crate::credentials) fn parameter(&self, name: &str) -> Option<&str> {
        find(&self.parameters, name)
    }
}

fn find<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| &**value)
}

/// Reads the challenges of all fields of a head, in order; broken ones are left out, and so
/// are those beyond [`MOST_CHALLENGES`].
///
/// Each field is read by itself: a quote that is never closed ends with its field.
pub(in crate::credentials) fn challenges<'a>(
    fields: impl IntoIterator<Item = &'a str>,
) -> Vec<ParsedChallenge> {
    let mut found = Vec::new();
    for field in fields {
        read_field(field, &mut found);
    }
    found
}

fn read_field(field: &str, found: &mut Vec<ParsedChallenge>) {
    let mut elements = Elements { rest: field };
    // `None` where what comes next belongs to a broken challenge, or to none.
    let mut open: Option<ParsedChallenge> = None;
    while found.len() < MOST_CHALLENGES {
        match elements.next() {
            Some(Element::Parameter(name, value)) => {
                open = open.filter(|_| name.is_some()).and_then(|challenge| {
                    with_parameter(challenge, name.unwrap_or_default(), value)
                });
            }
            Some(Element::Challenge(next)) => {
                found.extend(open.take());
                open = next;
            }
            None => {
                found.extend(open.take());
                return;
            }
        }
    }
}

/// Adds a parameter; `None` if the challenge is broken by it: no name may occur twice
/// (RFC 9110 §11.2), and a token stands alone.
fn with_parameter(
    mut challenge: ParsedChallenge,
    name: &str,
    value: String,
) -> Option<ParsedChallenge> {
    let fits = challenge.token68.is_none()
        && challenge.parameters.len() < MOST_PARAMETERS
        && challenge.parameter(name).is_none();
    challenge.parameters.push((name.to_owned(), value));
    fits.then_some(challenge)
}

/// Reads a field that is a list of parameters, such as `Authentication-Info` (RFC 7615 §3);
/// `None` if it is broken.
pub(in crate::credentials) fn parameters(field: &str) -> Option<Parameters> {
    let mut elements = Elements { rest: field };
    let nameless = ParsedChallenge { scheme: String::new(), token68: None, parameters: Vec::new() };
    let mut all = nameless;
    while let Some(element) = elements.next() {
        let Element::Parameter(Some(name), value) = element else { return None };
        all = with_parameter(all, name, value)?;
    }
    Some(Parameters(all.parameters))
}

/// Parameters without a scheme.
pub(in crate::credentials) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Returns the value of a parameter, whose name is compared without case.
    pub(in crate::credentials) fn get(&self, name: &str) -> Option<&str> {
        find(&self.0, name)
    }
}

enum Element<'a> {
    /// A parameter; without a name it is a broken one.
    Parameter(Option<&'a str>, String),
    /// The beginning of a challenge, `None` for that of a broken one.
    Challenge(Option<ParsedChallenge>),
}

/// The elements of a list that are not empty.
struct Elements<'a> {
    rest: &'a str,
}

impl<'a> Elements<'a> {
    fn next(&mut self) -> Option<Element<'a>> {
        // RFC 9110 §5.6.1.2: empty elements are to be passed over.
        self.rest = self.rest.trim_start_matches([',', ' ', '\t']);
        if self.rest.is_empty() {
            return None;
        }
        let element = self.element();
        if !self.at_end() {
            self.skip_element();
            return Some(broken(element));
        }
        Some(element)
    }

    fn element(&mut self) -> Element<'a> {
        let Some(word) = self.token() else { return Element::Parameter(None, String::new()) };
        let spaced = self.skip_space();
        if self.rest.starts_with('=') {
            let value = self.value();
            return Element::Parameter(value.is_some().then_some(word), value.unwrap_or_default());
        }
        let mut challenge =
            ParsedChallenge { scheme: word.to_owned(), token68: None, parameters: Vec::new() };
        if self.at_end() {
            return Element::Challenge(Some(challenge));
        }
        if !spaced {
            return Element::Challenge(None);
        }
        challenge.token68 = self.token68().map(str::to_owned);
        if challenge.token68.is_some() {
            return Element::Challenge(Some(challenge));
        }
        let parameter = self.token().and_then(|name| {
            self.skip_space();
            Some((name.to_owned(), self.value()?))
        });
        challenge.parameters.extend(parameter);
        Element::Challenge((!challenge.parameters.is_empty()).then_some(challenge))
    }

    /// Whether the element ends here, spaces aside.
    fn at_end(&self) -> bool {
        let rest = self.rest.trim_start_matches([' ', '\t']);
        rest.is_empty() || rest.starts_with(',')
    }

    /// Goes to the next comma outside quotes.
    fn skip_element(&mut self) {
        let (mut quoted, mut escaped) = (false, false);
        let end = self.rest.find(|char| {
            let ends = char == ',' && !quoted;
            quoted ^= char == '"' && !escaped;
            escaped = quoted && char == '\\' && !escaped;
            ends
        });
        self.rest = &self.rest[end.unwrap_or(self.rest.len())..];
    }

    fn skip_space(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        self.rest.len() < before
    }

    fn take(&mut self, end: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// RFC 9110 §5.6.2.
    fn token(&mut self) -> Option<&'a str> {
        let allowed = |char: char| char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char);
        let end = self.rest.find(|char| !allowed(char)).unwrap_or(self.rest.len());
        (end > 0).then(|| self.take(end))
    }

    /// RFC 9110 §11.2: what has the form of a token and a parameter is a token if the
    /// element ends behind it, as `realm=` does.
    fn token68(&mut self) -> Option<&'a str> {
        let allowed = |char: char| char.is_ascii_alphanumeric() || "-._~+/".contains(char);
        let end = self.rest.find(|char| !allowed(char)).unwrap_or(self.rest.len());
        let padded = self.rest.len() - self.rest[end..].trim_start_matches('=').len();
        let alone = Self { rest: &self.rest[padded..] }.at_end();
        (end > 0 && alone).then(|| self.take(padded))
    }

    /// Reads `= value` with the space that may be before the value.
    fn value(&mut self) -> Option<String> {
        self.rest = self.rest.strip_prefix('=')?;
        self.skip_space();
        if self.rest.starts_with('"') {
            return self.quoted();
        }
        let ends = |char: char| char <= ' ' || matches!(char, ',' | '"' | '\u{7f}');
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        (end > 0).then(|| self.take(end).to_owned())
    }

    /// RFC 9110 §5.6.4; control characters are not allowed, even behind a backslash.
    fn quoted(&mut self) -> Option<String> {
        let mut value = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, char)) = chars.next() {
            let char = match char {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Some(value);
                }
                '\\' => chars.next()?.1,
                char => char,
            };
            if char.is_control() && char != '\t' {
                return None;
            }
            value.push(char);
        }
        None
    }
}

fn broken(element: Element<'_>) -> Element<'_> {
    match element {
        Element::Parameter(..) => Element::Parameter(None, String::new()),
        Element::Challenge(_) => Element::Challenge(None),
    }
}

#[cfg(test)]
mod tests;
