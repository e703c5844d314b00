//! The separate prover program: the gateway neither holds nor needs a solver.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, anyhow};

use super::super::exit::{Exit, Failure};

/// The program's name.
const PROGRAM: &str = "tandem-prover";

/// The environment variable that names it.
const VARIABLE: &str = "TANDEM_PROVER";

/// Finds the prover: the one that `TANDEM_PROVER` names, else beside this program, else on `PATH`.
fn find() -> Option<PathBuf> {
    if let Some(named) = env::var_os(VARIABLE) {
        return Some(PathBuf::from(named)).filter(|path| path.is_file());
    }
    let own = env::current_exe().ok();
    let beside = own.and_then(|own| Some(own.parent()?.to_path_buf()));
    let folders = env::var_os("PATH").unwrap_or_default();
    beside
        .into_iter()
        .chain(env::split_paths(&folders))
        .map(|folder| folder.join(PROGRAM))
        .find(|path| path.is_file())
}

/// Whether the prover and its solver can be started.
pub(super) fn is_ready() -> bool {
    let solver = env::var_os("CVC5").unwrap_or_else(|| OsString::from("cvc5"));
    let starts = Command::new(solver)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    find().is_some() && starts.is_ok_and(|status| status.success())
}

fn command(args: &[OsString]) -> Result<Command, Failure> {
    let program = find().ok_or_else(|| {
        let text = match env::var_os(VARIABLE) {
            Some(named) => format!("{VARIABLE} names {}, which is no file", named.display()),
            None => format!(
                "cannot find the program {PROGRAM}: build it with `cargo build --release -p {PROGRAM}` and put it \
                 beside tandem or on PATH, or name it in {VARIABLE}"
            ),
        };
        Failure::CouldNotRun(anyhow!(text))
    })?;
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    Ok(command)
}

/// Runs the prover, its output going where this program's goes, and ends as it ended.
pub(super) fn pass_through(args: &[OsString]) -> Result<Exit, Failure> {
    let status = command(args)?.status().context("starting the prover")?;
    match status.code() {
        Some(0) => Ok(Exit::Yes),
        Some(1) => Ok(Exit::No),
        Some(2) => Ok(Exit::Usage),
        Some(3) => Ok(Exit::CouldNotRun),
        _ => Err(Failure::CouldNotRun(anyhow!(
            "the prover was ended: {status}"
        ))),
    }
}

/// Runs the prover and returns its exit code with what it printed.
pub(super) fn output(args: &[OsString]) -> Result<(Option<i32>, String), Failure> {
    let output = command(args)?
        .stderr(Stdio::inherit())
        .output()
        .context("starting the prover")?;
    let text = String::from_utf8(output.stdout).context("reading what the prover printed")?;
    Ok((output.status.code(), text))
}
