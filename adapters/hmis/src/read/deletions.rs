//! Deletions that a delta tells without what they hang on: no stay of the client, no project of the stay.
//!
//! Nobody can tell from the package who ran the project, so that the row is refused and cut out. That the thing is gone
//! is told all the same, by its id alone: no person, project, day or category. Whoever does not know the id keeps
//! nothing of it (specs hmis, Updates and deletes: a delta must carry deletions).

use tandem_adapter_port::read::Stopped;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{SourceCaseId, SourceEventId, SourcePersonId};
use tandem_mappings::model::involvement::{Involvement, Program};
use tandem_mappings::model::referral::{ReferralRef, ReferralRole, ReferralStatus, ReferralUpdate};

use super::header::Header;
use super::people::withdrawn;
use super::record::Record;
use super::session::Session;
use crate::describe;
use crate::tables::FileLayout;

/// What a refused row says by its ids.
struct Ids<'a> {
    /// The row's own key.
    key: &'a str,
    /// `EnrollmentID`; blank in Client.
    enrollment: &'a str,
    /// `DateDeleted` as it stands.
    deleted: &'a str,
}

impl Session<'_> {
    /// A refused row that is deleted, told by its id alone.
    pub(crate) fn deletion(
        &mut self,
        header: &Header,
        layout: &FileLayout,
        record: &Record,
    ) -> Result<(), Stopped> {
        let field = |column: &str| {
            let index = header.field_index(layout, column)?;
            let text = record.fields.get(index)?.trim();
            (!text.is_empty()).then_some(text)
        };
        let key = layout
            .columns
            .first()
            .and_then(|column| field(&column.name));
        let (Some(key), Some(deleted)) = (key, field("DateDeleted")) else {
            return Ok(());
        };
        let enrollment = field("EnrollmentID").unwrap_or_default();
        let ids = Ids {
            key,
            enrollment,
            deleted,
        };
        match layout.name.as_str() {
            "Client" => self.client_gone(&ids),
            "Enrollment" => self.stay_gone(&ids),
            "Exit" => self.exit_gone(&ids),
            "Event" => self.referral_gone(&ids),
            _ => Ok(()),
        }
    }

    fn client_gone(&mut self, ids: &Ids<'_>) -> Result<(), Stopped> {
        let (Ok(person), Some(event)) = (
            SourcePersonId::new(ids.key),
            self.gone("Client", "", ids, withdrawn()),
        ) else {
            return Ok(());
        };
        self.sink
            .event(event.about(person).under(Category::PersonIndex))
    }

    fn stay_gone(&mut self, ids: &Ids<'_>) -> Result<(), Stopped> {
        let Ok(case) = SourceCaseId::new(ids.key) else {
            return Ok(());
        };
        let body = Body::EnrollmentEnded(Box::new(bare_stay(case, "deleted")));
        self.tell_gone(self.gone("Enrollment", "deleted:", ids, body))
    }

    /// The end of a stay is gone: the stay is open again, unless it is gone too or another row ends it.
    fn exit_gone(&mut self, ids: &Ids<'_>) -> Result<(), Stopped> {
        let is_over =
            self.prepass.exits.has(ids.enrollment) || self.prepass.gates.is_deleted(ids.enrollment);
        let Ok(case) = SourceCaseId::new(ids.enrollment) else {
            return Ok(());
        };
        if is_over {
            return Ok(());
        }
        let body = Body::EnrollmentActive(Box::new(bare_stay(case, "open")));
        self.tell_gone(self.gone("Exit", "reopened:", ids, body))
    }

    /// A referral is gone: one of ours, whose EventID says so, or one of the partner's.
    fn referral_gone(&mut self, ids: &Ids<'_>) -> Result<(), Stopped> {
        let id = describe::referral_of(ids.key);
        let role = match id {
            Some(_) => ReferralRole::Target,
            None => ReferralRole::Source,
        };
        let update = ReferralUpdate {
            referral: ReferralRef {
                id,
                source_ref: Some(ids.key.to_owned()),
                target_ref: Some(ids.key.to_owned()),
            },
            status: ReferralStatus::Cancelled,
            reason: Some(self.config.deleted_reason),
            reason_text: Some(super::referrals::DELETED_TEXT.to_owned()),
            sub_status: None,
            role: Some(role),
            outputs: Vec::new(),
            original: None,
        };
        let body = Body::ReferralCancelled(Box::new(update));
        self.tell_gone(self.gone("Event", "cancelled:", ids, body))
    }

    fn tell_gone(&mut self, event: Option<NewEvent>) -> Result<(), Stopped> {
        event.map_or(Ok(()), |event| self.sink.event(event))
    }

    /// An event without person, day or category; its id holds when the row was deleted, so that a thing can be deleted
    /// again after it came back.
    fn gone(&self, file: &str, what: &str, ids: &Ids<'_>, body: Body) -> Option<NewEvent> {
        let id = format!("{file}:{}:{what}{}", ids.key, ids.deleted);
        let id = SourceEventId::new(id).ok()?;
        Some(NewEvent::new(self.context.received_at, id, body))
    }
}

fn bare_stay(case: SourceCaseId, status: &str) -> Involvement {
    Involvement {
        program: Program::Housing,
        case,
        people: Vec::new(),
        status: Some(status.to_owned()),
        from: None,
        to: None,
        worker: None,
        project: None,
        original: None,
    }
}
