//! The store: whether it opens with this key, whether it can be written, its schema, and when it was written last.

use std::path::Path;

use jiff::Timestamp;

use super::examination::{Examination, Finding};
use super::{blobs, events, key_files, keys, lanes, recalls, rules};
use crate::audit::AuditKeys;
use crate::config::Config;
use crate::seal::Sealer;
use crate::store::{Schema, Store, StoreError};

/// Looks at the store and at its keys. Returns the last instant that is recorded in it.
pub(super) async fn examine(
    examination: &mut Examination,
    config: &Config,
    now: Timestamp,
) -> Option<Timestamp> {
    // Asked first: it says at once that a database is away.
    let written = match written(config).await {
        Ok(written) => written,
        Err(error) => {
            key_files::examine(examination, config, false);
            examination.add(unopened(&error));
            return None;
        }
    };
    let has_log = has_log(config).await.ok();
    key_files::examine(examination, config, has_log == Some(true));
    if let Some(finding) = absent(config, has_log) {
        examination.add(finding);
        return None;
    }
    let key = config.data.join("root.key");
    let opened = match Sealer::from_file(&key, config.jurisdiction.clone()) {
        Ok(sealer) => Store::to_read(config, sealer).await,
        Err(error) => Err(error.into()),
    };
    let store = match opened {
        Ok(store) => store,
        Err(error) => {
            examination.add(unopened(&error));
            return None;
        }
    };
    let last = look(examination, &store, config, now).await;
    store.close().await;
    match last {
        Ok(last) => {
            examination.add(Finding::ok("store", "it opens and answers"));
            examination.add(written);
            last
        }
        Err(error) => {
            examination.add(unopened(&error));
            None
        }
    }
}

/// Whether leaves of an audit log stand in the store. No key is needed for it.
///
/// # Errors
/// When it can't be opened or has another schema.
async fn has_log(config: &Config) -> Result<bool, StoreError> {
    if config.store.postgres.is_none() && !Store::file(config).exists() {
        return Ok(false);
    }
    let store = Store::to_copy(config).await?;
    let mut tx = store.snapshot().await?;
    let leaves = tx.leaf_hashes(0, 1).await;
    drop(tx);
    store.close().await;
    Ok(!leaves?.is_empty())
}

/// What is said of a store of which there is nothing to open: not there yet, or not there any more. Whether it has a log is not
/// always known.
fn absent(config: &Config, has_log: Option<bool>) -> Option<Finding> {
    let check = "store";
    let leaves = AuditKeys::leaves_remembered(&config.data).unwrap_or_default();
    let has_none = has_log == Some(false) || AuditKeys::expect_store(config).is_err();
    if has_none && leaves > 0 {
        let found = format!(
            "it has no audit log, and the gateway's own witness remembers one of {leaves} leaves"
        );
        let help = "restore it from a backup (tandem restore); if it is meant to be new, move audit-witness.last away";
        return Some(Finding::failed(
            check,
            found,
            "the store with that log",
            help,
        ));
    }
    let key = config.data.join("root.key");
    if !key.exists() {
        let found = format!("{} is not there", key.display());
        let expected = "the key of the store";
        let is_lost = has_log == Some(true) || key_files::are_made(config);
        return Some(if is_lost {
            let help = "bring the key back from where copies are kept: without it nothing in the store can be read";
            Finding::failed(check, found, expected, help)
        } else {
            let help = "the first start makes key and store; if there was a store, bring its key back from the backup";
            Finding::warning(check, found, expected, help)
        });
    }
    let file = Store::file(config);
    if config.store.postgres.is_none() && !file.exists() {
        let found = format!("{} is not there", file.display());
        let help = "the first start makes it; if there was a store, bring it back from the backup";
        return Some(Finding::warning(check, found, "a store", help));
    }
    None
}

fn unopened(error: &StoreError) -> Finding {
    let help = "look at the address or the file, its rights and the database's own log; a store needs the key it was made with";
    Finding::failed(
        "store",
        error.to_string(),
        "a store that opens and answers",
        help,
    )
}

async fn look(
    examination: &mut Examination,
    store: &Store,
    config: &Config,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let schema = store.schema().await?;
    let is_sound = schema.missing.is_empty() && schema.unknown.is_empty();
    examination.add(steps(&schema));
    if !is_sound {
        // Statements may ask for what is not there.
        return Ok(None);
    }
    keys::examine(examination, store, now).await?;
    blobs::examine(examination, store, config).await?;
    recalls::examine(examination, store, now).await?;
    rules::examine(examination, store, now).await?;
    events::examine(examination, store).await?;
    lanes::examine(examination, store).await?;
    let mut tx = store.snapshot().await?;
    tx.last_recorded().await
}

fn steps(schema: &Schema) -> Finding {
    let check = "store-schema";
    let list = |steps: &[i64]| {
        let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
        steps.join(", ")
    };
    if !schema.unknown.is_empty() {
        let found = format!(
            "steps that this program does not know: {}",
            list(&schema.unknown)
        );
        let help = "a newer program wrote it: use that version or a newer one";
        Finding::failed(check, found, "a schema of this version", help)
    } else if !schema.missing.is_empty() {
        let found = format!("steps still to be taken: {}", list(&schema.missing));
        let help = "the next start of the gateway takes them: back the store up before";
        Finding::warning(check, found, "a schema of this version", help)
    } else {
        Finding::ok(check, format!("{} steps, up to date", schema.taken))
    }
}

/// Whether the store can be written. The lock of a database's writers is left alone.
async fn written(config: &Config) -> Result<Finding, StoreError> {
    let check = "store-write";
    if config.store.postgres.is_some() {
        return Ok(match Store::refuses_writes(&config.store).await? {
            None => Finding::ok(check, "the database takes writes"),
            Some(why) => {
                let found = format!("the database takes none: {why}");
                let help = "name the primary in store.postgres, or have default_transaction_read_only taken back from the server, the database and its user";
                Finding::failed(check, found, "a database that can be written", help)
            }
        });
    }
    Ok(match open_to_write(&Store::file(config)) {
        Ok(()) => Finding::ok(check, "its file may be written"),
        Err(error) => {
            let found = format!("its file cannot be written: {error}");
            let help = "give the gateway's user the right to write it and its folder, or mount the disk for writing";
            Finding::failed(check, found, "a file that can be written", help)
        }
    })
}

fn open_to_write(file: &Path) -> std::io::Result<()> {
    std::fs::OpenOptions::new().write(true).open(file).map(drop)
}
