//! The keys of a store that no gateway serves.

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::exit::Failure;
use super::output::tell;
use super::rows_line::RowsLine;
use crate::clock::Clock;
use crate::config::Loaded;
use crate::keys::KeysReport;
use crate::lock::DataLock;
use crate::seal::Sealer;
use crate::store::{Resealer, RotationError, Step, Store};

/// Who the audit names.
const ACTOR: &str = "command line";

/// A store at rest, held for as long as its keys are worked on.
pub(super) struct AtRest {
    store: Store,
    _lock: DataLock,
}

/// Which failures are an answer.
fn refused(doing: &'static str) -> impl FnOnce(RotationError) -> Failure {
    move |error| match error {
        RotationError::Store(error) => anyhow::Error::new(error).context(doing).into(),
        refused => Failure::Refused(refused.to_string()),
    }
}

fn opened(config: &Path) -> Result<(Loaded, Sealer), Failure> {
    let loaded = Loaded::from_file(config).context("loading the configuration")?;
    let file = loaded.config.data.join("root.key");
    let sealer = Sealer::from_file(&file, loaded.config.jurisdiction.clone());
    let sealer = sealer.context("reading the key file")?;
    Ok((loaded, sealer))
}

async fn report(store: &Store) -> anyhow::Result<Value> {
    let doing = "counting what each key seals";
    let resealer = Resealer::of(store).await.context(doing)?;
    let mut tx = store.snapshot().await.context(doing)?;
    let counts = resealer.count(&mut tx).await.context(doing)?;
    drop(tx);
    let report = KeysReport::of(store, Some(&counts)).await.context(doing)?;
    serde_json::to_value(report).context(doing)
}

impl AtRest {
    /// How the keys stand, whether a gateway serves the store or not, with counts of what each seals.
    pub(super) async fn list(config: &Path) -> Result<Value, Failure> {
        let (loaded, sealer) = opened(config)?;
        let store = Store::to_read(&loaded.config, sealer).await;
        let store = store.context("opening the store")?;
        let report = report(&store).await;
        store.close().await;
        Ok(report?)
    }

    /// Opens the store.
    pub(super) async fn open(config: &Path) -> Result<Self, Failure> {
        let (loaded, sealer) = opened(config)?;
        let lock = DataLock::take(&loaded.config.data).context("working on the keys")?;
        let store = Store::at_rest(&loaded.config, sealer).await;
        Ok(Self {
            store: store.context("opening the store")?,
            _lock: lock,
        })
    }

    /// How the keys stand at the end.
    pub(super) async fn close(self) -> Result<Value, Failure> {
        let report = report(&self.store).await;
        self.store.close().await;
        Ok(report?)
    }

    /// Lets a new key seal, and seals everything anew. Whether it came to its end.
    pub(super) async fn rotate(&mut self, is_dry: bool) -> Result<bool, Failure> {
        let doing = refused("rotating the keys");
        if is_dry {
            let next = self.store.next_key().await.map_err(doing)?;
            tell(&format!("key {} would seal from now on", next.number));
            return Ok(true);
        }
        let rotated = self.store.rotate(ACTOR, Clock::System.now()).await;
        let number = rotated.map_err(doing)?;
        tell(&format!("key {number} seals from now on"));
        self.go_on(tokio::signal::ctrl_c()).await
    }

    /// Seals everything anew that older keys have sealed. Whether it came to its end.
    pub(super) async fn reseal(&mut self) -> Result<bool, Failure> {
        match self.store.reseal_again(ACTOR, Clock::System.now()).await {
            // It was stopped, and goes on.
            Ok(_) | Err(RotationError::Unfinished(_)) => {}
            Err(error) => return Err(refused("sealing anew")(error)),
        }
        self.go_on(tokio::signal::ctrl_c()).await
    }

    async fn go_on(&mut self, stop: impl Future) -> Result<bool, Failure> {
        let doing = "sealing anew what older keys sealed";
        let resealer = Resealer::of(&self.store).await.context(doing)?;
        let (mut stop, mut line) = (std::pin::pin!(stop), RowsLine::default());
        let mut total = 0;
        loop {
            // A step that has begun ends.
            let step = resealer.step();
            let (step, is_stopped) = {
                let mut step = std::pin::pin!(step);
                tokio::select! {
                    biased;
                    step = &mut step => (step, false),
                    _ = &mut stop => (step.await, true),
                }
            };
            match step.context(doing)? {
                Step::Done => return Ok(true),
                Step::Waits(gateways) => {
                    let text =
                        format!("{gateways} gateways serve the store: it was not left alone");
                    return Err(Failure::Refused(text));
                }
                Step::Went {
                    table, resealed, ..
                } => {
                    total += resealed;
                    line.show(&table, total);
                }
            }
            if is_stopped {
                tell("stopped: what was sealed anew stays so; tandem keys reseal goes on");
                return Ok(false);
            }
        }
    }

    /// Retires a key.
    pub(super) async fn retire(&self, number: u32) -> Result<Value, Failure> {
        let now = Clock::System.now();
        let retired = self.store.retire_key(number, ACTOR, now).await;
        let file = retired.map_err(refused("retiring the key"))?;
        Ok(json!({ "number": number, "file": file.display().to_string() }))
    }
}
