//! Bodies whose length or digest is known beforehand.

use super::*;

/// FIPS 180-2, appendix B.1 and C.1.
#[cfg(any(feature = "tls", feature = "digest"))]
const ABC_256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
#[cfg(any(feature = "tls", feature = "digest"))]
const ABC_512: &str = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                       2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

#[test]
fn another_length_is_refused_and_leaves_nothing() {
    let (folder, server) = (Folder::new(), Server::start());
    let (_, session) = session_in(&folder);
    let place = folder.path().join("a");
    for (answer, length, is_right) in [
        (Answer::ok("abc"), 3, true),
        (Answer::ok("abc"), 4, false),
        (Answer::ok("abc").chunked(1), 3, true),
        (Answer::ok("abc").chunked(1), 2, false),
        (Answer::ok("abc").until_close(), 4, false),
        (Answer::ok(""), 0, true),
    ] {
        server.enqueue(answer);
        let task = session.download_task(server.url("/"));
        task.save_over(&place).unwrap();
        task.expects_length(length).unwrap();
        let outcome = task.run();
        if is_right {
            drop(outcome.unwrap());
            fs::remove_file(&place).unwrap();
        } else {
            let error = outcome.unwrap_err();
            assert_eq!((error.kind(), error.code()), (ErrorKind::LengthMismatch, -1011));
            assert!(error.resume_data().is_none());
        }
        assert_eq!(folder.names(), [""; 0], "{length}");
    }
}

#[cfg(any(feature = "tls", feature = "digest"))]
#[test]
fn another_digest_is_refused_and_leaves_what_was_there() {
    let (folder, server) = (Folder::new(), Server::start());
    let (_, session) = session_in(&folder);
    let place = folder.file("a", "before");
    for (expects, body, is_right) in
        [(256, "abc", true), (512, "abc", true), (256, "abd", false), (512, "abd", false)]
    {
        fs::write(&place, "before").unwrap();
        server.enqueue(Answer::ok(body));
        let task = session.download_task(server.url("/"));
        task.save_over(&place).unwrap();
        match expects {
            256 => task.expects_sha256(ABC_256).unwrap(),
            _ => task.expects_sha512(ABC_512.to_uppercase()).unwrap(),
        }
        let outcome = task.run();
        if is_right {
            drop(outcome.unwrap());
            assert_eq!(fs::read_to_string(&place).unwrap(), "abc");
        } else {
            let error = outcome.unwrap_err();
            assert_eq!((error.kind(), error.code()), (ErrorKind::DigestMismatch, -1011));
            assert!(error.to_string().contains("was expected"), "{error}");
            assert_eq!(fs::read_to_string(&place).unwrap(), "before");
        }
        assert_eq!(folder.names(), ["a"]);
    }
}

#[cfg(any(feature = "tls", feature = "digest"))]
#[test]
fn a_digest_lets_a_download_go_on_that_names_no_version() {
    let digest = |bytes: &[u8]| {
        let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let (old, new) = (film(1), film(2));
    // The rest is of the same version, or of another.
    for changes in [false, true] {
        let (folder, server) = (Folder::new(), Server::start());
        let (_, session) = session_in(&folder);
        let right = if changes { &new } else { &old };
        server.enqueue(first_part(&old, &[]));
        let task = session.download_task(server.url("/film"));
        task.expects_sha256(digest(right)).unwrap();
        let error = task.run().unwrap_err();
        let resume_data = error.resume_data().unwrap().clone();
        server.enqueue(rest(right, &[]));
        if changes {
            server.enqueue(Answer::ok(right));
        }
        let task = session.download_task_with_resume_data(resume_data);
        assert!(run(&task).unwrap() == *right, "{changes}");
        assert_eq!(server.request_count(), if changes { 3 } else { 2 });
    }
}

#[cfg(not(any(feature = "tls", feature = "digest")))]
#[test]
fn a_build_without_hashes_says_so() {
    let (folder, server) = (Folder::new(), Server::start());
    let (_, session) = session_in(&folder);
    server.enqueue(Answer::ok("abc"));
    let task = session.download_task(server.url("/"));
    task.expects_sha256("00".repeat(32)).unwrap();
    let error = task.run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    assert!(error.to_string().contains("`digest` or `tls`"), "{error}");
}

#[test]
fn a_task_that_has_begun_expects_nothing_else() {
    let server = Server::start();
    server.enqueue(Answer::ok("abc"));
    let task = Session::shared().download_task(server.url("/"));
    drop(task.run().unwrap());
    for outcome in [
        task.expects_length(3),
        task.expects_sha256("00".repeat(32)),
        task.expects_sha512("00".repeat(64)),
        task.resumable(true),
        task.expects_sha256("00"),
    ] {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidRequest);
    }
}
