//! Challenges and their answers.

use serde_json::json;

use super::super::{challenge, disposition};
use super::samples::challenges;
use super::{reader, sent};
use crate::credentials::{Challenge, Credential, Disposition, Persistence};

fn assert_same(read: &Challenge, asked: &Challenge) {
    assert_eq!(format!("{read:?}"), format!("{asked:?}"));
    let (space, of) = (read.protection_space(), asked.protection_space());
    assert_eq!(space, of);
    assert_eq!(space.distinguished_names(), of.distinguished_names());
    assert_eq!(read.proposed_credential(), asked.proposed_credential());
    assert_eq!(read.previous_failure_count(), asked.previous_failure_count());
    let headers = |challenge: &Challenge| {
        challenge.failure_response().map(|response| response.headers().clone())
    };
    assert_eq!(headers(read), headers(asked));
    assert_eq!(read.error().map(ToString::to_string), asked.error().map(ToString::to_string));
    assert_eq!(read.token(), asked.token());
}

#[test]
fn challenges_come_over_whole() {
    for asked in challenges() {
        let read = challenge::read(&sent(&challenge::write(&asked)), &reader()).unwrap();
        assert_same(&read, &asked);
    }
}

#[test]
fn credentials_come_over_as_long_as_they_are_kept() {
    let asked = challenges().remove(0);
    let once = |credential: Credential| credential.with_persistence(Persistence::None).unwrap();
    for credential in [
        Credential::new("ann", "open sesame"),
        Credential::new("", ""),
        once(Credential::new("ann", "\u{0}\u{e4}\"")),
        Credential::from_token("YII="),
    ] {
        let given = Disposition::UseCredential(credential);
        let read = disposition::read(&sent(&disposition::write(&given)), Some(asked.clone()));
        assert_eq!(read, given);
    }
}

#[test]
fn an_answer_that_is_not_understood_gives_nothing_away() {
    let pair = json!({ "user": "ann", "password": "pw", "keeps": true });
    let is_taken = json!({ "do": "use", "credential": pair });
    assert!(matches!(disposition::read(&is_taken, None), Disposition::UseCredential(_)));
    for given in [
        json!(null),
        json!("use"),
        json!({}),
        json!({ "do": "sign" }),
        json!({ "do": "use" }),
        json!({ "do": "use", "credential": {} }),
        json!({ "do": "use", "credential": { "keeps": true } }),
        json!({ "do": "use", "credential": { "keeps": false } }),
        json!({ "do": "use", "credential": { "user": "ann", "keeps": true } }),
        json!({ "do": "use", "credential": { "user": "ann", "password": "pw" } }),
        json!({ "do": "use", "credential": { "token": "YII=", "keeps": true } }),
        json!({ "do": "use", "credential": { "identity": {}, "keeps": true } }),
        json!({ "do": "use", "credential": { "host": "a.test", "certificate": "AQ==", "keeps": false } }),
    ] {
        for asked in [None, challenges().pop()] {
            let read = disposition::read(&given, asked);
            assert_eq!(read, Disposition::RejectProtectionSpace, "{given}");
        }
    }
}

#[cfg(feature = "tls")]
mod certificates {
    use std::sync::Arc;

    use super::*;
    use crate::configuration::Configuration;
    use crate::credentials::{AuthenticationMethod, ProtectionSpace};
    use crate::error::ErrorKind;
    use crate::testing::Authority;
    use crate::trust::{Certificate, Identity, PublicKeyPins, Roots, ServerTrust, TrustPolicy};

    /// Returns what a server has shown to a session that trusts nobody.
    fn shown(host: &str, certificates: &[Vec<u8>]) -> ServerTrust {
        let roots = Roots::new(&[], false).unwrap();
        let policy = Arc::new(TrustPolicy::new(roots, Vec::new(), Default::default()));
        let certificates = certificates.iter().cloned().map(Certificate::from_der).collect();
        ServerTrust::new(host, certificates, &policy)
    }

    fn asking(trust: &ServerTrust) -> Challenge {
        let method = AuthenticationMethod::ServerTrust;
        let space = ProtectionSpace::new("shop.test", 443, "https", method);
        Challenge::new(space.showing(trust.clone()))
    }

    #[test]
    fn what_a_server_has_shown_is_evaluated_as_the_programs_session_would() {
        let authority = Authority::new();
        let made = authority.intermediate().identity(&["shop.test"]);
        let asked = asking(&shown("shop.test", made.chain_der()));
        let root = Certificate::from_der(authority.certificate_der());
        let trusting = Configuration::background("films").trusts_system_roots(false);
        let pins = PublicKeyPins::from_hashes("shop.test", [[0; 32]]).unwrap();
        for (configuration, refused) in [
            (trusting.clone().additional_roots([root.clone()]), None),
            (trusting.clone(), Some(ErrorKind::ServerCertificateHasUnknownRoot)),
            (
                trusting.additional_roots([root]).pinned_public_keys([pins]),
                Some(ErrorKind::ServerCertificateUntrusted),
            ),
        ] {
            let reader = crate::background::protocol::Reader::new(&configuration).unwrap();
            let read = challenge::read(&sent(&challenge::write(&asked)), &reader).unwrap();
            assert_same(&read, &asked);
            let trust = read.protection_space().server_trust().unwrap();
            let original = asked.protection_space().server_trust().unwrap();
            assert_eq!(
                (trust.host(), trust.certificates()),
                ("shop.test", original.certificates())
            );
            assert_eq!(trust.evaluate().err().map(|error| error.kind()), refused);
        }
        let broken =
            Configuration::background("films").additional_roots([Certificate::from_der([1, 2, 3])]);
        assert!(crate::background::protocol::Reader::new(&broken).is_err());
    }

    #[test]
    fn trust_is_in_what_was_asked_about_and_in_nothing_else() {
        let authority = Authority::new();
        let (one, other) = (authority.identity(&["shop.test"]), authority.identity(&["shop.test"]));
        let trust = shown("shop.test", one.chain_der());
        let asked = asking(&trust);
        // As the program has it: made of what was read.
        let read = challenge::read(&sent(&challenge::write(&asked)), &reader()).unwrap();
        let again = read.protection_space().server_trust().unwrap();
        for (given, is_trusted) in [
            (again.clone(), true),
            (shown("shop.test", one.chain_der()), true),
            (shown("shop.test", other.chain_der()), false),
            (shown("cart.test", one.chain_der()), false),
            (shown("shop.test", &[]), false),
        ] {
            let given = Disposition::UseCredential(Credential::for_trust(&given));
            let answer = disposition::read(&sent(&disposition::write(&given)), Some(asked.clone()));
            match answer {
                Disposition::UseCredential(credential) => {
                    assert!(is_trusted && credential.accepts(&trust));
                }
                answer => {
                    assert!(!is_trusted, "{given:?}");
                    assert_eq!(answer, Disposition::RejectProtectionSpace);
                }
            }
        }
        let given = Disposition::UseCredential(Credential::for_trust(&trust));
        for asked in [None, challenges().pop()] {
            let answer = disposition::read(&disposition::write(&given), asked);
            assert_eq!(answer, Disposition::RejectProtectionSpace);
        }
    }

    #[test]
    fn an_identity_comes_over_with_its_key_and_is_the_same_each_time() {
        let method = AuthenticationMethod::ClientCertificate;
        let space = ProtectionSpace::new("shop.test", 443, "https", method)
            .accepting(vec![vec![0x30, 0], vec![0xff]]);
        let asked = Challenge::new(space);
        let made = Authority::new().intermediate().identity(&["ann"]);
        let identity = Identity::from_pem(made.chain_pem() + &made.key_pem(), None).unwrap();
        let credential = Credential::from_identity(&identity);
        let given = Disposition::UseCredential(credential.clone());
        let answer = || {
            let answer = disposition::read(&sent(&disposition::write(&given)), Some(asked.clone()));
            let Disposition::UseCredential(read) = answer else { panic!("{answer:?}") };
            read
        };
        let (first, again) = (answer(), answer());
        let read = first.identity().unwrap();
        assert_eq!(read.certificates(), identity.certificates());
        assert_eq!(read.private_key(), identity.private_key());
        assert_eq!(first.persistence(), credential.persistence());
        // So that a storage keeps one of it, and connections are shared.
        assert!(first == again && first != credential);
        assert!(!format!("{first:?} {read:?} {given:?}").contains("key"));

        let asked = asked.proposing(Some(first.clone()));
        let read = challenge::read(&sent(&challenge::write(&asked)), &reader()).unwrap();
        assert_same(&read, &asked);

        let other = Authority::new().identity(&["bob"]);
        let mut json = disposition::write(&given);
        let key = super::super::super::super::form::binary(other.key_der());
        json["credential"]["identity"]["key"] = key.into();
        assert_eq!(disposition::read(&json, Some(asked)), Disposition::RejectProtectionSpace);
    }
}
