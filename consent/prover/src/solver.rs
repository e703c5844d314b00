//! cvc5 as Debian brings it: one process a question.
//!
//! The library's own solver keeps one process for all questions and so needs cvc5's incremental mode, in which version
//! 1.0.3, Debian's, takes about twice as long. Here a whole question is written to a fresh process, which also bounds
//! it in time. Equal questions (most actions differ in nothing that a rule looks at) are put once.

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cedar_policy_symcc::SmtLibScript as _;
use cedar_policy_symcc::solver::{Decision, DecisionWithModel, Solver, SolverError};
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::process::Command;

/// The flags of a process that answers one question. `--no-incremental` matters most, see above.
const FLAGS: [&str; 4] = ["--lang", "smt", "--no-interactive", "--no-incremental"];

/// How much longer than cvc5's own limit a process may live before it is ended.
const GRACE: Duration = Duration::from_secs(2);

/// No cvc5 was found.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot find the solver {0}: install the Debian package cvc5, or name its executable with --solver or in CVC5"
)]
pub struct MissingSolver(String);

/// Answers that were given, by the text of the question.
type Answers = Arc<Mutex<HashMap<Vec<u8>, DecisionWithModel>>>;

/// A solver that starts cvc5 for each question. Clones share what was answered.
#[derive(Debug, Clone)]
pub struct Cvc5 {
    program: PathBuf,
    limit: Duration,
    script: Vec<u8>,
    answers: Answers,
}

impl Cvc5 {
    /// The solver of a path, else of the environment variable `CVC5`, else of `PATH`, with a limit for each question.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn find(program: Option<&Path>, limit: Duration) -> Result<Self, MissingSolver> {
        let asked = match program {
            Some(program) => program.to_path_buf(),
            None => env::var_os("CVC5").map_or_else(|| PathBuf::from("cvc5"), PathBuf::from),
        };
        let folders = env::var_os("PATH").unwrap_or_default();
        let is_path = asked.components().count() > 1;
        let found = if is_path {
            Some(asked.clone()).filter(|path| path.is_file())
        } else {
            env::split_paths(&folders)
                .map(|folder| folder.join(&asked))
                .find(|path| path.is_file())
        };
        let program = found.ok_or_else(|| MissingSolver(asked.display().to_string()))?;
        Ok(Self {
            program,
            limit,
            script: Vec::new(),
            answers: Answers::default(),
        })
    }

    /// Forgets the beginning of a question that could not be put to its end.
    pub(crate) fn forget_script(&mut self) {
        self.script.clear();
    }

    async fn answer(&mut self) -> Result<DecisionWithModel, SolverError> {
        let script = std::mem::take(&mut self.script);
        if let Some(known) = self.known().get(&script) {
            return Ok(known.clone());
        }
        let deadline = self.limit + GRACE;
        let output = tokio::time::timeout(deadline, self.converse(&script))
            .await
            .map_err(|_| {
                SolverError::Solver(format!("no answer within {} s", self.limit.as_secs()))
            })??;
        let answer = parse(&output)?;
        if answer != DecisionWithModel::Unknown {
            self.known().insert(script, answer.clone());
        }
        Ok(answer)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Vec<u8>, DecisionWithModel>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a question to a fresh process and reads all that it says.
    async fn converse(&self, script: &[u8]) -> Result<String, SolverError> {
        let mut child = Command::new(&self.program)
            .args(FLAGS)
            .arg(format!("--tlimit={}", self.limit.as_millis()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (mut stdin, mut stdout) =
            pipes.ok_or_else(|| SolverError::Solver("no pipe to the solver".to_owned()))?;
        stdin.write_all(script).await?;
        drop(stdin);
        let mut output = String::new();
        stdout.read_to_string(&mut output).await?;
        child.wait().await?;
        Ok(output)
    }
}

/// Reads `sat` with its model, `unsat` or `unknown`. Whatever else is said is an error: never a proof.
fn parse(output: &str) -> Result<DecisionWithModel, SolverError> {
    let (verdict, rest) = output.split_once('\n').unwrap_or((output, ""));
    match verdict.trim() {
        "unsat" => Ok(DecisionWithModel::Unsat),
        "unknown" => Ok(DecisionWithModel::Unknown),
        "sat" if rest.trim_start().starts_with('(') && is_whole(rest.trim()) => {
            Ok(DecisionWithModel::Sat {
                model: rest.to_owned(),
            })
        }
        "sat" => Err(SolverError::UnrecognizedSolverOutput(
            "sat without a whole model".to_owned(),
        )),
        "" => Err(SolverError::Solver("it ended without an answer".to_owned())),
        other => Err(SolverError::UnrecognizedSolverOutput(
            other.chars().take(200).collect(),
        )),
    }
}

/// Whether a text is one list with every bracket closed (SMT-LIB 2.6, section 3.1: brackets in strings and in quoted
/// symbols are none). A solver that was stopped in the middle of its model leaves one open.
fn is_whole(model: &str) -> bool {
    let (mut depth, mut quote) = (0_usize, None);
    let mut letters = model.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '|') => quote = Some(letter),
            (None, '(') => depth += 1,
            (None, ')') if depth == 1 => return letters.peek().is_none(),
            (None, ')') => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
            (None, _) => {}
        }
    }
    false
}

impl Solver for Cvc5 {
    fn smtlib_input(&mut self) -> &mut (dyn AsyncWrite + Unpin + Send) {
        &mut self.script
    }

    async fn enable_models(&mut self) -> Result<(), SolverError> {
        Ok(self
            .smtlib_input()
            .set_option("produce-models", "true")
            .await?)
    }

    async fn check_sat(&mut self) -> Result<Decision, SolverError> {
        Ok(match self.check_sat_with_model().await? {
            DecisionWithModel::Sat { .. } => Decision::Sat,
            DecisionWithModel::Unsat => Decision::Unsat,
            DecisionWithModel::Unknown => Decision::Unknown,
        })
    }

    async fn check_sat_with_model(&mut self) -> Result<DecisionWithModel, SolverError> {
        self.smtlib_input().check_sat().await?;
        // After `unsat` this command is answered by an error, on lines that nobody reads.
        self.smtlib_input().get_model().await?;
        self.answer().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_answer_is_an_answer() {
        assert_eq!(parse("unsat\n").unwrap(), DecisionWithModel::Unsat);
        assert_eq!(parse("unknown\n").unwrap(), DecisionWithModel::Unknown);
        assert!(parse("sat\n(\n(define-fun a () Bool true)\n").is_err());
        assert!(parse("").is_err());
        assert!(parse("(error \"cvc5 interrupted by timeout.\")\n").is_err());
        assert!(parse("unsat or so\n").is_err());
    }
}
