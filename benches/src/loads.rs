//! The loads: what is asked of every client in the same way.

use std::fmt::Write;
use std::sync::Barrier;
use std::thread;

use crate::Failure;
use crate::arguments::Arguments;
use crate::clients::{Client, Shared};
use crate::cost::{Cost, Meter};

/// Sends `count` GETs one after the other; one more before them warms the connection.
pub(crate) fn warm_get(shared: &dyn Shared, wanted: &Arguments) -> Result<Cost, Failure> {
    let mut client = shared.for_thread()?;
    get_many(&mut *client, &wanted.url, 0..1)?;
    let meter = Meter::start();
    let bytes = get_many(&mut *client, &wanted.url, 1..wanted.count + 1)?;
    meter.stop(wanted.count, bytes)
}

/// Shares `count` GETs among threads that start together, each after one to warm up.
pub(crate) fn threads(shared: &dyn Shared, wanted: &Arguments) -> Result<Cost, Failure> {
    let each = wanted.count / wanted.threads;
    let together = Barrier::new(wanted.threads as usize + 1);
    let together = &together;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..wanted.threads)
            .map(|number| {
                scope.spawn(move || -> Result<u64, Failure> {
                    let ready = shared.for_thread().and_then(|mut client| {
                        get_many(&mut *client, &wanted.url, 0..1)?;
                        Ok(client)
                    });
                    // Passed even after a failure, or the others would wait for ever.
                    together.wait();
                    let first = number * each + 1;
                    get_many(&mut *ready?, &wanted.url, first..first + each)
                })
            })
            .collect();
        together.wait();
        let meter = Meter::start();
        let mut bytes = 0;
        for worker in workers {
            bytes += worker.join().map_err(|_| "a thread panicked")??;
        }
        meter.stop(each * wanted.threads, bytes)
    })
}

/// Reads one large body in pieces; the connection is opened inside the measurement.
pub(crate) fn bulk(shared: &dyn Shared, wanted: &Arguments) -> Result<Cost, Failure> {
    let mut client = shared.for_thread()?;
    let meter = Meter::start();
    let bytes = client.bulk(&wanted.url, wanted.buffer)?;
    meter.stop(1, bytes)
}

fn get_many(
    client: &mut dyn Client,
    url: &str,
    numbers: std::ops::Range<u64>,
) -> Result<u64, Failure> {
    let mut address = format!("{url}?n=");
    let stem = address.len();
    let mut bytes = 0;
    for number in numbers {
        address.truncate(stem);
        write!(address, "{number}")?;
        bytes += client.get(&address)?.len() as u64;
    }
    Ok(bytes)
}
