//! The exchange folder of a system.

use std::path::Path;

use super::examination::{Examination, Finding};

/// What stands below an exchange folder and is written by the gateway.
const WRITTEN: [&str; 7] = ["in", "work", "done", "ack", "error", "out", "out/acked"];

/// Looks whether the gateway can take from the folder and put into it.
pub(super) fn examine(examination: &mut Examination, system: &str, path: &Path) {
    let check = format!("folder/{system}");
    let place = path.display();
    let help = "give the gateway's user the right to read, write and rename there";
    if !path.is_dir() {
        let found = format!("{place} is not there");
        let help =
            "the start of the gateway makes it; if a server serves it, look whether it is mounted";
        examination.add(Finding::warning(check, found, "a folder", help));
        return;
    }
    for part in WRITTEN {
        let below = path.join(part);
        // What is not there yet the gateway makes at its start.
        let tried = if below.is_dir() { &below } else { path };
        if let Err(error) = tempfile::Builder::new().suffix(".part").tempfile_in(tried) {
            let found = format!("{} cannot be written: {error}", tried.display());
            examination.add(Finding::failed(
                check,
                found,
                "a folder that can be written",
                help,
            ));
            return;
        }
    }
    examination.add(Finding::ok(check, format!("{place} can be written")));
}
