//! `urlsessiond`: hosts the background sessions of programs that use this crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    urlsession::background::urlsessiond().into()
}
