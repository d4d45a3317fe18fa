//! The memory that a large download to a file, and a large upload from one, take. A program
//! of its own with one test, as it counts all that is allocated.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(unsafe_code, reason = "an allocator that counts is one")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{env, fs, process};

use urlsession::testing::{Answer, Server};
use urlsession::{Body, Configuration, Request, Session};

/// Counts what is allocated now, and the most there ever was.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn more(bytes: usize) {
    MOST.fetch_max(NOW.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: the system's allocator does the work; the counters change nothing about it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const LARGE: u64 = 64 << 20;
/// Of client and server together.
const LIMIT: usize = 4 << 20;
const DOWNLOAD_LIMIT: usize = 1536 << 10;

/// How much more than now is allocated at most while `work` runs.
fn growth(work: impl FnOnce()) -> usize {
    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    work();
    MOST.load(Relaxed) - before
}

/// How many bytes this thread has written from memory, if the system tells.
fn written() -> Option<u64> {
    let counts = fs::read_to_string("/proc/thread-self/io").ok()?;
    counts.lines().find_map(|line| line.strip_prefix("wchar: "))?.parse().ok()
}

#[test]
fn large_files_take_little_memory() {
    let folder = env::temp_dir().join(format!("urlsession-memory-{}", process::id()));
    fs::create_dir(&folder).unwrap();
    let place = folder.join("large");
    let server = Server::builder().body_limit(1024).start();
    server.handle(|request| match request.method() {
        "GET" => Answer::status(200).body_of_size(LARGE),
        _ => Answer::ok(request.body_length().to_string()),
    });
    let session = Session::new(Configuration::ephemeral()).unwrap();

    let written_before = written();
    let download = growth(|| {
        let download = session.download_to(server.url("/"), &place).unwrap();
        assert_eq!(download.file.len(), LARGE);
    });
    let copied = written().zip(written_before).map(|(now, before)| now - before);
    let upload = growth(|| {
        let answer = session.upload(Request::put(server.url("/")), Body::file(&place)).unwrap();
        assert_eq!(answer.text(), LARGE.to_string());
    });
    fs::remove_dir_all(&folder).unwrap();
    println!("64 MiB: a download takes {download} bytes and copies {copied:?}, an upload {upload}");
    assert!(download < DOWNLOAD_LIMIT && upload < LIMIT, "{download}, {upload}");
    // What came with the head is written; all else is spliced.
    if cfg!(target_os = "linux") {
        assert!(copied.is_none_or(|copied| copied <= 16 << 10), "{copied:?}");
    }
}
