//! Co-management as the programmes tell it: started, paused, ended, and told on to the others.

use jiff::Timestamp;
use tandem_coordination::comanagement::PauseReason;
use tandem_mappings::model::comanagement::Comanagement;
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::SystemId;

use super::core::Core;
use super::exchange::{Scene, comanagement_view, items, scene, service, tell_one};
use super::processor::Applied;
use super::{basis, episodes, family};
use crate::state::episode::EpisodeDoc;
use crate::store::{EventState, StoreError, Tx};

/// A programme starts, pauses or ends co-management.
///
/// # Errors
/// When the store fails.
pub async fn told(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    told: &Comanagement,
) -> Result<Applied, StoreError> {
    let now = core.clock.now();
    let Some(mut scene) = scene(tx, &event.system, &told.people).await? else {
        return of_no_episode(tx, event, told).await;
    };
    let is_gap = scene.episode.episode.pause_reason() == Some(PauseReason::ConsentGap);
    let is_start = matches!(event.told.body, Body::ComanagementStarted(_));
    if is_start && is_gap && !basis::has_basis(core, tx, &scene.episode, now).await? {
        return Ok(Applied::Refused(
            "the episode is paused until consent is there again".to_owned(),
        ));
    }
    let before = scene.episode.episode.state();
    let lead = core.organization_of(&event.system);
    if let Err(refused) = episodes::take(&mut scene.episode, event, lead) {
        return Ok(Applied::Refused(refused.to_string()));
    }
    if is_start {
        partners_join(core, tx, &mut scene, event).await?;
    }
    tx.put(&scene.episode, now).await?;
    if before != scene.episode.episode.state() {
        tell_scene(core, tx, &scene, now).await?;
    }
    Ok(Applied::Done)
}

/// Nothing runs for these people: it has ended, by the other programme's word or since what it rested on is gone, or it was
/// never confirmed.
async fn of_no_episode(
    tx: &mut Tx,
    event: &Event,
    told: &Comanagement,
) -> Result<Applied, StoreError> {
    let persons = family::persons(tx, &event.system, &told.people).await?;
    let has_ended = episodes::has_ended(tx, &persons.into_iter().collect()).await?;
    let why = match (&event.told.body, has_ended) {
        (Body::ComanagementEnded(_), true) => return Ok(Applied::Nothing),
        (_, true) => "the co-management of these people has ended",
        (_, false) => "no mutual family is confirmed for these people",
    };
    Ok(Applied::Parked(why.to_owned()))
}

/// The partner's worker stands in its own case record; a worker named there is a worker named. That it joins is an event
/// under the partner's name, since it follows from what the partner told.
async fn partners_join(
    core: &Core,
    tx: &mut Tx,
    scene: &mut Scene,
    event: &Event,
) -> Result<(), StoreError> {
    let now = core.clock.now();
    let mut partners = scene.episode.systems();
    partners.remove(&event.system);
    for system in partners {
        for person in scene.persons.clone() {
            for case in family::open_cases(tx, person, &system).await? {
                let has_joined = scene.episode.episode.participants().contains_key(&system);
                if case.told.worker.is_none() || has_joined {
                    continue;
                }
                let members = scene.episode.members.iter();
                let told = Comanagement {
                    episode: Some(scene.episode.id),
                    people: members
                        .filter(|member| member.system == system)
                        .map(|member| member.person.clone())
                        .collect(),
                    case: Some(case.told.case),
                    partner: Some(event.system.clone()),
                    worker: case.told.worker,
                    lead: None,
                    start_reason: None,
                    end_reason: None,
                    review: None,
                    note: None,
                };
                let body = Body::ComanagementStarted(Box::new(told));
                let at = event.told.occurred_at;
                let joined = core.own_event(tx, &system, body, at, now)?;
                if let Err(refused) = episodes::take(&mut scene.episode, &joined, None) {
                    tracing::warn!(episode = %scene.episode.id, %refused, "a partner did not join");
                    continue;
                }
                tx.append_event(&joined, None, EventState::Applied).await?;
            }
        }
    }
    Ok(())
}

/// Tells every programme of an episode how it stands, about everybody whom it serves.
///
/// # Errors
/// When the store fails.
pub async fn tell_state(
    core: &Core,
    tx: &mut Tx,
    episode: EpisodeDoc,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut persons = Vec::new();
    for member in &episode.members {
        if let Some(record) = family::record(tx, &member.system, &member.person).await?
            && !persons.contains(&record.person_id)
        {
            persons.push(record.person_id);
        }
    }
    let scene = Scene { episode, persons };
    tell_scene(core, tx, &scene, now).await
}

async fn tell_scene(
    core: &Core,
    tx: &mut Tx,
    scene: &Scene,
    now: Timestamp,
) -> Result<(), StoreError> {
    let serving = scene.episode.systems();
    let participants = scene.episode.episode.participants().keys();
    let participants: Vec<SystemId> = participants
        .filter(|system| serving.contains(*system))
        .cloned()
        .collect();
    for recipient in &participants {
        let partner = participants.iter().find(|other| *other != recipient);
        let Some(partner) = partner else { continue };
        let body = comanagement_view(core, scene, partner, None, None, now);
        let told = service(tx, scene, partner).await?;
        let items = items(core, partner, &told);
        tell_one(core, tx, scene, partner, recipient, &items, &body, now).await?;
    }
    Ok(())
}
