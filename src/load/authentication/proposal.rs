//! Which credential is proposed for an offer, and may be used by default.

use super::{Authentication, Hop, Means};
use crate::credentials::{AuthenticationMethod, Credential, Offer, Persistence, ProtectionSpace};
use crate::request::UserInfo;

/// What is known for an offer.
pub(super) struct Proposal<'a> {
    pub(super) offer: &'a Offer,
    /// What the program is shown: what is used by default, else what has failed last.
    pub(super) shown: Option<Credential>,
    pub(super) usable: Option<Credential>,
}

impl Authentication {
    pub(super) fn proposal<'a>(
        &self,
        hop: &Hop,
        offer: &'a Offer,
        means: &Means<'_>,
    ) -> Proposal<'a> {
        let known = self.known(hop, offer.space(), means);
        let fresh = known.into_iter().find(|known| !self.has_failed(offer.space(), known));
        let mut failed = self.failed.iter().rev().filter(|(space, _)| space == offer.space());
        let shown = fresh.clone().or_else(|| Some(failed.next()?.1.clone()));
        // A password is no token, but the program may make one of it.
        Proposal { offer, shown, usable: fresh.filter(|_| !offer.needs_token()) }
    }

    /// Returns the credentials that are known for a space of the hop's server, the one to
    /// try first first.
    ///
    /// Nothing is known better than a program that authorizes itself. A URL that names a
    /// user asks for no other one's password.
    fn known(&self, hop: &Hop, space: &ProtectionSpace, means: &Means<'_>) -> Vec<Credential> {
        if self.has_replaced_own || hop.headers.contains("authorization") {
            return Vec::new();
        }
        let Some(user_info) = &hop.user_info else {
            let stored = means.authenticator().default_credential(space);
            return all_of([stored, of_file(hop, None, means), None]);
        };
        let Some((user, password)) = user_info.pair() else { return Vec::new() };
        let stored = means.authenticator().credential_of(user, space);
        let of_file = of_file(hop, Some(user), means);
        let own = credential(user_info);
        all_of(match password {
            Some(_) => [own, stored, of_file],
            None => [stored, of_file, own],
        })
    }

    /// Notes that what stood in the URL was turned down where it is good for a space.
    pub(super) fn user_info_failed(&mut self, hop: &Hop, offers: &[Offer]) {
        let Some(sent) = hop.user_info.as_deref().and_then(credential) else { return };
        let spaces = offers.iter().map(Offer::space);
        for space in spaces.filter(|space| space.method() == AuthenticationMethod::Basic) {
            self.failed.push((space.clone(), sent.clone()));
        }
    }

    fn has_failed(&self, space: &ProtectionSpace, credential: &Credential) -> bool {
        let same = |other: &Credential| {
            other.user() == credential.user() && other.password() == credential.password()
        };
        self.failed.iter().any(|(failed, with)| failed == space && same(with))
    }
}

fn all_of(known: [Option<Credential>; 3]) -> Vec<Credential> {
    let mut all = Vec::new();
    for credential in known {
        all.extend(credential);
    }
    all
}

/// Returns what the user's `.netrc` has for the host, unless a redirect named it.
fn of_file(hop: &Hop, user: Option<&str>, means: &Means<'_>) -> Option<Credential> {
    let host = hop.url.host_str().filter(|_| hop.redirects == 0)?;
    means.authenticator().credential_of_file(host, user).map(not_to_be_stored)
}

/// Returns what stood in a URL, if it is text.
fn credential(user_info: &UserInfo) -> Option<Credential> {
    let (user, password) = user_info.pair()?;
    Some(not_to_be_stored(Credential::new(user, password.unwrap_or_default())))
}

/// What the program did not give to a storage is not put there behind its back.
fn not_to_be_stored(credential: Credential) -> Credential {
    let once = credential.clone().with_persistence(Persistence::None);
    once.unwrap_or(credential)
}
