//! What happens to a co-management episode.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::comanagement::{ComanagementState, EndReason, StartReason};
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{OrganizationId, SourceCaseId, SystemId};
use tandem_mappings::model::worker::WorkerContact;

use super::Episode;

/// Why coordination is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PauseReason {
    /// Consent is missing for a time.
    ConsentGap,
    /// The family is away.
    FamilyAway,
    /// A court ordered it.
    CourtOrder,
}

/// One fact about one episode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EpisodeFact {
    /// A doubtful match waits, or a worker asks.
    Proposed {
        /// When.
        at: Timestamp,
    },
    /// The family is the same, by score or by a person's decision.
    Confirmed {
        /// A lawful basis to tell both sides.
        has_basis: bool,
        /// When.
        at: Timestamp,
    },
    /// A programme takes part with a case and a worker. Also how a worker is replaced.
    Joined {
        /// The programme's system.
        system: SystemId,
        /// Its case.
        case: Option<SourceCaseId>,
        /// Its worker.
        worker: Option<WorkerContact>,
        /// When.
        at: Timestamp,
    },
    /// A programme set the start reason.
    StartReasonSet {
        /// Why it starts.
        reason: StartReason,
        /// When.
        at: Timestamp,
    },
    /// There is one lead; a new one takes the old one's place.
    LeadSet {
        /// The leading organisation.
        lead: OrganizationId,
        /// When.
        at: Timestamp,
    },
    /// A date that depends on a rule is kept as a review, never as eligibility.
    ReviewSet {
        /// When to look again.
        due: Date,
        /// When it was set.
        at: Timestamp,
    },
    /// Coordination pauses.
    Paused {
        /// Why.
        reason: PauseReason,
        /// When.
        at: Timestamp,
    },
    /// The basis is restored.
    Resumed {
        /// When.
        at: Timestamp,
    },
    /// Either programme ends it.
    Ended {
        /// Why.
        reason: EndReason,
        /// When.
        at: Timestamp,
    },
}

impl EpisodeFact {
    /// The facts that an event of the catalogue tells about an episode as it stands. A start told while the
    /// episode is paused says that the basis is restored. The catalogue has no pause reason:
    /// a note that is one of the codes is taken, else a consent gap is assumed, the strictest.
    #[must_use]
    pub fn of(event: &Event, episode: &Episode) -> Vec<Self> {
        let (system, at) = (event.system.clone(), event.told.occurred_at);
        match &event.told.body {
            Body::ComanagementStarted(told) => {
                let (case, worker) = (told.case.clone(), told.worker.clone());
                let mut facts = vec![Self::Joined {
                    system,
                    case,
                    worker,
                    at,
                }];
                facts.extend(
                    told.start_reason
                        .map(|reason| Self::StartReasonSet { reason, at }),
                );
                facts.extend(told.lead.clone().map(|lead| Self::LeadSet { lead, at }));
                facts.extend(told.review.map(|due| Self::ReviewSet { due, at }));
                if episode.state() == Some(ComanagementState::Paused) {
                    facts.push(Self::Resumed { at });
                }
                facts
            }
            Body::ComanagementPaused(told) => {
                let reason = match told.note.as_deref() {
                    Some("family-away") => PauseReason::FamilyAway,
                    Some("court-order") => PauseReason::CourtOrder,
                    _ => PauseReason::ConsentGap,
                };
                vec![Self::Paused { reason, at }]
            }
            Body::ComanagementEnded(told) => {
                vec![Self::Ended {
                    reason: told.end_reason.unwrap_or(EndReason::Other),
                    at,
                }]
            }
            Body::WorkerChanged(told) if episode.participants().contains_key(&system) => {
                let worker = Some(told.worker.clone());
                vec![Self::Joined {
                    system,
                    case: None,
                    worker,
                    at,
                }]
            }
            _ => Vec::new(),
        }
    }

    /// When it happened.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Proposed { at }
            | Self::Confirmed { at, .. }
            | Self::Joined { at, .. }
            | Self::StartReasonSet { at, .. }
            | Self::LeadSet { at, .. }
            | Self::ReviewSet { at, .. }
            | Self::Paused { at, .. }
            | Self::Resumed { at }
            | Self::Ended { at, .. } => *at,
        }
    }
}

/// Why a fact does not fit an episode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EpisodeRefused {
    /// The life cycle has no such move.
    #[error("an episode that is {} cannot take this", .from.map_or("not there", ComanagementState::code))]
    NotListed {
        /// The present state.
        from: Option<ComanagementState>,
    },
    /// A family is confirmed only with a lawful basis to tell both sides.
    #[error("no lawful basis to tell both sides")]
    NoBasis,
    /// The episode is over; what comes later opens a new one.
    #[error("the episode is over")]
    Over,
}
