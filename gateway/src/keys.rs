//! The root keys while a gateway serves: how they stand, and the background work that seals anew what older ones have
//! sealed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::pipeline::core::Core;
use crate::store::{Resealer, RootKeyRow, RowsByKey, Step, Store, StoreError};

/// Time between two looks when other gateways still seal with an older key, or the store failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// It seals what is written.
    Seals,
    /// It opens what it has sealed.
    Opens,
    /// It stands in the key file and has sealed nothing yet.
    Waits,
    /// It was retired: nothing in the store needs it.
    Retired,
    /// The store needs it, and the key file does not hold it.
    Missing,
}

/// A root key. Nothing here is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeyReport {
    /// Its number.
    pub number: u32,
    /// What it does.
    pub state: KeyState,
    /// When it was made, if that is known.
    pub made_at: Option<String>,
    /// Since when it seals or sealed, unless it was the first.
    pub seals_since: Option<String>,
    /// When it was retired.
    pub retired_at: Option<String>,
    /// How many values it seals, as far as that was counted.
    pub rows: Option<i64>,
    /// Whether the key file of this gateway holds it.
    pub in_file: bool,
}

/// How far the values of older keys are sealed anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ResealingReport {
    /// The key that seals anew.
    pub number: u32,
    /// Whether everything was gone through.
    pub is_done: bool,
    /// Values that were sealed anew.
    pub resealed: i64,
    /// Values that older keys still seal, as far as they were counted.
    pub rows_left: Option<i64>,
    /// The table that is gone through.
    pub table: Option<String>,
}

/// The root keys of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeysReport {
    /// By number.
    pub keys: Vec<KeyReport>,
    /// The last rotation; absent before the first.
    pub resealing: Option<ResealingReport>,
}

impl KeysReport {
    /// How the keys of a store stand. With counts of what each seals, these are told; else those of the last rotation.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn of(store: &Store, counts: Option<&RowsByKey>) -> Result<Self, StoreError> {
        let mut tx = store.snapshot().await?;
        let (rows, resealing) = (tx.root_keys().await?, tx.resealing().await?);
        let (held, text) = (store.sealer().keys(), |at: Timestamp| at.to_string());
        let sealing = rows.iter().rfind(|row| row.retired_at.is_none());
        let sealing = sealing.map(|row| row.number);
        let state = |row: &RootKeyRow| match row.retired_at {
            Some(_) => KeyState::Retired,
            None if !held.contains_key(&row.number) => KeyState::Missing,
            None if sealing == Some(row.number) => KeyState::Seals,
            None => KeyState::Opens,
        };
        let counted = |number| counts.map(|counts| counts.get(&number).copied().unwrap_or(0));
        let mut keys: Vec<KeyReport> = rows
            .iter()
            .map(|row| KeyReport {
                number: row.number,
                state: state(row),
                made_at: row.made_at.map(text),
                seals_since: row.seals_since.map(text),
                retired_at: row.retired_at.map(text),
                rows: counted(row.number).or(row.rows_left),
                in_file: held.contains_key(&row.number),
            })
            .collect();
        let is_known = |number: &u32| rows.iter().any(|row| row.number == *number);
        let waiting = held.iter().filter(|(number, _)| !is_known(number));
        keys.extend(waiting.map(|(number, made_at)| KeyReport {
            number: *number,
            state: KeyState::Waits,
            made_at: made_at.map(text),
            seals_since: None,
            retired_at: None,
            rows: counted(*number),
            in_file: true,
        }));
        keys.sort_by_key(|key| key.number);
        let older = rows.iter().filter(|row| sealing != Some(row.number));
        let left: Option<Vec<i64>> = older.map(|row| row.rows_left).collect();
        let resealing = resealing.first().map(|first| ResealingReport {
            number: first.number,
            is_done: resealing.iter().all(|row| row.is_done),
            resealed: resealing.iter().map(|row| row.resealed).sum(),
            rows_left: left.map(|left| left.iter().sum()),
            table: resealing
                .iter()
                .find(|row| !row.is_done)
                .map(|row| row.table.clone()),
        });
        Ok(Self { keys, resealing })
    }

    /// Whether a rotation stands unfinished.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.resealing.as_ref().is_some_and(|one| !one.is_done)
    }
}

/// Seals anew what older keys have sealed, whenever there is something, until it is stopped. It rests as long as it
/// works, so that others find the store free.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    let mut changed = core.changed.subscribe();
    let resealer = loop {
        match Resealer::of(&core.store).await {
            Ok(resealer) => break resealer,
            Err(error) => tracing::error!(%error, "what older keys sealed cannot be sealed anew"),
        }
        if stop
            .run_until_cancelled(tokio::time::sleep(PAUSE))
            .await
            .is_none()
        {
            return;
        }
    };
    while !stop.is_cancelled() {
        changed.mark_unchanged();
        let started = Instant::now();
        let rest = match resealer.step().await {
            Ok(Step::Done) => {
                let _ended = stop.run_until_cancelled(changed.changed()).await;
                continue;
            }
            Ok(Step::Went { .. }) => started.elapsed(),
            Ok(Step::Waits(gateways)) => {
                tracing::info!(gateways, "other gateways still seal with an older key");
                PAUSE
            }
            Err(error) => {
                tracing::error!(%error, "what older keys sealed cannot be sealed anew now");
                PAUSE
            }
        };
        let _stopped = stop.run_until_cancelled(tokio::time::sleep(rest)).await;
    }
}
