//! What commands print: to standard output the answer, to standard error what a person should know beside it.

use std::io::{self, Write as _};

use anyhow::Context as _;
use serde::Serialize;

use super::exit::Failure;

/// Prints an answer. A reader that closed its end, such as `head`, has seen enough: that is no failure.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    let written = write!(out, "{text}{newline}").and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other.context("writing the answer")?),
    }
}

/// Prints an answer as indented JSON.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).context("writing the answer as JSON")?;
    print(&text)
}

/// Tells the person at the terminal something that is not part of the answer.
pub(super) fn tell(text: &str) {
    // Nobody is left to tell when standard error is closed.
    let _closed = writeln!(io::stderr().lock(), "{text}");
}
