//! The doors of `fuzz/` to the parsers: not part of the API, and not there in a usual build.
//!
//! cargo-fuzz sets `--cfg fuzzing`. Each function takes any bytes, and panics where something
//! does not hold that always must. The tests run them on the corpus, which keeps what was found.

#[cfg(feature = "background")]
pub use crate::background::fuzz::journal;
#[cfg(all(feature = "daemon", unix))]
pub use crate::background::protocol_fuzz::protocol;
pub use crate::cookies::fuzz::cookie;
pub use crate::credentials::fuzz::challenge;
#[cfg(feature = "netrc")]
pub use crate::credentials::fuzz::netrc;
pub use crate::engine::fuzz::{chunked, head};
#[cfg(feature = "gzip")]
pub use crate::load::fuzz::gzip;
pub use crate::response::fuzz::disposition;
#[cfg(feature = "pkcs12")]
pub use crate::trust::fuzz::pkcs12;
#[cfg(feature = "tls")]
pub use crate::trust::fuzz::{certificate, pem};

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    type Target = fn(&[u8]);

    /// Every target of this build.
    const TARGETS: &[(&str, Target)] = &[
        ("challenge", super::challenge),
        ("chunked", super::chunked),
        ("cookie", super::cookie),
        ("disposition", super::disposition),
        ("head", super::head),
        #[cfg(feature = "gzip")]
        ("gzip", super::gzip),
        #[cfg(feature = "background")]
        ("journal", super::journal),
        #[cfg(feature = "netrc")]
        ("netrc", super::netrc),
        #[cfg(all(feature = "daemon", unix))]
        ("protocol", super::protocol),
        #[cfg(feature = "tls")]
        ("certificate", super::certificate),
        #[cfg(feature = "tls")]
        ("pem", super::pem),
        #[cfg(feature = "pkcs12")]
        ("pkcs12", super::pkcs12),
    ];

    #[test]
    fn what_holds_always_holds_for_the_corpus() {
        for (name, target) in TARGETS {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
            // It is not in the package.
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            let files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
            assert!(files.len() > 2, "{name}: too few seeds");
            for file in files {
                target(&fs::read(&file).unwrap());
            }
        }
    }
}
