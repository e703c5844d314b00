//! Decisions about questions that are asked at one time share a commit: waiting for the disk costs as much for fifty as
//! for one.
//!
//! Whoever decided in a snapshot hands over what is to be recorded and waits. One task takes all that wait, records them
//! in one transaction in the order in which they came, commits, and only then tells each that its own is durable. What
//! came meanwhile is the next transaction. When a transaction fails, each is recorded alone, so that none fails by
//! another's fault.

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{AuditEntry, NewDecision, Store, StoreError, Tx};

/// Recordings that may wait. More are refused.
const WAITING: usize = 1_024;
/// Recordings that share a transaction.
const TOGETHER: usize = 64;

/// What must be durable before an answer leaves.
#[derive(Debug)]
pub struct Recording {
    /// The decisions.
    pub decisions: Vec<NewDecision>,
    /// Who asked for what.
    pub audit: AuditEntry,
    /// How often consent had changed when it was decided.
    pub consents: i64,
}

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Too many wait, or the gateway is stopping.
    #[error("no more can be recorded now")]
    Full,
    /// Consent has changed since it was decided: it must be decided anew.
    #[error("consent has changed since it was decided")]
    Stale,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug)]
struct Job {
    recording: Recording,
    done: oneshot::Sender<Result<(), RecordError>>,
}

/// Takes recordings.
#[derive(Debug, Clone)]
pub struct Recorder(mpsc::Sender<Job>);

/// Recordings that wait for [`Recordings::run`].
#[derive(Debug)]
pub struct Recordings {
    jobs: mpsc::Receiver<Job>,
    store: Store,
}

impl Recorder {
    /// A recorder, and the work that it gives.
    #[must_use]
    pub fn new(store: Store) -> (Self, Recordings) {
        let (sender, jobs) = mpsc::channel(WAITING);
        (Self(sender), Recordings { jobs, store })
    }

    /// Records, and returns when it is durable.
    ///
    /// # Errors
    /// [`RecordError`]: then nothing of it was recorded.
    pub async fn record(&self, recording: Recording) -> Result<(), RecordError> {
        let (done, told) = oneshot::channel();
        let job = Job { recording, done };
        self.0.try_send(job).map_err(|_| RecordError::Full)?;
        // The work ends with the gateway, after all that asks.
        told.await.map_err(|_| RecordError::Full)?
    }
}

impl Recordings {
    /// Records until cancelled; what waits then is still recorded.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut jobs = Vec::with_capacity(TOGETHER);
        loop {
            tokio::select! {
                biased;
                count = self.jobs.recv_many(&mut jobs, TOGETHER) => if count == 0 { return },
                () = stop.cancelled() => self.jobs.close(),
            }
            record_all(&self.store, &mut jobs).await;
        }
    }
}

async fn record_all(store: &Store, jobs: &mut Vec<Job>) {
    if jobs.is_empty() {
        return;
    }
    let together = record(store, jobs).await;
    for job in jobs.drain(..) {
        let told = match &together {
            Ok(()) => Ok(()),
            Err(_) => record(store, std::slice::from_ref(&job)).await,
        };
        // Whoever does not wait any more has not been answered; that it was decided stands all the same.
        let _gone = job.done.send(told);
    }
}

async fn record(store: &Store, jobs: &[Job]) -> Result<(), RecordError> {
    let mut tx = store.begin().await?;
    for job in jobs {
        add(&mut tx, &job.recording).await?;
    }
    Ok(tx.commit().await?)
}

async fn add(tx: &mut Tx, recording: &Recording) -> Result<(), RecordError> {
    // Nobody else writes until the commit: what was taken back by now is seen here.
    if tx.consent_revision().await? != recording.consents {
        return Err(RecordError::Stale);
    }
    for decision in &recording.decisions {
        tx.add_decision(decision.clone()).await?;
    }
    let audit = &recording.audit;
    tx.audit(
        audit.at,
        &audit.actor,
        &audit.action,
        &audit.object,
        &audit.detail,
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Stage;
    use super::super::tests::{Place, contract, decision, now};
    use super::*;

    fn recording(id: u128) -> Recording {
        Recording {
            decisions: vec![decision(id, Stage::Query, "deny")],
            audit: AuditEntry {
                position: 0,
                at: now(),
                actor: "somebody".to_owned(),
                action: "match.query".to_owned(),
                object: id.to_string(),
                detail: String::new(),
            },
            consents: 0,
        }
    }

    /// Objects of the audit entries, newest first.
    async fn audited(store: &Store) -> Vec<String> {
        let mut tx = store.snapshot().await.unwrap();
        let entries = tx.audit_entries(None, 100).await.unwrap();
        entries.into_iter().map(|entry| entry.object).collect()
    }

    async fn nobody_is_told_before_it_is_durable_and_one_failure_is_nobody_elses(place: Place) {
        let store = &place.store;
        let mut told = Vec::new();
        let mut jobs = Vec::new();
        // The third decides under an id that is taken.
        for id in [1, 2, 1, 3] {
            let (done, one) = oneshot::channel();
            jobs.push(Job {
                recording: recording(id),
                done,
            });
            told.push(one);
        }
        let writer = store.begin().await.unwrap();
        let work = async {
            record_all(store, &mut jobs).await;
        };
        let wait = async {
            // The writer is somebody's: whoever waits hears nothing, and nothing is there.
            assert!(told[0].try_recv().is_err());
            assert!(audited(store).await.is_empty());
            drop(writer);
        };
        tokio::join!(work, wait);
        let mut durable = Vec::new();
        for one in told {
            durable.push(one.await.unwrap().is_ok());
        }
        assert_eq!(durable, [true, true, false, true]);
        assert_eq!(audited(store).await, ["3", "2", "1"]);
    }

    async fn what_was_decided_before_a_consent_changed_is_decided_anew_and_hinders_nobody(
        place: Place,
    ) {
        let store = &place.store;
        let mut tx = store.begin().await.unwrap();
        tx.consent_changed().await.unwrap();
        let now_at = tx.consent_revision().await.unwrap();
        tx.commit().await.unwrap();
        let mut told = Vec::new();
        let mut jobs = Vec::new();
        for (id, consents) in [(1, now_at), (2, 0), (3, now_at)] {
            let (done, one) = oneshot::channel();
            let recording = Recording {
                consents,
                ..recording(id)
            };
            jobs.push(Job { recording, done });
            told.push(one);
        }
        record_all(store, &mut jobs).await;
        let mut outcomes = Vec::new();
        for one in told {
            outcomes.push(one.await.unwrap());
        }
        assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
        assert!(matches!(outcomes[1], Err(RecordError::Stale)));
        assert_eq!(audited(store).await, ["3", "1"]);
    }

    async fn what_waits_at_a_stop_is_recorded_and_more_is_refused(place: Place) {
        let (recorder, recordings) = Recorder::new(place.store.clone());
        let stop = CancellationToken::new();
        stop.cancel();
        let waiting = recorder.record(recording(1));
        let (recorded, ()) = tokio::join!(waiting, recordings.run(stop));
        assert!(recorded.is_ok());
        assert_eq!(audited(&place.store).await, ["1"]);
        let late = recorder.record(recording(2)).await;
        assert!(matches!(late, Err(RecordError::Full)));
    }

    contract!(
        nobody_is_told_before_it_is_durable_and_one_failure_is_nobody_elses,
        what_was_decided_before_a_consent_changed_is_decided_anew_and_hinders_nobody,
        what_waits_at_a_stop_is_recorded_and_more_is_refused,
    );
}
