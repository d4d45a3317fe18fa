//! Good answers, spoilt at random: whatever comes, a load ends, and leaves nothing behind.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use urlsession::testing::{Answer, Counters, Server};
use urlsession::{Configuration, Error, ErrorKind, Request, Session, Stage};

use crate::support::gone::all_gone;
use crate::support::raw_answers::{Row, rows};

/// How many spoilt answers are tried, over how many threads.
const CASES: u64 = 3_000;
const THREADS: u64 = 4;

/// A load that takes longer hangs.
const GUARD: Duration = Duration::from_secs(30);

/// Marsaglia's xorshift: the same numbers for the same seed, on every machine.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        // Neighbouring seeds have to begin far apart, and none at zero.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// Pieces that mean something to who reads HTTP.
const WORDS: &[&[u8]] = &[
    b"\r\n",
    b"\r",
    b"\n",
    b"\r\n\r\n",
    b" ",
    b"\0",
    b"\xff",
    b":",
    b"0\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: 18446744073709551615\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Content-Encoding: deflate, gzip\r\n",
    b"Connection: close\r\n",
    b"Location: /again\r\n",
    b"Location: http://[::1\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 302 Found\r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
];

/// Spoils `bytes` in one to three places.
fn spoil(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len() + 1);
        let length = random.below(bytes.len() - at + 1).min(random.below(64) + 1);
        match random.below(12) {
            0..4 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            0..5 => bytes.truncate(at),
            5..7 => drop(bytes.drain(at..at + length)),
            7..9 => {
                let again = bytes[at..at + length].to_vec();
                bytes.splice(at..at, again);
            }
            9..11 => drop(bytes.splice(at..at, WORDS[random.below(WORDS.len())].iter().copied())),
            _ => {
                let word = WORDS[random.below(WORDS.len())];
                drop(bytes.splice(at..at + length, word.iter().copied()));
            }
        }
    }
}

fn good_answers() -> Vec<Row> {
    let fine = |row: &Row| row.outcome.is_ok() && row.bytes.len() < 1_000;
    rows().into_iter().filter(fine).collect()
}

/// The answer of one case: spoilt, in some number of pieces, kept open or not.
fn answer(row: &Row, random: &mut Random) -> (Vec<u8>, Answer) {
    let mut bytes = row.bytes.clone();
    spoil(&mut bytes, random);
    let mut answer = Answer::raw(&bytes);
    for _ in 0..random.below(4) {
        let at = random.below(bytes.len() + 1) as u64;
        answer = answer.delay_in_body_after(at, Duration::ZERO);
    }
    answer = match random.below(8) {
        0 => answer.reset_after_answer(),
        _ => answer,
    };
    (bytes, answer)
}

/// What an error lacks of what every error has to say.
fn lacks(error: &Error, url: &str) -> Option<&'static str> {
    let stages = [Stage::Sending, Stage::WaitingForResponse, Stage::Receiving, Stage::Redirecting];
    if error.kind() == ErrorKind::TimedOut {
        return Some("an end before the time is up");
    }
    if !error.stage().is_some_and(|stage| stages.contains(&stage)) {
        return Some("a stage of the exchange");
    }
    if !error.failing_url().is_some_and(|failing| failing.starts_with(url)) {
        return Some("the URL");
    }
    let (shown, debugged) = (error.to_string(), format!("{error:?}"));
    if shown.contains("s3cret") || debugged.contains("s3cret") {
        return Some("discretion");
    }
    None
}

/// Loads the spoilt answers of one thread; returns how many loads succeeded.
fn run(thread: u64) -> u64 {
    let answers = good_answers();
    let server = Server::builder().recording(false).start();
    // Behind a redirect and a repeated request there is something too.
    server.handle(|_| Answer::ok("again").close_after_answer());
    let url = server.url("/");
    let mut succeeded = 0;
    for seed in (0..CASES).filter(|seed| seed % THREADS == thread) {
        let mut random = Random::new(seed + 1);
        let row = &answers[random.below(answers.len())];
        let (bytes, answer) = answer(row, &mut random);
        server.enqueue(answer);
        let mut configuration = Configuration::ephemeral();
        configuration.timeout_for_resource = GUARD;
        configuration.maximum_body_in_memory = 1 << 20;
        let session = Session::new(configuration).unwrap();
        let counters = Counters::of(&session);
        let request = Request::new(row.method, server.url("/?token=s3cret"));
        let case =
            || format!("seed {seed}, {:?}: {:?}", row.name, bytes.escape_ascii().to_string());
        match session.data(request) {
            Ok(_) => succeeded += 1,
            Err(error) => {
                let lack = lacks(&error, &url);
                assert_eq!(lack, None, "{}: {error:?}", case());
            }
        }
        drop(session);
        all_gone(&counters, &case());
    }
    succeeded
}

#[test]
fn spoilt_answers_end_in_a_response_or_in_an_error_that_tells() {
    let (done, is_done) = mpsc::channel();
    let threads: Vec<_> = (0..THREADS)
        .map(|number| {
            let done = done.clone();
            thread::spawn(move || {
                let succeeded = run(number);
                done.send(()).unwrap();
                succeeded
            })
        })
        .collect();
    drop(done);
    let began = std::time::Instant::now();
    for _ in 0..THREADS {
        // A thread that panicked hangs up, which is told below.
        if is_done.recv_timeout(10 * GUARD) == Err(mpsc::RecvTimeoutError::Timeout) {
            panic!("a load does not return");
        }
    }
    let succeeded: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    println!("{succeeded} of {CASES} loads succeeded, in {:?}", began.elapsed());
    // Neither all nor nothing may come through, or too little is spoilt or too much.
    assert!((CASES / 10..CASES * 9 / 10).contains(&succeeded), "{succeeded} of {CASES}");
}
