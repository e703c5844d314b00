//! What the programmes that co-manage a family tell each other.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_adapter_port::outbound::{
    AssessmentView, ChangeView, ComanagementView, MeetingView, OutboundBody, ParticipationView,
    Party,
};
use tandem_consent::Action;
use tandem_mappings::model::assessment::Assessment;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::comanagement::ComanagementState;
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{PersonId, SourcePersonId, SystemId};
use tandem_mappings::model::involvement::Participation;
use tandem_mappings::model::meeting::Meeting;
use tandem_mappings::model::step::CoordinationStep;

use super::core::Core;
use super::processor::Applied;
use super::proposal::{Part, Proposal, ProposedItem};
use super::{compose, episodes, family, referrals, tell};
use crate::state::episode::EpisodeDoc;
use crate::state::involvement::InvolvementDoc;
use crate::state::sensitivity::Sensitivity;
use crate::store::{StoreError, Tx};

/// The family's running episode and the persons whom an event names.
#[derive(Debug)]
pub struct Scene {
    /// The episode.
    pub episode: EpisodeDoc,
    /// The persons, in the order named.
    pub persons: Vec<PersonId>,
}

/// Finds the episode of the people whom a system names.
///
/// # Errors
/// When the store fails.
pub async fn scene(
    tx: &mut Tx,
    system: &SystemId,
    people: &[SourcePersonId],
) -> Result<Option<Scene>, StoreError> {
    let persons = family::persons(tx, system, people).await?;
    let known: BTreeSet<PersonId> = persons.iter().copied().collect();
    Ok(episodes::running(tx, &known)
        .await?
        .map(|episode| Scene { episode, persons }))
}

/// Tells every other programme of the episode.
///
/// # Errors
/// When the store fails.
pub async fn tell_partners(
    core: &Core,
    tx: &mut Tx,
    scene: &Scene,
    sender: &SystemId,
    items: &[ProposedItem],
    body: &OutboundBody,
    now: Timestamp,
) -> Result<(), StoreError> {
    for recipient in scene.episode.told_by(sender) {
        tell_one(core, tx, scene, sender, &recipient, items, body, now).await?;
    }
    Ok(())
}

/// Tells one system.
///
/// # Errors
/// When the store fails.
#[expect(
    clippy::too_many_arguments,
    reason = "a message has a scene, two sides, items and a body"
)]
pub async fn tell_one(
    core: &Core,
    tx: &mut Tx,
    scene: &Scene,
    sender: &SystemId,
    recipient: &SystemId,
    items: &[ProposedItem],
    body: &OutboundBody,
    now: Timestamp,
) -> Result<(), StoreError> {
    let proposal = proposal(core, tx, scene, sender, recipient, items, body).await?;
    if let Some(proposal) = proposal {
        tell::queue(core, tx, &proposal, now).await?;
    }
    Ok(())
}

/// What one system would be told; `None` when a side is not configured.
///
/// # Errors
/// When the store fails.
pub async fn proposal(
    core: &Core,
    tx: &mut Tx,
    scene: &Scene,
    sender: &SystemId,
    recipient: &SystemId,
    items: &[ProposedItem],
    body: &OutboundBody,
) -> Result<Option<Proposal>, StoreError> {
    let (Some(from), Some(to)) = (
        core.organization_of(sender),
        core.organization_of(recipient),
    ) else {
        return Ok(None);
    };
    Ok(Some(Proposal {
        sender: from,
        recipient: to,
        recipient_system: recipient.clone(),
        action: match body {
            OutboundBody::Plan(_) | OutboundBody::Conflict(_) => Action::UpdateCasePlan,
            _ => Action::Disclose,
        },
        people: compose::people(tx, &scene.persons, sender, recipient).await?,
        recipient_case: referrals::recipient_case(tx, &scene.persons, recipient).await?,
        case: scene.episode.id.to_string(),
        effect_key: format!("{}:{}", scene.episode.id, uuid::Uuid::now_v7()),
        items: items.to_vec(),
        body: body.clone(),
        referral: None,
        episode: Some(scene.episode.id),
    }))
}

/// The usual element groups of something that a system tells: the content and who it is about.
#[must_use]
pub fn items(core: &Core, sender: &SystemId, told: &Sensitivity) -> Vec<ProposedItem> {
    let Some(source) = core.organization_of(sender) else {
        return Vec::new();
    };
    let content = core.category(sender, told);
    let mut items = vec![
        compose::item("body", Part::Body, content, &source, None),
        compose::item(
            "identity",
            Part::Identity,
            Category::PersonIndex,
            &source,
            None,
        ),
    ];
    compose::label(&mut items, told);
    items
}

/// How sensitive it is that a programme serves the family of an episode: as sensitive as its case.
///
/// # Errors
/// When the store fails.
pub async fn service(
    tx: &mut Tx,
    scene: &Scene,
    system: &SystemId,
) -> Result<Sensitivity, StoreError> {
    let participant = scene.episode.episode.participants().get(system);
    let Some(case) = participant.and_then(|one| one.case.as_ref()) else {
        return Ok(Sensitivity::default());
    };
    let key = InvolvementDoc::key_of(system, case.as_str());
    let case = tx.get::<InvolvementDoc>(&key).await?;
    Ok(case.map(|case| case.sensitivity).unwrap_or_default())
}

/// A worker of a co-managing programme changes.
///
/// # Errors
/// When the store fails.
pub async fn worker(
    tx: &mut Tx,
    event: &Event,
    people: &[SourcePersonId],
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(mut scene) = scene(tx, &event.system, people).await? {
        match episodes::take(&mut scene.episode, event, None) {
            Ok(()) => tx.put(&scene.episode, now).await?,
            Err(refused) => {
                tracing::warn!(episode = %scene.episode.id, %refused, "the episode did not take a worker");
            }
        }
    }
    Ok(())
}

/// How an episode stands, as its partner is told.
#[must_use]
pub fn comanagement_view(
    core: &Core,
    scene: &Scene,
    partner: &SystemId,
    step: Option<tandem_mappings::model::step::Step>,
    transition_plan: Option<String>,
    now: Timestamp,
) -> OutboundBody {
    let episode = &scene.episode.episode;
    let participant = episode.participants().get(partner);
    OutboundBody::Comanagement(Box::new(ComanagementView {
        episode: scene.episode.id,
        state: episode.state().unwrap_or(ComanagementState::Confirmed),
        start_reason: episode.start_reason(),
        end_reason: episode.end_reason(),
        lead: episode.lead().map(|lead| Party {
            name: core.name_of(lead),
            id: lead.clone(),
        }),
        worker: participant.and_then(|one| one.worker.clone()),
        partner_case: participant.and_then(|one| one.case.as_ref().map(ToString::to_string)),
        step,
        transition_plan,
        at: now,
    }))
}

/// A work programme tells a participant's standing.
///
/// # Errors
/// When the store fails.
pub async fn participation(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    told: &Participation,
) -> Result<Applied, StoreError> {
    let people = std::slice::from_ref(&told.person);
    let Some(scene) = scene(tx, &event.system, people).await? else {
        return Ok(Applied::Done);
    };
    let body = OutboundBody::Participation(Box::new(ParticipationView {
        status: told.status,
        effective: told.effective,
        reason: told.reason.clone(),
    }));
    let items = items(core, &event.system, &Sensitivity::of(event));
    tell_partners(
        core,
        tx,
        &scene,
        &event.system,
        &items,
        &body,
        core.clock.now(),
    )
    .await?;
    Ok(Applied::Done)
}

/// A meeting is planned or was held.
///
/// # Errors
/// When the store fails.
pub async fn meeting(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    told: &Meeting,
) -> Result<Applied, StoreError> {
    let Some(scene) = scene(tx, &event.system, &told.people).await? else {
        return Ok(Applied::Done);
    };
    let body = OutboundBody::Meeting(Box::new(MeetingView {
        meeting_type: told.meeting_type,
        is_held: matches!(event.told.body, Body::MeetingHeld(_)),
        at: told.at,
        place: told.place.clone(),
        present: told.present.clone(),
        family_present: told.family_present,
        next: told.next,
    }));
    let sensitivity = Sensitivity::of(event);
    let mut items = items(core, &event.system, &sensitivity);
    if let (Some(_), Some(source)) = (&told.place, core.organization_of(&event.system)) {
        items.push(compose::item(
            "place",
            Part::Contact,
            Category::ContactLocation,
            &source,
            None,
        ));
    }
    compose::label(&mut items, &sensitivity);
    tell_partners(
        core,
        tx,
        &scene,
        &event.system,
        &items,
        &body,
        core.clock.now(),
    )
    .await?;
    Ok(Applied::Done)
}

/// Levels were rated.
///
/// # Errors
/// When the store fails.
pub async fn assessment(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    told: &Assessment,
) -> Result<Applied, StoreError> {
    let Some(scene) = scene(tx, &event.system, &told.people).await? else {
        return Ok(Applied::Done);
    };
    let sensitivity = Sensitivity::of(event);
    let base = core.category(&event.system, &sensitivity);
    let mut items = items(core, &event.system, &sensitivity);
    if let Some(source) = core.organization_of(&event.system) {
        for (place, rating) in told.ratings.iter().enumerate() {
            let category = compose::category(base, rating.domain);
            let id = format!("rating-{place}");
            items.push(compose::item(
                id,
                Part::Rating(rating.domain),
                category,
                &source,
                Some(told.rated_on),
            ));
        }
    }
    compose::label(&mut items, &sensitivity);
    let body = OutboundBody::Assessment(Box::new(AssessmentView {
        instrument: told.instrument.clone(),
        stage: told.stage,
        rated_on: told.rated_on,
        ratings: told.ratings.clone(),
    }));
    tell_partners(
        core,
        tx,
        &scene,
        &event.system,
        &items,
        &body,
        core.clock.now(),
    )
    .await?;
    Ok(Applied::Done)
}

/// A step of the five-step coordination, or its intensity.
///
/// # Errors
/// When the store fails.
pub async fn step(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    told: &CoordinationStep,
) -> Result<Applied, StoreError> {
    let Some(scene) = scene(tx, &event.system, &told.people).await? else {
        return Ok(Applied::Done);
    };
    let now = core.clock.now();
    let body = comanagement_view(
        core,
        &scene,
        &event.system,
        told.step,
        told.transition_plan.clone(),
        now,
    );
    let items = items(core, &event.system, &Sensitivity::of(event));
    tell_partners(core, tx, &scene, &event.system, &items, &body, now).await?;
    Ok(Applied::Done)
}

/// A change that co-managing programmes exchange: case, placement, worker, employment, court date.
///
/// # Errors
/// When the store fails.
pub async fn change(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    people: &[SourcePersonId],
    view: ChangeView,
) -> Result<(), StoreError> {
    let Some(scene) = scene(tx, &event.system, people).await? else {
        return Ok(());
    };
    let items = items(core, &event.system, &Sensitivity::of(event));
    let body = OutboundBody::Change(Box::new(view));
    tell_partners(
        core,
        tx,
        &scene,
        &event.system,
        &items,
        &body,
        core.clock.now(),
    )
    .await
}
