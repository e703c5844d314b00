//! Co-management episodes: confirmed when both programmes may be told of each other, and ended or paused by the gateway
//! when what they rest on is gone. Each of the gateway's own moves is an event of the catalogue, so that episodes can be
//! rebuilt: who belongs to the family is told as `careteam.member`, the rest as `comanagement.*`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_coordination::comanagement::{EpisodeFact, EpisodeRefused};
use tandem_mappings::model::comanagement::{CareTeamMember, Comanagement};
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{EpisodeId, OrganizationId, PersonId, RecordKey, SystemId};

use super::core::{Core, GATEWAY_SYSTEM};
use super::family;
use crate::state::episode::EpisodeDoc;
use crate::state::record::RecordDoc;
use crate::store::{EventState, StoreError, Tx};

/// How a programme stands on the team in the gateway's own events.
const ROLE: &str = "programme";

/// The family's episode that has not ended.
///
/// # Errors
/// When the store fails.
pub async fn running(
    tx: &mut Tx,
    people: &BTreeSet<PersonId>,
) -> Result<Option<EpisodeDoc>, StoreError> {
    first(tx, people, EpisodeDoc::is_running).await
}

/// Whether an episode of the family has ended.
///
/// # Errors
/// When the store fails.
pub async fn has_ended(tx: &mut Tx, people: &BTreeSet<PersonId>) -> Result<bool, StoreError> {
    let ended = first(tx, people, |document| !document.is_running()).await?;
    Ok(ended.is_some())
}

/// The first episode of the family of which something holds.
async fn first(
    tx: &mut Tx,
    people: &BTreeSet<PersonId>,
    holds: fn(&EpisodeDoc) -> bool,
) -> Result<Option<EpisodeDoc>, StoreError> {
    for person in people {
        for record in family::records_of(tx, *person).await? {
            let key = RecordDoc::key_of(&record.key);
            let found = tx.find::<EpisodeDoc>("episode.record", &key).await?;
            if let Some(document) = found.into_iter().find(holds) {
                return Ok(Some(document));
            }
        }
    }
    Ok(None)
}

/// The family's episode of two systems: confirmed when both sides were told.
///
/// # Errors
/// When the store fails.
pub async fn confirm(
    core: &Core,
    tx: &mut Tx,
    people: &BTreeSet<PersonId>,
    systems: (&SystemId, &SystemId),
    now: Timestamp,
) -> Result<(), StoreError> {
    let known = running(tx, people).await?;
    let mut document = known.unwrap_or_else(|| EpisodeDoc::new(EpisodeId(uuid::Uuid::now_v7())));
    let mut joining = BTreeSet::new();
    for person in people {
        for record in family::records_of(tx, *person).await? {
            let is_served = [systems.0, systems.1].contains(&&record.key.system);
            if is_served && !document.members.contains(&record.key) {
                joining.insert(record.key);
            }
        }
    }
    if joining.is_empty() {
        return Ok(());
    }
    let is_new = !document.is_running();
    for member in &joining {
        team(core, tx, &mut document, member, true, now).await?;
    }
    tx.put(&document, now).await?;
    if is_new {
        audit(core, tx, &document, "episode.confirmed", "", now).await?;
    }
    Ok(())
}

/// A record joins or leaves the family of an episode.
pub(super) async fn team(
    core: &Core,
    tx: &mut Tx,
    document: &mut EpisodeDoc,
    member: &RecordKey,
    joins: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(organization) = core.organization_of(&member.system) else {
        return Ok(());
    };
    let day = Some(core.day(now));
    let told = CareTeamMember {
        episode: document.id,
        organization,
        role: ROLE.to_owned(),
        worker: None,
        from: day.filter(|_| joins),
        to: day.filter(|_| !joins),
    };
    let body = Body::CareTeamMember(Box::new(told));
    let mut event = core.own_event(tx, &member.system, body, now, now)?;
    event.told = event.told.about(member.person.clone());
    take(document, &event, None).map_err(|_| StoreError::Shape { kind: "episode" })?;
    tx.append_event(&event, None, EventState::Applied).await?;
    Ok(())
}

/// Records a move of the gateway's own about an episode, and applies it.
pub(super) async fn own_move(
    core: &Core,
    tx: &mut Tx,
    document: &mut EpisodeDoc,
    body: fn(Box<Comanagement>) -> Body,
    told: Comanagement,
    now: Timestamp,
) -> Result<(), StoreError> {
    let event = core.own_event(tx, &core.gateway, body(Box::new(told)), now, now)?;
    if let Err(refused) = take(document, &event, None) {
        tracing::warn!(episode = %document.id, %refused, "the episode did not take the gateway's move");
        return Ok(());
    }
    tx.append_event(&event, None, EventState::Applied).await?;
    let note = match &event.told.body {
        Body::ComanagementPaused(told) | Body::ComanagementEnded(told) => told.note.as_deref(),
        _ => None,
    };
    let action = event
        .told
        .body
        .event_type()
        .replace("comanagement", "episode");
    audit(core, tx, document, &action, note.unwrap_or_default(), now).await?;
    tx.put(document, now).await
}

async fn audit(
    core: &Core,
    tx: &mut Tx,
    document: &EpisodeDoc,
    action: &str,
    note: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = document.id.to_string();
    tx.audit(now, core.gateway.as_str(), action, &id, note)
        .await
}

/// Takes an event into an episode that it is about: all of it, or nothing. `lead` leads when nobody does and the event
/// names nobody.
///
/// # Errors
/// When the life cycle refuses it; the episode stays as it was.
pub fn take(
    document: &mut EpisodeDoc,
    event: &Event,
    lead: Option<OrganizationId>,
) -> Result<(), EpisodeRefused> {
    let mut episode = document.episode.clone();
    for fact in facts(document, event, lead) {
        episode.apply(&fact)?;
    }
    document.episode = episode;
    if let (Body::CareTeamMember(told), Some(person)) =
        (&event.told.body, &event.told.source_person_id)
    {
        let member = RecordKey {
            system: event.system.clone(),
            person: person.clone(),
        };
        if told.to.is_none() {
            document.members.insert(member);
        } else {
            document.members.remove(&member);
        }
    }
    Ok(())
}

fn facts(document: &EpisodeDoc, event: &Event, lead: Option<OrganizationId>) -> Vec<EpisodeFact> {
    let at = event.told.occurred_at;
    let episode = &document.episode;
    match &event.told.body {
        Body::CareTeamMember(told) if told.to.is_none() => vec![EpisodeFact::Confirmed {
            has_basis: true,
            at,
        }],
        Body::ComanagementStarted(_) if event.system.as_str() == GATEWAY_SYSTEM => {
            vec![EpisodeFact::Resumed { at }]
        }
        Body::ComanagementStarted(told) => {
            let mut facts = EpisodeFact::of(event, episode);
            // The first programme names the lead, or leads.
            facts.retain(|fact| {
                !matches!(fact, EpisodeFact::LeadSet { .. }) || episode.lead().is_none()
            });
            if episode.lead().is_none() && told.lead.is_none() {
                facts.extend(lead.map(|lead| EpisodeFact::LeadSet { lead, at }));
            }
            facts
        }
        _ => EpisodeFact::of(event, episode),
    }
}
