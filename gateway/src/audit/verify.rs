//! Verification of the log in the store, against every record that stands in it.
//!
//! It reads a data folder by itself, also while a gateway serves it: who verifies does not ask the program whose log it
//! is. On top of what an export shows, every leaf must have its record, and every record its leaf.

use std::path::Path;

use tandem_audit::{Note, Place, Report, Signature, Trust, Verifier, WitnessError};

use super::disposals::Disposals;
use super::export::{Exporter, Shown, Step};
use super::keys::{AuditKeyError, AuditKeys, PublicKeys};
use super::log::LogError;
use crate::config::Config;
use crate::seal::{SealError, Sealer};
use crate::store::{CosignatureRow, Kind, LeafRow, Store, StoreError, Tx};

/// Records without a leaf that are named.
const NAMED: i64 = 100;
/// The action by which the coming of a cosignature is audited.
pub const COSIGN: &str = "audit.cosign";

/// Why the log can't be verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The root key can't be read.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The keys of the log can't be read.
    #[error(transparent)]
    Key(#[from] AuditKeyError),
    /// The store or the log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The last checkpoint that the witness remembers is none.
    #[error("what the gateway's own witness remembers: {0}")]
    Witness(WitnessError),
}

impl From<StoreError> for CheckError {
    fn from(error: StoreError) -> Self {
        Self::Log(error.into())
    }
}

/// What is verified, and what whoever verifies knows.
#[derive(Debug, Default)]
pub struct Check {
    /// Keys and checkpoints from elsewhere.
    pub trust: Trust,
}

impl Check {
    /// Verifies the store of a configuration.
    ///
    /// # Errors
    /// When it can't be read at all; what is wrong in the log stands in the report.
    pub async fn configured(self, config: &Config) -> Result<Report, CheckError> {
        let data = &config.data;
        let sealer = Sealer::from_file(&data.join("root.key"), config.jurisdiction.clone())?;
        self.opened(Store::to_read(config, sealer).await?, data)
            .await
    }

    /// Verifies a store with the keys and the memory of a data folder.
    pub(super) async fn opened(self, store: Store, data: &Path) -> Result<Report, CheckError> {
        let keys = PublicKeys::read(data)?;
        let mut trust = self.trust;
        if let Some(state) = AuditKeys::remembered(data)? {
            let last = state.last.map(|note| Note::parse(&note)).transpose();
            let last = last.map_err(|error| CheckError::Witness(error.into()))?;
            trust.known.extend(last);
        }
        let report = Self { trust }.store(&store, &keys).await;
        store.close().await;
        report
    }

    /// Verifies a store.
    ///
    /// # Errors
    /// When the store can't be read at all.
    pub async fn store(self, store: &Store, keys: &PublicKeys) -> Result<Report, CheckError> {
        let trust = Trust {
            origin: self.trust.origin.or_else(|| Some(keys.origin.clone())),
            needs_openings: true,
            may_grow: true,
            ..self.trust
        };
        let tx = store.snapshot().await?;
        let mut exporter = Exporter::start(tx, keys, Shown::Columns, true).await?;
        let Some(Step::Header(header)) = exporter.step().await? else {
            return Ok(Report::default());
        };
        let mut verifier = Verifier::new(trust, &header);
        let mut disposed = Disposals::default();
        while let Some(step) = exporter.step().await? {
            match step {
                Step::Header(_) => {}
                Step::Leaf(row, opening) => {
                    leaf(&mut verifier, &row);
                    match (opening, row.disposed) {
                        (Some(opening), None) => verifier.entry(&opening),
                        (None, None) => absent(&mut verifier, &row),
                        (_, Some(entry)) => {
                            verifier.disposed();
                            disposed
                                .take(exporter.tx(), &mut verifier, &row, entry)
                                .await?;
                        }
                    }
                }
                Step::Checkpoint(row, note) => {
                    verifier.checkpoint(&note);
                    let told = note.split('\n').nth(1);
                    if told != Some(row.size.to_string().as_str()) {
                        let place = Place::Row {
                            table: "audit_checkpoint".to_owned(),
                            key: row.size.to_string(),
                        };
                        verifier.note(place, "the row's size is not that of its note");
                    }
                }
            }
        }
        disposed.compare(exporter.tx(), &mut verifier).await?;
        outside(exporter.tx(), &mut verifier).await?;
        Ok(verifier.finish())
    }
}

/// A stored leaf: its line and hash, and whether its row says of it what it says itself.
fn leaf(verifier: &mut Verifier, row: &LeafRow) {
    let place = || Place::Position(u64::try_from(row.position).unwrap_or_default());
    let line = &row.leaf;
    verifier.leaf(line, &base64(&row.hash));
    let mut words = line.split(' ').skip(1);
    let (position, kind) = (words.next(), words.nth(1));
    if position != Some(row.position.to_string().as_str()) {
        verifier.note(
            place(),
            "the row of the leaf stands at another position than the leaf",
        );
    }
    if kind.is_some() && kind != row.logged.as_ref().map(|logged| logged.kind().code()) {
        verifier.note(
            place(),
            "the row of the leaf names another kind of record than the leaf",
        );
    }
}

/// A leaf whose record, or whose key, is not there.
fn absent(verifier: &mut Verifier, row: &LeafRow) {
    let place = match &row.logged {
        Some(logged) => Place::Row {
            table: logged.kind().table().to_owned(),
            key: logged.key(),
        },
        None => Place::Position(u64::try_from(row.position).unwrap_or_default()),
    };
    let text = if row.blind.is_none() {
        "the key of the leaf's commitments is not there"
    } else {
        "the record of the leaf is not there"
    };
    verifier.note(place, format!("position {}: {text}", row.position));
}

/// Records without a leaf, and cosignatures that went.
async fn outside(tx: &mut Tx, verifier: &mut Verifier) -> Result<(), CheckError> {
    let (records, nameless) = tx.unlogged(&Kind::ALL, NAMED).await?;
    for kind in nameless {
        let place = Place::Row {
            table: kind.table().to_owned(),
            key: "none that can be read".to_owned(),
        };
        verifier.note(
            place,
            "the record is not in the log, and its key is none that the gateway writes",
        );
    }
    for logged in records {
        let place = Place::Row {
            table: logged.kind().table().to_owned(),
            key: logged.key(),
        };
        verifier.note(
            place,
            "the record is not in the log: it was put there beside the gateway",
        );
    }
    let kept = tx.cosignatures().await?;
    let sizes: Vec<i64> = tx
        .checkpoints(0, i64::MAX)
        .await?
        .iter()
        .map(|row| row.size)
        .collect();
    for line in &kept {
        if !sizes.contains(&line.size) {
            let text = "the checkpoint of this signature is not there";
            verifier.note(cosigned(line), text);
        }
        if Signature::parse(&line.line).is_none() {
            verifier.note(cosigned(line), "the line is no signature any more");
        }
    }
    let told = tx.audit_entries(Some(COSIGN), i64::MAX).await?;
    for entry in told {
        let is_kept = kept
            .iter()
            .any(|line| line.size.to_string() == entry.object && line.witness_key == entry.detail);
        if !is_kept {
            let place = Place::Row {
                table: "audit_cosignature".to_owned(),
                key: entry.object,
            };
            verifier.note(
                place,
                format!("the signature of `{}` is not there", entry.detail),
            );
        }
    }
    Ok(())
}

fn cosigned(line: &CosignatureRow) -> Place {
    Place::Row {
        table: "audit_cosignature".to_owned(),
        key: line.size.to_string(),
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
