//! The transition table, in one place.

use tandem_mappings::model::referral::{ReferralRole, ReferralStatus};

use ReferralRole::{Gateway, Source, Target};
use ReferralStatus::{
    Accepted, Cancelled, Completed, Draft, EnteredInError, Failed, InProgress, OnHold, Rejected,
    Requested,
};

/// One allowed move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// The state before; `None` for a referral that is not there yet.
    pub from: Option<ReferralStatus>,
    /// The state after.
    pub to: ReferralStatus,
    /// The sides that may make the move.
    pub by: &'static [ReferralRole],
    /// Whether a reason must be given.
    pub needs_reason: bool,
    /// Whether content, permit and target are checked (entering `requested`).
    pub needs_readiness: bool,
}

const fn allowed(
    from: Option<ReferralStatus>,
    to: ReferralStatus,
    by: &'static [ReferralRole],
    needs_reason: bool,
) -> Transition {
    let needs_readiness = matches!(to, Requested);
    Transition {
        from,
        to,
        by,
        needs_reason,
        needs_readiness,
    }
}

const ANY_SIDE: &[ReferralRole] = &[Source, Target, Gateway];

/// Every allowed move. What is not here is refused. `draft` is optional (SDOH Clinical Care, task
/// state machine), so a referral may begin as `requested`.
pub const TRANSITIONS: &[Transition] = &[
    allowed(None, Draft, &[Source], false),
    allowed(None, Requested, &[Source], false),
    allowed(Some(Draft), Requested, &[Source], false),
    allowed(Some(Requested), Accepted, &[Target], false),
    allowed(Some(Requested), Rejected, &[Target], true),
    allowed(Some(Requested), Cancelled, &[Source, Gateway], true),
    allowed(Some(Accepted), InProgress, &[Target], false),
    allowed(Some(Accepted), OnHold, &[Target], true),
    allowed(Some(Accepted), Completed, &[Target], true),
    allowed(Some(Accepted), Failed, &[Target], true),
    allowed(Some(Accepted), Cancelled, ANY_SIDE, true),
    allowed(Some(InProgress), OnHold, &[Target], true),
    allowed(Some(InProgress), Completed, &[Target], true),
    allowed(Some(InProgress), Failed, &[Target], true),
    allowed(Some(InProgress), Cancelled, ANY_SIDE, true),
    allowed(Some(OnHold), InProgress, &[Target], false),
    allowed(Some(OnHold), Completed, &[Target], true),
    allowed(Some(OnHold), Failed, &[Target], true),
    allowed(Some(OnHold), Cancelled, ANY_SIDE, true),
    // Only the side that wrote the referral first, the source, may say that it never was.
    allowed(Some(Draft), EnteredInError, &[Source], false),
    allowed(Some(Requested), EnteredInError, &[Source], false),
    allowed(Some(Accepted), EnteredInError, &[Source], false),
    allowed(Some(Rejected), EnteredInError, &[Source], false),
    allowed(Some(Cancelled), EnteredInError, &[Source], false),
    allowed(Some(InProgress), EnteredInError, &[Source], false),
    allowed(Some(OnHold), EnteredInError, &[Source], false),
    allowed(Some(Completed), EnteredInError, &[Source], false),
    allowed(Some(Failed), EnteredInError, &[Source], false),
];

/// The table's row for a move, if the table has it.
#[must_use]
pub fn transition(from: Option<ReferralStatus>, to: ReferralStatus) -> Option<&'static Transition> {
    TRANSITIONS
        .iter()
        .find(|row| row.from == from && row.to == to)
}

/// Whether no business move leads out of a state (`entered-in-error` is a correction, not a move).
#[must_use]
pub fn is_terminal(state: ReferralStatus) -> bool {
    matches!(
        state,
        Rejected | Cancelled | Completed | Failed | EnteredInError
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_stands_in_the_table_once() {
        for row in TRANSITIONS {
            let same = |other: &&Transition| other.from == row.from && other.to == row.to;
            assert_eq!(TRANSITIONS.iter().filter(same).count(), 1, "{row:?}");
        }
    }

    #[test]
    fn only_a_correction_leads_out_of_a_terminal_state() {
        for row in TRANSITIONS {
            if row.from.is_some_and(is_terminal) {
                assert_eq!(row.to, EnteredInError);
            }
        }
        let has_exit = |state| TRANSITIONS.iter().any(|row| row.from == Some(state));
        for &state in ReferralStatus::ALL {
            assert_eq!(has_exit(state), state != EnteredInError, "{state}");
        }
    }

    #[test]
    fn the_target_alone_decides_and_the_source_alone_asks() {
        for row in TRANSITIONS {
            match row.to {
                Accepted | Rejected | InProgress | OnHold | Completed | Failed => {
                    assert_eq!(row.by, [Target]);
                }
                Draft | Requested | EnteredInError => assert_eq!(row.by, [Source]),
                _ => assert!(row.by.contains(&Gateway) && row.by.contains(&Source)),
            }
        }
    }
}
