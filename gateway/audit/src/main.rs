//! `tandem-audit-verify`: checks an export of the audit log or a proof, with nothing but the file and public keys.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use tandem_audit::{Note, Trust, Verifier, VerifierKey, check_document};

/// Largest proof or checkpoint, in bytes.
const SMALL_FILE: u64 = 32 << 20;

/// Check an export of a Tandem audit log, or a proof from one. Needs the file and public keys, nothing else.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Examples:
  tandem-audit-verify log.export --origin-key 'tandem/demo-county+1f0c3a55+AY...'
  tandem-audit-verify log.export --witness-key witness.pub --checkpoint last-month.checkpoint
  tandem-audit-verify decision.proof --json

Exit codes: 0 sound, 1 not sound, 2 wrong usage, 3 a file cannot be read."
)]
struct Arguments {
    /// The export, or an inclusion or consistency proof
    file: PathBuf,
    /// Public key of the log, or a file that holds it; without it the key in the file is taken
    #[arg(long, value_name = "KEY")]
    origin_key: Option<String>,
    /// Public key of a witness that must have signed, or a file that holds it; may be given more than once
    #[arg(long, value_name = "KEY")]
    witness_key: Vec<String>,
    /// A checkpoint kept from before, which the log must contain; may be given more than once
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

/// Why nothing was checked.
enum Failure {
    Usage(String),
    Reading(String),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (text, code) = match run(&arguments) {
        Ok((text, true)) => (text, 0),
        Ok((text, false)) => (text, 1),
        Err(failure) => {
            let (text, code) = match failure {
                Failure::Usage(text) => (text, 2),
                Failure::Reading(text) => (text, 3),
            };
            // Nobody is left to tell when standard error is closed.
            let _closed = writeln!(io::stderr().lock(), "error: {text}");
            return ExitCode::from(code);
        }
    };
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::from(3),
        _ => ExitCode::from(code),
    }
}

fn run(arguments: &Arguments) -> Result<(String, bool), Failure> {
    let trust = trust(arguments)?;
    let file = &arguments.file;
    let mut input = BufReader::new(File::open(file).map_err(|error| unreadable(file, &error))?);
    let start = input.fill_buf().map_err(|error| unreadable(file, &error))?;
    if start.starts_with(b"{\"tandem-audit-export/") {
        let report = Verifier::export(input, trust);
        let text = if arguments.json {
            json(&report)
        } else {
            report.to_string()
        };
        return Ok((text, report.is_sound()));
    }
    let mut text = String::new();
    input
        .take(SMALL_FILE)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(file, &error))?;
    let found = check_document(&text, trust.origin.as_ref());
    let is_sound = found.is_ok();
    let text = found.unwrap_or_else(|error| error.to_string());
    let text = if arguments.json {
        json(&serde_json::json!({ "is_sound": is_sound, "text": text }))
    } else {
        text
    };
    Ok((text, is_sound))
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn unreadable(file: &Path, error: &io::Error) -> Failure {
    Failure::Reading(format!("{}: {error}", file.display()))
}

fn trust(arguments: &Arguments) -> Result<Trust, Failure> {
    let known = arguments.checkpoint.iter().map(|file| {
        let text = small_file(file)?;
        Note::parse(&text).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))
    });
    Ok(Trust {
        origin: arguments.origin_key.as_deref().map(key).transpose()?,
        witnesses: arguments
            .witness_key
            .iter()
            .map(|text| key(text))
            .collect::<Result<_, _>>()?,
        known: known.collect::<Result<_, _>>()?,
        ..Trust::default()
    })
}

/// A key as it is given: itself, or a file that holds it.
fn key(given: &str) -> Result<VerifierKey, Failure> {
    let file = Path::new(given);
    let text = if file.is_file() {
        small_file(file)?
    } else {
        given.to_owned()
    };
    VerifierKey::parse(text.trim())
        .map_err(|error| Failure::Usage(format!("key `{given}`: {error}")))
}

fn small_file(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    File::open(file)
        .and_then(|open| open.take(SMALL_FILE).read_to_string(&mut text))
        .map_err(|error| unreadable(file, &error))?;
    Ok(text)
}
