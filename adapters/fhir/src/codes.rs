//! The tables by which FHIR codes mean something in the common model, and back.
//!
//! The facts stand in `mappings/tables/fhir/`; every file names its source and version. What a county
//! may override is looked up through [`crate::county`]; these here are the standard's alone.

use std::sync::LazyLock;

use tandem_mappings::model::plan::PlanStatus;
use tandem_mappings::model::referral::{ReferralStatus, Urgency};
use tandem_mappings::tables::{Row, Table, TableError};

use crate::county;

macro_rules! tables {
    ($($name:ident $file:literal $header:expr),+ $(,)?) => {
        $(pub(crate) static $name: LazyLock<Result<Table, TableError>> = LazyLock::new(|| {
            Table::parse(
                concat!("fhir/", $file),
                include_str!(concat!("../../../mappings/tables/fhir/", $file)),
                $header,
            )
        });)+

        /// Checks every table of the adapter.
        ///
        /// # Errors
        /// What is wrong with the first table that does not load.
        pub fn check_tables() -> Result<(), TableError> {
            $(if let Err(error) = &*$name { return Err(error.clone()); })+
            Ok(())
        }
    };
}

tables! {
    STATUSES "task_statuses.csv" &["fhir_status", "state", "emitted"],
    MOVES "task_transitions.csv" &["from", "to", "mover", "needs"],
    PRIORITIES "priorities.csv" &["fhir_priority", "urgency", "written"],
    PLAN_STATUSES "plan_statuses.csv" &["fhir_status", "plan_status", "written", "read"],
    SERVICE_CODES "service_codes.csv" county::SERVICE_CODES_HEADER,
    CATEGORIES "sdoh_categories.csv" county::CATEGORIES_HEADER,
    REASONS "reasons.csv" county::REASONS_HEADER,
    SUB_STATUSES "sub_statuses.csv" county::SUB_STATUSES_HEADER,
}

/// The first of some rows that has these values in these columns: its value in column `want`.
pub(crate) fn first<'a>(
    mut rows: impl Iterator<Item = &'a Row>,
    by: &[(&str, &str)],
    want: &str,
) -> Option<&'a str> {
    rows.find(|row| by.iter().all(|(column, value)| row.get(column) == *value))
        .map(|row| row.get(want))
}

fn find(
    table: &'static Result<Table, TableError>,
    by: &[(&str, &str)],
    want: &str,
) -> Option<&'static str> {
    first(table.as_ref().ok()?.rows().iter(), by, want)
}

/// The referral state that a Task.status is read as; `received` and `ready` are read too.
#[must_use]
pub fn read_task_status(code: &str) -> Option<ReferralStatus> {
    ReferralStatus::from_code(find(&STATUSES, &[("fhir_status", code)], "state")?)
}

/// Who moves a referral along an edge of the Gravity state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mover {
    /// The requester alone.
    Requester,
    /// The target alone.
    Target,
    /// Either side.
    Either,
}

/// One allowed move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Who may make it.
    pub mover: Mover,
    /// Whether `statusReason.text` must be given.
    pub needs_reason: bool,
}

/// The move from one state to another, if the state machine has it (Gravity 3.0.0).
#[must_use]
pub fn allowed_move(from: ReferralStatus, to: ReferralStatus) -> Option<Move> {
    let edge = [("from", from.code()), ("to", to.code())];
    let mover = match find(&MOVES, &edge, "mover")? {
        "requester" => Mover::Requester,
        "target" => Mover::Target,
        _ => Mover::Either,
    };
    Some(Move {
        mover,
        needs_reason: find(&MOVES, &edge, "needs") == Some("reason"),
    })
}

/// The shortest chain of allowed moves from one state to another, without `from`.
///
/// A partner's Task is seen as it stands when it is read: between two looks it may have moved more
/// than once, and the state machine tells through which states it must have come.
#[must_use]
pub fn path(from: ReferralStatus, to: ReferralStatus) -> Option<Vec<ReferralStatus>> {
    let mut reached = vec![(from, None::<usize>)];
    let mut next = 0;
    while let Some(&(state, _)) = reached.get(next) {
        if state == to && next > 0 {
            let mut chain = Vec::new();
            let mut at = Some(next);
            while let Some(&(state, before)) = at.and_then(|at| reached.get(at)) {
                chain.push(state);
                at = before;
            }
            chain.pop();
            chain.reverse();
            return Some(chain);
        }
        for &candidate in ReferralStatus::ALL {
            if allowed_move(state, candidate).is_some()
                && !reached.iter().any(|(known, _)| *known == candidate)
            {
                reached.push((candidate, Some(next)));
            }
        }
        next += 1;
    }
    None
}

/// The urgency that a request priority is read as.
#[must_use]
pub fn read_priority(code: &str) -> Option<Urgency> {
    Urgency::from_code(find(&PRIORITIES, &[("fhir_priority", code)], "urgency")?)
}

/// The request priority written for an urgency.
#[must_use]
pub fn write_priority(urgency: Urgency) -> &'static str {
    find(
        &PRIORITIES,
        &[("urgency", urgency.code()), ("written", "yes")],
        "fhir_priority",
    )
    .unwrap_or("routine")
}

/// The plan state that a CarePlan.status is read as.
#[must_use]
pub fn read_plan_status(code: &str) -> Option<PlanStatus> {
    PlanStatus::from_code(find(
        &PLAN_STATUSES,
        &[("fhir_status", code), ("read", "yes")],
        "plan_status",
    )?)
}

/// The CarePlan.status written for a plan state.
#[must_use]
pub fn write_plan_status(status: PlanStatus) -> &'static str {
    find(
        &PLAN_STATUSES,
        &[("plan_status", status.code())],
        "fhir_status",
    )
    .unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use tandem_mappings::model::domain::Domain;
    use tandem_mappings::model::referral::{ReasonCode, SubStatus};

    use super::*;

    #[test]
    fn every_table_loads_and_names_only_canonical_codes() {
        check_tables().unwrap();
        for row in CATEGORIES.as_ref().unwrap().rows() {
            assert!(
                Domain::from_code(row.get("domain")).is_some(),
                "{}",
                row.get("domain")
            );
        }
        for row in MOVES.as_ref().unwrap().rows() {
            assert!(ReferralStatus::from_code(row.get("from")).is_some());
            assert!(ReferralStatus::from_code(row.get("to")).is_some());
        }
        for row in REASONS.as_ref().unwrap().rows() {
            assert!(ReasonCode::from_code(row.get("reason")).is_some());
        }
        for row in SUB_STATUSES.as_ref().unwrap().rows() {
            assert!(SubStatus::from_code(row.get("sub_status")).is_some());
        }
    }

    #[test]
    fn base_fhir_received_and_ready_are_read_as_requested_and_accepted() {
        assert_eq!(
            read_task_status("received"),
            Some(ReferralStatus::Requested)
        );
        assert_eq!(read_task_status("ready"), Some(ReferralStatus::Accepted));
        assert_eq!(read_task_status("done"), None);
    }

    #[test]
    fn a_terminal_state_is_left_only_as_entered_in_error() {
        for from in ["rejected", "cancelled", "failed", "completed"] {
            let from = ReferralStatus::from_code(from).unwrap();
            for &to in ReferralStatus::ALL {
                let is_allowed = allowed_move(from, to).is_some();
                assert_eq!(
                    is_allowed,
                    to == ReferralStatus::EnteredInError,
                    "{from} -> {to}"
                );
            }
        }
    }

    #[test]
    fn a_task_seen_in_progress_must_have_been_accepted() {
        use ReferralStatus::{Accepted, Cancelled, Completed, InProgress, Requested};
        assert_eq!(
            path(Requested, InProgress),
            Some(vec![Accepted, InProgress])
        );
        assert_eq!(path(Requested, Completed), Some(vec![Accepted, Completed]));
        assert_eq!(path(Requested, Cancelled), Some(vec![Cancelled]));
        assert_eq!(path(Completed, Accepted), None);
        assert_eq!(path(Accepted, Requested), None);
    }

    #[test]
    fn every_urgency_and_plan_state_has_a_fhir_code() {
        for &urgency in Urgency::ALL {
            assert_eq!(read_priority(write_priority(urgency)), Some(urgency));
        }
        for &status in PlanStatus::ALL {
            assert!(
                read_plan_status(write_plan_status(status)).is_some(),
                "{status}"
            );
        }
    }
}
