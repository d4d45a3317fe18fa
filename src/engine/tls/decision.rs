//! What the answers to TLS challenges mean.

use crate::credentials::{Credential, Disposition};
use crate::trust::ServerTrust;

/// What becomes of a server that has shown its certificate.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AboutServer {
    /// Its certificate is good, and nobody objects.
    Good,
    /// It is not, and was accepted for all that.
    Accepted,
    /// Its evaluation stands.
    Bad,
    /// Somebody has refused it, good or not.
    Refused,
    Cancelled,
}

/// Decides about a server's certificate, `is_good` by evaluation.
///
/// Only a credential that was made for what this server has shown opens what the evaluation
/// has closed.
pub(super) fn about_server(
    is_good: bool,
    answer: Option<&Disposition>,
    shown: &ServerTrust,
) -> AboutServer {
    match answer {
        Some(Disposition::Cancel) => AboutServer::Cancelled,
        Some(Disposition::RejectProtectionSpace) => AboutServer::Refused,
        _ if is_good => AboutServer::Good,
        Some(Disposition::UseCredential(credential)) if credential.accepts(shown) => {
            AboutServer::Accepted
        }
        _ => AboutServer::Bad,
    }
}

/// What a server is shown that wants a certificate of the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AboutClient {
    Nothing,
    Identity(Credential),
    /// The answer is a credential of another kind.
    Unfit,
    Cancelled,
}

/// Decides what the client shows.
pub(super) fn about_client(answer: Option<Disposition>) -> AboutClient {
    match answer {
        Some(Disposition::UseCredential(credential)) if credential.identity().is_some() => {
            AboutClient::Identity(credential)
        }
        Some(Disposition::UseCredential(_)) => AboutClient::Unfit,
        Some(Disposition::Cancel) => AboutClient::Cancelled,
        None | Some(_) => AboutClient::Nothing,
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Clock;
    use crate::testing::Authority;
    use crate::trust::{Certificate, Identity, Roots, TrustPolicy};

    #[test]
    fn only_a_credential_for_what_was_shown_opens_what_the_evaluation_closed() {
        use Disposition::{Cancel, PerformDefaultHandling, RejectProtectionSpace, UseCredential};

        let policy = Arc::new(TrustPolicy::new(
            Roots::new(&[], false).unwrap(),
            Vec::new(),
            Clock::system(),
        ));
        let trust = |host: &str, der: &[u8]| {
            ServerTrust::new(host, vec![Certificate::from_der(der)], &policy)
        };
        let shown = trust("a.test", b"1");
        let accepting = |trust: &ServerTrust| Some(UseCredential(Credential::for_trust(trust)));
        use AboutServer::{Accepted, Bad, Cancelled, Good, Refused};
        for (answer, good, bad) in [
            (None, Good, Bad),
            (Some(PerformDefaultHandling), Good, Bad),
            (accepting(&shown), Good, Accepted),
            (accepting(&trust("a.test", b"1")), Good, Accepted),
            (accepting(&trust("a.test", b"2")), Good, Bad),
            (accepting(&trust("b.test", b"1")), Good, Bad),
            (Some(UseCredential(Credential::new("ann", "pw"))), Good, Bad),
            (Some(RejectProtectionSpace), Refused, Refused),
            (Some(Cancel), Cancelled, Cancelled),
        ] {
            assert_eq!(about_server(true, answer.as_ref(), &shown), good, "{answer:?}, good");
            assert_eq!(about_server(false, answer.as_ref(), &shown), bad, "{answer:?}, bad");
        }
    }

    #[test]
    fn an_identity_is_shown_only_if_it_is_answered() {
        let made = Authority::new().identity(&["ann"]);
        let pem = made.chain_pem() + &made.key_pem();
        let identity = Identity::from_pem(pem, None).unwrap();
        let identity = Credential::from_identity(&identity);
        let password = Credential::new("ann", "pw");
        for (answer, expected) in [
            (None, AboutClient::Nothing),
            (Some(Disposition::PerformDefaultHandling), AboutClient::Nothing),
            (Some(Disposition::RejectProtectionSpace), AboutClient::Nothing),
            (Some(Disposition::ContinueWithoutCredential), AboutClient::Nothing),
            (Some(Disposition::Cancel), AboutClient::Cancelled),
            (Some(Disposition::UseCredential(password)), AboutClient::Unfit),
            (Some(Disposition::UseCredential(identity.clone())), AboutClient::Identity(identity)),
        ] {
            let row = format!("{answer:?}");
            assert_eq!(about_client(answer), expected, "{row}");
        }
    }
}
