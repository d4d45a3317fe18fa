//! The roots that a session trusts: its own, and the system's.

mod files;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, TrustAnchor};

use super::certificate::sha256;
use super::refusal::summary;
use super::{Certificate, x509};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::log;
use crate::sync::{Mutex, Rank};

/// The roots of one session.
///
/// Reading the system's store takes tens of milliseconds, so that is done when the first
/// server is to be trusted.
#[derive(Debug)]
pub(crate) struct Roots {
    /// The configuration's own.
    own: Arc<Trusted>,
    trusts_system: bool,
    /// Once the system's store could be read whole.
    all: OnceLock<Arc<Trusted>>,
}

/// Certificates that are trusted.
#[derive(Clone, Debug, Default)]
pub(super) struct Trusted {
    /// Those that may vouch for others, as what they vouch with.
    pub(super) anchors: Vec<TrustAnchor<'static>>,
    /// The SHA-256 of each: for its own names it is trusted, whatever it may sign.
    named: Vec<[u8; 32]>,
    /// Whom those are about that may not vouch for others, as a name without tag and length.
    mute: Vec<Box<[u8]>>,
    /// Some could not be read.
    lacks_some: bool,
}

impl Roots {
    /// Takes the roots of a configuration.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ServerCertificateUntrusted`] if one of them is not a certificate.
    pub(crate) fn new(own: &[Certificate], trusts_system: bool) -> Result<Self, Error> {
        let own = Trusted::of(own, "additional_roots")?;
        Ok(Self { own: Arc::new(own), trusts_system, all: OnceLock::new() })
    }

    /// Returns all of them; never none.
    pub(super) fn all(&self) -> Result<Arc<Trusted>, Error> {
        if let Some(all) = self.all.get() {
            return Ok(all.clone());
        }
        self.with_system(false)
    }

    /// Looks again whether there are more than these, if some could not be read.
    pub(super) fn more_than(&self, these: &Trusted) -> Result<Option<Arc<Trusted>>, Error> {
        if !these.lacks_some {
            return Ok(None);
        }
        self.with_system(true).map(Some)
    }

    fn with_system(&self, again: bool) -> Result<Arc<Trusted>, Error> {
        let mut all = (*self.own).clone();
        if self.trusts_system {
            all.append(&system(again));
        }
        if all.named.is_empty() {
            let detail = "no root certificate is known: the system's trust store is empty \
                          (install ca-certificates, or set SSL_CERT_FILE or additional_roots)";
            return Err(Error::new(ErrorKind::ServerCertificateHasUnknownRoot, detail));
        }
        let all = Arc::new(all);
        if !all.lacks_some {
            // Somebody else may have been first, with the same.
            let _ = self.all.set(all.clone());
        }
        Ok(all)
    }
}

impl Trusted {
    /// Takes certificates that the program names, in a list of this name.
    pub(super) fn of(certificates: &[Certificate], list: &str) -> Result<Self, Error> {
        let mut trusted = Self::default();
        for (at, certificate) in certificates.iter().enumerate() {
            trusted.add(certificate.as_der()).map_err(|error| {
                let detail = format!("{list}[{at}] is not a certificate, or a broken one");
                Error::new(ErrorKind::ServerCertificateUntrusted, detail).because(error)
            })?;
        }
        Ok(trusted)
    }

    /// Whether this certificate itself is one of them.
    pub(super) fn names(&self, certificate: &[u8]) -> bool {
        !self.named.is_empty() && self.named.contains(&sha256(certificate))
    }

    /// Whether one of them is about this name, without tag and length, and may not vouch for
    /// others.
    pub(super) fn is_mute(&self, name: &[u8]) -> bool {
        self.mute.iter().any(|mute| **mute == *name)
    }

    fn add(&mut self, certificate: &[u8]) -> Result<(), webpki::Error> {
        let print = sha256(certificate);
        // Bundles and folders have the same ones.
        if self.named.contains(&print) {
            return Ok(());
        }
        let der = CertificateDer::from(certificate);
        let anchor = webpki::anchor_from_trusted_cert(&der)?.to_owned();
        // Trust in a server's own certificate is no trust in all that its key might sign. What
        // says nothing, as of the first version, may sign: many old roots are so.
        let is_authority = x509::read(certificate).map(|read| read.extensions.is_authority);
        if is_authority.is_ok_and(|says| says == Some(false)) || !x509::may_sign(certificate) {
            self.mute.push((*anchor.subject).into());
        } else {
            self.anchors.push(anchor);
        }
        self.named.push(print);
        Ok(())
    }

    fn append(&mut self, other: &Self) {
        self.anchors.extend_from_slice(&other.anchors);
        self.named.extend_from_slice(&other.named);
        self.mute.extend_from_slice(&other.mute);
        self.lacks_some |= other.lacks_some;
    }
}

/// How long what was read of the system's store is taken for what is there.
const FRESH: Duration = Duration::from_secs(60);

/// What was read of the system's store, and when.
#[derive(Clone)]
struct Known {
    roots: Arc<Trusted>,
    at: Instant,
}

impl Known {
    /// Whether it still does, for a session that has none yet; `again` if what it lacks is missed.
    ///
    /// A failure is not remembered, as no descriptor may have been free.
    fn serves(&self, again: bool, now: Instant) -> bool {
        let Trusted { named, lacks_some, .. } = &*self.roots;
        let is_fresh = now.saturating_duration_since(self.at) < FRESH;
        is_fresh && !named.is_empty() && !(again && *lacks_some)
    }
}

/// Returns the system's trust store, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
///
/// Sessions share what was read. One that is made later than a minute afterwards has it read anew,
/// so that it knows what was added to the store meanwhile or removed from it; those that are there
/// keep what they have.
fn system(again: bool) -> Arc<Trusted> {
    static ROOTS: Mutex<Option<Known>> = Mutex::new(Rank::Roots, None);
    let at = Clock::system().now();
    let mut known = ROOTS.lock();
    match &*known {
        Some(known) if known.serves(again, at) => known.roots.clone(),
        _ => {
            let (roots, odd) = read_system();
            let roots = Arc::new(roots);
            *known = Some(Known { roots: roots.clone(), at });
            // Not under the lock: the log is the program's.
            drop(known);
            odd.iter().for_each(|odd| log::warn!("{odd}"));
            log::debug!("the system trusts {} certificates", roots.named.len());
            roots
        }
    }
}

/// Reads the store, and returns in words what of it cannot be used.
fn read_system() -> (Trusted, Vec<String>) {
    let found = files::named(&|name| std::env::var_os(name)).unwrap_or_else(files::of_system);
    let files::Found { certificates, errors, mut odd, .. } = found;
    let mut roots = Trusted { lacks_some: !errors.is_empty(), ..Trusted::default() };
    let unreadable = |error| format!("part of the system's trust store cannot be read: {error}");
    odd.extend(errors.into_iter().map(unreadable));
    for certificate in &certificates {
        if let Err(error) = roots.add(certificate) {
            let name = summary(certificate);
            let words = format!("the system trusts {name}, which cannot be used: {error}");
            if !odd.contains(&words) {
                odd.push(words);
            }
        }
    }
    (roots, odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_read_anew_after_a_minute_and_after_a_failure() {
        let (began, second) = (Instant::now(), Duration::from_secs(1));
        for (named, lacks_some, again, seconds, serves) in [
            (1, false, false, 0, true),
            (1, false, false, 59, true),
            (1, false, false, 60, false),
            (1, false, true, 59, true),
            (1, true, false, 0, true),
            (1, true, true, 0, false),
            (0, false, false, 0, false),
            (0, true, true, 0, false),
        ] {
            let roots = Trusted { named: vec![[0; 32]; named], lacks_some, ..Trusted::default() };
            let known = Known { roots: Arc::new(roots), at: began };
            let said = (named, lacks_some, again, seconds);
            assert_eq!(known.serves(again, began + seconds * second), serves, "{said:?}");
        }
    }
}
