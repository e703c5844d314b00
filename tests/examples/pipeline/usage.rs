//! What the process uses, as Linux tells it.

use std::time::Duration;

/// Ticks a second of `/proc/self/stat` (`USER_HZ`, the same on every Linux of these machines).
const TICKS: u64 = 100;

/// Processor time of this process so far.
pub(crate) fn processor() -> Duration {
    processor_of("self")
}

/// Processor time of a process so far.
pub(crate) fn processor_of(process: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name of the command may hold spaces; the fields after it are numbered from 3.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 1_000 / TICKS)
}

/// Resident memory of this process.
pub(crate) fn resident_mebibytes() -> u64 {
    resident_of("self")
}

/// Resident memory of a process, in mebibytes.
pub(crate) fn resident_of(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes / 1_024
}
