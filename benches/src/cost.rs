//! What a load cost: wall time, CPU time of the process, peak memory.

use std::fmt;
use std::time::Instant;

use crate::Failure;

/// The clocks at the start of a load.
pub(crate) struct Meter {
    began: Instant,
    user_us: u64,
    system_us: u64,
}

/// The differences at its end.
pub(crate) struct Cost {
    count: u64,
    bytes: u64,
    wall_ns: u128,
    user_us: u64,
    system_us: u64,
    peak_rss_kib: u64,
}

impl Meter {
    /// Reads the clocks.
    pub(crate) fn start() -> Self {
        let (user_us, system_us) = cpu_time();
        Self { began: Instant::now(), user_us, system_us }
    }

    /// Reads them again, after `count` requests that brought `bytes` of body.
    pub(crate) fn stop(self, count: u64, bytes: u64) -> Result<Cost, Failure> {
        let wall_ns = self.began.elapsed().as_nanos();
        let (user_us, system_us) = cpu_time();
        Ok(Cost {
            count,
            bytes,
            wall_ns,
            user_us: user_us - self.user_us,
            system_us: system_us - self.system_us,
            peak_rss_kib: peak_rss_kib()?,
        })
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, line: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            line,
            "count={} bytes={} wall_ns={} user_us={} sys_us={} peak_rss_kib={}",
            self.count, self.bytes, self.wall_ns, self.user_us, self.system_us, self.peak_rss_kib
        )
    }
}

/// CPU time of all threads of the process, in microseconds.
#[allow(dead_code, reason = "not every program looks at it between loads")]
pub(crate) fn cpu_time_us() -> u64 {
    let (user_us, system_us) = cpu_time();
    user_us + system_us
}

/// User and system time of all threads of the process, in microseconds.
fn cpu_time() -> (u64, u64) {
    // SAFETY: an all-zero `rusage` is a valid value, and the call only writes into it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let micros = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    (micros(usage.ru_utime), micros(usage.ru_stime))
}

/// The most memory the process ever had resident (`VmHWM`, proc(5)).
pub(crate) fn peak_rss_kib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
