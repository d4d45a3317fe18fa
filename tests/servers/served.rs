//! Files that servers send, and that change.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use urlsession::{Resolver, Session};

use crate::{
    APACHE, APACHE_FILES, CADDY, CADDY_FILES, LIGHTTPD, LIGHTTPD_FILES, NGINX, NGINX_FILES,
    configuration, given,
};

/// The servers that send parts, and their folders.
pub(crate) const WITH_PARTS: [(&str, &str); 4] = [
    (NGINX, NGINX_FILES),
    (APACHE, APACHE_FILES),
    (CADDY, CADDY_FILES),
    (LIGHTTPD, LIGHTTPD_FILES),
];

pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);

/// A film of so many bytes, of which no two versions have a part in common.
pub(crate) fn film(version: u32, size: usize) -> Vec<u8> {
    let mut state = version;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..size).map(next).collect()
}

/// A file that a server sends, removed with this.
pub(crate) struct Served {
    /// Such as `http://127.0.0.1:8080`.
    pub(crate) server: String,
    file: PathBuf,
}

impl Served {
    /// Puts the first version into the folder of the server, of so many bytes, an hour old.
    pub(crate) fn new((server, folder): (&str, &str), name: &str, size: usize) -> Self {
        let file = Path::new(&given(folder)).join(format!("{name}.bin"));
        let served = Self { server: given(server), file };
        served.put(&film(1, size), HOUR);
        served
    }

    /// Puts a film in the place of the one that is there: who has that open goes on with it.
    pub(crate) fn put(&self, film: &[u8], age: Duration) {
        let beside = self.file.with_extension("new");
        fs::write(&beside, film).unwrap();
        let file = File::options().write(true).open(&beside).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
        fs::rename(beside, &self.file).unwrap();
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/{}", self.server, self.file.file_name().unwrap().to_str().unwrap())
    }

    /// Returns a session that connects to this place instead of the server.
    pub(crate) fn session_by_way_of(&self, place: SocketAddr) -> Session {
        let mut configuration = configuration();
        configuration.resolver = Some(Resolver::new(move |_, _| Ok(vec![place])));
        Session::new(configuration).unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.strip_prefix("http://").unwrap().parse().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It is the scratch folder of the run.
        let _ = fs::remove_file(&self.file);
    }
}
