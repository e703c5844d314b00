//! The disk of the data folder: whether it can be written, what is free, and how fast it makes something durable.

use std::io::{self, Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use super::examination::{Examination, Finding};

/// Less free than this, and the gateway is about to stop taking anything.
const LEAST_FREE: u64 = 256 << 20;
/// Less free than this, and somebody should look.
const LITTLE_FREE: u64 = 2 << 30;
/// So often it is measured, and for so long at most.
const SYNCS: usize = 50;
const LONGEST: Duration = Duration::from_secs(2);
/// A commit that takes longer makes every source wait.
const SLOW: Duration = Duration::from_millis(25);
const TOO_SLOW: Duration = Duration::from_millis(500);

/// Looks at the disk under a folder.
pub(super) fn examine(examination: &mut Examination, data: &Path) {
    let place = data.display();
    if !data.is_dir() {
        let found = format!("{place} is not there");
        let help = "the first start of the gateway makes it; afterwards, find out who removed it";
        examination.add(Finding::warning("data", found, "a folder", help));
        return;
    }
    let syncs = match syncs(data) {
        Ok(syncs) => syncs,
        Err(error) => {
            let found = format!("{place} cannot be written: {error}");
            let help = "give the gateway's user the right to write there, mount it for writing, or free space";
            examination.add(Finding::failed(
                "data",
                found,
                "a folder that can be written",
                help,
            ));
            free(examination, data);
            return;
        }
    };
    examination.add(Finding::ok("data", format!("{place} can be written")));
    free(examination, data);
    examination.add(rate(&syncs));
}

fn free(examination: &mut Examination, data: &Path) {
    let check = "disk-space";
    let finding = match rustix::fs::statvfs(data) {
        Ok(disk) => space(
            disk.f_bavail.saturating_mul(disk.f_frsize),
            disk.f_blocks.saturating_mul(disk.f_frsize),
        ),
        Err(error) => {
            let found = format!("what is free is not known: {error}");
            Finding::warning(check, found, "a disk that says what is free", "look by df")
        }
    };
    examination.add(finding);
}

fn space(free: u64, all: u64) -> Finding {
    let check = "disk-space";
    let percent = free.saturating_mul(100).checked_div(all).unwrap_or(0);
    let mebibytes = |bytes: u64| bytes >> 20;
    let found = format!("{} MiB free, {percent} % of the disk", mebibytes(free));
    let help = "free space or enlarge the disk: what can't be stored is not taken, and nothing of it is lost";
    if free < LEAST_FREE {
        let expected = format!("at least {} MiB", mebibytes(LEAST_FREE));
        Finding::failed(check, found, expected, help)
    } else if free < LITTLE_FREE {
        let expected = format!("at least {} MiB", mebibytes(LITTLE_FREE));
        Finding::warning(check, found, expected, help)
    } else {
        Finding::ok(check, found)
    }
}

/// How long it took each time to make a page durable, shortest first.
fn syncs(folder: &Path) -> io::Result<Vec<Duration>> {
    let mut file = tempfile::tempfile_in(folder)?;
    let page = [0x5a_u8; 4096];
    let began = Instant::now();
    let mut took = Vec::with_capacity(SYNCS);
    while took.len() < SYNCS && began.elapsed() < LONGEST {
        file.rewind()?;
        file.write_all(&page)?;
        let started = Instant::now();
        file.sync_data()?;
        took.push(started.elapsed());
    }
    took.sort();
    Ok(took)
}

fn rate(syncs: &[Duration]) -> Finding {
    let check = "disk-sync";
    let middle = syncs.get(syncs.len() / 2).copied().unwrap_or_default();
    let total: Duration = syncs.iter().sum();
    let a_second = syncs.len() as f64 / total.as_secs_f64().max(f64::EPSILON);
    let found = format!(
        "{a_second:.0} syncs a second, half of them within {:.1} ms",
        middle.as_secs_f64() * 1e3
    );
    let expected = format!("half of them within {} ms", SLOW.as_millis());
    let help =
        "each commit waits for the disk: use one with a safe write cache, and none over a network";
    if middle > TOO_SLOW {
        Finding::failed(check, found, expected, help)
    } else if middle > SLOW {
        Finding::warning(check, found, expected, help)
    } else {
        Finding::ok(check, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fills_up_warns_before_it_fails() {
        let standing =
            |free| serde_json::to_value(space(free, 100 << 30)).unwrap()["standing"].clone();
        assert_eq!(standing(50 << 30), "ok");
        assert_eq!(standing(1 << 30), "warning");
        assert_eq!(standing(100 << 20), "failed");
    }

    #[test]
    fn a_disk_is_as_slow_as_half_of_its_syncs() {
        let standing = |milliseconds: u64| {
            let mut syncs = vec![Duration::from_millis(milliseconds); 9];
            syncs.push(Duration::from_secs(1));
            serde_json::to_value(rate(&syncs)).unwrap()["standing"].clone()
        };
        assert_eq!(standing(2), "ok");
        assert_eq!(standing(40), "warning");
        assert_eq!(standing(600), "failed");
    }
}
