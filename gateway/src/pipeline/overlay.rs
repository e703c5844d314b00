//! Lines the plans of a family up and flags where they clash. It flags; it never decides.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tandem_adapter_port::outbound::{ConflictView, OutboundBody, Party};
use tandem_coordination::calendar::Calendar;
use tandem_coordination::plan::{Conflict, ConflictSettings, Overlay, PlanFact, conflicts};
use tandem_mappings::model::event::Event;
use tandem_mappings::model::id::{PersonId, RecordKey, SystemId};

use super::core::Core;
use super::exchange::{self, Scene};
use super::{compose, family};
use crate::state::overlay::OverlayDoc;
use crate::state::plan::{ConflictDoc, PlanDoc};
use crate::state::sensitivity::Sensitivity;
use crate::store::{StoreError, Tx};

/// Takes what an owner told into the family's overlay, and tells each side of a new clash.
///
/// # Errors
/// When the store fails.
pub async fn line_up(
    core: &Core,
    tx: &mut Tx,
    scene: &Scene,
    event: &Event,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(organization) = core.organization_of(&event.system) else {
        return Ok(());
    };
    let key = scene.episode.id.to_string();
    let mut document = tx
        .get::<OverlayDoc>(&key)
        .await?
        .unwrap_or_else(|| OverlayDoc {
            episode: scene.episode.id,
            overlay: Overlay::default(),
        });
    for fact in PlanFact::of(event, &organization) {
        if let Err(refused) = document.overlay.apply(&fact) {
            tracing::warn!(episode = %scene.episode.id, %refused, "the overlay did not take a plan");
        }
    }
    tx.put(&document, now).await?;
    let persons = persons_of(tx, &document.overlay).await?;
    let calendar = Calendar::new(
        core.loaded.zone.clone(),
        core.loaded.config.holidays.iter().copied(),
    );
    let person = |key: &RecordKey| persons.get(key).copied();
    for conflict in conflicts(
        &document.overlay,
        person,
        ConflictSettings::default(),
        &calendar,
        now,
    ) {
        flag(core, tx, scene, &document.overlay, &conflict, now).await?;
    }
    Ok(())
}

async fn persons_of(
    tx: &mut Tx,
    overlay: &Overlay,
) -> Result<BTreeMap<RecordKey, PersonId>, StoreError> {
    let keys: BTreeSet<RecordKey> = overlay
        .activities()
        .filter_map(|owned| owned.person.clone())
        .collect();
    let mut persons = BTreeMap::new();
    for key in keys {
        if let Some(record) = family::record(tx, &key.system, &key.person).await? {
            persons.insert(key, record.person_id);
        }
    }
    Ok(persons)
}

/// Tells each programme whose object is in the clash, once.
async fn flag(
    core: &Core,
    tx: &mut Tx,
    scene: &Scene,
    overlay: &Overlay,
    conflict: &Conflict,
    now: Timestamp,
) -> Result<(), StoreError> {
    let document = ConflictDoc {
        episode: scene.episode.id,
        kind: conflict.kind,
        objects: conflict.objects.clone(),
    };
    // A goal without an activity is its owner's to see, and every plan begins so.
    let is_between_two = conflict.organizations.len() > 1;
    if !is_between_two
        || tx
            .get::<ConflictDoc>(&crate::store::Document::key(&document))
            .await?
            .is_some()
    {
        return Ok(());
    }
    tx.put(&document, now).await?;
    let systems: Vec<SystemId> = conflict
        .organizations
        .iter()
        .filter_map(|id| core.system_of(id))
        .collect();
    for recipient in &systems {
        let Some(sender) = systems.iter().find(|other| *other != recipient) else {
            continue;
        };
        let plans = sensitivity(tx, scene, sender).await?;
        let mut items = exchange::items(core, sender, &plans);
        let domains = overlay
            .activities()
            .filter(|owned| conflict.objects.contains(&owned.activity.id.to_string()))
            .map(|owned| owned.activity.domain);
        for domain in domains {
            // The clash tells of the activity: it is as sensitive as the activity's domain.
            if let Some(body) = items.first_mut() {
                body.category = compose::category(body.category, domain);
            }
        }
        let view = view(core, overlay, conflict, sender, recipient);
        let body = OutboundBody::Conflict(Box::new(view));
        exchange::tell_one(core, tx, scene, sender, recipient, &items, &body, now).await?;
    }
    Ok(())
}

/// How sensitive the plans are that a programme has in the overlay.
async fn sensitivity(
    tx: &mut Tx,
    scene: &Scene,
    owner: &SystemId,
) -> Result<Sensitivity, StoreError> {
    let episode = scene.episode.id.to_string();
    let plans = tx.find::<PlanDoc>("plan.episode", &episode).await?;
    let own = plans.into_iter().filter(|plan| plan.system == *owner);
    Ok(own.fold(Sensitivity::default(), |all, plan| {
        all.then(plan.sensitivity)
    }))
}

fn view(
    core: &Core,
    overlay: &Overlay,
    conflict: &Conflict,
    sender: &SystemId,
    recipient: &SystemId,
) -> ConflictView {
    let recipient = core.organization_of(recipient);
    let owned_by = |organization: Option<&tandem_mappings::model::id::OrganizationId>| {
        overlay.activities().find(|owned| {
            Some(&owned.owner) == organization
                && conflict.objects.contains(&owned.activity.id.to_string())
        })
    };
    let sender = core.organization_of(sender);
    let (own, other) = (owned_by(recipient.as_ref()), owned_by(sender.as_ref()));
    ConflictView {
        conflict: conflict.kind,
        own: own.map(|owned| owned.activity.id.to_string()),
        other: other.map(|owned| owned.activity.id.to_string()),
        other_owner: sender.map(|id| Party {
            name: core.name_of(&id),
            id,
        }),
        at: other.and_then(|owned| owned.activity.starts_at),
    }
}
