//! Applies records, memberships, cases and enrolments.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_adapter_port::outbound::ChangeView;
use tandem_consent::Action;
use tandem_coordination::referral::Move;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{PersonId, RecordKey, SourcePersonId};
use tandem_mappings::model::involvement::Involvement;
use tandem_mappings::model::person::{HouseholdMembership, RecordReceived};
use tandem_mappings::model::purpose::Purpose;
use tandem_mappings::model::referral::{ReasonCode, ReferralRole, ReferralStatus};

use super::core::Core;
use super::judge::{Ask, AskedItem};
use super::processor::Applied;
use super::{
    basis, consents, deletion, exchange, family, linking, mutual, raising, referrals, steward,
};
use crate::state::involvement::InvolvementDoc;
use crate::state::record::{RecordDoc, Standing};
use crate::state::referral::ReferralDoc;
use crate::state::sensitivity::Sensitivity;
use crate::store::{Stage, StoreError, Tx};

/// A source record arrived: may it enter the index, and whose is it.
///
/// # Errors
/// When the store fails.
pub async fn record_received(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    person: &SourcePersonId,
    told: &RecordReceived,
) -> Result<Applied, StoreError> {
    let now = core.clock.now();
    let key = RecordKey {
        system: event.system.clone(),
        person: person.clone(),
    };
    let known = tx.get::<RecordDoc>(&RecordDoc::key_of(&key)).await?;
    // A message names a person in passing; it does not replace what the system's own record says.
    let in_passing = told.record_kind == "linkages" || told.record_kind.starts_with("hs:");
    if known.is_some() && in_passing {
        return Ok(Applied::Nothing);
    }
    let Some(organization) = core.organization_of(&event.system) else {
        return Ok(Applied::Parked(
            "the sender is not a configured system".to_owned(),
        ));
    };
    let gateway = tandem_consent::GATEWAY
        .parse()
        .map_err(|_| StoreError::Shape {
            kind: "organisation",
        })?;
    // What a source once said of a record stays until the record is gone: an update with fewer codes corrects nothing.
    let labels: BTreeSet<String> = known
        .iter()
        .flat_map(|record| record.labels.iter())
        .chain(&event.told.labels)
        .cloned()
        .collect();
    let labelled_by: BTreeSet<String> = known
        .iter()
        .flat_map(|record| record.labelled_by.iter())
        .chain(&event.told.labelled_by)
        .cloned()
        .collect();
    let ask = Ask {
        action: Action::Match,
        purpose: Purpose::Match,
        requester: &organization,
        recipient: &gateway,
        person: known.as_ref().map(|record| record.person_id),
        items: vec![AskedItem {
            id: "record".to_owned(),
            category: event.told.category.unwrap_or(Category::PersonIndex),
            labels: labels.clone(),
            labelled_by: labelled_by.clone(),
            source: organization.clone(),
            authored: None,
        }],
        holds_copy: false,
        serves_subject: false,
    };
    let judged = core.judge.decide(tx, ask, Stage::Intake, now).await?;
    let mut told_person = told.person.clone();
    if let Some(known) = known.as_ref().filter(|known| known.is_active()) {
        raising::keep_mark(&known.person, &mut told_person);
    }
    let document = RecordDoc {
        key,
        record_kind: told.record_kind.clone(),
        person: told_person,
        labels,
        labelled_by,
        person_id: known
            .as_ref()
            .map_or_else(|| PersonId(uuid::Uuid::now_v7()), |record| record.person_id),
        former: known
            .as_ref()
            .map(|record| record.former.clone())
            .unwrap_or_default(),
        standing: Standing::Active,
        may_match: judged.permits("record"),
        intake_decision: judged.id,
        memberships: known
            .as_ref()
            .map(|record| record.memberships.clone())
            .unwrap_or_default(),
        first_received_at: known
            .as_ref()
            .map_or(event.recorded_at, |record| record.first_received_at),
        // Not when it took effect: by this a replay tells what came before it.
        received_at: event.recorded_at,
    };
    tx.put(&document, now).await?;
    let born_before = known.as_ref().and_then(|record| record.person.birth);
    if born_before != document.person.birth {
        consents::look_soon(tx, &document.key).await?;
    }
    if !document.may_match {
        core.index_of(tx).await.remove(&document.key);
        return Ok(Applied::Done);
    }
    for person in linking::match_record(core, tx, &document, now).await? {
        mutual::evaluate(core, tx, person, now).await?;
    }
    Ok(Applied::Done)
}

/// A person belongs to a household or relates to another person.
///
/// # Errors
/// When the store fails.
pub async fn membership(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    told: &HouseholdMembership,
) -> Result<Applied, StoreError> {
    let Some(mut document) = family::record(tx, &event.system, &told.person).await? else {
        return Ok(Applied::Parked(
            "the member is not known from this system yet".to_owned(),
        ));
    };
    let same = |known: &HouseholdMembership| {
        known.household == told.household && known.relative == told.relative
    };
    let is_new_household = told.household.is_some() && !document.memberships.iter().any(same);
    document.memberships.retain(|known| !same(known));
    document.memberships.push(told.clone());
    let now = core.clock.now();
    tx.put(&document, now).await?;
    if is_new_household && document.may_match {
        for person in linking::match_record(core, tx, &document, now).await? {
            mutual::evaluate(core, tx, person, now).await?;
        }
    }
    Ok(Applied::Done)
}

/// A record left its source.
///
/// # Errors
/// When the store fails.
pub async fn record_gone(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    person: &SourcePersonId,
) -> Result<Applied, StoreError> {
    let key = RecordKey {
        system: event.system.clone(),
        person: person.clone(),
    };
    let Some(known) = tx.get::<RecordDoc>(&RecordDoc::key_of(&key)).await? else {
        return Ok(Applied::Forgotten);
    };
    let is_sealed = matches!(event.told.body, Body::RecordSealed(_));
    let is_new = known.is_active() || (is_sealed && known.standing == Standing::Withdrawn);
    if !is_new {
        return Ok(Applied::Nothing);
    }
    let now = core.clock.now();
    if known.is_active() {
        referrals::record_gone(core, tx, &known, is_sealed, now).await?;
        steward::withdraw_record(core, tx, &known, now).await?;
    }
    // Links that ended gave it a person of its own.
    let moved = tx.get::<RecordDoc>(&RecordDoc::key_of(&key)).await?;
    let mut document = moved.unwrap_or(known);
    document.standing = if is_sealed {
        Standing::Sealed
    } else {
        Standing::Withdrawn
    };
    if is_sealed {
        document.person = tandem_mappings::model::person::PersonRecord::default();
        document.labels.clear();
        document.labelled_by.clear();
    }
    tx.put(&document, now).await?;
    basis::review(core, tx, &[key], now).await?;
    Ok(Applied::Done)
}

/// A case or enrolment runs or ended.
///
/// # Errors
/// When the store fails.
pub async fn involvement(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    told: &Involvement,
) -> Result<Applied, StoreError> {
    let now = core.clock.now();
    let is_open = matches!(
        event.told.body,
        Body::EnrollmentActive(_) | Body::CaseOpened(_)
    );
    let key = InvolvementDoc::key_of(&event.system, told.case.as_str());
    let known = tx.get::<InvolvementDoc>(&key).await?;
    let mut merged = told.clone();
    let mut marked = None;
    if let Some(known) = &known {
        if deletion::is_by_id_alone(&event.told) {
            let Some(stay) = deletion::of_stay(known, told, is_open) else {
                return Ok(Applied::Nothing);
            };
            merged = stay;
            marked = Some(deletion::marked(event, &known.sensitivity));
        }
        for person in &known.told.people {
            if !merged.people.contains(person) {
                merged.people.push(person.clone());
            }
        }
        if merged.worker.is_none() {
            merged.worker.clone_from(&known.told.worker);
        }
        merged.from = merged.from.or(known.told.from);
    }
    let event = marked.as_ref().unwrap_or(event);
    let changed = known
        .as_ref()
        .is_none_or(|known| known.is_open != is_open || known.told.status != merged.status);
    let since = known.as_ref().map_or(now, |known| known.since);
    let before = known.as_ref().map(|known| known.sensitivity.clone());
    let document = InvolvementDoc {
        system: event.system.clone(),
        told: merged,
        sensitivity: before.unwrap_or_default().then(Sensitivity::of(event)),
        is_open,
        since,
    };
    // By when it was told, and not when it took effect, a replay tells what came before it.
    tx.put(&document, event.recorded_at).await?;
    let persons = family::persons(tx, &event.system, &document.told.people).await?;
    if is_open {
        for person in &persons {
            mutual::evaluate(core, tx, *person, now).await?;
            proves_service(core, tx, event, *person, told).await?;
        }
    }
    if changed && known.is_some() {
        let view = ChangeView {
            change: event.told.body.event_type().to_owned(),
            placement: None,
            reunification_plan: None,
            status: document.told.status.clone(),
            date: if is_open { told.from } else { told.to },
            worker: None,
        };
        exchange::change(core, tx, event, &document.told.people, view).await?;
    }
    if !is_open {
        // After the others were told of it, as far as they may be.
        basis::case_closed(core, tx, &event.system, &document.told.people, now).await?;
    }
    Ok(Applied::Done)
}

/// A stay in the receiving project on or after the acceptance proves that the referral worked (HMIS: proof is a later
/// enrolment of the same person in the receiving project).
async fn proves_service(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    person: PersonId,
    told: &Involvement,
) -> Result<(), StoreError> {
    let Some(project) = &told.project else {
        return Ok(());
    };
    for document in tx
        .find::<ReferralDoc>("referral.person", &person.to_string())
        .await?
    {
        let service = document
            .request
            .target
            .service
            .as_ref()
            .and_then(|id| core.loaded.registry.service(id));
        let is_receiving =
            service.and_then(|service| service.hmis_project.as_ref()) == Some(project);
        let is_target = document.target.as_ref() == Some(&event.system);
        let is_waiting = matches!(
            document.state.status(),
            Some(ReferralStatus::Accepted | ReferralStatus::InProgress | ReferralStatus::OnHold)
        );
        let since = document.state.accepted_at().map(|at| core.day(at));
        let from = told.from.and_then(|from| from.full());
        let is_later = matches!((since, from), (Some(since), Some(from)) if from >= since);
        if is_receiving && is_target && is_waiting && is_later {
            let at = occurred(core, event, from);
            let wish = Move::new(ReferralStatus::Completed, ReferralRole::Target, at)
                .because(ReasonCode::ServiceReceived);
            referrals::follow(core, tx, document, wish, &event.system).await?;
        }
    }
    Ok(())
}

fn occurred(core: &Core, event: &Event, day: Option<jiff::civil::Date>) -> Timestamp {
    day.and_then(|day| day.to_zoned(core.loaded.zone.clone()).ok())
        .map_or(event.told.occurred_at, |midnight| midnight.timestamp())
}
