//! What the crate writes into the log of a program, by the thread that does it.

use std::cell::RefCell;
use std::sync::Once;

use log::{LevelFilter, Log, Metadata, Record};

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct OfThreads;

impl Log for OfThreads {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // A thread that ends has nobody who asks.
        let _ = LINES.try_with(|lines| lines.borrow_mut().push(record.args().to_string()));
    }

    fn flush(&self) {}
}

/// Does `work`, and returns the warnings that this thread has logged meanwhile.
pub(crate) fn warnings<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&OfThreads).unwrap();
        log::set_max_level(LevelFilter::Warn);
    });
    LINES.take();
    let done = work();
    (done, LINES.take())
}
