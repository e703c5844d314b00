//! The store: whether it opens with this key, whether it can be written, its schema, and when it was written last.

use std::path::Path;

use jiff::Timestamp;

use super::examination::{Examination, Finding};
use super::{blobs, events, keys, recalls, rules};
use crate::config::Config;
use crate::seal::Sealer;
use crate::store::{Schema, Store, StoreError};

/// Looks at the store. Returns the last instant that is recorded in it.
pub(super) async fn examine(
    examination: &mut Examination,
    config: &Config,
    now: Timestamp,
) -> Option<Timestamp> {
    let key = config.data.join("root.key");
    if !key.exists() {
        let found = format!("{} is not there", key.display());
        let help = "the first start makes key and store; if there was a store, bring its key back from the backup";
        examination.add(Finding::warning(
            "store",
            found,
            "the key of the store",
            help,
        ));
        return None;
    }
    let file = Store::file(config);
    if config.store.postgres.is_none() && !file.exists() {
        let found = format!("{} is not there", file.display());
        let help = "the first start makes it; if there was a store, bring it back from the backup";
        examination.add(Finding::warning("store", found, "a store", help));
        return None;
    }
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
            examination.add(written(config));
            last
        }
        Err(error) => {
            examination.add(unopened(&error));
            None
        }
    }
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

fn written(config: &Config) -> Finding {
    let check = "store-write";
    if config.store.postgres.is_some() {
        let why = "PostgreSQL: its own disk and rights are examined there; the lock of its writers is left alone";
        return Finding::not_applicable(check, why);
    }
    match open_to_write(&Store::file(config)) {
        Ok(()) => Finding::ok(check, "its file may be written"),
        Err(error) => {
            let found = format!("its file cannot be written: {error}");
            let help = "give the gateway's user the right to write it and its folder, or mount the disk for writing";
            Finding::failed(check, found, "a file that can be written", help)
        }
    }
}

fn open_to_write(file: &Path) -> std::io::Result<()> {
    std::fs::OpenOptions::new().write(true).open(file).map(drop)
}
