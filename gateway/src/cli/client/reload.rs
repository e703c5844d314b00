//! `tandem reload`: a running gateway reads its configuration anew.

use clap::Args;
use serde_json::json;

use super::super::exit::{Exit, Failure};
use super::AnswerArgs;
use super::connection::Call;

/// Have a running gateway read its configuration anew, with every file that it names: systems, registry, tokens, limits,
/// timers, label tables, certificates (role administrator).
///
/// Nothing is refused or lost meanwhile: requests and deliveries that are under way end as they began. When anything of the
/// new configuration is wrong, or can change with a restart only, the old one stays in force as a whole. Rules change with
/// tandem policy activate alone. SIGHUP asks for the same.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem check --config county/gateway.toml
  tandem reload --dry-run --token-file administrator.token
  tandem reload --token-file administrator.token --json

Of several gateways on one database each reads its own: ask every one, by --url.

Exit codes: 0 in force (or nothing differs; with --dry-run: it could be), 1 refused, the old one stays, 2 wrong usage,
3 could not run")]
pub(in super::super) struct ReloadArgs {
    /// Tell what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl ReloadArgs {
    /// Runs the command.
    pub(in super::super) async fn run(&self) -> Result<Exit, Failure> {
        let call = Call::post(["reload"], json!({ "dry_run": self.dry_run }));
        self.answer.call(call).await
    }
}
