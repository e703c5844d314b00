//! Logs of the process, on standard error.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use super::exit::Failure;

/// Names what is logged, in the syntax of tracing's filters.
const FILTER_VARIABLE: &str = "TANDEM_LOG";

/// Starts logging. Without a filter in the environment a command logs warnings, a server also what it does.
pub(super) fn start(is_server: bool, as_json: bool) -> Result<(), Failure> {
    let usual = if is_server {
        "info"
    } else {
        // A command may go through a whole table: that it takes its time is no news.
        "warn,sqlx::query=error"
    };
    let asked = std::env::var(FILTER_VARIABLE)
        .ok()
        .filter(|text| !text.trim().is_empty());
    let filter = EnvFilter::try_new(asked.as_deref().unwrap_or(usual))
        .map_err(|error| Failure::Usage(format!("{FILTER_VARIABLE}: {error}")))?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    let started = if as_json {
        logs.json().try_init()
    } else {
        logs.try_init()
    };
    // A second start in one process keeps the first subscriber.
    started.or(Ok(()))
}
