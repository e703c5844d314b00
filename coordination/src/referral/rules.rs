//! Judging one move of a referral.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::referral::{
    ReasonCode, ReferralRole, ReferralStatus, ReferralUpdate, SubStatus,
};
use tandem_mappings::tables::{ReasonTable, TableError};

use super::{ContentGap, Referral, is_terminal, transition};

/// A wish to move a referral, or to give detail below its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The state asked for; the present one for detail only.
    pub to: ReferralStatus,
    /// The side that asks.
    pub by: ReferralRole,
    /// Why.
    pub reason: Option<ReasonCode>,
    /// Why, in words.
    pub reason_text: Option<String>,
    /// Detail below the state.
    pub sub_status: Option<SubStatus>,
    /// When it happened.
    pub at: Timestamp,
}

impl Move {
    /// A move without reason or detail.
    #[must_use]
    pub fn new(to: ReferralStatus, by: ReferralRole, at: Timestamp) -> Self {
        Self {
            to,
            by,
            reason: None,
            reason_text: None,
            sub_status: None,
            at,
        }
    }

    /// The move that an update tells, made by the given side.
    #[must_use]
    pub fn of(update: &ReferralUpdate, by: ReferralRole, at: Timestamp) -> Self {
        Self {
            to: update.status,
            by,
            reason: update.reason,
            reason_text: update.reason_text.clone(),
            sub_status: update.sub_status,
            at,
        }
    }

    /// The same move with a reason.
    #[must_use]
    pub fn because(mut self, reason: ReasonCode) -> Self {
        self.reason = Some(reason);
        self
    }

    /// The same move with detail.
    #[must_use]
    pub fn with(mut self, sub_status: SubStatus) -> Self {
        self.sub_status = Some(sub_status);
        self
    }
}

/// What must hold before a referral may be requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// What the content lacks, from [`super::content_gaps`]; names only.
    #[serde(skip)]
    pub gaps: Vec<ContentGap>,
    /// A consent decision says permit.
    pub is_permitted: bool,
    /// The target is active in the directory.
    pub target_is_active: bool,
}

impl Readiness {
    /// Everything holds.
    #[must_use]
    pub fn complete() -> Self {
        Self {
            gaps: Vec::new(),
            is_permitted: true,
            target_is_active: true,
        }
    }
}

/// What an allowed wish does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The state changes.
    Moved,
    /// The state stays; detail below it changes.
    Detailed,
    /// The same move again: nothing changes.
    NoOp,
}

/// Why a wish is refused; the gateway answers 409 and records it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The table does not have the move.
    #[error("no move from {} to {to}", .from.map_or("nothing", ReferralStatus::code))]
    NotListed {
        /// The present state.
        from: Option<ReferralStatus>,
        /// The state asked for.
        to: ReferralStatus,
    },
    /// The referral is over.
    #[error("the referral is over: {from}")]
    Terminal {
        /// The present state.
        from: ReferralStatus,
    },
    /// Another side may make the move, not this one.
    #[error("the {by} may not move the referral to {to}")]
    WrongSide {
        /// The side that asked.
        by: ReferralRole,
        /// The state asked for.
        to: ReferralStatus,
    },
    /// A reason is required.
    #[error("a reason is required to move to {to}")]
    ReasonMissing {
        /// The state asked for.
        to: ReferralStatus,
    },
    /// The reason is not one for this state or this side.
    #[error("reason {reason} does not fit a move to {to} by the {by}")]
    ReasonUnfit {
        /// The reason given.
        reason: ReasonCode,
        /// The state asked for.
        to: ReferralStatus,
        /// The side that asked.
        by: ReferralRole,
    },
    /// The content is incomplete.
    #[error("the referral lacks: {}", .gaps.iter().map(|gap| gap.code()).collect::<Vec<_>>().join(", "))]
    Incomplete {
        /// What is missing.
        gaps: Vec<ContentGap>,
    },
    /// No consent decision permits the referral.
    #[error("no permit")]
    NotPermitted,
    /// The target is not active in the directory.
    #[error("the target is not active in the directory")]
    TargetInactive,
}

impl Refused {
    /// Stable name for problem documents.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotListed { .. } => "move-not-listed",
            Self::Terminal { .. } => "referral-is-over",
            Self::WrongSide { .. } => "wrong-side",
            Self::ReasonMissing { .. } => "reason-missing",
            Self::ReasonUnfit { .. } => "reason-unfit",
            Self::Incomplete { .. } => "content-incomplete",
            Self::NotPermitted => "no-permit",
            Self::TargetInactive => "target-inactive",
        }
    }
}

/// The rules of referrals: the transition table and the table of reasons.
#[derive(Debug, Clone)]
pub struct Rules {
    reasons: ReasonTable,
}

impl Rules {
    /// Rules over a table of reasons.
    #[must_use]
    pub fn new(reasons: ReasonTable) -> Self {
        Self { reasons }
    }

    /// Rules over the table of reasons that ships with Tandem.
    ///
    /// # Errors
    /// [`TableError`] when the shipped table is malformed.
    pub fn shipped() -> Result<Self, TableError> {
        ReasonTable::shipped().map(Self::new)
    }

    /// The table of reasons, with its meaning in HMIS, CalAIM and findhelp.
    #[must_use]
    pub fn reasons(&self) -> &ReasonTable {
        &self.reasons
    }

    /// Judges a wish. `readiness` matters only for a move to `requested`.
    ///
    /// # Errors
    /// [`Refused`] with the reason; the state must then stay as it is.
    pub fn decide(
        &self,
        referral: &Referral,
        wish: &Move,
        readiness: &Readiness,
    ) -> Result<Decision, Refused> {
        let from = referral.status();
        if from == Some(wish.to) {
            return self.decide_repeat(referral, wish);
        }
        if let Some(from) = from
            && is_terminal(from)
            && wish.to != ReferralStatus::EnteredInError
        {
            return Err(Refused::Terminal { from });
        }
        let row = transition(from, wish.to).ok_or(Refused::NotListed { from, to: wish.to })?;
        if !row.by.contains(&wish.by) {
            return Err(Refused::WrongSide {
                by: wish.by,
                to: wish.to,
            });
        }
        self.check_reason(wish, row.needs_reason)?;
        if row.needs_readiness {
            check_readiness(readiness)?;
        }
        Ok(Decision::Moved)
    }

    fn decide_repeat(&self, referral: &Referral, wish: &Move) -> Result<Decision, Refused> {
        let same_reason = wish.reason.is_none() || wish.reason == referral.reason();
        let same_detail = wish.sub_status.is_none() || wish.sub_status == referral.sub_status();
        if same_reason && same_detail {
            return Ok(Decision::NoOp);
        }
        if is_terminal(wish.to) {
            return Err(Refused::Terminal { from: wish.to });
        }
        // Detail is told by the side that acts: the target once asked, the source in its draft, and
        // the gateway about delivery and consent.
        let writes_detail = match wish.to {
            ReferralStatus::Draft => wish.by != ReferralRole::Target,
            _ => wish.by != ReferralRole::Source,
        };
        if !writes_detail || (!same_reason && wish.by != ReferralRole::Target) {
            return Err(Refused::WrongSide {
                by: wish.by,
                to: wish.to,
            });
        }
        self.check_reason(wish, false)?;
        Ok(Decision::Detailed)
    }

    fn check_reason(&self, wish: &Move, is_needed: bool) -> Result<(), Refused> {
        let Some(reason) = wish.reason else {
            return if is_needed {
                Err(Refused::ReasonMissing { to: wish.to })
            } else {
                Ok(())
            };
        };
        let fits = wish.to == ReferralStatus::EnteredInError
            || self.reasons.rule(reason).is_some_and(|rule| {
                // The gateway never cancels on its own judgement: only when the basis ends.
                let side_fits = match (rule.only_by(), wish.by) {
                    (None, ReferralRole::Gateway) => false,
                    (None, _) => true,
                    (Some(only), by) => only == by,
                };
                side_fits && rule.fits(wish.to)
            });
        if fits {
            Ok(())
        } else {
            Err(Refused::ReasonUnfit {
                reason,
                to: wish.to,
                by: wish.by,
            })
        }
    }
}

fn check_readiness(readiness: &Readiness) -> Result<(), Refused> {
    if !readiness.gaps.is_empty() {
        return Err(Refused::Incomplete {
            gaps: readiness.gaps.clone(),
        });
    }
    if !readiness.is_permitted {
        return Err(Refused::NotPermitted);
    }
    if !readiness.target_is_active {
        return Err(Refused::TargetInactive);
    }
    Ok(())
}
