//! Why a server's certificates are refused, in words that name the certificate.
//!
//! webpki says which check has failed, and mostly not of which certificate; that is found here.

mod words;

use std::borrow::Cow;

use rustls::pki_types::{CertificateDer, TrustAnchor};
use webpki::{EndEntityCert, Error as Reason};

use self::words::{Check, Utc, inside, is_at, named, sequence, short};
use super::DistinguishedName;
use super::algorithm_names::{KeyKind, SignatureName};
use super::algorithms::{self, Algorithm};
use super::evaluation::Measure;
use super::x509::{self, Fields};
use crate::error::{Error, ErrorKind};

pub(super) use words::summary;

/// What is refused, and what it was measured by.
pub(super) struct Refused<'a> {
    chain: &'a [CertificateDer<'a>],
    measure: &'a Measure<'a>,
}

/// Makes the error of a certificate that is not to be trusted.
pub(super) fn untrusted(detail: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::ServerCertificateUntrusted, detail)
}

impl<'a> Refused<'a> {
    pub(super) fn new(chain: &'a [CertificateDer<'a>], measure: &'a Measure<'a>) -> Self {
        Self { chain, measure }
    }

    /// Says that a certificate of this name vouches for another although its key may not.
    #[cold]
    pub(super) fn by_key_usage(&self, authority: &str) -> Error {
        let own = self.name(0);
        untrusted(format!(
            "{own} is vouched for by {authority}, whose key usage does not allow its key to sign \
             certificates"
        ))
    }

    /// Says which check has failed, and of what.
    #[cold]
    pub(super) fn by(&self, reason: Reason) -> Error {
        let kind = match &reason {
            Reason::CertExpired { .. } | Reason::InvalidCertValidity => {
                ErrorKind::ServerCertificateHasBadDate
            }
            Reason::CertNotValidYet { .. } => ErrorKind::ServerCertificateNotYetValid,
            Reason::UnknownIssuer => ErrorKind::ServerCertificateHasUnknownRoot,
            _ => ErrorKind::ServerCertificateUntrusted,
        };
        Error::new(kind, self.words(&reason)).because(Check(reason))
    }

    fn words(&self, reason: &Reason) -> String {
        let (at, text) = match reason {
            Reason::CertExpired { not_after, .. } => (
                self.find(&|one| is_at(one.not_after, *not_after)),
                format!(" has expired: it was valid until {}", Utc(*not_after)).into(),
            ),
            Reason::CertNotValidYet { not_before, .. } => (
                self.find(&|one| is_at(one.not_before, *not_before)),
                format!(" is not valid yet, not before {}", Utc(*not_before)).into(),
            ),
            Reason::UnknownIssuer => (0, self.end()),
            Reason::CertNotValidForName(_) => (0, self.names().into()),
            Reason::NameConstraintViolation => return self.constraints(),
            Reason::UnsupportedSignatureAlgorithmContext(context) => {
                self.algorithm(&context.signature_algorithm_id)
            }
            Reason::UnsupportedSignatureAlgorithmForPublicKeyContext(context) => {
                self.algorithm(&context.signature_algorithm_id)
            }
            Reason::InvalidSignatureForPublicKey => match self.signature() {
                Some((at, text)) => (at, text.into()),
                None => {
                    let own = self.name(0);
                    return format!("a signature on the way from {own} to a root is wrong");
                }
            },
            _ => match self.plainly(reason) {
                Some((at, text)) => (at, text.into()),
                None => self.broken(reason),
            },
        };
        self.name(at) + &text
    }

    /// Says it of the checks for which there is nothing more to say.
    #[cold]
    fn plainly(&self, reason: &Reason) -> Option<(usize, &'static str)> {
        Some(match reason {
            Reason::InvalidCertValidity => (
                self.find(&|one| one.not_after < one.not_before),
                " is never valid: it ends before it begins",
            ),
            Reason::RequiredEkuNotFoundContext(_) | Reason::EmptyEkuExtension => (
                self.find(&|one| one.extensions.is_for_servers == Some(false)),
                " is not one for servers, by its extended key usage",
            ),
            Reason::CaUsedAsEndEntity => (
                0,
                " is one for signing others, not for servers; if it is known and meant to be the \
                 server's own, additional_roots can name it",
            ),
            Reason::EndEntityUsedAsCa => {
                (self.find_no_authority(), " vouches for another, and is not that of an authority")
            }
            Reason::PathLenConstraintViolated => {
                (0, " comes by more authorities in a row than one of them allows")
            }
            Reason::MaximumSignatureChecksExceeded
            | Reason::MaximumPathBuildCallsExceeded
            | Reason::MaximumPathDepthExceeded
            | Reason::MaximumNameConstraintComparisonsExceeded => {
                (0, " comes with too many others to be evaluated")
            }
            Reason::CertDistrusted => {
                (0, " or one that vouches for it is known to be in wrong hands")
            }
            _ => return None,
        })
    }

    // ---- whom it is about ----

    fn read(&self, at: usize) -> Option<Fields<'_>> {
        x509::read(self.chain.get(at)?).ok()
    }

    /// Names a certificate of the chain.
    #[cold]
    fn name(&self, at: usize) -> String {
        let role =
            if at == 0 { "the server's certificate" } else { "the intermediate certificate" };
        named(role, self.chain.get(at).map_or(&[], |der| der))
    }

    /// Finds the first certificate that is so; the server's own if none is.
    #[cold]
    fn find(&self, is_it: &dyn Fn(&Fields<'_>) -> bool) -> usize {
        self.find_from(0, is_it).unwrap_or_default()
    }

    #[cold]
    fn find_from(&self, first: usize, is_it: &dyn Fn(&Fields<'_>) -> bool) -> Option<usize> {
        (first..self.chain.len()).find(|at| self.read(*at).is_some_and(|read| is_it(&read)))
    }

    /// Finds one that vouches for another shown one, and is none of an authority.
    fn find_no_authority(&self) -> usize {
        let vouches =
            |one: &Fields<'_>| self.find_from(0, &|issued| issued.issuer == one.subject).is_some();
        let is_it = |one: &Fields<'_>| one.extensions.is_authority != Some(true) && vouches(one);
        self.find_from(1, &is_it).unwrap_or_default()
    }

    /// Returns the keys of all who may have issued a certificate, by the name, shown or trusted.
    #[cold]
    fn issuers_keys(&self, of: &Fields<'_>) -> Vec<Vec<u8>> {
        let mut keys = Vec::new();
        for at in 0..self.chain.len() {
            let Some(one) = self.read(at) else { continue };
            if one.subject == of.issuer {
                keys.push(one.public_key_info.to_vec());
            }
        }
        for anchor in &self.measure.trusted.anchors {
            if *anchor.subject == *inside(of.issuer) {
                keys.push(webpki::spki_for_anchor(anchor).to_vec());
            }
        }
        keys
    }

    // ---- one check each ----

    /// Says where the way to a root ends.
    #[cold]
    fn end(&self) -> Cow<'static, str> {
        let lost = " leads to no root that is trusted";
        let Some(mut last) = self.read(0) else { return lost.into() };
        for _ in 0..self.chain.len() {
            let issuer = self.find_from(1, &|one| one.subject == last.issuer);
            match issuer.and_then(|at| self.read(at)) {
                Some(issuer) if issuer.subject != last.subject => last = issuer,
                _ => break,
            }
        }
        let issuer = distinguished(last.issuer);
        if self.measure.trusted.is_mute(inside(last.issuer)) {
            return format!(
                "{lost}: its issuer ({issuer}) is trusted for its own names, and may not sign \
                 certificates"
            )
            .into();
        }
        if last.issuer != last.subject {
            return format!("{lost}: no certificate of the issuer ({issuer}) is shown or trusted")
                .into();
        }
        match self.read(0) {
            Some(own) if own.subject == last.subject => format!("{lost}: it vouches for itself"),
            _ => format!("{lost}: the one at its end ({issuer}) vouches for itself"),
        }
        .into()
    }

    #[cold]
    fn names(&self) -> String {
        const SHOWN: usize = 5;
        let read = self.read(0);
        let names = read.as_ref().map_or(&[][..], |own| &own.extensions.subject_alternative_names);
        let mut text = " is not for this host, but for ".to_owned();
        if names.is_empty() {
            text = " is not for this host: it has no alternative names, and its common name does \
                    not count"
                .to_owned();
        }
        for (at, name) in names.iter().take(SHOWN).enumerate() {
            text += if at == 0 { "" } else { ", " };
            text += &short(&name.to_string());
        }
        match names.len().saturating_sub(SHOWN) {
            0 => {}
            1 => text += " and one other",
            others => text += &format!(" and {others} others"),
        }
        text + "; the name that was looked for is " + &self.measure.host.to_str()
    }

    #[cold]
    fn constraints(&self) -> String {
        let own = self.name(0);
        let shown = self.find_from(1, &|one| one.extensions.limits_directory_names);
        let anchor = |anchor: &&TrustAnchor<'_>| {
            let constraints = anchor.name_constraints.as_deref();
            constraints.is_some_and(x509::limits_directory_names)
        };
        let by = match shown {
            Some(at) => Some(self.name(at)),
            None => self.measure.trusted.anchors.iter().find(anchor).map(root),
        };
        match by {
            Some(by) => format!(
                "{by} limits whom it may vouch for by directory names, which are not evaluated \
                 here; {own} is good only if a delegate accepts it"
            ),
            None => format!(
                "{own} has names that an authority above it may not vouch for, by its name \
                 constraints"
            ),
        }
    }

    /// Says that a signature cannot be verified.
    #[cold]
    fn algorithm(&self, signature: &[u8]) -> (usize, Cow<'static, str>) {
        let at = self.find(&|one| one.signature_algorithm == signature);
        let kinds = self.read(at).map(|read| self.issuers_keys(&read)).unwrap_or_default();
        let kind = kinds.iter().find_map(|key| KeyKind::of(key).ok());
        let key = kind.map(|kind| format!(" and a key of {kind}")).unwrap_or_default();
        let text = format!(
            " is signed by {}{key}, which cannot be verified here; ECDSA on P-256 and P-384 with \
             SHA-256 and SHA-384, RSA of 2048 bits and more with SHA-256 and better, and Ed25519 \
             can",
            SignatureName(signature)
        );
        (at, text.into())
    }

    /// Finds the signature that is wrong.
    #[cold]
    fn signature(&self) -> Option<(usize, String)> {
        for at in 0..self.chain.len() {
            let Some(one) = self.read(at) else { continue };
            let keys = self.issuers_keys(&one);
            if keys.is_empty() || keys.iter().any(|key| one.is_signed_by(key)) {
                continue;
            }
            let kinds = keys.iter().filter_map(|key| KeyKind::of(key).ok());
            let weak = kinds.into_iter().find(|kind| !kind.is_supported());
            let text = match weak {
                Some(kind) => format!(
                    " is signed by a key of {kind}, which is not accepted; RSA takes 2048 to 8192 \
                     bits"
                ),
                None => {
                    let issuer = distinguished(one.issuer);
                    format!(" is not signed by the key of its issuer ({issuer})")
                }
            };
            return Some((at, text));
        }
        None
    }

    /// Says which certificate cannot be read.
    #[cold]
    fn broken(&self, reason: &Reason) -> (usize, Cow<'static, str>) {
        let fails =
            |at: &usize| EndEntityCert::try_from(&self.chain[*at]).err().as_ref() == Some(reason);
        let at = (0..self.chain.len()).find(fails).unwrap_or_default();
        let text = match (reason, self.read(at)) {
            (Reason::UnsupportedCertVersion, Some(Fields { version: Some(version), .. })) => {
                format!(" is of version {version} of X.509; only version 3 can be evaluated").into()
            }
            (Reason::UnsupportedCertVersion, _) => {
                " is not of version 3 of X.509, and cannot be evaluated".into()
            }
            (Reason::UnsupportedCriticalExtension, Some(read)) => {
                let id = read.extensions.unknown.map(|id| format!(" ({id})")).unwrap_or_default();
                (" has an extension that is critical and not known here".to_owned() + &id).into()
            }
            (Reason::SignatureAlgorithmMismatch, _) => {
                " names two algorithms for its one signature".into()
            }
            _ => " is broken, or made in a way that cannot be evaluated".into(),
        };
        (at, text)
    }
}

/// Names a root.
#[cold]
fn root(anchor: &TrustAnchor<'_>) -> String {
    format!("the root ({})", distinguished(&sequence(&anchor.subject)))
}

/// Displays a name, cut where it is long.
#[cold]
fn distinguished(name: &[u8]) -> String {
    short(&DistinguishedName::from_der(name).to_string())
}

impl Fields<'_> {
    /// Whether its signature is verified by this key.
    fn is_signed_by(&self, key: &[u8]) -> bool {
        let is_named = |one: &Algorithm| *one.signature_alg_id() == *self.signature_algorithm;
        let known: Vec<_> = algorithms::ALL.iter().copied().filter(is_named).collect();
        algorithms::verifies(&known, key, self.signed, self.signature)
    }
}
