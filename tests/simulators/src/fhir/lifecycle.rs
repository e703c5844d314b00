//! The referral state machine of the SDOH Clinical Care guide.

/// Statuses of a referral task: FHIR task-status without `received` and `ready`.
pub(crate) const STATUSES: [&str; 10] = [
    "draft",
    "requested",
    "accepted",
    "rejected",
    "cancelled",
    "in-progress",
    "on-hold",
    "failed",
    "completed",
    "entered-in-error",
];

/// Statuses that need a reason.
pub(crate) const WITH_REASON: [&str; 4] = ["rejected", "cancelled", "on-hold", "failed"];

/// Whether a task may go from one status to another; staying is always allowed.
pub(crate) fn may_move(from: &str, to: &str) -> bool {
    let next: &[&str] = match from {
        "draft" => &["requested"],
        "requested" => &["accepted", "rejected", "cancelled"],
        "accepted" => &["in-progress", "on-hold", "cancelled", "completed", "failed"],
        "in-progress" => &["on-hold", "completed", "failed", "cancelled"],
        "on-hold" => &["in-progress", "cancelled", "completed", "failed"],
        _ => &[],
    };
    from == to || to == "entered-in-error" || next.contains(&to)
}

/// Whether only the organisation that does the work may set this status.
pub(crate) fn belongs_to_target(status: &str) -> bool {
    matches!(
        status,
        "accepted" | "rejected" | "in-progress" | "on-hold" | "failed" | "completed"
    )
}

#[cfg(test)]
mod tests {
    use super::{STATUSES, may_move};

    #[test]
    fn nothing_leaves_a_terminal_status_but_an_error_mark() {
        for from in [
            "rejected",
            "cancelled",
            "failed",
            "completed",
            "entered-in-error",
        ] {
            for to in STATUSES {
                assert_eq!(may_move(from, to), from == to || to == "entered-in-error");
            }
        }
        assert!(may_move("on-hold", "in-progress") && !may_move("requested", "completed"));
    }
}
