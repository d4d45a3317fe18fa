//! Sections of PEM text (RFC 7468), as other tools write them: with a byte order mark, in UTF-16,
//! with words around, with labels of older days.
//!
//! The sections are found here, as rustls' reader passes over those that it does not know without
//! a word, an encrypted key among them, and over the first one behind a byte order mark; it
//! decodes what is in them, keys without a branch on their bits.

use der::asn1::{AnyRef, ObjectIdentifier};
use der::zeroize::Zeroizing;
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

use super::ber;
use super::refusal::summary;
use super::x509::inside;

use crate::log;

const BEGIN: &str = "-----BEGIN ";

/// One section, from the line that begins it to the one that ends it.
pub(super) struct Section<'a> {
    pub(super) label: &'a str,
    /// What is between them, headers included.
    body: &'a str,
}

/// Why the sections cannot be told.
#[derive(Debug)]
pub(super) struct NoEnd {
    /// The label of the section that does not end.
    pub(super) label: String,
}

/// Returns a text as its sections are looked for in it.
///
/// What stands between sections may be in any encoding (RFC 7468 §2).
pub(super) fn text(pem: &[u8]) -> Zeroizing<String> {
    let units = |pair: fn([u8; 2]) -> u16| {
        let (pairs, _) = pem[2..].as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|&bytes| pair(bytes)).collect();
        String::from_utf16_lossy(&Zeroizing::new(units))
    };
    Zeroizing::new(match pem {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        _ => String::from_utf8_lossy(pem).into_owned(),
    })
}

/// The sections of a text, in their order.
pub(super) struct Sections<'a> {
    rest: &'a str,
}

impl<'a> Sections<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// Returns the next section.
    pub(super) fn next(&mut self) -> Result<Option<Section<'a>>, NoEnd> {
        let Some(start) = self.start() else { return Ok(None) };
        let text = &self.rest[start + BEGIN.len()..];
        let no_end = |label: &str| NoEnd { label: label.chars().take(40).collect() };
        let line = text.find(['\n', '\r']).unwrap_or(text.len());
        let Some(label) = text[..line].trim_end().strip_suffix("-----") else {
            return Err(no_end(&text[..line]));
        };
        let (body, end) = (&text[line..], format!("-----END {label}-----"));
        let Some(length) = body.find(&end) else { return Err(no_end(label)) };
        // An end that is missing must not take the next section with it.
        if body[..length].contains(BEGIN) {
            return Err(no_end(label));
        }
        self.rest = &body[length + end.len()..];
        Ok(Some(Section { label: label.trim(), body: &body[..length] }))
    }

    /// Returns where the next section begins: at the beginning of a line, spaces and a byte
    /// order mark aside.
    fn start(&self) -> Option<usize> {
        let begins = |at: &usize| {
            let before = self.rest[..*at].trim_end_matches([' ', '\t', '\u{feff}']);
            let is_begin = before.is_empty() || before.ends_with(['\n', '\r']);
            if !is_begin {
                log::warn!("PEM: a section that does not begin with its line is taken for text");
            }
            is_begin
        };
        self.rest.match_indices(BEGIN).map(|(at, _)| at).find(begins)
    }
}

impl Section<'_> {
    /// Whether it is a certificate, by one of the labels that are in use.
    pub(super) fn is_certificate(&self) -> bool {
        matches!(self.label, "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE")
    }

    /// Whether it is encrypted in the way of old OpenSSL (RFC 1421 §4.6).
    pub(super) fn is_legacy(&self) -> bool {
        self.body.contains("Proc-Type:")
    }

    /// Decodes it as an object of the section kind `label`.
    pub(super) fn decode<T: PemObject>(&self, label: &str) -> Result<T, pem::Error> {
        let lines = self.body.lines().filter(|line| !line.contains(':'));
        let mut clean = Zeroizing::new(String::with_capacity(self.body.len() + 80));
        *clean += &format!("-----BEGIN {label}-----\n");
        for line in lines {
            clean.extend(line.split_whitespace());
            *clean += "\n";
        }
        *clean += &format!("-----END {label}-----\n");
        T::from_pem_slice(clean.as_bytes())
    }

    /// Decodes a certificate, and returns it with whether it is trusted for servers, by what
    /// OpenSSL writes behind it (`openssl x509 -trustout`).
    pub(super) fn certificate(&self) -> Result<(Vec<u8>, bool), pem::Error> {
        let der: CertificateDer<'_> = self.decode("CERTIFICATE")?;
        if self.label != "TRUSTED CERTIFICATE" {
            return Ok((der.to_vec(), true));
        }
        let (certificate, settings) = der.split_at(ber::length_of_first(&der));
        // What cannot be read may be a refusal.
        let is_trusted = is_trusted_for_servers(settings).unwrap_or(false);
        Ok((certificate.to_vec(), is_trusted))
    }
}

/// What of a text is no certificate to be trusted, in words.
#[derive(Debug)]
pub(super) struct Odd {
    pub(super) words: String,
    /// It is broken, and not just something else.
    pub(super) is_broken: bool,
}

/// Returns the certificates of a text that are to be trusted, and what else is in it.
pub(super) fn certificates(pem: &[u8]) -> Vec<Result<Vec<u8>, Odd>> {
    let text = text(pem);
    let (mut sections, mut all, mut count) = (Sections::of(&text), Vec::new(), 0);
    let broken = |words| Err(Odd { words, is_broken: true });
    loop {
        let section = match sections.next() {
            Ok(Some(section)) => section,
            Ok(None) => return all,
            Err(NoEnd { label }) => {
                all.push(broken(format!("the section `{label}` has no end")));
                return all;
            }
        };
        count += 1;
        if !section.is_certificate() {
            let words = format!("section {count} is a `{}`", section.label);
            all.push(Err(Odd { words, is_broken: false }));
            continue;
        }
        all.push(match section.certificate() {
            Ok((certificate, true)) => Ok(certificate),
            Ok((certificate, false)) => {
                let name = summary(&certificate);
                let words = format!("section {count} ({name}) is marked as not to be trusted");
                Err(Odd { words, is_broken: false })
            }
            Err(error) => broken(format!("section {count} is broken: {error}")),
        });
    }
}

/// Reads X509_CERT_AUX of OpenSSL: which uses the certificate is trusted for, and for which it
/// is rejected.
fn is_trusted_for_servers(settings: &[u8]) -> der::Result<bool> {
    const SERVER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
    const ANY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
    const REJECTED: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    let has_server = |uses: &mut SliceReader<'_>| -> der::Result<bool> {
        let mut has = false;
        while !uses.is_finished() {
            has |= matches!(ObjectIdentifier::decode(uses)?, SERVER | ANY);
        }
        Ok(has)
    };
    if settings.is_empty() {
        return Ok(true);
    }
    let mut reader = inside(&mut SliceReader::new(settings)?, Tag::Sequence)?;
    let mut is_trusted = true;
    while !reader.is_finished() {
        let element = AnyRef::decode(&mut reader)?;
        let mut uses = SliceReader::new(element.value())?;
        match element.tag() {
            Tag::Sequence => is_trusted &= has_server(&mut uses)?,
            REJECTED => is_trusted &= !has_server(&mut uses)?,
            // A name, an identifier of the key, and more.
            _ => {}
        }
    }
    Ok(is_trusted)
}
