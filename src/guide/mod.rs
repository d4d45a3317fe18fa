//! Longer explanations, for reading.

// The programs of these pages need `json`, and one of them `tls`.
#[cfg(any(not(doctest), all(feature = "json", feature = "tls")))]
#[doc = include_str!("nsurlsession.md")]
pub mod nsurlsession {}

#[doc = include_str!("coming_from_ureq.md")]
pub mod coming_from_ureq {}

#[cfg(any(not(doctest), feature = "json"))]
#[doc = include_str!("coming_from_reqwest.md")]
pub mod coming_from_reqwest {}

#[cfg(any(not(doctest), feature = "json"))]
#[doc = include_str!("coming_from_urlsession_in_swift.md")]
pub mod coming_from_urlsession_in_swift {}

#[doc = include_str!("coming_from_urlsession_in_objective_c.md")]
pub mod coming_from_urlsession_in_objective_c {}

#[doc = include_str!("trust_and_challenges.md")]
pub mod trust_and_challenges {}

#[doc = include_str!("downloads.md")]
pub mod downloads {}

// One of its programs needs `daemon`.
#[cfg(any(not(doctest), feature = "daemon"))]
#[doc = include_str!("background.md")]
pub mod background {}
