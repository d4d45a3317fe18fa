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
    pub(super) fn by_key_usage(&self, authority: &str) -> Error {
        let own = self.name(0);
        untrusted(format!(
            "{own} is vouched for by {authority}, whose key usage does not allow its key to sign \
             certificates"
        ))
    }

    /// Says which check has failed, and of what.
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
        let own = || self.name(0);
        match reason {
            Reason::CertExpired { not_after, .. } => {
                let expired = self.name(self.find(|one| is_at(one.not_after, *not_after)));
                format!("{expired} has expired: it was valid until {}", Utc(*not_after))
            }
            Reason::CertNotValidYet { not_before, .. } => {
                let early = self.name(self.find(|one| is_at(one.not_before, *not_before)));
                format!("{early} is not valid yet, not before {}", Utc(*not_before))
            }
            Reason::InvalidCertValidity => {
                let never = self.name(self.find(|one| one.not_after < one.not_before));
                format!("{never} is never valid: it ends before it begins")
            }
            Reason::UnknownIssuer => {
                format!("{} leads to no root that is trusted{}", own(), self.end())
            }
            Reason::CertNotValidForName(_) => self.names(),
            Reason::RequiredEkuNotFoundContext(_) | Reason::EmptyEkuExtension => {
                let unfit = self.find(|one| one.extensions.is_for_servers == Some(false));
                format!("{} is not one for servers, by its extended key usage", self.name(unfit))
            }
            Reason::CaUsedAsEndEntity => format!(
                "{} is one for signing others, not for servers; if it is known and meant to be the \
                 server's own, additional_roots can name it",
                own()
            ),
            Reason::EndEntityUsedAsCa => {
                let unfit = self.find_above(|one| one.extensions.is_authority != Some(true));
                format!("{} vouches for another, and is not that of an authority", self.name(unfit))
            }
            Reason::PathLenConstraintViolated => {
                format!("{} comes by more authorities in a row than one of them allows", own())
            }
            Reason::NameConstraintViolation => self.constraints(),
            Reason::UnsupportedSignatureAlgorithmContext(context) => {
                self.algorithm(&context.signature_algorithm_id)
            }
            Reason::UnsupportedSignatureAlgorithmForPublicKeyContext(context) => {
                self.algorithm(&context.signature_algorithm_id)
            }
            Reason::InvalidSignatureForPublicKey => self.signature(),
            Reason::MaximumSignatureChecksExceeded
            | Reason::MaximumPathBuildCallsExceeded
            | Reason::MaximumPathDepthExceeded
            | Reason::MaximumNameConstraintComparisonsExceeded => {
                format!("{} comes with too many others to be evaluated", own())
            }
            Reason::CertDistrusted => {
                format!("{} or one that vouches for it is known to be in wrong hands", own())
            }
            _ => self.broken(reason),
        }
    }

    // ---- whom it is about ----

    fn read(&self, at: usize) -> Option<Fields<'_>> {
        x509::read(self.chain.get(at)?).ok()
    }

    /// Names a certificate of the chain.
    fn name(&self, at: usize) -> String {
        let role =
            if at == 0 { "the server's certificate" } else { "the intermediate certificate" };
        named(role, self.chain.get(at).map_or(&[], |der| der))
    }

    /// Finds the first certificate that is so; the server's own if none is.
    fn find(&self, is_it: impl Fn(&Fields<'_>) -> bool) -> usize {
        let is_it = |at: &usize| self.read(*at).is_some_and(|read| is_it(&read));
        (0..self.chain.len()).find(is_it).unwrap_or_default()
    }

    /// Finds one that vouches for another shown one, and is so.
    fn find_above(&self, is_it: impl Fn(&Fields<'_>) -> bool) -> usize {
        let issuers: Vec<_> =
            (0..self.chain.len()).filter_map(|at| Some(self.read(at)?.issuer.to_vec())).collect();
        let vouches = |one: &Fields<'_>| issuers.iter().any(|issuer| *issuer == one.subject);
        (1..self.chain.len())
            .find(|at| self.read(*at).is_some_and(|read| vouches(&read) && is_it(&read)))
            .unwrap_or_default()
    }

    /// Returns the keys of all who may have issued a certificate, by the name, shown or trusted.
    fn issuers_keys(&self, of: &Fields<'_>) -> Vec<Vec<u8>> {
        let shown = (0..self.chain.len()).filter_map(|at| self.read(at));
        let shown = shown.filter(|one| one.subject == of.issuer);
        let shown = shown.map(|one| one.public_key_info.to_vec());
        let anchors = self.measure.trusted.anchors.iter();
        let anchors = anchors.filter(|anchor| *anchor.subject == *inside(of.issuer));
        shown.chain(anchors.map(|anchor| webpki::spki_for_anchor(anchor).to_vec())).collect()
    }

    // ---- one check each ----

    /// Says where the way to a root ends.
    fn end(&self) -> String {
        let Some(mut last) = self.read(0) else { return String::new() };
        for _ in 0..self.chain.len() {
            let shown = (1..self.chain.len()).filter_map(|at| self.read(at));
            let mut issuers = shown.filter(|one| one.subject == last.issuer);
            match issuers.next() {
                Some(issuer) if issuer.subject != last.subject => last = issuer,
                _ => break,
            }
        }
        let issuer = short(&DistinguishedName::from_der(last.issuer).to_string());
        if self.measure.trusted.is_mute(inside(last.issuer)) {
            return format!(
                ": its issuer ({issuer}) is trusted for its own names, and may not sign certificates"
            );
        }
        if last.issuer == last.subject {
            return match self.read(0) {
                Some(own) if own.subject == last.subject => ": it vouches for itself".to_owned(),
                _ => format!(": the one at its end ({issuer}) vouches for itself"),
            };
        }
        format!(": no certificate of the issuer ({issuer}) is shown or trusted")
    }

    fn names(&self) -> String {
        const SHOWN: usize = 5;
        let read = self.read(0);
        let names = read.as_ref().map_or(&[][..], |own| &own.extensions.subject_alternative_names);
        let mut text = format!("{} is not for this host, but for ", self.name(0));
        if names.is_empty() {
            text = format!(
                "{} is not for this host: it has no alternative names, and its common name does \
                 not count",
                self.name(0)
            );
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
        text + &format!("; the name that was looked for is {}", self.measure.host.to_str())
    }

    fn constraints(&self) -> String {
        let own = self.name(0);
        let limits = |one: &Fields<'_>| one.extensions.limits_directory_names;
        let shown = (1..self.chain.len()).find(|at| self.read(*at).is_some_and(|one| limits(&one)));
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
    fn algorithm(&self, signature: &[u8]) -> String {
        let at = self.find(|one| one.signature_algorithm == signature);
        let kinds = self.read(at).map(|read| self.issuers_keys(&read)).unwrap_or_default();
        let kind = kinds.iter().find_map(|key| KeyKind::of(key).ok());
        let key = kind.map(|kind| format!(" and a key of {kind}")).unwrap_or_default();
        format!(
            "{} is signed by {}{key}, which cannot be verified here; ECDSA on P-256 and P-384 with \
             SHA-256 and SHA-384, RSA of 2048 bits and more with SHA-256 and better, and Ed25519 \
             can",
            self.name(at),
            SignatureName(signature)
        )
    }

    /// Finds the signature that is wrong.
    fn signature(&self) -> String {
        for at in 0..self.chain.len() {
            let Some(one) = self.read(at) else { continue };
            let keys = self.issuers_keys(&one);
            if keys.is_empty() || keys.iter().any(|key| one.is_signed_by(key)) {
                continue;
            }
            let kinds = keys.iter().filter_map(|key| KeyKind::of(key).ok());
            let weak = kinds.into_iter().find(|kind| !kind.is_supported());
            let (name, issuer) = (self.name(at), DistinguishedName::from_der(one.issuer));
            let issuer = short(&issuer.to_string());
            return match weak {
                Some(kind) => format!(
                    "{name} is signed by a key of {kind}, which is not accepted; RSA takes 2048 to \
                     8192 bits"
                ),
                None => format!("{name} is not signed by the key of its issuer ({issuer})"),
            };
        }
        format!("a signature on the way from {} to a root is wrong", self.name(0))
    }

    /// Says which certificate cannot be read.
    fn broken(&self, reason: &Reason) -> String {
        let fails =
            |at: &usize| EndEntityCert::try_from(&self.chain[*at]).err().as_ref() == Some(reason);
        let at = (0..self.chain.len()).find(fails).unwrap_or_default();
        let (name, read) = (self.name(at), self.read(at));
        match (reason, read) {
            (Reason::UnsupportedCertVersion, Some(Fields { version: Some(version), .. })) => {
                format!("{name} is of version {version} of X.509; only version 3 can be evaluated")
            }
            (Reason::UnsupportedCertVersion, _) => {
                format!("{name} is not of version 3 of X.509, and cannot be evaluated")
            }
            (Reason::UnsupportedCriticalExtension, Some(read)) => {
                let id = read.extensions.unknown.map(|id| format!(" ({id})")).unwrap_or_default();
                format!("{name} has an extension that is critical and not known here{id}")
            }
            (Reason::SignatureAlgorithmMismatch, _) => {
                format!("{name} names two algorithms for its one signature")
            }
            _ => format!("{name} is broken, or made in a way that cannot be evaluated"),
        }
    }
}

/// Names a root.
fn root(anchor: &TrustAnchor<'_>) -> String {
    let subject = DistinguishedName::from_der(sequence(&anchor.subject)).to_string();
    format!("the root ({})", short(&subject))
}

impl Fields<'_> {
    /// Whether its signature is verified by this key.
    fn is_signed_by(&self, key: &[u8]) -> bool {
        let is_named = |one: &Algorithm| *one.signature_alg_id() == *self.signature_algorithm;
        let known: Vec<_> = algorithms::ALL.iter().copied().filter(is_named).collect();
        algorithms::verifies(&known, key, self.signed, self.signature)
    }
}
