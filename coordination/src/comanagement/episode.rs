//! The state of one co-management episode, folded from its facts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::comanagement::{ComanagementState, EndReason, StartReason};
use tandem_mappings::model::id::{OrganizationId, SourceCaseId, SystemId};
use tandem_mappings::model::worker::WorkerContact;

use super::{EpisodeFact, EpisodeRefused, PauseReason};
use ComanagementState::{Candidate, Confirmed, Coordinating, Ended, Paused};

/// A programme's part in an episode.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Participant {
    /// Its case.
    pub case: Option<SourceCaseId>,
    /// Its worker.
    pub worker: Option<WorkerContact>,
}

/// A co-management episode as its facts have made it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Episode {
    state: Option<ComanagementState>,
    participants: BTreeMap<SystemId, Participant>,
    lead: Option<OrganizationId>,
    start_reason: Option<StartReason>,
    pause_reason: Option<PauseReason>,
    end_reason: Option<EndReason>,
    review_due: Option<Date>,
    confirmed_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

impl Episode {
    /// The state; `None` before the first fact.
    #[must_use]
    pub fn state(&self) -> Option<ComanagementState> {
        self.state
    }

    /// The participating systems with their cases and workers.
    #[must_use]
    pub fn participants(&self) -> &BTreeMap<SystemId, Participant> {
        &self.participants
    }

    /// The one leading organisation.
    #[must_use]
    pub fn lead(&self) -> Option<&OrganizationId> {
        self.lead.as_ref()
    }

    /// Why it started.
    #[must_use]
    pub fn start_reason(&self) -> Option<StartReason> {
        self.start_reason
    }

    /// Why it is paused.
    #[must_use]
    pub fn pause_reason(&self) -> Option<PauseReason> {
        self.pause_reason
    }

    /// Why it ended.
    #[must_use]
    pub fn end_reason(&self) -> Option<EndReason> {
        self.end_reason
    }

    /// When the family was confirmed.
    #[must_use]
    pub fn confirmed_at(&self) -> Option<Timestamp> {
        self.confirmed_at
    }

    /// When coordination started.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        self.started_at
    }

    /// When it ended.
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.ended_at
    }

    /// Next review.
    #[must_use]
    pub fn review_due(&self) -> Option<Date> {
        self.review_due
    }

    /// Whether a review is due on a day: a flag, never an end.
    #[must_use]
    pub fn is_review_due(&self, today: Date) -> bool {
        self.state != Some(Ended) && self.review_due.is_some_and(|due| due <= today)
    }

    /// The systems that are told what happens in `system`: the other participants while coordinating,
    /// nobody otherwise.
    pub fn told_by<'a>(&'a self, system: &'a SystemId) -> impl Iterator<Item = &'a SystemId> {
        let is_coordinating = self.state == Some(Coordinating);
        let is_participant = self.participants.contains_key(system);
        self.participants
            .keys()
            .filter(move |other| is_coordinating && is_participant && *other != system)
    }

    /// Folds one fact into the episode.
    ///
    /// # Errors
    /// [`EpisodeRefused`] when the life cycle does not allow it; the episode stays as it was.
    pub fn apply(&mut self, fact: &EpisodeFact) -> Result<(), EpisodeRefused> {
        let from = self.state;
        if from == Some(Ended) {
            // Ending twice, by each programme, is one end.
            return match fact {
                EpisodeFact::Ended { .. } => Ok(()),
                _ => Err(EpisodeRefused::Over),
            };
        }
        match (from, fact) {
            (None | Some(Candidate), EpisodeFact::Proposed { .. }) => self.state = Some(Candidate),
            // A doubt raised about a family that is confirmed already changes nothing.
            (Some(_), EpisodeFact::Proposed { .. }) => {}
            (None | Some(Candidate), EpisodeFact::Confirmed { has_basis, at }) => {
                if !has_basis {
                    return Err(EpisodeRefused::NoBasis);
                }
                self.state = Some(Confirmed);
                self.confirmed_at.get_or_insert(*at);
            }
            (Some(_), EpisodeFact::Confirmed { .. }) => {}
            (None, _) => return Err(EpisodeRefused::NotListed { from }),
            (Some(Coordinating), EpisodeFact::Paused { reason, .. }) => {
                (self.state, self.pause_reason) = (Some(Paused), Some(*reason));
            }
            (Some(Paused), EpisodeFact::Paused { .. })
            | (Some(Coordinating), EpisodeFact::Resumed { .. }) => {}
            (Some(Paused), EpisodeFact::Resumed { .. }) => {
                (self.state, self.pause_reason) = (Some(Coordinating), None);
            }
            (Some(_), EpisodeFact::Paused { .. } | EpisodeFact::Resumed { .. }) => {
                return Err(EpisodeRefused::NotListed { from });
            }
            (Some(_), EpisodeFact::Ended { reason, at }) => {
                self.state = Some(Ended);
                (self.end_reason, self.ended_at) = (Some(*reason), Some(*at));
            }
            (Some(_), _) => self.take_detail(fact),
        }
        self.start_when_ready(fact.at());
        Ok(())
    }

    fn take_detail(&mut self, fact: &EpisodeFact) {
        match fact {
            EpisodeFact::Joined {
                system,
                case,
                worker,
                ..
            } => {
                let participant = self.participants.entry(system.clone()).or_default();
                if case.is_some() {
                    participant.case.clone_from(case);
                }
                if worker.is_some() {
                    participant.worker.clone_from(worker);
                }
            }
            // The first programme gives the reason; the other's repeat or wish does not rewrite it.
            EpisodeFact::StartReasonSet { reason, .. } => {
                self.start_reason.get_or_insert(*reason);
            }
            EpisodeFact::LeadSet { lead, .. } => self.lead = Some(lead.clone()),
            EpisodeFact::ReviewSet { due, .. } => self.review_due = Some(*due),
            _ => {}
        }
    }

    /// Coordination starts when both programmes named a worker and a start reason is set.
    fn start_when_ready(&mut self, at: Timestamp) {
        let has_worker = |one: &&Participant| one.worker.is_some();
        let named = self.participants.values().filter(has_worker).count();
        if self.state == Some(Confirmed) && named >= 2 && self.start_reason.is_some() {
            self.state = Some(Coordinating);
            self.started_at = Some(at);
        }
    }
}
