//! How a command ends.

use std::process::ExitCode;

/// How a command ended; the number is the process's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The answer is yes: accepted in any degree, permitted, sound, done.
    Yes = 0,
    /// The answer is no: rejected, denied, a check failed.
    No = 1,
    /// The command was used wrongly: unknown options, or input that is not what the command takes.
    Usage = 2,
    /// The command could not run: a file can't be read or written, the gateway can't be reached.
    CouldNotRun = 3,
    /// Neither yes nor no: nothing failed, and somebody should look.
    Doubtful = 4,
}

impl Exit {
    /// Yes or no.
    #[must_use]
    pub const fn of(is_yes: bool) -> Self {
        if is_yes { Self::Yes } else { Self::No }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command gave no answer. Texts are lower case and hold no personal data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Wrong usage.
    #[error("{0}")]
    Usage(String),
    /// The answer is no, and this is why.
    #[error("{0}")]
    Refused(String),
    /// Could not run.
    #[error("{0:#}")]
    CouldNotRun(anyhow::Error),
}

impl Failure {
    /// The exit code.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Refused(_) => Exit::No,
            Self::CouldNotRun(_) => Exit::CouldNotRun,
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::CouldNotRun(error)
    }
}
