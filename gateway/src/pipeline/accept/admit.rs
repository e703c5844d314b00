//! Which events of an input take effect: no repeats, and nothing that must leave no trace.

use sha2::{Digest as _, Sha256};
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{RecordKey, SourcePersonId};

use super::Intake;
use crate::pipeline::deletion;
use crate::state::forgotten::ForgottenDoc;
use crate::state::involvement::InvolvementDoc;
use crate::state::record::RecordDoc;
use crate::store::{EventState, Ingested, StoreError, Tx};

/// What of an input takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Whatever says something else than its system said of it last.
    All,
    /// What was never told, since later inputs of the system may have told all else anew.
    NeverTold,
}

impl Intake {
    /// Whether an event is to take effect: not a repeat, and nothing that must leave no trace.
    pub(super) async fn admits(
        &self,
        tx: &mut Tx,
        told: &NewEvent,
        takes: Takes,
    ) -> Result<bool, StoreError> {
        if self.leaves_no_trace(tx, told).await? || self.is_of_nothing_known(tx, told).await? {
            ForgottenDoc::note(tx, &self.system, self.at).await?;
            return Ok(false);
        }
        if takes == Takes::NeverTold && self.is_known_anew(tx, told).await? {
            return Ok(false);
        }
        // The time of arrival stands in for a missing time of occurrence, so it is no part of the content.
        let content = serde_json::to_vec(&(
            &told.source_person_id,
            &told.source_household_id,
            &told.labels,
            &told.body,
        ))
        .map_err(|_| StoreError::Shape { kind: "event" })?;
        let key = told.source_event_id.as_str();
        if takes == Takes::NeverTold {
            let hash = Sha256::digest(&content).into();
            return tx.ingest_first(&self.system, key, &hash).await;
        }
        let ingested = tx.ingest(&self.system, key, &content).await?;
        Ok(ingested != Ingested::Same || self.comes_back(tx, told).await?)
    }

    /// Whether an event of a later input may have said something newer of what this one tells, under another id. To seal is never too
    /// late, and a message stands for itself.
    async fn is_known_anew(&self, tx: &mut Tx, told: &NewEvent) -> Result<bool, StoreError> {
        match &told.body {
            Body::RecordReceived(_) | Body::RecordWithdrawn(_) | Body::HouseholdMembership(_) => {
                let Some(person) = &told.source_person_id else {
                    return Ok(true);
                };
                Ok(self.record(tx, person).await?.is_some())
            }
            Body::CaseOpened(case)
            | Body::CaseClosed(case)
            | Body::EnrollmentActive(case)
            | Body::EnrollmentEnded(case) => {
                let key = InvolvementDoc::key_of(&self.system, case.case.as_str());
                Ok(tx.get::<InvolvementDoc>(&key).await?.is_some())
            }
            _ => Ok(false),
        }
    }

    /// Whether a sealed or withdrawn record was never known: then not even its id is kept. While anything waits it may
    /// be about that record; it is seen again when the event's turn comes.
    async fn leaves_no_trace(&self, tx: &mut Tx, told: &NewEvent) -> Result<bool, StoreError> {
        let is_gone = matches!(told.body, Body::RecordSealed(_) | Body::RecordWithdrawn(_));
        let (true, Some(person)) = (is_gone, &told.source_person_id) else {
            return Ok(false);
        };
        if self.people.has(person.as_str()) || tx.count_events(EventState::Waiting).await? > 0 {
            return Ok(false);
        }
        Ok(self.record(tx, person).await?.is_none())
    }

    /// What is known of a person of the input's system.
    async fn record(
        &self,
        tx: &mut Tx,
        person: &SourcePersonId,
    ) -> Result<Option<RecordDoc>, StoreError> {
        let key = RecordKey {
            system: self.system.clone(),
            person: person.clone(),
        };
        tx.get(&RecordDoc::key_of(&key)).await
    }

    /// Whether a deletion by id alone is of an id that was never seen: then nothing of it is kept. What waits, or came
    /// earlier in the same input, may be about that id; then it is seen again when the event's turn comes.
    async fn is_of_nothing_known(&self, tx: &mut Tx, told: &NewEvent) -> Result<bool, StoreError> {
        if !deletion::is_by_id_alone(told) {
            return Ok(false);
        }
        for state in [EventState::Waiting, EventState::Staged] {
            if tx.count_events(state).await? > 0 {
                return Ok(false);
            }
        }
        Ok(!deletion::is_known(tx, &self.system, told).await?)
    }

    /// Whether something that had ended comes back unchanged: a withdrawn record, a closed case.
    async fn comes_back(&self, tx: &mut Tx, told: &NewEvent) -> Result<bool, StoreError> {
        let system = &self.system;
        if deletion::is_by_id_alone(told) {
            return Ok(false);
        }
        match (&told.body, &told.source_person_id) {
            (Body::RecordReceived(_), Some(person)) => {
                let known = self.record(tx, person).await?;
                Ok(known.is_some_and(|record| !record.is_active()))
            }
            (Body::CaseOpened(case) | Body::EnrollmentActive(case), _) => {
                let known = tx
                    .get::<InvolvementDoc>(&InvolvementDoc::key_of(system, case.case.as_str()))
                    .await?;
                Ok(known.is_some_and(|known| !known.is_open))
            }
            _ => Ok(false),
        }
    }
}
