//! The roots in files and folders, as OpenSSL reads them: those that `SSL_CERT_FILE` and
//! `SSL_CERT_DIR` name, and those of the system.
//!
//! They are read here, as what people name is written by many tools, and is passed over by the
//! usual reader of the system's stores without a word. That one is for systems whose store is not
//! in files; where it is, it brings a second reader of PEM text into each program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use crate::trust::pem;

/// What was found: certificates, and in words what cannot be used.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) certificates: Vec<Vec<u8>>,
    /// What is missing although it is named.
    pub(super) errors: Vec<String>,
    /// What is there and no certificate to be trusted.
    pub(super) odd: Vec<String>,
    /// Somebody has named them, and wants to know what else is there.
    are_named: bool,
    read: Vec<PathBuf>,
}

/// Reads what the variables name; `None` if they name nothing.
pub(super) fn named(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<Found> {
    let file = variable("SSL_CERT_FILE").map(PathBuf::from);
    let folders = variable("SSL_CERT_DIR").unwrap_or_default();
    let mut folders = env::split_paths(&folders).filter(|path| !path.as_os_str().is_empty());
    let first = folders.next();
    if file.is_none() && first.is_none() {
        return None;
    }
    let mut found = Found { are_named: true, ..Found::default() };
    if let Some(file) = file {
        found.read_file(&file);
    }
    first.into_iter().chain(folders).for_each(|folder| found.read_folder(&folder));
    Some(found)
}

/// Reads the system's, where systems of this kind are known to keep them.
#[cfg(all(unix, not(target_os = "macos")))]
pub(super) fn of_system() -> Found {
    let places = openssl_probe::probe();
    let mut found = Found::default();
    if let Some(file) = places.cert_file {
        found.read_file(&file);
    }
    places.cert_dir.iter().for_each(|folder| found.read_folder(folder));
    found
}

/// Reads the system's.
#[cfg(not(all(unix, not(target_os = "macos"))))]
pub(super) fn of_system() -> Found {
    let found = rustls_native_certs::load_native_certs();
    let certificates = found.certs.iter().map(|one| one.to_vec()).collect();
    let errors = found.errors.iter().map(ToString::to_string).collect();
    Found { certificates, errors, ..Found::default() }
}

impl Found {
    fn fails(&mut self, path: &Path, error: &io::Error) {
        self.errors.push(format!("{}: {error}", path.display()));
    }

    fn read_folder(&mut self, folder: &Path) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.fails(folder, &error),
        };
        for entry in entries {
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(error) => return self.fails(folder, &error),
            };
            // Links by hashes of names lead to the same files as the files themselves; some of
            // them lead nowhere.
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => self.read_file(&path),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.fails(&path, &error),
            }
        }
    }

    fn read_file(&mut self, path: &Path) {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        // They are hundreds at most, and compared as bytes.
        if self.read.iter().any(|known| known.as_os_str() == real.as_os_str()) {
            return;
        }
        self.read.push(real);
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) => return self.fails(path, &error),
        };
        for found in pem::certificates(&text) {
            match found {
                Ok(certificate) => self.certificates.push(certificate),
                Err(odd) if odd.is_broken || self.are_named => {
                    self.odd.push(format!("{}: {}", path.display(), odd.words));
                }
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
    }

    /// How many certificates are found, what is odd, and what fails.
    fn read(file: Option<PathBuf>, folders: &[PathBuf]) -> Option<(usize, usize, usize)> {
        let folders = env::join_paths(folders).unwrap();
        let found = named(&|name| match name {
            "SSL_CERT_FILE" => file.clone().map(OsString::from),
            _ => Some(folders.clone()),
        });
        found.map(|found| (found.certificates.len(), found.odd.len(), found.errors.len()))
    }

    #[test]
    fn files_of_other_tools_are_read_whole_and_what_is_not_is_told() {
        let (bom, x509) = ("identities/bom-ca.pem", "identities/x509-label-ca.pem");
        for (file, folders, expected) in [
            (None, &[][..], None),
            (None, &[PathBuf::new()], None),
            (Some(bom), &[], Some((1, 0, 0))),
            (Some(x509), &[], Some((1, 0, 0))),
            (Some("identities/trusted.pem"), &[], Some((1, 0, 0))),
            (Some("identities/rejected.pem"), &[], Some((0, 1, 0))),
            (Some("identities/ec-sec1-without-public.pem"), &[], Some((1, 1, 0))),
            (Some("nowhere.pem"), &[], Some((0, 0, 1))),
            (Some("README.md"), &[], Some((0, 0, 0))),
            (None, &[fixture("nowhere")], Some((0, 0, 1))),
            (None, &[fixture("trust"), fixture("trust")], Some((10, 1, 0))),
            (Some("trust/v1.pem"), &[fixture("trust")], Some((10, 1, 0))),
        ] {
            let row = format!("{file:?} {folders:?}");
            assert_eq!(read(file.map(fixture), folders), expected, "{row}");
        }
    }

    #[test]
    fn of_what_nobody_has_named_only_what_is_broken_is_told() {
        let mut found = Found::default();
        for file in ["ec-sec1-without-public.pem", "rejected.pem"] {
            found.read_file(&fixture("identities").join(file));
        }
        assert_eq!((found.certificates.len(), found.odd.len()), (1, 0));
        let broken = env::temp_dir().join(format!("urlsession-broken-{}", std::process::id()));
        fs::write(&broken, "-----BEGIN CERTIFICATE-----\n").unwrap();
        found.read_file(&broken);
        fs::remove_file(&broken).unwrap();
        assert_eq!((found.certificates.len(), found.odd.len()), (1, 1), "{:?}", found.odd);
    }
}
