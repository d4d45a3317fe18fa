//! Thirty files from a server of the program's own, which fails at some first.

use std::error::Error;
use std::path::Path;
use std::process::{self, ExitCode};
use std::{env, fs};

use urlsession::testing::{Answer, Server};

type Run = fn(&Path, &[String]) -> Result<ExitCode, Box<dyn Error>>;

pub(crate) fn run(download: Run) -> Result<ExitCode, Box<dyn Error>> {
    let server = Server::start();
    for _ in 0..5 {
        server.enqueue(Answer::status(503));
    }
    server.handle(|_| Answer::ok("").body_of_size(1 << 20));
    let urls: Vec<String> = (1..=30).map(|n| server.url(&format!("/{n}.bin"))).collect();
    let folder = env::temp_dir().join(format!("downloads-{}", process::id()));
    let code = download(&folder, &urls)?;
    // After Ctrl-C it is not there.
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(code)
}
