//! Attempts of a lane that have something to note at one time share a turn of the store: what it costs to take one, and to
//! make it durable, is paid once for all of them.

use std::sync::{Arc, MutexGuard, PoisonError};

use tokio::sync::{Mutex, oneshot};

use crate::pipeline::core::Core;
use crate::store::{Handed, StoreError, Tx};

/// Something that an attempt notes. It is noted with others or, when one of them can't be, once more by itself.
pub(super) trait Entry: Send + Sync {
    /// What comes of it.
    type Noted: Send;

    /// Notes it in a transaction.
    fn note(
        &self,
        core: &Core,
        tx: &mut Tx,
    ) -> impl Future<Output = Result<Self::Noted, StoreError>> + Send;
}

/// Whoever notes what attempts of a lane have to say.
pub(super) struct Scribe<E: Entry> {
    waiting: std::sync::Mutex<Vec<Waiting<E>>>,
    /// Held by whoever notes for all that wait.
    pen: Mutex<()>,
}

struct Waiting<E: Entry> {
    entry: E,
    told: oneshot::Sender<Result<(E, E::Noted), StoreError>>,
}

impl<E: Entry> Default for Scribe<E> {
    fn default() -> Self {
        Self {
            waiting: std::sync::Mutex::default(),
            pen: Mutex::default(),
        }
    }
}

impl<E: Entry> std::fmt::Debug for Scribe<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scribe")
    }
}

impl<E: Entry> Scribe<E> {
    /// Notes something, and gives it back with what came of it. When this returns, it is durable.
    ///
    /// # Errors
    /// When the store fails; then nothing of it was noted.
    pub(super) async fn note(&self, core: &Core, entry: E) -> Result<(E, E::Noted), StoreError> {
        let (told, noted) = oneshot::channel();
        self.waiting().push(Waiting { entry, told });
        let pen = self.pen.lock().await;
        // Another one may have noted it meanwhile.
        if !self.waiting().is_empty() {
            let begun = core.store.begin_behind().await;
            let all = std::mem::take(&mut *self.waiting());
            match begun {
                Ok(tx) => {
                    let noted = together(core, tx, &all).await;
                    drop(pen);
                    told_all(core, all, noted).await;
                }
                Err(error) => refuse(all, error),
            }
        }
        noted
            .await
            .map_err(|_| StoreError::Database(sqlx::Error::WorkerCrashed))?
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting<E>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes all in one transaction.
async fn together<E: Entry>(
    core: &Core,
    mut tx: Tx,
    all: &[Waiting<E>],
) -> Result<(Vec<E::Noted>, Handed), StoreError> {
    let mut noted = Vec::with_capacity(all.len());
    for one in all {
        tx.forget_cause();
        noted.push(one.entry.note(core, &mut tx).await?);
    }
    Ok((noted, tx.hand_in()?))
}

/// Tells each what came of it. When one of them could not be noted, each is noted by itself: the others lose nothing by it.
async fn told_all<E: Entry>(
    core: &Core,
    all: Vec<Waiting<E>>,
    noted: Result<(Vec<E::Noted>, Handed), StoreError>,
) {
    match noted {
        Ok((noted, handed)) => match handed.durable().await {
            Ok(()) => {
                for (one, noted) in all.into_iter().zip(noted) {
                    // Whoever does not wait any more reads it in the store.
                    let _gone = one.told.send(Ok((one.entry, noted)));
                }
            }
            Err(error) => refuse(all, error),
        },
        Err(error) if all.len() == 1 => refuse(all, error),
        Err(_) => {
            for one in all {
                let noted = alone(core, &one.entry).await;
                let _gone = one.told.send(noted.map(|noted| (one.entry, noted)));
            }
        }
    }
}

async fn alone<E: Entry>(core: &Core, entry: &E) -> Result<E::Noted, StoreError> {
    let mut tx = core.store.begin().await?;
    let noted = entry.note(core, &mut tx).await?;
    tx.commit().await?;
    Ok(noted)
}

fn refuse<E: Entry>(all: Vec<Waiting<E>>, error: StoreError) {
    let error = Arc::new(error);
    for one in all {
        let _gone = one.told.send(Err(StoreError::Shared(Arc::clone(&error))));
    }
}
