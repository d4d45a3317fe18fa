//! The memory that large bodies take, measured in a process of its own.

use std::io::{self, Read};
use std::process::Command;
use std::{env, fs, str};

use urlsession::{Body, Multipart, Part, Request, Session};

use crate::{NGINX, configuration, given};

/// What the process that a test started is to do.
const TOLD: &str = "URLSESSION_TEST_TRANSFER";
const GIB: u64 = 1 << 30;
const UPLOAD: u64 = 256 << 20;

/// The most memory that this process has had so far, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn transfer(told: &str) {
    let session = Session::new(trusting(told)).unwrap();
    let (what, url) = told.split_once(' ').unwrap();
    let before = peak();
    let moved = match what {
        "download" => {
            let mut bytes = session.bytes(url).unwrap();
            let (mut buffer, mut length) = (vec![0; 64 * 1024], 0);
            loop {
                match bytes.read(&mut buffer).unwrap() {
                    0 => break length,
                    count => length += count as u64,
                }
            }
        }
        "multipart-upload" => {
            let file = env::temp_dir().join(format!("urlsession-{}-large", std::process::id()));
            // Holes: it takes no disk.
            fs::File::create(&file).and_then(|file| file.set_len(UPLOAD)).unwrap();
            let part = Part::new(Body::file(&file).with_length(UPLOAD)).file_name("large");
            let form = Multipart::new().text("tag", "large").part("file", part);
            let framing = Body::from(form.clone()).length().unwrap() - UPLOAD;
            let data = session.data(Request::post(url).multipart(form));
            fs::remove_file(&file).unwrap();
            data.unwrap().text().parse::<u64>().unwrap() - framing
        }
        _ => {
            let body = match what {
                "upload" => Body::reader(io::repeat(0).take(UPLOAD)).with_length(UPLOAD),
                _ => Body::reader(io::repeat(0).take(UPLOAD)),
            };
            session.data(Request::post(url).body(body)).unwrap().text().parse().unwrap()
        }
    };
    println!("moved {moved} bytes, peak grew by {} KiB.", peak() - before);
}

#[cfg(feature = "tls")]
fn trusting(told: &str) -> urlsession::Configuration {
    if told.contains(" https:") { crate::tls::trusting().1 } else { configuration() }
}

#[cfg(not(feature = "tls"))]
fn trusting(_told: &str) -> urlsession::Configuration {
    configuration()
}

/// Starts this program anew for this one transfer; returns bytes moved and KiB of growth.
fn in_a_process_of_its_own(told: &str) -> (u64, u64) {
    let mut program = Command::new(env::current_exe().unwrap());
    program.args(["--exact", "--include-ignored", "--nocapture"]);
    program.arg("peak_memory::large_bodies_take_little_memory");
    let output = program.env(TOLD, told).output().unwrap();
    let text = str::from_utf8(&output.stdout).unwrap();
    let numbers = text.split_once("moved ").and_then(|(_, text)| {
        let (moved, text) = text.split_once(" bytes, peak grew by ")?;
        let (growth, _) = text.split_once(" KiB.")?;
        Some((moved.parse().ok()?, growth.parse().ok()?))
    });
    numbers.unwrap_or_else(|| panic!("{told}: {output:?}"))
}

#[test]
#[ignore = "needs the servers of .ci/run"]
fn large_bodies_take_little_memory() {
    if let Ok(told) = env::var(TOLD) {
        return transfer(&told);
    }
    for base in [
        given(NGINX),
        #[cfg(feature = "tls")]
        crate::tls::trusting().0,
    ] {
        for (what, path, expected) in [
            ("download", "large.bin", GIB),
            ("upload", "upload", UPLOAD),
            ("upload-in-chunks", "upload", UPLOAD),
            ("multipart-upload", "upload", UPLOAD),
        ] {
            let told = format!("{what} {base}/{path}");
            let (moved, growth) = in_a_process_of_its_own(&told);
            println!("{told}: {moved} bytes, {growth} KiB");
            assert_eq!(moved, expected, "{told}");
            assert!(growth < 16 * 1024, "{told}: {growth} KiB");
        }
    }
}
