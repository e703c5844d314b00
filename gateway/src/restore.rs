//! What is done to a store while no gateway serves it: it is filled from a backup, or from the file of SQLite that a
//! pilot began with.
//!
//! A restored store does not know what happened after its backup. So its lanes are held (`store/holds.rs`) until
//! somebody has looked at what was revoked and delivered since, and the gateway's own witness, which remembers a longer
//! audit log, is told of the shorter one.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tandem_audit::{Checkpoint, Note, VerifierKey};
use tandem_mappings::model::id::Jurisdiction;

use crate::audit::{AuditKeyError, AuditKeys, read_key};
use crate::backing_up;
use crate::config::{Config, StoreConfig};
use crate::lock::{DataLock, LockError};
use crate::seal::{SealError, Sealer};
use crate::store::{Backup, CopyError, Damage, Filling, Manifest, Store, StoreError, Sums, Watch};

/// Why a store is not filled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// A gateway serves the data folder.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The rows can't be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// A key can't be read.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A key of the audit log can't be read.
    #[error(transparent)]
    Key(#[from] AuditKeyError),
    /// A key is not there.
    #[error(
        "{0} is not there: put the key of the store there that was backed up; no backup holds it"
    )]
    NoKey(PathBuf),
    /// The backup is not whole.
    #[error("the backup is damaged: {}", in_words(.0))]
    Damaged(Vec<Damage>),
    /// The backup is another county's.
    #[error("the backup is of {backup}, and the configuration of {configured}")]
    Jurisdiction {
        /// Whose backup it is.
        backup: Jurisdiction,
        /// Whose configuration.
        configured: Jurisdiction,
    },
    /// There is no file of SQLite to copy.
    #[error("{0} is not there: there is nothing to copy")]
    NoFile(PathBuf),
    /// The store is in PostgreSQL already.
    #[error(
        "the store of this configuration is a database of PostgreSQL; a file of SQLite is copied"
    )]
    NoSqlite,
}

fn in_words(damages: &[Damage]) -> String {
    let words = damages
        .iter()
        .map(|damage| format!("{}: {}", damage.table, damage.problem));
    words.collect::<Vec<_>>().join("; ")
}

impl From<StoreError> for RestoreError {
    fn from(error: StoreError) -> Self {
        Self::Copy(error.into())
    }
}

/// What came of a restoration.
#[derive(Debug)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// Where what was replaced is kept, as a backup of its own.
    pub kept: Option<PathBuf>,
    /// Large files that did not come over.
    pub without: Vec<Damage>,
}

/// What is asked of a restoration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wish {
    /// Whether what is there is replaced.
    pub replaces: bool,
    /// Whether the rows come over though large files that they name are missing.
    pub without_blobs: bool,
}

/// Fills the store of a configuration from a backup.
///
/// # Errors
/// When a gateway serves the store, the backup is damaged or another's, a key is missing, or the store is not empty and
/// nothing is to be replaced. The store is as it was then.
pub async fn restore(
    config: &Config,
    file: &Path,
    wish: Wish,
    now: Timestamp,
    watch: Watch<'_>,
) -> Result<Restored, RestoreError> {
    let root = key(config, "root.key")?;
    let _lock = DataLock::take(&config.data)?;
    let backup = Backup::open(file).await?;
    if backup.manifest.jurisdiction != config.jurisdiction {
        return Err(RestoreError::Jurisdiction {
            backup: backup.manifest.jurisdiction,
            configured: config.jurisdiction.clone(),
        });
    }
    let (mut damages, blobs) = backing_up::verify(&backup, file, &mut *watch).await?;
    if !wish.without_blobs {
        damages.extend(blobs.iter().cloned());
    }
    if !damages.is_empty() {
        return Err(RestoreError::Damaged(damages));
    }
    let sealer = Sealer::from_file(&root, config.jurisdiction.clone())?;
    backup.check_root(&sealer).await?;
    let origin = audit_key(config, &backup).await?;
    let store = Store::to_fill(config, sealer).await?;
    let aside = format!("replaced-{}", now.strftime("%Y%m%dT%H%M%S%.fZ"));
    let kept = keep(config, &store, wish.replaces, &aside, now, &mut *watch).await?;
    let filling = Filling {
        replaces: kept.is_some(),
        lanes: &lanes(config),
        now,
    };
    // Before the rows that name them: stopped in between, the next start removes them.
    backing_up::bring_back(config, &backup, file).await?;
    store.fill(&backup, &config.data, &filling, watch).await?;
    store.close().await;
    // Stopped just here, the gateway would serve and sign no checkpoint; to restore once more mends it.
    if let Some(origin) = origin {
        set_back_witness(config, &backup, &origin, &aside).await?;
    }
    backup.close().await;
    Ok(Restored {
        manifest: backup.manifest,
        kept,
        without: blobs,
    })
}

/// The file of a key, which must be there.
fn key(config: &Config, name: &str) -> Result<PathBuf, RestoreError> {
    let file = config.data.join(name);
    if file.exists() {
        Ok(file)
    } else {
        Err(RestoreError::NoKey(file))
    }
}

/// The public key of the audit log, once the data folder has the keys with which the log of the backup was signed. The
/// public ones are written beside them where they are not there, so that the log can be verified before a gateway
/// starts.
async fn audit_key(config: &Config, backup: &Backup) -> Result<Option<VerifierKey>, RestoreError> {
    let Some(known) = backup.audit_key().await? else {
        return Ok(None);
    };
    let origin = read_key(&key(config, "audit.key")?)?.public().clone();
    key(config, "audit-witness.key")?;
    if origin.to_string().as_bytes() != known {
        return Err(StoreError::OtherKey("audit.key").into());
    }
    AuditKeys::open_or_create(&config.data, &config.jurisdiction)?;
    Ok(Some(origin))
}

/// Keeps what will be replaced.
async fn keep(
    config: &Config,
    store: &Store,
    replaces: bool,
    aside: &str,
    now: Timestamp,
    watch: Watch<'_>,
) -> Result<Option<PathBuf>, RestoreError> {
    if !replaces || store.is_empty().await? {
        return Ok(None);
    }
    let file = config.data.join(format!("{aside}.backup"));
    let old = Store::to_copy(config).await?;
    let written = backing_up::back_up(config, &old, &file, now, watch).await;
    old.close().await;
    written?;
    Ok(Some(file))
}

/// The lanes that are configured.
fn lanes(config: &Config) -> Vec<String> {
    let systems = config.systems.iter();
    let lanes = systems.filter(|(_, system)| system.output.is_some());
    lanes.map(|(id, _)| id.to_string()).collect()
}

/// Lets the gateway's own witness go on from the log of the backup, unless what it remembers is part of that log.
async fn set_back_witness(
    config: &Config,
    backup: &Backup,
    origin: &VerifierKey,
    aside: &str,
) -> Result<(), RestoreError> {
    let parse = |note: &str| Checkpoint::verify(&Note::parse(note).ok()?, origin).ok();
    let remembered = AuditKeys::remembered(&config.data)?.and_then(|state| parse(&state.last?));
    if let Some(remembered) = &remembered {
        let size = i64::try_from(remembered.size).ok();
        let same = backup.checkpoint(size).await?;
        if same.is_some_and(|same| parse(&same).as_ref() == Some(remembered)) {
            return Ok(());
        }
    }
    let last = backup.checkpoint(None).await?;
    let last = last.filter(|note| parse(note).is_some());
    Ok(AuditKeys::set_back(&config.data, origin, last, aside)?)
}

/// Copies the file of SQLite of a configuration into a database of PostgreSQL.
///
/// # Errors
/// When a gateway serves either, the database is not empty, or a table is not the same afterwards. The database is as
/// it was then.
pub async fn copy_to(
    config: &Config,
    target: StoreConfig,
    now: Timestamp,
    watch: Watch<'_>,
) -> Result<Sums, RestoreError> {
    let file = crate::store::sqlite_file(config).ok_or(RestoreError::NoSqlite)?;
    if !file.exists() {
        return Err(RestoreError::NoFile(file));
    }
    let root = key(config, "root.key")?;
    let _lock = DataLock::take(&config.data)?;
    let from = Store::to_copy(config).await?;
    let target = Config {
        store: target,
        ..config.clone()
    };
    let sealer = Sealer::from_file(&root, config.jurisdiction.clone())?;
    let to = Store::to_fill(&target, sealer).await?;
    let copied = to.take_over(&from, now, watch).await;
    to.close().await;
    from.close().await;
    Ok(copied?)
}
