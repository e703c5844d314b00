//! Full refreshes: what is absent from one is withdrawn, unless so much is absent that the export must have been cut off.
//! Such an input is held: its original is kept, nothing of it takes effect, and an operator can release it.

use std::sync::Arc;

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Place, Severity};
use tandem_adapter_port::read::{Coverage, FormatReader, StaysCovered};
use tandem_adapter_port::report::{DeviationCount, Outcome, Report};
use tandem_mappings::model::date::PartialDate;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::SourceEventId;
use tandem_mappings::model::person::RecordGone;

use super::{AcceptError, Accepted, Acceptor, Intake};
use crate::state::held::HeldDoc;
use crate::state::involvement::InvolvementDoc;
use crate::state::record::RecordDoc;
use crate::store::{EventState, StoreError, Tx};

/// Records that are looked at together.
const PAGE: u32 = 500;

impl Acceptor {
    /// Accepts a held input after all, with everything that it withdraws.
    ///
    /// # Errors
    /// When the store or the reader fails; the input is then still held.
    pub async fn release(
        &self,
        reader: Arc<dyn FormatReader>,
        context: ReadContext,
        held: &HeldDoc,
        bytes: Vec<u8>,
    ) -> Result<Accepted, AcceptError> {
        let _turn = self.releases.lock().await;
        let mut tx = self.store.snapshot().await?;
        if tx.get::<HeldDoc>(&held.input.to_string()).await?.is_none() {
            return Err(AcceptError::NotHeld);
        }
        drop(tx);
        let (system, name) = (&context.system, context.input_name.as_str());
        let mut intake = Intake::new(&self.store, system, name, context.received_at);
        (intake.id, intake.was_held) = (held.input, true);
        reader.format().name().clone_into(&mut intake.format);
        self.run(intake, reader, &context, Arc::new(bytes)).await
    }
}

impl Intake {
    /// Whether the input is a full refresh that would withdraw more than it may by itself; says so in the report then.
    pub(super) async fn is_held(
        &self,
        tx: &mut Tx,
        report: &mut Report,
        coverage: &Coverage,
    ) -> Result<bool, StoreError> {
        let Some(limits) = self
            .refresh
            .as_ref()
            .filter(|_| *coverage != Coverage::Partial)
        else {
            return Ok(false);
        };
        let (absent, known) = self.absent_records(tx, coverage).await?;
        let absent = absent.len() as u64;
        if !limits.holds(absent, known) {
            return Ok(false);
        }
        let percent = limits.most_withdrawn_percent;
        let reason = DeviationCount {
            severity: Severity::Error,
            code: "refresh-withdraws-too-many".to_owned(),
            count: absent,
            first: Place::file(self.name.as_str()),
            expected: format!(
                "a full refresh that leaves out at most {percent} % of the system's people; this one leaves out \
                 {absent} of {known} and is held until an operator releases it"
            ),
        };
        report.deviations.insert(0, reason);
        report.outcome = Outcome::Rejected;
        let document = HeldDoc {
            input: self.id,
            system: self.system.clone(),
            format: self.format.clone(),
            name: self.name.clone(),
            absent,
            known,
        };
        tx.put(&document, self.at).await?;
        tx.audit(
            self.at,
            self.system.as_str(),
            "input.held",
            &self.id.to_string(),
            &format!("{absent} of {known}"),
        )
        .await?;
        Ok(true)
    }

    /// A full refresh withdraws what is absent from it.
    pub(super) async fn withdraw_absent(
        &self,
        tx: &mut Tx,
        coverage: &Coverage,
        first: EventState,
    ) -> Result<(), StoreError> {
        if *coverage == Coverage::Partial {
            return Ok(());
        }
        let (absent, _) = self.absent_records(tx, coverage).await?;
        for record in absent {
            let person = record.key.person.clone();
            let Ok(id) = SourceEventId::new(format!("{}:absent:{}", self.id, person)) else {
                continue;
            };
            let gone = RecordGone {
                record_kind: record.record_kind.clone(),
                reason: "absent-from-full-refresh".to_owned(),
            };
            let told =
                NewEvent::new(self.at, id, Body::RecordWithdrawn(Box::new(gone))).about(person);
            self.append(tx, told, first).await?;
        }
        Ok(())
    }

    /// The records of which the input says by leaving them out that they are gone; and how many the system has.
    async fn absent_records(
        &self,
        tx: &mut Tx,
        coverage: &Coverage,
    ) -> Result<(Vec<RecordDoc>, u64), StoreError> {
        let (mut known, mut records) = (0, Vec::new());
        let (system, mut after) = (self.system.as_str(), Vec::new());
        loop {
            // Of a county's people only those are in memory at one time who are not told of.
            let page = tx.find_page::<RecordDoc>("record.system", system, &after, PAGE);
            let (page, last) = page.await?;
            if last.is_empty() {
                break;
            }
            after = last;
            let active = page.into_iter().filter(RecordDoc::is_active);
            records.extend(active.filter(|record| {
                known += 1;
                !self.people.has(record.key.person.as_str())
            }));
        }
        let covered = match coverage {
            Coverage::Partial => return Ok((Vec::new(), known)),
            Coverage::Full => return Ok((records, known)),
            Coverage::Stays(covered) => covered,
        };
        let mut absent = Vec::new();
        for record in records {
            if is_covered(tx, &record, covered).await? {
                absent.push(record);
            }
        }
        Ok((absent, known))
    }
}

/// Whether every stay that is known of a person is one that the input would tell. Of somebody without a known stay it
/// says nothing.
async fn is_covered(
    tx: &mut Tx,
    record: &RecordDoc,
    covered: &StaysCovered,
) -> Result<bool, StoreError> {
    let stays = tx
        .find::<InvolvementDoc>("involvement.record", &RecordDoc::key_of(&record.key))
        .await?;
    let day = |date: Option<PartialDate>| date.and_then(|date| date.full());
    let is_told = |stay: &InvolvementDoc| {
        let told = &stay.told;
        covered.has(told.project.as_deref(), day(told.from), day(told.to))
    };
    Ok(!stays.is_empty() && stays.iter().all(is_told))
}
