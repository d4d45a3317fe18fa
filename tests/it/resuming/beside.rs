//! Downloads that keep what has come beside their place, for the next start of the program.

use std::path::Path;
#[cfg(any(feature = "tls", feature = "digest"))]
use std::time::Instant;

use urlsession::StartOver;
use urlsession::testing::Event;

use super::*;

/// Makes a download to `film.mp4` in the folder that can go on.
fn download(session: &Session, server: &Server, folder: &Folder) -> DownloadTask {
    let task = session.download_task(server.url("/film"));
    task.save_to(folder.path().join("film.mp4")).unwrap();
    task.resumable(true).unwrap();
    task
}

/// Begins one that is cut off.
fn cut_off(server: &Server, folder: &Folder, fields: &[(&str, &str)]) -> Error {
    let session = session_in(folder).1;
    server.enqueue(first_part(&film(1), fields));
    let error = download(&session, server, folder).run().unwrap_err();
    drop(server.take_request());
    error
}

/// Downloads again; returns what was told of it.
fn again(server: &Server, folder: &Folder) -> (Result<Vec<u8>, Error>, Vec<Event>) {
    let (recorder, session) = session_in(folder);
    let task = download(&session, server, folder);
    task.set_delegate(recorder.delegate()).unwrap();
    let outcome = run(&task);
    let is_told =
        |event: &Event| matches!(event, Event::Resumed { .. } | Event::StartedOver { .. });
    (outcome, recorder.take_events().into_iter().filter(is_told).collect())
}

fn resumed() -> [Event; 1] {
    [Event::Resumed { id: 1, offset: FIRST as u64, expected: Some(100_000) }]
}

fn lost() -> [Event; 1] {
    [Event::StartedOver { id: 1, reason: StartOver::Lost }]
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_same_download_goes_on_with_what_an_earlier_one_has_left() {
    let (folder, server) = (Folder::new(), Server::start());
    let error = cut_off(&server, &folder, TAGGED);
    assert_eq!(error.kind(), ErrorKind::NetworkConnectionLost);
    drop(error);
    assert_eq!(folder.names(), [".film.mp4.part", ".film.mp4.resume"]);
    #[cfg(unix)]
    for name in folder.names() {
        assert_eq!(mode(&folder.path().join(&name)), 0o600, "{name}");
    }
    server.enqueue(rest(&film(1), TAGGED));
    let (outcome, told) = again(&server, &folder);
    assert!(outcome.unwrap() == film(1));
    assert_eq!(told, resumed());
    assert_eq!(folder.names(), ["film.mp4"]);
    #[cfg(unix)]
    {
        let new = folder.file("new", "");
        assert_eq!(mode(&folder.path().join("film.mp4")), mode(&new));
    }
}

#[test]
fn a_cancel_leaves_what_has_come_too() {
    let (folder, server) = (Folder::new(), Server::start());
    let (_, session) = session_in(&folder);
    server.enqueue(Answer::ok(film(1)).header("ETag", "\"a\"").stall_in_body_after(FIRST as u64));
    let task = download(&session, &server, &folder);
    task.resume();
    server.wait_until(|stats| stats.stalled == 1);
    while task.progress().bytes_received < FIRST as u64 {
        std::thread::yield_now();
    }
    task.cancel();
    assert!(session.wait_until_idle(HANG));
    assert!(task.error().unwrap().resume_data().is_none());
    drop(server.take_request());
    server.enqueue(rest(&film(1), TAGGED));
    let (outcome, told) = again(&server, &folder);
    assert!(outcome.unwrap() == film(1));
    assert_eq!(told, resumed());
}

/// After a kill it goes on from there.
#[cfg(any(feature = "tls", feature = "digest"))]
#[test]
fn what_only_a_digest_proves_is_kept_on_the_way_too() {
    const COME: u64 = 9 * 1024 * 1024;
    let (folder, server) = (Folder::new(), Server::start());
    let (_, session) = session_in(&folder);
    // Nothing is said of it, not even its length.
    let answer = Answer::status(200).body_of_size(2 * COME).chunked(100_000);
    server.enqueue(answer.stall_in_body_after(COME));
    let task = download(&session, &server, &folder);
    task.expects_sha256("00".repeat(32)).unwrap();
    task.resume();
    server.wait_until(|stats| stats.stalled == 1);
    let (record, deadline) = (folder.path().join(".film.mp4.resume"), Instant::now() + HANG);
    while !record.exists() {
        assert!(Instant::now() < deadline, "nothing is written down");
        std::thread::yield_now();
    }
    task.cancel();
    assert!(session.wait_until_idle(HANG));
}

#[test]
fn nothing_is_left_of_what_could_not_go_on() {
    let (folder, server) = (Folder::new(), Server::start());
    drop(cut_off(&server, &folder, &[]));
    assert_eq!(folder.names(), [""; 0]);
    // Nor of an answer that is not the file.
    server.enqueue(Answer::status(404));
    let (outcome, _) = again(&server, &folder);
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::UnacceptableStatus);
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn one_without_a_place_is_refused_before_anything_is_sent() {
    let server = Server::start();
    let task = Session::shared().download_task(server.url("/film"));
    task.resumable(true).unwrap();
    let error = task.run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("name it by save_to"), "{error}");
    assert_eq!(server.connection_count(), 0);
}

#[test]
fn a_second_one_at_the_same_place_is_refused() {
    let (folder, server) = (Folder::new(), Server::start());
    let (_, session) = session_in(&folder);
    server.enqueue(Answer::ok(film(1)).header("ETag", "\"a\"").stall_in_body_after(10));
    let first = download(&session, &server, &folder);
    let running = Running::start(move || run(&first));
    server.wait_until(|stats| stats.stalled == 1);
    let error = download(&session, &server, &folder).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileInUse, "{error}");
    assert!(error.to_string().contains("is being written by another task or program"), "{error}");
    server.release();
    assert!(running.outcome().unwrap() == film(1));
    assert_eq!(folder.names(), ["film.mp4"]);
}

#[test]
fn what_does_not_belong_together_is_not_gone_on_with() {
    type Change = fn(&Folder);
    let changes: [(&str, Change); 6] = [
        ("no record", |folder| fs::remove_file(folder.path().join(".film.mp4.resume")).unwrap()),
        ("a broken record", |folder| {
            folder.file(".film.mp4.resume", "urlsession-resume: 1\nrubbish\n");
        }),
        ("an empty record", |folder| drop(folder.file(".film.mp4.resume", ""))),
        ("a part that is too short", |folder| {
            let part =
                fs::OpenOptions::new().write(true).open(folder.path().join(".film.mp4.part"));
            part.unwrap().set_len(FIRST as u64 - 1).unwrap();
        }),
        #[cfg(unix)]
        ("another part", |folder| {
            let part = folder.path().join(".film.mp4.part");
            fs::rename(&part, folder.path().join("old")).unwrap();
            fs::write(&part, fs::read(folder.path().join("old")).unwrap()).unwrap();
            fs::remove_file(folder.path().join("old")).unwrap();
        }),
        ("a record of another URL", |folder| {
            // That of a download from elsewhere to the same place.
            let server = Server::start();
            let other = Folder::new();
            drop(cut_off(&server, &other, TAGGED));
            fs::copy(other.path().join(".film.mp4.resume"), folder.path().join(".film.mp4.resume"))
                .unwrap();
        }),
        #[cfg(not(unix))]
        ("nothing", |folder| fs::remove_file(folder.path().join(".film.mp4.resume")).unwrap()),
    ];
    for (what, change) in changes {
        let (folder, server) = (Folder::new(), Server::start());
        drop(cut_off(&server, &folder, TAGGED));
        change(&folder);
        server.enqueue(Answer::ok(film(2)));
        let (outcome, told) = again(&server, &folder);
        assert!(outcome.unwrap() == film(2), "{what}");
        assert_eq!(server.take_request().header("range"), None, "{what}");
        assert_eq!(told, lost(), "{what}");
        assert_eq!(folder.names(), ["film.mp4"], "{what}");
    }
}

#[test]
fn a_record_of_a_newer_version_is_left_to_that() {
    let (folder, server) = (Folder::new(), Server::start());
    drop(cut_off(&server, &folder, TAGGED));
    folder.file(".film.mp4.resume", "urlsession-resume: 3\nwhatever\n");
    let (outcome, _) = again(&server, &folder);
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CannotResume);
    assert!(error.to_string().contains("newer version"), "{error}");
    assert_eq!(server.request_count(), 1);
    assert_eq!(folder.names(), [".film.mp4.part", ".film.mp4.resume"]);
    assert_eq!(fs::metadata(folder.path().join(".film.mp4.part")).unwrap().len(), FIRST as u64);
}

#[cfg(unix)]
#[test]
fn links_and_others_files_in_the_place_of_the_partial_file_stay() {
    use std::os::unix::fs::symlink;
    let (folder, server) = (Folder::new(), Server::start());
    let victim = folder.file("victim", "private");
    for planted in [".film.mp4.part", ".film.mp4.resume"] {
        let path = folder.path().join(planted);
        symlink(&victim, &path).unwrap();
        server.enqueue(Answer::ok(film(1)));
        let (outcome, _) = again(&server, &folder);
        if planted.ends_with("part") {
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::CannotOpenFile, "{planted}");
            fs::remove_file(&path).unwrap();
            drop(session_in(&folder).1.download(server.url("/")).unwrap());
        } else {
            assert!(outcome.unwrap() == film(1), "{planted}");
            fs::remove_file(folder.path().join("film.mp4")).unwrap();
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "private", "{planted}");
    }
    // A file with a second name is somebody's.
    fs::hard_link(&victim, folder.path().join(".film.mp4.part")).unwrap();
    let (outcome, _) = again(&server, &folder);
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::CannotOpenFile);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "private");
}

#[test]
fn a_record_that_a_crash_has_left_beside_a_whole_file_goes() {
    let (folder, server) = (Folder::new(), Server::start());
    drop(cut_off(&server, &folder, TAGGED));
    fs::rename(folder.path().join(".film.mp4.part"), folder.path().join("film.mp4")).unwrap();
    let (outcome, _) = again(&server, &folder);
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::FileAlreadyExists);
    assert_eq!(folder.names(), ["film.mp4"]);
}

/// How much of the file the record says is on the disk.
fn written_down(folder: &Folder) -> Option<u64> {
    let text = fs::read_to_string(folder.path().join(".film.mp4.resume")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("received: "));
    Some(line.unwrap().parse().unwrap())
}

#[test]
fn what_has_come_is_written_down_every_second_or_8_mib() {
    use std::time::Duration;
    use urlsession::Clock;

    const MIB: u64 = 1024 * 1024;
    for (first, second, turned, written) in [
        (1000, 2000, Duration::from_millis(999), None),
        (1000, 2000, Duration::from_secs(1), Some(2000..=2000)),
        (7 * MIB, 15 * MIB, Duration::ZERO, Some(8 * MIB..=15 * MIB)),
    ] {
        let (folder, server, clock) = (Folder::new(), Server::start(), Clock::by_hand());
        let mut configuration = Configuration::ephemeral();
        configuration.clock = clock.clone();
        let session = Session::new(configuration).unwrap();
        let answer = Answer::status(200).body_of_size(20 * MIB).header("ETag", "\"a\"");
        server.enqueue(answer.stall_in_body_after(first).stall_in_body_after(second));
        let task = download(&session, &server, &folder);
        task.resume();
        for bytes in [first, second] {
            server.wait_until(|stats| stats.stalled == 1);
            while task.progress().bytes_received < bytes {
                std::thread::yield_now();
            }
            if bytes == first {
                assert_eq!(written_down(&folder), None, "{first} {turned:?}");
                clock.advance(turned);
                server.release();
            }
        }
        match &written {
            None => assert_eq!(written_down(&folder), None, "{first} {turned:?}"),
            Some(written) => {
                // It is told of the bytes before they are on the disk.
                while written_down(&folder).is_none() {
                    std::thread::yield_now();
                }
                let found = written_down(&folder).unwrap();
                assert!(written.contains(&found), "{first} {turned:?}: {found}");
            }
        }
        task.cancel();
        assert!(session.wait_until_idle(HANG));
        // In the end all of it is.
        assert_eq!(written_down(&folder), Some(second));
    }
}
