//! Whether a row whose term is over goes, by kind.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_mappings::model::directive::Directive;
use tandem_mappings::model::id::{RecordKey, SystemId};

use super::held::Held;
use super::relied::Relied;
use super::{named, needs, people};
use crate::config::RowKind;
use crate::pipeline::proposal::Proposal;
use crate::state::break_glass::BreakGlassDoc;
use crate::state::directive::DirectiveDoc;
use crate::state::disclosure::DisclosureDoc;
use crate::state::episode::EpisodeDoc;
use crate::state::large::LargeDoc;
use crate::state::plan::PlanDoc;
use crate::state::record::RecordDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{
    Aged, DecisionRow, Document as _, EvidenceKind, OutboxState, Shelf, Stage, StoreError, Tx,
};

/// What becomes of a row whose term is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It goes.
    Free,
    /// A legal hold keeps it.
    Held,
    /// Something that stands needs it.
    Needed(&'static str),
    /// It went with another row.
    Gone,
}

/// Where the rows of a kind stand.
pub(super) const fn shelf(kind: RowKind) -> Shelf {
    match kind {
        RowKind::Events => Shelf::Events,
        RowKind::People => Shelf::Documents(RecordDoc::KIND),
        RowKind::Originals => Shelf::Inputs,
        RowKind::Evidence => Shelf::Evidence,
        RowKind::Decisions => Shelf::Decisions,
        RowKind::Plans => Shelf::Documents(PlanDoc::KIND),
        RowKind::Referrals => Shelf::Documents(ReferralDoc::KIND),
        RowKind::Episodes => Shelf::Documents(EpisodeDoc::KIND),
        RowKind::Consents => Shelf::Documents(DirectiveDoc::KIND),
        RowKind::Deliveries => Shelf::Messages,
        RowKind::Emergencies => Shelf::Documents(BreakGlassDoc::KIND),
        RowKind::Replays => Shelf::Replays,
    }
}

/// By what a row of a kind is weighed.
#[derive(Debug)]
pub(super) struct Scales<'a> {
    /// The kind.
    pub(super) kind: RowKind,
    /// Before when it must be counted from.
    pub(super) cutoff: Timestamp,
    /// What stays because something names it.
    pub(super) relied: &'a Relied,
}

impl Scales<'_> {
    /// What becomes of a row. One that can't be read is needed: nobody can say whether a hold keeps it.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn weigh(
        &self,
        tx: &mut Tx,
        held: &Held,
        row: &Aged,
    ) -> Result<Verdict, StoreError> {
        match self.of_kind(tx, held, row).await {
            Err(StoreError::Seal(_) | StoreError::Shape { .. }) => {
                Ok(Verdict::Needed("unreadable"))
            }
            weighed => weighed,
        }
    }

    async fn of_kind(&self, tx: &mut Tx, held: &Held, row: &Aged) -> Result<Verdict, StoreError> {
        match self.kind {
            RowKind::Events => event(tx, held, row).await,
            RowKind::People => match tx.document_at::<RecordDoc>(&row.place()?).await? {
                None => Ok(Verdict::Gone),
                Some(record) => people::weigh(tx, held, &record, self.cutoff).await,
            },
            RowKind::Originals => original(tx, held, row).await,
            RowKind::Evidence => self.evidence(tx, row).await,
            RowKind::Decisions => self.decision(tx, held, row).await,
            RowKind::Plans => plan(tx, held, row).await,
            RowKind::Referrals => referral(tx, held, row).await,
            RowKind::Episodes => episode(tx, held, row).await,
            RowKind::Consents => consent(tx, held, row).await,
            RowKind::Deliveries => delivery(tx, held, row).await,
            RowKind::Emergencies => emergency(tx, held, row).await,
            RowKind::Replays => Ok(Verdict::Free),
        }
    }

    /// A hold keeps the decisions that rest on a directive, and these keep the directive.
    async fn evidence(&self, tx: &mut Tx, row: &Aged) -> Result<Verdict, StoreError> {
        let hash = row.hash()?;
        let is_named =
            self.relied.names_evidence(hash) || tx.may_be_named_since(hash, self.cutoff).await?;
        if is_named {
            return Ok(Verdict::Needed("decision"));
        }
        let Some(text) = tx.evidence(EvidenceKind::Directive, hash).await? else {
            return Ok(Verdict::Gone);
        };
        let directive: Directive =
            serde_json::from_str(&text).map_err(|_| StoreError::Shape { kind: "evidence" })?;
        let consent = tx.get::<DirectiveDoc>(directive.id.as_str()).await?;
        Ok(needed(consent.map(|_| "consent")))
    }

    async fn decision(&self, tx: &mut Tx, held: &Held, row: &Aged) -> Result<Verdict, StoreError> {
        let id = row.decision()?;
        let Some(decision) = tx.decision(id).await? else {
            return Ok(Verdict::Gone);
        };
        if decision_is_held(tx, held, &decision).await? {
            return Ok(Verdict::Held);
        }
        if self.relied.names_decision(id) {
            let is_intake = decision.stage == Stage::Intake.code();
            return Ok(Verdict::Needed(if is_intake {
                "record"
            } else {
                "emergency"
            }));
        }
        if self.relied.may_name_any() && decision.stage == Stage::Query.code() {
            return Ok(Verdict::Needed("unreadable"));
        }
        let is_used = tx.decision_is_used(id).await?;
        Ok(needed(is_used.then_some("message")))
    }
}

const fn needed(by: Option<&'static str>) -> Verdict {
    match by {
        Some(by) => Verdict::Needed(by),
        None => Verdict::Free,
    }
}

async fn decision_is_held(
    tx: &mut Tx,
    held: &Held,
    decision: &DecisionRow,
) -> Result<bool, StoreError> {
    let organizations = [
        "/request/recipient/organization",
        "/request/requester/organization",
    ];
    let named = organizations
        .iter()
        .filter_map(|place| decision.record.pointer(place)?.as_str())
        .chain([decision.recipient.as_str()]);
    let named = named.filter_map(|organization| organization.parse().ok());
    if named.into_iter().any(|one| held.keeps_organization(&one)) {
        return Ok(true);
    }
    match decision.person {
        Some(person) => held.keeps_person(tx, person).await,
        None => Ok(held.keeps_anybody()),
    }
}

async fn event(tx: &mut Tx, held: &Held, row: &Aged) -> Result<Verdict, StoreError> {
    let Some(event) = tx.kept_event(row.position()?).await? else {
        return Ok(Verdict::Gone);
    };
    let named = named::named(&event);
    let ids = named.referrals.iter().filter_map(|reference| reference.id);
    let is_held = held.keeps_system(&event.system)
        || named.records.iter().any(|key| held.keeps_record(key))
        || ids.into_iter().any(|id| held.keeps_referral(id))
        || named.episodes.iter().any(|id| held.keeps_episode(*id));
    if is_held {
        return Ok(Verdict::Held);
    }
    needs::of_event(tx, &event, &named).await.map(needed)
}

async fn original(tx: &mut Tx, held: &Held, row: &Aged) -> Result<Verdict, StoreError> {
    let id = row.input()?;
    let Some(system) = tx.system_of_input(id).await? else {
        return Ok(Verdict::Gone);
    };
    // An original may speak of anybody whom its sender knows, also in what nobody could read.
    let system: Option<SystemId> = system.parse().ok();
    if system.is_none_or(|system| held.keeps_sent_by(&system)) {
        return Ok(Verdict::Held);
    }
    let large = tx.get::<LargeDoc>(&id.to_string()).await?;
    if large.is_some_and(|doc| doc.problem.is_none()) {
        return Ok(Verdict::Needed("large-file"));
    }
    Ok(needed(tx.input_waits(id).await?.then_some("waiting-event")))
}

async fn plan(tx: &mut Tx, held: &Held, row: &Aged) -> Result<Verdict, StoreError> {
    let Some(plan) = tx.document_at::<PlanDoc>(&row.place()?).await? else {
        return Ok(Verdict::Gone);
    };
    let mut is_held = held.keeps_system(&plan.system);
    is_held |= plan.episode.is_some_and(|id| held.keeps_episode(id));
    let subjects = plan.content.subjects.iter();
    is_held |= subjects
        .map(|person| RecordKey {
            system: plan.system.clone(),
            person: person.clone(),
        })
        .any(|key| held.keeps_record(&key));
    if is_held {
        return Ok(Verdict::Held);
    }
    let episode = match plan.episode {
        Some(id) => tx.get::<EpisodeDoc>(&id.to_string()).await?,
        None => None,
    };
    Ok(needed(episode.map(|_| "co-management")))
}

async fn referral(tx: &mut Tx, held: &Held, row: &Aged) -> Result<Verdict, StoreError> {
    let Some(referral) = tx.document_at::<ReferralDoc>(&row.place()?).await? else {
        return Ok(Verdict::Gone);
    };
    let mut systems = referral.target.iter().chain([&referral.source]);
    let is_held = held.keeps_referral(referral.id)
        || systems.any(|system| held.keeps_system(system))
        || held.keeps_organization(&referral.target_organization)
        || held.keeps_organization(&referral.source_organization)
        || referral.people.iter().any(|key| held.keeps_record(key))
        || held.keeps_person(tx, referral.person).await?;
    if is_held {
        return Ok(Verdict::Held);
    }
    if referral.state.is_open() {
        return Ok(Verdict::Needed("open-referral"));
    }
    for id in [referral.request_message, referral.outcome_message] {
        let Some(id) = id else { continue };
        let message = tx.outbox(id).await?;
        if message.is_some_and(|message| waits(message.state)) {
            return Ok(Verdict::Needed("waiting-message"));
        }
    }
    Ok(Verdict::Free)
}

/// Whether a message may yet be delivered.
const fn waits(state: OutboxState) -> bool {
    matches!(
        state,
        OutboxState::Queued | OutboxState::Failed | OutboxState::Parked
    )
}

async fn episode(tx: &mut Tx, held: &Held, row: &Aged) -> Result<Verdict, StoreError> {
    let Some(episode) = tx.document_at::<EpisodeDoc>(&row.place()?).await? else {
        return Ok(Verdict::Gone);
    };
    let is_held =
        held.keeps_episode(episode.id) || episode.members.iter().any(|key| held.keeps_record(key));
    if is_held {
        return Ok(Verdict::Held);
    }
    Ok(needed(episode.is_running().then_some("co-management")))
}

async fn consent(tx: &mut Tx, held: &Held, row: &Aged) -> Result<Verdict, StoreError> {
    let Some(document) = tx.document_at::<DirectiveDoc>(&row.place()?).await? else {
        return Ok(Verdict::Gone);
    };
    if document.covers.iter().any(|key| held.keeps_record(key)) {
        return Ok(Verdict::Held);
    }
    Ok(needed(
        needs::counts(&document).then_some("current-consent"),
    ))
}

async fn delivery(tx: &mut Tx, held: &Held, row: &Aged) -> Result<Verdict, StoreError> {
    let id = row.message()?;
    let Some(message) = tx.outbox(id).await? else {
        return Ok(Verdict::Gone);
    };
    let lane: Option<SystemId> = message.lane.parse().ok();
    let proposal: Option<Proposal> = serde_json::from_slice(&message.content).ok();
    let mut is_held = lane.is_none_or(|lane| held.keeps_system(&lane));
    is_held |= held.keeps_case(&message.case_key);
    let mut people: BTreeSet<_> = BTreeSet::new();
    if let Some(told) = tx.get::<DisclosureDoc>(&id.to_string()).await? {
        people.extend(told.people);
    }
    match &proposal {
        Some(proposal) => {
            people.extend(proposal.people.iter().map(|one| one.person));
            is_held |= held.keeps_organization(&proposal.sender)
                || proposal.referral.is_some_and(|id| held.keeps_referral(id))
                || proposal.episode.is_some_and(|id| held.keeps_episode(id));
        }
        None => is_held |= held.keeps_anybody(),
    }
    // A recall names messages alone: it may be about anybody.
    is_held |= people.is_empty() && held.keeps_anybody();
    for person in people {
        is_held |= held.keeps_person(tx, person).await?;
    }
    if is_held {
        return Ok(Verdict::Held);
    }
    needs::of_message(tx, &message, proposal.as_ref())
        .await
        .map(needed)
}

async fn emergency(tx: &mut Tx, held: &Held, row: &Aged) -> Result<Verdict, StoreError> {
    let Some(document) = tx.document_at::<BreakGlassDoc>(&row.place()?).await? else {
        return Ok(Verdict::Gone);
    };
    let mut is_held = held.keeps_system(&document.system);
    match &document.grant {
        Some(grant) => {
            is_held |= held.keeps_person(tx, grant.person).await?;
            is_held |= grant
                .records
                .iter()
                .any(|one| held.keeps_record(&one.record));
        }
        None => {
            let decision = tx.decision(document.decision).await?;
            is_held |= match decision {
                Some(decision) => decision_is_held(tx, held, &decision).await?,
                None => held.keeps_anybody(),
            };
        }
    }
    if is_held {
        return Ok(Verdict::Held);
    }
    Ok(needed(
        (document.standing() == "waiting").then_some("review"),
    ))
}
