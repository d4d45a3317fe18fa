//! What a configuration means to the engine and to loads.

use crate::census::Census;
use crate::configuration::Configuration;
#[cfg(feature = "tls")]
use crate::engine::Trust;
use crate::engine::{IdleLimits, Settings};
use crate::hsts::{Hsts, HstsStorage};
use crate::load::{Authenticator, Cookies, Rules};
use crate::request::Redirects;

/// How many idle connections are kept in all, if the program does not say.
const MOST_IDLE: usize = 256;

/// Returns what the engine is made with.
pub(super) fn engine(configuration: &Configuration, census: &Census) -> Settings {
    Settings {
        idle: IdleLimits {
            // As the one used last is used first, those that are more than were ever in use at
            // once within the timeout have grown old.
            per_origin: configuration.maximum_idle_connections_per_host.unwrap_or(usize::MAX),
            in_all: configuration.maximum_idle_connections.unwrap_or(MOST_IDLE),
            timeout: configuration.idle_connection_timeout,
        },
        #[cfg(feature = "tls")]
        trust: Trust {
            versions: (configuration.tls_minimum_version, configuration.tls_maximum_version),
            roots: configuration.additional_roots.clone(),
            system_roots: configuration.trusts_system_roots,
            pins: configuration.pinned_public_keys.clone(),
        },
        #[cfg(feature = "tls")]
        credentials: configuration.credential_storage.clone(),
        resolver: configuration.resolver.clone(),
        #[cfg(unix)]
        unix_socket: configuration.unix_socket.clone(),
        clock: configuration.clock.clone(),
        census: census.clone(),
    }
}

/// Returns what every load has to keep to.
pub(super) fn rules(configuration: &Configuration) -> Rules {
    let mut rules = Rules::new(&configuration.additional_headers, configuration.decodes_bodies);
    rules.https_only = configuration.https_only;
    rules.allows_insecure_redirects = configuration.allows_insecure_redirects;
    rules.redirects = Redirects {
        are_followed: configuration.follows_redirects,
        most: configuration.maximum_redirects,
    };
    rules.stores.authenticator = authenticator(configuration);
    rules.stores.cookies = Cookies {
        storage: configuration.cookie_storage.clone(),
        accept_policy: configuration.cookie_accept_policy,
        sends: configuration.sends_cookies,
    };
    rules.stores.hsts = hsts(configuration);
    rules
}

fn hsts(configuration: &Configuration) -> Option<HstsStorage> {
    let Configuration { hsts, state_directory, program, clock, .. } = configuration;
    match hsts {
        Hsts::Off => None,
        Hsts::InMemory => Some(HstsStorage::in_memory(clock)),
        Hsts::Persistent => {
            let (state, program) = (state_directory.as_deref(), program.as_deref());
            Some(HstsStorage::of_program(state, program, clock))
        }
    }
}

fn authenticator(configuration: &Configuration) -> Authenticator {
    let mut authenticator = Authenticator::new(configuration.credential_storage.clone());
    authenticator.requires_proof = configuration.requires_digest_proof;
    #[cfg(feature = "netrc")]
    if configuration.uses_netrc {
        return authenticator.with_netrc();
    }
    authenticator
}
