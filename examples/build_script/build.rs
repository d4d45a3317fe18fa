//! Downloads the list of words that the program is built with, and checks its digest.
//!
//! Without a network the program is built all the same, without words, and cargo shows a
//! warning; every later build looks again. Something else than what was meant is an error: it must never be built in.

use std::error::Error;
use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use sha2::{Digest, Sha256};
use urlsession::{Configuration, Session};

/// Where it is; another place can be named by the variable `WORDS_URL`.
const URL: &str = "http://shop.test/words.txt";
/// What it is.
const SHA256: &str = "047422e1ba03c8117f093203787d0208c264dd873bad9984924655c68ee65a15";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=WORDS_URL");
    let folder = env::var("OUT_DIR")?;
    let place = Path::new(&folder).join("words.txt");
    if is_right(&place)? {
        // It is there from an earlier build.
        return Ok(());
    }
    let url = env::var("WORDS_URL").unwrap_or_else(|_| URL.to_owned());
    if let Err(error) = download(&url, &folder, &place) {
        println!("cargo::warning=built without words: {error}");
        // A file that is never there: cargo runs this again at the next build, whatever has changed.
        println!("cargo::rerun-if-changed={folder}/words-of-the-next-build");
        fs::write(&place, "")?;
    } else if !is_right(&place)? {
        fs::remove_file(&place)?;
        return Err(format!("what came from {url} does not have the SHA-256 {SHA256}").into());
    }
    Ok(())
}

fn download(url: &str, folder: &str, place: &Path) -> Result<(), Box<dyn Error>> {
    let mut configuration = Configuration::ephemeral();
    // A build does not wait for long, and writes nowhere else.
    configuration.timeout_for_resource = Duration::from_secs(60);
    configuration.temporary_directory = Some(folder.into());
    let mut download = Session::new(configuration)?.download(url)?;
    if !download.response.status().is_success() {
        return Err(format!("{url} answered {}", download.response.status()).into());
    }
    Ok(download.file.persist_over(place)?)
}

fn is_right(place: &Path) -> Result<bool, Box<dyn Error>> {
    if !place.exists() {
        return Ok(false);
    }
    let digest = Sha256::digest(fs::read(place)?);
    let text: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(text == SHA256)
}
