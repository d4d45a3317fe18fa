//! What always holds of challenges, and of the user's file of passwords.

use url::Url;

use super::challenge::{Asker, offers};
use super::{Credential, Outgoing};
use crate::headers::Headers;

/// Whatever a server asks, what is sent back is one header line.
pub fn challenge(data: &[u8]) {
    let Ok(url) = Url::parse("http://s.test/x") else { return };
    let asker = Asker::Server(&url);
    let mut headers = Headers::new();
    for field in data.split(|&byte| byte == b'\n') {
        // As heads have them (RFC 9110 §5.5).
        headers.push_bytes(asker.challenge_field(), field.trim_ascii());
    }
    let credentials = [Credential::new("ann", "p\u{df}"), Credential::from_token("YII=")];
    for offer in offers(&headers, asker) {
        for credential in &credentials {
            let Ok(mut answer) = offer.answer(credential) else { continue };
            let hash = answer.body_hash().map(|algorithm| algorithm.hash(b""));
            let request =
                Outgoing { method: "GET", target: "/x", body_hash: hash.as_deref(), cnonce: "c" };
            let Ok(signed) = answer.sign(&request) else { continue };
            let mut sent = Headers::new();
            assert!(sent.set_bytes(asker.answer_field(), &signed.value).is_ok());
            if let Some(proof) = signed.proof {
                let _ = proof.verify(data, None);
            }
        }
    }
}

/// A file of passwords is read or refused.
#[cfg(feature = "netrc")]
pub fn netrc(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(read) = super::Netrc::parse(&text) else { return };
    let _ = (read.credential("a.test", None), read.credential("a.test", Some("ann")));
}
