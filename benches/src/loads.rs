//! The loads: what is asked of every client in the same way.

use std::fmt::Write;
use std::fs::File;
use std::sync::Barrier;
use std::thread;

use crate::Failure;
use crate::arguments::Arguments;
use crate::clients::{Client, Shared};
use crate::cost::{Cost, Meter};

/// More than run at once on one host.
const WARMING_TASKS: u64 = 64;

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

/// Sends `count` GETs as tasks that all begin at once; some before them warm as many
/// connections as will run, and start their threads.
pub(crate) fn tasks(shared: &dyn Shared, wanted: &Arguments) -> Result<Cost, Failure> {
    let mut client = shared.for_thread()?;
    let urls = |numbers: std::ops::Range<u64>| {
        numbers.map(|number| format!("{}?n={number}", wanted.url)).collect()
    };
    client.tasks(urls(0..WARMING_TASKS))?;
    let meter = Meter::start();
    let bytes = client.tasks(urls(WARMING_TASKS..WARMING_TASKS + wanted.count))?;
    meter.stop(wanted.count, bytes)
}

/// Reads one large body in pieces; the connection is opened inside the measurement.
pub(crate) fn bulk(shared: &dyn Shared, wanted: &Arguments) -> Result<Cost, Failure> {
    let mut client = shared.for_thread()?;
    let meter = Meter::start();
    let bytes = client.bulk(&wanted.url, wanted.buffer)?;
    meter.stop(1, bytes)
}

/// Downloads one large body to a file; the connection is opened inside the measurement.
pub(crate) fn download(shared: &dyn Shared, wanted: &Arguments) -> Result<Cost, Failure> {
    let (mut client, file) = (shared.for_thread()?, wanted.file()?);
    let meter = Meter::start();
    client.download(&wanted.url, file)?;
    if wanted.sync {
        File::open(file)?.sync_data()?;
    }
    meter.stop(1, file.metadata()?.len())
}

/// Downloads one large body to the client's own temporary file, and deletes it.
pub(crate) fn download_temporary(shared: &dyn Shared, wanted: &Arguments) -> Result<Cost, Failure> {
    let mut client = shared.for_thread()?;
    let meter = Meter::start();
    let bytes = client.download_temporary(&wanted.url)?;
    meter.stop(1, bytes)
}

/// Uploads a file; the connection is opened inside the measurement. The server answers how
/// many bytes came.
pub(crate) fn upload(shared: &dyn Shared, wanted: &Arguments) -> Result<Cost, Failure> {
    let (mut client, file) = (shared.for_thread()?, wanted.file()?);
    let meter = Meter::start();
    let answer = client.upload(&wanted.url, file)?;
    meter.stop(1, count_in(&answer)?)
}

/// Uploads a file inside a form.
pub(crate) fn multipart(shared: &dyn Shared, wanted: &Arguments) -> Result<Cost, Failure> {
    let (mut client, file) = (shared.for_thread()?, wanted.file()?);
    let meter = Meter::start();
    let answer = client.multipart(&wanted.url, file)?;
    meter.stop(1, count_in(&answer)?)
}

fn count_in(answer: &[u8]) -> Result<u64, Failure> {
    Ok(std::str::from_utf8(answer)?.parse()?)
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
