//! Decides what a 401 says about the answer that it came back for.

use crate::credentials::{Offer, Signer};

/// What a 401 means for the answer that was sent.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Nothing: the server asks about something else, or goes on with its token.
    None,
    /// The same credential, fit for the server's new nonce.
    Renewed(Signer),
    /// The credential is wrong.
    Failed,
}

/// Decides what `offers`, those of the 401, mean for the answer `sent`.
///
/// A nonce is followed once a request: if the server says that it is too old (RFC 7616
/// §3.3), or says nothing and has taken an earlier request with it.
pub(super) fn refusal(sent: &Signer, offers: &[Offer], has_renewed: bool) -> Refusal {
    let mut same = offers.iter().filter(|offer| offer.space() == sent.space()).peekable();
    if same.peek().is_none() || same.clone().any(|offer| offer.token().is_some()) {
        return Refusal::None;
    }
    let renewed = same
        .filter(|offer| !has_renewed && (offer.is_stale() || sent.may_have_expired()))
        .find_map(|offer| sent.renewed(offer));
    renewed.map_or(Refusal::Failed, Refusal::Renewed)
}

#[cfg(feature = "digest")]
#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::credentials::{Asker, Credential, Outgoing, offers};
    use crate::headers::Headers;

    fn offered(fields: &[&str]) -> Vec<Offer> {
        let mut headers = Headers::new();
        fields.iter().for_each(|field| headers.push("WWW-Authenticate", field));
        offers(&headers, Asker::Server(&Url::parse("http://s.test/").unwrap()))
    }

    /// An answer to `field` that has signed so many requests.
    fn sent(field: &str, times: u32) -> Signer {
        let credential = match field.split(' ').next() {
            Some("NTLM" | "Negotiate") => Credential::from_token("YII="),
            _ => Credential::new("ann", "pw"),
        };
        let mut answer = offered(&[field])[0].answer(&credential).unwrap();
        for _ in 0..times {
            let request = Outgoing { method: "GET", target: "/", body_hash: None, cnonce: "c" };
            answer.sign(&request).unwrap();
        }
        answer
    }

    #[test]
    fn only_what_the_server_asks_for_again_has_failed() {
        const DIGEST: &str = "Digest realm=r, nonce=n, qop=auth";
        const STALE: &str = "Digest realm=r, nonce=m, qop=auth, stale=true";
        const FRESH: &str = "Digest realm=r, nonce=m, qop=auth";
        const OTHER: &str = "Digest realm=s, nonce=m, qop=auth, stale=true";
        const SHA: &str = "Digest realm=r, nonce=m, qop=auth, stale=true, algorithm=SHA-256";
        for (field, times, renewed_before, offers, expected) in [
            ("Basic realm=r", 1, false, &["Basic realm=r"][..], "failed"),
            ("Basic realm=r", 1, false, &["Basic realm=s"], "none"),
            ("Basic realm=r", 1, false, &["Bearer"], "none"),
            ("Basic realm=r", 1, false, &[], "none"),
            (DIGEST, 1, false, &[FRESH], "failed"),
            (DIGEST, 1, false, &[STALE], "renewed"),
            (DIGEST, 1, true, &[STALE], "failed"),
            (DIGEST, 1, false, &[SHA], "failed"),
            (DIGEST, 1, false, &[SHA, STALE], "renewed"),
            (DIGEST, 2, false, &[FRESH], "renewed"),
            (DIGEST, 2, true, &[FRESH], "failed"),
            (DIGEST, 1, false, &[OTHER], "none"),
            (DIGEST, 1, false, &["Basic realm=r"], "none"),
            ("NTLM", 1, false, &["NTLM TlRM"], "none"),
            ("NTLM", 1, false, &["NTLM"], "failed"),
            ("Negotiate", 1, false, &["NTLM TlRM"], "none"),
        ] {
            let found = match refusal(&sent(field, times), &offered(offers), renewed_before) {
                Refusal::None => "none",
                Refusal::Renewed(_) => "renewed",
                Refusal::Failed => "failed",
            };
            assert_eq!(found, expected, "{field}, {times} times, then {offers:?}");
        }
    }
}
