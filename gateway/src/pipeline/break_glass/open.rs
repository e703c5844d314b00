//! Opens, and reads what was opened.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tandem_consent::{Action, Emergency};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::id::{MessageId, PersonId, RecordKey, SystemId};
use tandem_mappings::model::purpose::Purpose;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::items::{Opening, Shown};
use crate::pipeline::core::Core;
use crate::pipeline::family;
use crate::pipeline::judge::{Ask, AskedItem, InEmergency, Weighed};
use crate::seal::fill_random;
use crate::state::break_glass::{BreakGlassDoc, Grant, Reason};
use crate::state::disclosure::DisclosureDoc;
use crate::state::second_factor::SecondFactorDoc;
use crate::store::{Stage, StoreError, Tx};

/// What is asked in an emergency, by somebody whose code was taken.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// Who asks.
    pub(crate) who: &'a SecondFactorDoc,
    /// The one person who is meant; `None` when nobody is known, or several.
    pub(crate) person: Option<PersonId>,
    /// For what.
    pub(crate) purpose: Purpose,
    /// Why.
    pub(crate) reason: Reason,
    /// Why, in words.
    pub(crate) text: String,
}

/// What was opened.
#[derive(Debug)]
pub(crate) struct Granted {
    /// By which id it is read.
    pub(crate) id: Uuid,
    /// By which key; known to whoever gets it alone.
    pub(crate) key: Zeroizing<String>,
    /// Until when.
    pub(crate) until: Timestamp,
    /// What is shown.
    pub(crate) shown: Vec<Shown>,
    /// What must not be done with it.
    pub(crate) refrains: BTreeSet<String>,
}

/// The one person among records; nobody when they belong to several: a glass is broken about one person.
///
/// # Errors
/// When the store fails.
pub(crate) async fn found(
    tx: &mut Tx,
    records: &[RecordKey],
) -> Result<Option<PersonId>, StoreError> {
    let mut persons = BTreeSet::new();
    for key in records {
        let record = family::record(tx, &key.system, &key.person).await?;
        persons.extend(record.map(|record| record.person_id));
    }
    Ok(persons.pop_first().filter(|_| persons.is_empty()))
}

/// Decides, and keeps what came out with the decision, for review. `None` when nothing is opened.
///
/// # Errors
/// When the store fails.
pub(crate) async fn open(
    core: &Core,
    tx: &mut Tx,
    asked: Asked<'_>,
) -> Result<Option<Granted>, StoreError> {
    let now = core.clock.now();
    let records = match asked.person {
        Some(person) => elsewhere(tx, person, &asked.who.system).await?,
        None => Vec::new(),
    };
    let person = asked.person.filter(|_| !records.is_empty());
    let role = categories(core, &asked.who.role);
    let opening = match person {
        Some(person) => Opening::of(core, tx, person, &records, &role).await?,
        None => Opening::default(),
    };
    let case = Case {
        who: asked.who,
        person,
        purpose: asked.purpose,
        reason: asked.reason,
    };
    let weighed = weigh(core, tx, &case, &opening, now).await?;
    core.judge.record(tx, &weighed, Stage::Query, now).await?;
    let decision = &weighed.judged.decision;
    let (shown, told) = opening.shown(core, &records, decision, None);
    let id = Uuid::now_v7();
    let key = fresh_key()?;
    let config = &core.loaded.config.break_glass;
    let later = |duration| now.checked_add(duration).unwrap_or(now);
    let until = later(SignedDuration::from_mins(config.minutes.into()));
    let grant = person.filter(|_| !told.is_empty()).map(|person| Grant {
        person,
        key: hash(&key),
        until,
        records: opening.opened(&records, &told),
        items: told,
        reads: Vec::new(),
        review_due: later(SignedDuration::from_hours(config.review_hours.into())),
        review: None,
        documented: std::collections::BTreeMap::new(),
    });
    let document = BreakGlassDoc {
        id,
        system: asked.who.system.clone(),
        user: asked.who.user.clone(),
        name: asked.who.name.clone(),
        role: asked.who.role.clone(),
        purpose: asked.purpose,
        reason: asked.reason,
        text: asked.text,
        at: now,
        decision: weighed.judged.id,
        grant,
    };
    tx.put(&document, now).await?;
    let Some(grant) = &document.grant else {
        return Ok(None);
    };
    account(tx, &document, grant, now).await?;
    Ok(Some(Granted {
        id,
        key,
        until,
        shown,
        refrains: decision.refrains.clone(),
    }))
}

/// What was opened, once more, decided anew: never more than was opened. `None` when it is not this caller's, its key is
/// another, or its time is over.
///
/// # Errors
/// When the store fails.
pub(crate) async fn read(
    core: &Core,
    tx: &mut Tx,
    id: Uuid,
    system: &SystemId,
    key: &str,
) -> Result<Option<Vec<Shown>>, StoreError> {
    let now = core.clock.now();
    let found = tx.get::<BreakGlassDoc>(&id.to_string()).await?;
    let Some(mut document) = found.filter(|one| one.system == *system) else {
        return Ok(None);
    };
    let is_key = |grant: &&Grant| bool::from(hash(key).as_bytes().ct_eq(grant.key.as_bytes()));
    let Some(grant) = document.grant.as_ref().filter(is_key) else {
        return Ok(None);
    };
    // Whoever is not enrolled any more, or not in that role, reads nothing.
    let factor = SecondFactorDoc::key_of(system, &document.user);
    let who = tx.get::<SecondFactorDoc>(&factor).await?;
    let Some(who) = who.filter(|who| who.role == document.role && now < grant.until) else {
        return Ok(None);
    };
    let records: Vec<RecordKey> = grant.records.iter().map(|one| one.record.clone()).collect();
    let role = categories(core, &document.role);
    let opening = Opening::of(core, tx, grant.person, &records, &role).await?;
    let case = Case {
        who: &who,
        person: Some(grant.person),
        purpose: document.purpose,
        reason: document.reason,
    };
    let weighed = weigh(core, tx, &case, &opening, now).await?;
    core.judge.record(tx, &weighed, Stage::Query, now).await?;
    let decision = &weighed.judged.decision;
    let (shown, _) = opening.shown(core, &records, decision, Some(&grant.items));
    if !shown.is_empty()
        && let Some(grant) = document.grant.as_mut()
    {
        grant.reads.push(now);
        tx.put(&document, now).await?;
    }
    Ok(Some(shown))
}

/// The categories that a role may see.
fn categories(core: &Core, role: &str) -> BTreeSet<Category> {
    let roles = &core.loaded.config.break_glass.roles;
    roles
        .get(role)
        .map(|role| role.categories.clone())
        .unwrap_or_default()
}

/// The person's records in other systems.
async fn elsewhere(
    tx: &mut Tx,
    person: PersonId,
    own: &SystemId,
) -> Result<Vec<RecordKey>, StoreError> {
    let records = family::records_of(tx, person).await?;
    let keys = records.into_iter().map(|record| record.key);
    Ok(keys.filter(|key| key.system != *own).collect())
}

/// Who asks about whom in which emergency.
struct Case<'a> {
    who: &'a SecondFactorDoc,
    person: Option<PersonId>,
    purpose: Purpose,
    reason: Reason,
}

/// Decides for exactly this emergency. A question that meets nobody is decided like one that meets somebody.
async fn weigh(
    core: &Core,
    tx: &mut Tx,
    case: &Case<'_>,
    opening: &Opening,
    now: Timestamp,
) -> Result<Weighed, StoreError> {
    let organization = core
        .organization_of(&case.who.system)
        .unwrap_or_else(|| core.gateway_organization());
    let mut items = opening.items.clone();
    if items.is_empty() {
        items.push(AskedItem {
            id: "nobody".to_owned(),
            category: Category::PersonIndex,
            labels: BTreeSet::new(),
            labelled_by: BTreeSet::new(),
            source: core.gateway_organization(),
            authored: None,
        });
    }
    let serves = match case.person {
        Some(person) => family::record_in(tx, person, &case.who.system)
            .await?
            .is_some(),
        None => false,
    };
    let ask = Ask {
        action: Action::Disclose,
        purpose: case.purpose,
        requester: &organization,
        recipient: &organization,
        person: case.person,
        items,
        holds_copy: false,
        serves_subject: serves,
    };
    let who = InEmergency {
        person: case.who.user.clone(),
        role: case.who.role.clone(),
        emergency: Emergency {
            reason: case.reason.code().to_owned(),
            declared_by: case.who.user.clone(),
            second_factor: true,
        },
    };
    core.judge.weigh_in_emergency(tx, ask, who, now).await
}

/// Puts what was told into the accounting of disclosures.
async fn account(
    tx: &mut Tx,
    document: &BreakGlassDoc,
    grant: &Grant,
    now: Timestamp,
) -> Result<(), StoreError> {
    let disclosure = DisclosureDoc {
        message: MessageId(document.id),
        holder: document.system.clone(),
        people: vec![grant.person],
        permitted: grant.items.iter().cloned().collect(),
        decision: document.decision,
        is_recalled: false,
        recalled_at: None,
        is_presumed: false,
    };
    tx.put(&disclosure, now).await
}

fn fresh_key() -> Result<Zeroizing<String>, StoreError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    fill_random(bytes.as_mut())?;
    Ok(Zeroizing::new(hex::encode(bytes.as_ref())))
}

fn hash(key: &str) -> String {
    hex::encode(Sha256::digest(key.as_bytes()))
}
