//! Whether an episode still has what it rests on: a family that two programmes share, and leave to tell both of them.
//! Without the first it ends; without the second it pauses until the basis is restored, or ends when the family took
//! its consent back. Both sides are told so by their own ids, and nothing of the other.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tandem_adapter_port::outbound::{ComanagementView, OutboundBody};
use tandem_consent::Action;
use tandem_coordination::comanagement::PauseReason;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::comanagement::{Comanagement, ComanagementState, EndReason};
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{
    EpisodeId, MessageId, PersonId, RecordKey, SourcePersonId, SystemId,
};

use super::core::{Core, GATEWAY_SYSTEM};
use super::exchange::{self, Scene};
use super::proposal::{Part, Proposal};
use super::{comanagement, compose, episodes, family, tell};
use crate::state::episode::EpisodeDoc;
use crate::state::record::RecordDoc;
use crate::store::{StoreError, Tx};

/// Why an episode ends when one of two programmes has no open case of the family any more.
pub const CASE_CLOSED: &str = "case closed in one system";
/// Why an episode ends when nobody of the family is served by two programmes any more.
pub const NOT_MUTUAL: &str = "family not mutual any more";
/// Why an episode ends when the family took back what it rested on.
pub const CONSENT_REVOKED: &str = "consent revoked";
/// The code of a pause for want of consent.
pub const CONSENT_GAP: &str = "consent-gap";

/// Looks at the episodes of records whose links or standing changed: who is no longer served by two programmes leaves,
/// a programme that shares nobody leaves, and without two programmes the episode ends.
///
/// # Errors
/// When the store fails.
pub async fn review(
    core: &Core,
    tx: &mut Tx,
    records: &[RecordKey],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut seen = BTreeSet::new();
    for record in records {
        let key = RecordDoc::key_of(record);
        for document in tx.find::<EpisodeDoc>("episode.record", &key).await? {
            if document.is_running() && seen.insert(document.id) {
                let nobody = BTreeSet::new();
                leave(core, tx, document, &nobody, EndReason::NotMutual, now).await?;
            }
        }
    }
    Ok(())
}

/// A programme's case has closed: when it has no other for the family, it leaves, and without two programmes the
/// episode ends.
///
/// # Errors
/// When the store fails.
pub async fn case_closed(
    core: &Core,
    tx: &mut Tx,
    system: &SystemId,
    people: &[SourcePersonId],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut seen = BTreeSet::new();
    for person in people {
        let key = RecordDoc::key_of(&RecordKey {
            system: system.clone(),
            person: person.clone(),
        });
        for document in tx.find::<EpisodeDoc>("episode.record", &key).await? {
            let is_new = document.is_running() && seen.insert(document.id);
            if is_new && !has_case(tx, &document, system).await? {
                let mut goes = document.members.clone();
                goes.retain(|member| member.system == *system);
                leave(core, tx, document, &goes, EndReason::CaseClosed, now).await?;
            }
        }
    }
    Ok(())
}

async fn has_case(
    tx: &mut Tx,
    document: &EpisodeDoc,
    system: &SystemId,
) -> Result<bool, StoreError> {
    for member in document.members.iter().filter(|one| one.system == *system) {
        let record = family::record(tx, system, &member.person).await?;
        let Some(record) = record else { continue };
        let cases = family::open_cases(tx, record.person_id, system).await?;
        if !cases.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Members leave; whoever is then not served by two programmes leaves with them, and an episode of nobody ends.
async fn leave(
    core: &Core,
    tx: &mut Tx,
    mut document: EpisodeDoc,
    goes: &BTreeSet<RecordKey>,
    reason: EndReason,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = document.clone();
    let mut served: BTreeMap<PersonId, Vec<RecordKey>> = BTreeMap::new();
    for member in before.members.difference(goes) {
        if let Some(record) = family::record(tx, &member.system, &member.person).await? {
            served.entry(record.person_id).or_default().push(record.key);
        }
    }
    let systems = |keys: &Vec<RecordKey>| {
        let distinct: BTreeSet<_> = keys.iter().map(|key| &key.system).collect();
        distinct.len()
    };
    let stay: BTreeSet<RecordKey> = served
        .into_values()
        .filter(|keys| systems(keys) > 1)
        .flatten()
        .collect();
    for member in before.members.difference(&stay) {
        episodes::team(core, tx, &mut document, member, false, now).await?;
    }
    tx.put(&document, now).await?;
    if document.members.is_empty() {
        end(core, tx, &mut document, reason, now).await?;
    }
    let serving = document.systems();
    for recipient in before.systems().difference(&serving) {
        told_over(core, tx, &before, &document, recipient, now).await?;
    }
    Ok(())
}

/// Looks at the episodes of persons about whom more or less may be told than before.
///
/// # Errors
/// When the store fails.
pub async fn consent_changed(
    core: &Core,
    tx: &mut Tx,
    persons: &BTreeSet<PersonId>,
    is_revoked: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut seen = BTreeSet::new();
    for person in persons {
        let Some(document) = episodes::running(tx, &BTreeSet::from([*person])).await? else {
            continue;
        };
        if seen.insert(document.id) {
            weigh_one(core, tx, document, is_revoked, now).await?;
        }
    }
    Ok(())
}

async fn weigh_one(
    core: &Core,
    tx: &mut Tx,
    mut document: EpisodeDoc,
    is_revoked: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = document.clone();
    let is_permitted = has_basis(core, tx, &document, now).await?;
    let state = document.episode.state();
    match (state, is_permitted) {
        (_, false) if is_revoked => {
            end(core, tx, &mut document, EndReason::ConsentRevoked, now).await?;
        }
        (Some(ComanagementState::Coordinating), false) => {
            let told = told(document.id, None, Some(CONSENT_GAP));
            episodes::own_move(core, tx, &mut document, Body::ComanagementPaused, told, now)
                .await?;
        }
        (Some(ComanagementState::Paused), true)
            if document.episode.pause_reason() == Some(PauseReason::ConsentGap) =>
        {
            let told = told(document.id, None, None);
            episodes::own_move(
                core,
                tx,
                &mut document,
                Body::ComanagementStarted,
                told,
                now,
            )
            .await?;
            return comanagement::tell_state(core, tx, document, now).await;
        }
        _ => return Ok(()),
    }
    for recipient in before.systems() {
        told_over(core, tx, &before, &document, &recipient, now).await?;
    }
    Ok(())
}

async fn end(
    core: &Core,
    tx: &mut Tx,
    document: &mut EpisodeDoc,
    reason: EndReason,
    now: Timestamp,
) -> Result<(), StoreError> {
    let told = told(document.id, Some(reason), note(reason));
    episodes::own_move(core, tx, document, Body::ComanagementEnded, told, now).await
}

/// The reason in words, for the gateway's own log.
const fn note(reason: EndReason) -> Option<&'static str> {
    match reason {
        EndReason::CaseClosed => Some(CASE_CLOSED),
        EndReason::NotMutual => Some(NOT_MUTUAL),
        EndReason::ConsentRevoked => Some(CONSENT_REVOKED),
        _ => None,
    }
}

/// The reason as the programmes are told it: that the other's case closed is the other's to tell, and formats know only
/// the reasons that programmes give.
fn told_reason(reason: Option<EndReason>) -> EndReason {
    match reason {
        Some(EndReason::ConsentRevoked) => EndReason::Declined,
        Some(EndReason::CaseClosed | EndReason::NotMutual) | None => EndReason::Other,
        Some(reason) => reason,
    }
}

fn told(episode: EpisodeId, end_reason: Option<EndReason>, note: Option<&str>) -> Comanagement {
    Comanagement {
        episode: Some(episode),
        people: Vec::new(),
        case: None,
        partner: None,
        worker: None,
        lead: None,
        start_reason: None,
        end_reason,
        review: None,
        note: note.map(str::to_owned),
    }
}

/// Whether two of the episode's programmes may be told of each other about somebody whom both serve.
///
/// # Errors
/// When the store fails.
pub async fn has_basis(
    core: &Core,
    tx: &mut Tx,
    document: &EpisodeDoc,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut served: BTreeMap<PersonId, BTreeSet<SystemId>> = BTreeMap::new();
    for member in &document.members {
        if let Some(record) = family::record(tx, &member.system, &member.person).await? {
            let systems = served.entry(record.person_id).or_default();
            systems.insert(record.key.system);
        }
    }
    for (person, systems) in served {
        let scene = Scene {
            episode: document.clone(),
            persons: vec![person],
        };
        for (place, a) in systems.iter().enumerate() {
            for b in systems.iter().skip(place + 1) {
                if may_tell(core, tx, &scene, a, b, now).await?
                    && may_tell(core, tx, &scene, b, a, now).await?
                {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

async fn may_tell(
    core: &Core,
    tx: &mut Tx,
    scene: &Scene,
    sender: &SystemId,
    recipient: &SystemId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let service = exchange::service(tx, scene, sender).await?;
    let items = exchange::items(core, sender, &service);
    let body = exchange::comanagement_view(core, scene, sender, None, None, now);
    let proposal = exchange::proposal(core, tx, scene, sender, recipient, &items, &body).await?;
    let Some(proposal) = proposal else {
        return Ok(false);
    };
    let nobody = MessageId(uuid::Uuid::nil());
    let ruling = tell::weigh(core, tx, nobody, &proposal, now).await?;
    Ok(ruling.outbound.is_some())
}

/// Tells a programme that took part how the episode stands for it: its own ids, nothing of the other.
async fn told_over(
    core: &Core,
    tx: &mut Tx,
    before: &EpisodeDoc,
    after: &EpisodeDoc,
    recipient: &SystemId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let was_told = matches!(
        before.episode.state(),
        Some(ComanagementState::Coordinating | ComanagementState::Paused)
    );
    let participant = before.episode.participants().get(recipient);
    let (true, Some(participant), Some(organization)) =
        (was_told, participant, core.organization_of(recipient))
    else {
        return Ok(());
    };
    let mut own = Vec::new();
    for member in before.members.iter().filter(|one| one.system == *recipient) {
        if let Some(record) = family::record(tx, recipient, &member.person).await?
            && !own.contains(&record.person_id)
        {
            own.push(record.person_id);
        }
    }
    let mut people = compose::people(tx, &own, recipient, recipient).await?;
    for one in &mut people {
        one.view = compose::ids_only(&one.view);
    }
    if people.is_empty() {
        return Ok(());
    }
    // For a programme that leaves a family which others go on to serve, co-management is over.
    let state = match after.episode.state() {
        Some(ComanagementState::Paused) => ComanagementState::Paused,
        _ => ComanagementState::Ended,
    };
    let is_over = state == ComanagementState::Ended;
    let gateway = core.gateway_organization();
    let source = GATEWAY_SYSTEM.parse().map_err(|_| StoreError::Shape {
        kind: "organisation",
    })?;
    let proposal = Proposal {
        sender: gateway,
        recipient: organization,
        recipient_system: recipient.clone(),
        action: Action::Notify,
        people,
        recipient_case: participant.case.as_ref().map(ToString::to_string),
        case: before.id.to_string(),
        effect_key: format!("{}:{}", before.id, uuid::Uuid::now_v7()),
        items: vec![compose::item(
            "body",
            Part::Body,
            Category::PersonIndex,
            &source,
            None,
        )],
        body: OutboundBody::Comanagement(Box::new(ComanagementView {
            episode: before.id,
            state,
            start_reason: None,
            end_reason: is_over.then(|| told_reason(after.episode.end_reason())),
            lead: None,
            worker: None,
            partner_case: None,
            step: None,
            transition_plan: None,
            at: now,
        })),
        referral: None,
        episode: Some(before.id),
    };
    tell::queue(core, tx, &proposal, now).await?;
    Ok(())
}
