//! What the crate writes into the log of a program, by the thread that does it.

use std::cell::RefCell;
use std::sync::{Mutex, Once};

use log::{LevelFilter, Log, Metadata, Record};

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

static OF_ALL: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct OfThreads;

impl Log for OfThreads {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        OF_ALL.lock().unwrap().push(record.args().to_string());
        // A thread that ends has nobody who asks.
        let _ = LINES.try_with(|lines| lines.borrow_mut().push(record.args().to_string()));
    }

    fn flush(&self) {}
}

/// Returns how many warnings with this text any thread has logged since [`listen`] was called.
pub(crate) fn count_of(text: &str) -> usize {
    OF_ALL.lock().unwrap().iter().filter(|line| line.contains(text)).count()
}

/// Listens to all threads from now on.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&OfThreads).unwrap();
        log::set_max_level(LevelFilter::Warn);
    });
}

/// Does `work`, and returns the warnings that this thread has logged meanwhile.
pub(crate) fn warnings<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    listen();
    LINES.take();
    let done = work();
    (done, LINES.take())
}
