//! Certificates of the client, with nginx.

use std::fs;
use std::sync::{Arc, Mutex};

use urlsession::testing::Authority;
use urlsession::{
    AuthenticationMethod, Challenge, Configuration, Credential, CredentialStorage, Delegate,
    DeliveryQueue, Disposition, Identity, ProtectionSpace, Reply, Session, TlsVersion,
};

use crate::relay::Relay;
use crate::tls::trusting;
use crate::{NGINX_ASKS, NGINX_CLIENT, NGINX_REQUIRES, given};

const CLIENT: AuthenticationMethod = AuthenticationMethod::ClientCertificate;

/// A relay to the server, settings that trust it, and the identity that it knows.
fn place(server: &str) -> (Relay, Configuration, Identity) {
    let (server, (_, configuration), client) = (given(server), trusting(), given(NGINX_CLIENT));
    let identity = Identity::from_pem(fs::read(client).unwrap(), None).unwrap();
    (Relay::to(&server), configuration, identity)
}

/// Answers the question for a certificate, and notes who may have issued it.
struct Holder {
    answer: Disposition,
    issuers: Mutex<Vec<String>>,
}

impl Delegate for Holder {
    fn session_did_receive_challenge(
        &self,
        _: &Session,
        challenge: &Challenge,
        reply: Reply<Disposition>,
    ) {
        let space = challenge.protection_space();
        if space.method() == CLIENT {
            let names = space.distinguished_names().iter().map(ToString::to_string);
            self.issuers.lock().unwrap().extend(names);
            reply.answer(self.answer.clone());
        }
    }
}

fn holding(configuration: Configuration, answer: Disposition) -> (Session, Arc<Holder>) {
    let holder = Arc::new(Holder { answer, issuers: Mutex::default() });
    let queue = DeliveryQueue::serial();
    (Session::with_delegate(configuration, holder.clone(), queue).unwrap(), holder)
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn a_stored_identity_is_shown_on_the_first_connection() {
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let (relay, mut configuration, identity) = place(NGINX_REQUIRES);
        let storage = CredentialStorage::new();
        let space = ProtectionSpace::new("localhost", relay.port(), "https", CLIENT);
        storage.set_default(&Credential::from_identity(&identity), &space);
        configuration.credential_storage = Some(storage);
        (configuration.tls_minimum_version, configuration.tls_maximum_version) = (version, version);
        let session = Session::new(configuration).unwrap();
        for requests in 1..=3 {
            let data = session.data(relay.url("/who")).unwrap();
            let expected = format!("SUCCESS CN=ann,O=The Shop {requests}");
            assert_eq!(data.text(), expected, "{version:?}");
        }
        assert_eq!(relay.connections(), 1, "{version:?}");
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn an_identity_of_a_delegate_takes_a_second_connection() {
    for server in [NGINX_REQUIRES, NGINX_ASKS] {
        for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
            let (relay, mut configuration, identity) = place(server);
            configuration.tls_minimum_version = version;
            configuration.tls_maximum_version = version;
            let answer = Disposition::UseCredential(Credential::from_identity(&identity));
            let (session, holder) = holding(configuration, answer);
            for requests in 1..=3 {
                let data = session.data_task(relay.url("/who")).run().unwrap();
                let expected = format!("SUCCESS CN=ann,O=The Shop {requests}");
                assert_eq!(data.text(), expected, "{server} {version:?}");
            }
            assert_eq!(relay.connections(), 2, "{server} {version:?}");
            let issuers = holder.issuers.lock().unwrap();
            assert_eq!(*issuers, ["CN=urlsession test authority"], "{server} {version:?}");
        }
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn without_an_identity_the_server_decides_what_happens() {
    for (server, status, text) in [
        (NGINX_ASKS, 200, "NONE  1"),
        (NGINX_REQUIRES, 400, "No required SSL certificate was sent"),
    ] {
        for answer in [Disposition::PerformDefaultHandling, Disposition::RejectProtectionSpace] {
            let (relay, configuration, _) = place(server);
            let name = format!("{server} {answer:?}");
            let (session, _) = holding(configuration, answer);
            let data = session.data_task(relay.url("/who")).run().unwrap();
            assert_eq!(data.response.status(), status, "{name}");
            assert!(data.text().contains(text), "{name}: {}", data.text());
            assert_eq!(relay.connections(), 1, "{name}");
        }
    }
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn an_identity_of_an_unknown_authority_is_refused_by_the_server() {
    let (relay, configuration, _) = place(NGINX_REQUIRES);
    let stranger = Authority::new().identity(&["ann"]);
    let stranger = Identity::from_pem(stranger.chain_pem() + &stranger.key_pem(), None).unwrap();
    let answer = Disposition::UseCredential(Credential::from_identity(&stranger));
    let (session, _) = holding(configuration, answer);
    let data = session.data_task(relay.url("/who")).run().unwrap();
    assert_eq!(data.response.status(), 400);
    assert!(data.text().contains("The SSL certificate error"), "{}", data.text());
}
