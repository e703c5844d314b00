//! Referrals as rows of Event.csv: asked, answered, withdrawn.
//!
//! A row keeps its EventID for life. Every later telling copies the row as it last stood at the partner and
//! changes only what is ours to change, and DateUpdated moves on.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use tandem_adapter_port::outbound::{Outbound, OutboundBody, ReferralStatusView, ReferralView};
use tandem_adapter_port::write::WriteContext;
use tandem_mappings::model::referral::{ReferralRole, ReferralStatus};
use tandem_mappings::tables::ReasonTable;

use super::csv_text::clean;
use super::delta::Delta;
use super::draft::Draft;
use super::parked::Parked;
use super::partner::{Partner, StayOf};
use crate::config::WriteConfig;
use crate::describe;
use crate::tables::EventTypes;
use crate::value::instant_text;

/// Events that mean an opening, and so need a receiving project.
const OPENINGS: [&str; 7] = ["10", "11", "12", "13", "14", "15", "18"];

/// Writes Event rows for one batch.
pub(crate) struct EventWriter<'a> {
    pub(crate) config: &'a WriteConfig,
    pub(crate) context: &'a WriteContext,
    pub(crate) partner: &'a Partner<'a>,
    pub(crate) types: &'a EventTypes,
}

impl EventWriter<'_> {
    /// The Event row of a message as it shall stand at the partner; `None` when the message is none that a row of
    /// Event can tell.
    pub(crate) fn row(&self, message: &Outbound, delta: &Delta) -> Option<Result<Draft, Parked>> {
        match &message.body {
            OutboundBody::Referral(view) if view.is_withdrawn => {
                Some(self.withdrawn(message, view, delta))
            }
            OutboundBody::Referral(view) => Some(self.asked(message, view, delta)),
            OutboundBody::ReferralStatus(view) => self.status(view, delta),
            _ => None,
        }
    }

    fn asked(
        &self,
        message: &Outbound,
        view: &ReferralView,
        delta: &Delta,
    ) -> Result<Draft, Parked> {
        let id = describe::event_id(view.referral);
        let project = view
            .service_reference
            .as_deref()
            .or(self.config.default_project.as_deref());
        let today = self.local(self.context.now).date();
        if let Some(project) = project
            && !self.partner.may_hold_clients(project, today)?
        {
            return Err(Parked::ClosedProject);
        }
        let kind = project
            .map(|project| self.partner.project_type(project))
            .unwrap_or_default();
        let event = self
            .types
            .event(view.domain, &kind)
            .ok_or(Parked::NoEventType)?;
        if project.is_none() && OPENINGS.contains(&event) {
            return Err(Parked::NoProject);
        }
        let mut row = match self.standing(&id, delta) {
            Some(row) => row,
            None => self.new_row(message, view, &id)?,
        };
        row.set("Event", event);
        row.set(
            "LocationCrisisOrPHHousing",
            clean(project.unwrap_or_default()),
        );
        self.touch(&mut row);
        Ok(row)
    }

    fn withdrawn(
        &self,
        message: &Outbound,
        view: &ReferralView,
        delta: &Delta,
    ) -> Result<Draft, Parked> {
        let id = describe::event_id(view.referral);
        let mut row = self
            .standing(&id, delta)
            .map_or_else(|| self.asked(message, view, delta), Ok)?;
        self.delete(&mut row);
        Ok(row)
    }

    /// A result for the partner's own row, or the end of a row of ours.
    fn status(&self, view: &ReferralStatusView, delta: &Delta) -> Option<Result<Draft, Parked>> {
        match view.recipient_role? {
            ReferralRole::Source => {
                let result = result_code(view)?;
                let row = self.standing(view.recipient_ref.as_deref()?, delta);
                // A result goes with openings only (element 4.20).
                if row.as_ref().is_some_and(|row| !takes_result(row)) {
                    return None;
                }
                Some(
                    row.map(|row| self.answered(view, row, result))
                        .ok_or(Parked::NoEvent),
                )
            }
            ReferralRole::Target
                if matches!(
                    view.status,
                    ReferralStatus::Cancelled | ReferralStatus::EnteredInError
                ) =>
            {
                let id = describe::event_id(view.referral);
                Some(
                    self.standing(&id, delta)
                        .ok_or(Parked::NoEvent)
                        .map(|mut row| {
                            self.delete(&mut row);
                            row
                        }),
                )
            }
            _ => None,
        }
    }

    fn answered(&self, view: &ReferralStatusView, mut row: Draft, result: &str) -> Draft {
        // The day of the first answer stays while the answer does.
        if row.get("ReferralResult") != result || row.get("ResultDate").is_empty() {
            row.set("ReferralResult", result);
            row.set("ResultDate", self.local(view.at).date().to_string());
        }
        self.touch(&mut row);
        row
    }

    /// The row as it stands at the partner, or as this batch already changed it.
    fn standing(&self, id: &str, delta: &Delta) -> Option<Draft> {
        delta
            .event(id)
            .cloned()
            .or_else(|| self.partner.row("Event", id).ok())
    }

    fn new_row(&self, message: &Outbound, view: &ReferralView, id: &str) -> Result<Draft, Parked> {
        let stay = self.partner.stay(&message.people, StayOf::Head)?;
        let requested = self.local(view.requested_at);
        let mut row = Draft::blank(self.partner.layout("Event")?);
        row.set("EventID", id);
        row.set("EnrollmentID", stay.key());
        row.set("PersonalID", stay.get("PersonalID"));
        row.set("EventDate", requested.date().to_string());
        row.set("DateCreated", instant_text(requested));
        row.set(
            "UserID",
            self.config.user_id.as_deref().unwrap_or(stay.get("UserID")),
        );
        Ok(row)
    }

    fn delete(&self, row: &mut Draft) {
        self.touch(row);
        if row.get("DateDeleted").is_empty() {
            let moved = row.get("DateUpdated").to_owned();
            row.set("DateDeleted", moved);
        }
    }

    /// Moves DateUpdated on: to now, and past what stands there.
    fn touch(&self, row: &mut Draft) {
        let now = self.local(self.context.now);
        let held: Option<DateTime> = row.get("DateUpdated").replacen(' ', "T", 1).parse().ok();
        let next = match held.and_then(|held| held.checked_add(1.second()).ok()) {
            Some(after) if after > now => after,
            _ => now,
        };
        row.set("DateUpdated", instant_text(next));
        if let Some(user) = &self.config.user_id {
            row.set("UserID", user.as_str());
        }
    }

    fn local(&self, at: Timestamp) -> DateTime {
        local(at, &self.context.zone)
    }
}

fn takes_result(row: &Draft) -> bool {
    let event = row.get("Event").trim();
    OPENINGS.contains(&event) || event == "17"
}

/// The local date and time of an instant.
pub(crate) fn local(at: Timestamp, zone: &TimeZone) -> DateTime {
    at.to_zoned(zone.clone()).datetime()
}

/// Code of list 4.20.D for a referral's state and reason; `None` when the list has none for it.
fn result_code(view: &ReferralStatusView) -> Option<&'static str> {
    match view.status {
        ReferralStatus::Accepted | ReferralStatus::InProgress => return Some("1"),
        ReferralStatus::Rejected
        | ReferralStatus::Completed
        | ReferralStatus::Failed
        | ReferralStatus::Cancelled => {}
        _ => return None,
    }
    let by_reason = view.reason.and_then(|reason| {
        ReasonTable::shipped()
            .ok()?
            .hmis_result(view.status, reason)
            .map(|result| result.code())
    });
    match (by_reason, view.status) {
        (Some(1), _) | (None, ReferralStatus::Completed) => Some("1"),
        (Some(2), _) => Some("2"),
        (Some(3), _) | (None, ReferralStatus::Rejected) => Some("3"),
        _ => None,
    }
}
