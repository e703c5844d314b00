//! `tandem init`: a deployment to start from.

mod tokens;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use self::tokens::FreshTokens;
use super::exit::{Exit, Failure};
use super::output::print;
use crate::config::{Config, example};
use crate::seal::Sealer;
use crate::transport::folder::ExchangeFolder;

const TOKENS_FILE: &str = "tokens.toml";
const SECRETS_FILE: &str = "tokens.secret.txt";
const KEY_FILE: &str = "data/root.key";

/// Write a commented configuration with everything it names: registry, rules, tables, tokens, keys, folders.
///
/// The deployment is that of the demo county; change it to your own. It passes `tandem check`, and `tandem serve`
/// starts with it. Access tokens are made fresh: the configuration holds their hashes, and the tokens themselves are in
/// tokens.secret.txt, readable by you only. Hand them out and delete that file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem init county
  tandem check --config county/gateway.toml
  tandem serve --config county/gateway.toml

Exit codes: 0 done, 2 wrong usage or files are there already, 3 a file can't be written")]
pub(super) struct InitArgs {
    /// Folder of the deployment; made when it is not there
    dir: PathBuf,
    /// Overwrite files that are there, and make new tokens. The key of the store is never overwritten
    #[arg(long)]
    force: bool,
}

/// Runs the command.
pub(super) fn run(args: &InitArgs) -> Result<Exit, Failure> {
    let dir = &args.dir;
    if !args.force {
        refuse_to_overwrite(dir)?;
    }
    let config: Config =
        toml::from_str(example::GATEWAY_TOML).context("reading the example configuration")?;
    let tokens = FreshTokens::make(&config)?;
    for (path, text) in example::FILES {
        write(&dir.join(path), text, Access::Usual)?;
    }
    write(&dir.join(TOKENS_FILE), &tokens.hashes, Access::Usual)?;
    write(&dir.join(SECRETS_FILE), &tokens.secrets, Access::OwnerOnly)?;
    Sealer::open_or_create(&dir.join(KEY_FILE), config.jurisdiction.clone())
        .context("making the key of the store")?;
    for system in config.systems.values() {
        if let Some(folder) = &system.folder {
            let path = dir.join(&folder.path);
            ExchangeFolder::open(&path).with_context(|| format!("making {}", path.display()))?;
        }
    }
    print(&done(dir))?;
    Ok(Exit::Yes)
}

fn done(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "{dir} is ready\n\
         tokens   {dir}/{SECRETS_FILE} (hand them out, then delete it)\n\
         check    tandem check --config {dir}/gateway.toml\n\
         serve    tandem serve --config {dir}/gateway.toml"
    )
}

fn refuse_to_overwrite(dir: &Path) -> Result<(), Failure> {
    let own = [TOKENS_FILE, SECRETS_FILE];
    let names = example::FILES.iter().map(|(path, _)| *path).chain(own);
    match names
        .map(|name| dir.join(name))
        .find(|path| path.symlink_metadata().is_ok())
    {
        None => Ok(()),
        Some(path) => {
            let reason = format!("{} is there already; --force overwrites it", path.display());
            Err(Failure::Usage(reason))
        }
    }
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Usual,
    OwnerOnly,
}

fn write(path: &Path, text: &str, access: Access) -> Result<(), Failure> {
    let writing = || format!("writing {}", path.display());
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(writing)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(writing)?;
    file.write_all(text.as_bytes()).with_context(writing)?;
    #[cfg(unix)]
    if access == Access::Usual {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(mode).with_context(writing)?;
    }
    file.as_file().sync_all().with_context(writing)?;
    file.persist(path)
        .map_err(|error| error.error)
        .with_context(writing)?;
    Ok(())
}
