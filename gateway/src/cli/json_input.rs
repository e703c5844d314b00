//! JSON that a person wrote: what is wrong with it is told by the path of the field, never by its value.

use std::path::Path;

use anyhow::Context as _;
use serde::de::DeserializeOwned;

use super::exit::Failure;
use crate::json_problem::problem;

/// Largest input, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// Reads a text file of bounded size.
pub(super) fn read_text(file: &Path) -> Result<String, Failure> {
    let reading = || format!("reading {}", file.display());
    let metadata = file.metadata().with_context(reading)?;
    if metadata.len() > MOST_BYTES {
        return Err(usage(file, format!("larger than {MOST_BYTES} bytes")));
    }
    let bytes = std::fs::read(file).with_context(reading)?;
    let text = String::from_utf8(bytes);
    text.map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        usage(file, format!("not UTF-8 at byte {at}"))
    })
}

/// Reads a JSON file as `T`.
pub(super) fn read_json<T: DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let text = read_text(file)?;
    parse(&text).map_err(|problem| usage(file, problem))
}

/// Reads JSON as `T`; the error names line, column and field.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|error| problem(text, &error))
}

/// The failure that a file is not what it should be.
pub(super) fn usage(file: &Path, problem: impl std::fmt::Display) -> Failure {
    Failure::Usage(format!("{}: {problem}", file.display()))
}
