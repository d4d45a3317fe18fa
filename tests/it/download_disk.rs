//! Downloads to a disk that is full: each test program mounts one for itself alone.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{ErrorKind, Session};

use crate::support::folder::Folder;
use crate::support::parts;
use crate::support::running::{nothing_is_left, session, wait_for};

/// Tells the test that it was started anew, and where the small disk is.
const PLACE: &str = "URLSESSION_IT_SMALL_DISK";
const NAME: &str = "download_disk::a_full_disk_is_an_error_of_its_own_and_leaves_nothing";
const MOUNT: &str = r#"mount -t tmpfs -o size=256k tmpfs "$1" || exit 77; shift; exec "$@""#;

/// Starts this test anew with a small disk that no other process sees; returns whether the
/// system let it mount one.
fn passes_on_a_small_disk(unshare: &[&str], volume: &Path) -> bool {
    let mut command = Command::new(unshare[0]);
    command.args(&unshare[1..]).args(["sh", "-c", MOUNT, "sh"]).arg(volume);
    command.arg(env::current_exe().unwrap()).args(["--exact", NAME]).env(PLACE, volume);
    let Ok(output) = command.output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let refused = errors.contains("unshare: ") || output.status.code() == Some(77);
    assert!(refused || text.contains("test result: ok. 1 passed"), "{text}\n{errors}");
    !refused
}

fn names(volume: &Path) -> Vec<PathBuf> {
    fs::read_dir(volume).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_full_disk_is_an_error_of_its_own_and_leaves_nothing() {
    let Some(volume) = env::var_os(PLACE).map(PathBuf::from) else {
        let folder = Folder::new();
        let ways: [&[&str]; 2] =
            [&["unshare", "--mount"], &["unshare", "--user", "--map-root-user", "--mount"]];
        if !ways.iter().any(|unshare| passes_on_a_small_disk(unshare, folder.path())) {
            println!("skipped: this process may not mount");
        }
        return;
    };
    let server = Server::start();
    server.handle(|request| match request.path() {
        "/large" => Answer::status(200).body_of_size(1 << 20),
        _ => Answer::status(200).body_of_size(100_000),
    });
    let session = session(|all| all.temporary_directory = Some(volume.clone()));
    let counters = Counters::of(&session);
    for saves in [false, true] {
        let error = match saves {
            true => session.download_to(server.url("/large"), volume.join("a")).unwrap_err(),
            false => session.download(server.url("/large")).unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::StorageFull, "saves: {saves}: {error}");
        assert!(error.to_string().contains("no space left"), "{error}");
        assert_eq!((names(&volume), counters.files()), (Vec::new(), 0), "saves: {saves}");
    }
    what_has_come_goes_on_when_there_is_room(&server, &session, &volume);
    what_has_no_room_ends_all_its_parts(&session, &volume);

    // There is room again for what fits.
    session.download_to(server.url("/small"), volume.join("a")).unwrap();
    assert_eq!(names(&volume), [volume.join("a")]);
    nothing_is_left(session, &[&server]);
}

/// Whichever of them finds it full.
fn what_has_no_room_ends_all_its_parts(session: &Session, volume: &Path) {
    let server = Server::start();
    let film = vec![7; 6 << 20];
    let total = film.len();
    server.handle(move |request| {
        let answer = parts::answer(request, &film, "\"1\"");
        // The first answer brings nothing before the others are there.
        let is_first = request.header("range").is_none();
        if is_first { answer.stall_in_body_after(1) } else { answer }
    });
    let task = session.download_task(server.url("/film"));
    task.save_to(volume.join("a")).unwrap();
    task.segments(3).unwrap();
    let error = task.run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
    let data = error.resume_data().unwrap();
    assert!((1..300_000).contains(&data.received()), "{data:?}");
    assert_eq!(data.total(), Some(total as u64));
    drop((task, error));
    wait_for("nothing is left", || names(volume).is_empty());
}

/// What has come is kept where that was asked for.
fn what_has_come_goes_on_when_there_is_room(server: &Server, session: &Session, volume: &Path) {
    let ballast = volume.join("ballast");
    fs::write(&ballast, [0; 120_000]).unwrap();
    let film: Vec<u8> = (0..200_000_u32).map(|at| (at / 7) as u8).collect();
    server.handle(move |request| match request.header("range") {
        None => Answer::ok(&film).header("ETag", "\"1\""),
        Some(range) => {
            let first = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
            let first = first.unwrap().parse::<usize>().unwrap();
            let rest = Answer::status(206).header("ETag", "\"1\"").body(&film[first..]);
            rest.header("Content-Range", format!("bytes {first}-199999/200000"))
        }
    });
    let resumable = || {
        let task = session.download_task(server.url("/film"));
        task.save_to(volume.join("film")).unwrap();
        task.resumable(true).unwrap();
        task.run()
    };
    let error = resumable().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
    drop(error);
    let left = [".film.part", ".film.resume", "ballast"].map(|name| volume.join(name));
    let mut found = names(volume);
    found.sort();
    assert_eq!(found, left);
    let kept = fs::metadata(&left[0]).unwrap().len();
    assert!(kept > 0, "{kept}");
    fs::remove_file(ballast).unwrap();
    drop(resumable().unwrap());
    let whole = fs::read(volume.join("film")).unwrap();
    assert!(whole.iter().enumerate().all(|(at, byte)| *byte == (at / 7) as u8));
    assert_eq!((whole.len(), names(volume)), (200_000, vec![volume.join("film")]));
    fs::remove_file(volume.join("film")).unwrap();
    server.handle(|_| Answer::status(200).body_of_size(100_000));
}
