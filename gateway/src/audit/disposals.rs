//! Records that are not there because they were disposed of: each leaf names the entry that says so, and the entry's digest
//! must be that of exactly these leaves. A row that somebody deleted has no such entry; one that somebody marked as disposed
//! of changes the digest of the entry that it names.

use std::collections::BTreeMap;

use tandem_audit::{Disposed, Place, Verifier};

use crate::pipeline::retention::DISPOSE;
use crate::store::{AuditEntry, LeafDigest, LeafRow, StoreError, Tx};

/// What the leaves say, by the entries that they name.
#[derive(Debug, Default)]
pub(super) struct Disposals(BTreeMap<i64, LeafDigest>);

impl Disposals {
    /// Takes a leaf whose record was disposed of. Its record must not stand.
    pub(super) async fn take(
        &mut self,
        tx: &mut Tx,
        verifier: &mut Verifier,
        row: &LeafRow,
        entry: i64,
    ) -> Result<(), StoreError> {
        self.0
            .entry(entry)
            .or_default()
            .add(row.position, &row.hash);
        let Some(logged) = &row.logged else {
            return Ok(());
        };
        // Evidence that is kept again has another leaf.
        let is_again = tx
            .position_of(logged)
            .await?
            .is_some_and(|other| other != row.position);
        if !is_again && tx.has_record(logged).await? {
            let place = Place::Row {
                table: logged.kind().table().to_owned(),
                key: logged.key(),
            };
            let text = format!(
                "position {}: the record stands, and the log says that it was disposed of",
                row.position
            );
            verifier.note(place, text);
        }
        Ok(())
    }

    /// Compares what the leaves say with what the log says.
    pub(super) async fn compare(
        self,
        tx: &mut Tx,
        verifier: &mut Verifier,
    ) -> Result<(), StoreError> {
        for (position, digest) in self.0 {
            let entry = tx.audit_entry(position).await?;
            let records = digest.count;
            let digest = digest.finish();
            let entry = entry.filter(|entry| {
                entry.action == DISPOSE
                    && of(entry, "digest") == Some(&digest)
                    && of(entry, "leaves").and_then(|count| count.parse().ok()) == Some(records)
            });
            let Some(entry) = entry else {
                let place = Place::Row {
                    table: "audit".to_owned(),
                    key: position.to_string(),
                };
                let text = format!(
                    "{records} records are not there and are marked as disposed of by this entry, which does not say so"
                );
                verifier.note(place, text);
                continue;
            };
            let rule = entry.detail.split(" rows=").next().unwrap_or_default();
            verifier.note_disposed(Disposed {
                entry: position,
                at: entry.at.to_string(),
                by: entry.actor.clone(),
                kind: entry.object.clone(),
                rule: rule.to_owned(),
                records,
            });
        }
        Ok(())
    }
}

/// A part of an entry's detail, by its name.
fn of<'a>(entry: &'a AuditEntry, name: &str) -> Option<&'a str> {
    let parts = entry.detail.split(' ');
    parts
        .filter_map(|part| part.split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}
