//! Mutual clients: when two programmes with an open case know the same family, each is told of the other, if that may be
//! told. Told once, not at every load.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tandem_adapter_port::outbound::{MutualClientView, OutboundBody, Party};
use tandem_consent::Action;
use tandem_mappings::model::id::{MessageId, PersonId, SystemId};
use uuid::Uuid;

use super::core::Core;
use super::proposal::Proposal;
use super::{compose, episodes, exchange, family, recalling, tell};
use crate::state::baseline::ReleasedDoc;
use crate::state::denial::DenialDoc;
use crate::state::disclosure::DisclosureDoc;
use crate::state::involvement::InvolvementDoc;
use crate::state::mutual::MutualDoc;
use crate::store::{Document, OutboxState, Stage, StoreError, Tx};

/// Looks at a person's family and tells each pair of programmes what may be told; later, when what was told of the family is being
/// looked at for what must be recalled.
///
/// # Errors
/// When the store fails.
pub async fn evaluate(
    core: &Core,
    tx: &mut Tx,
    person: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let family = family::family(tx, person).await?;
    if recalling::waits(tx, &family, person, now).await? {
        return Ok(());
    }
    let mut systems = BTreeSet::new();
    for member in &family {
        systems.extend(family::systems_of(tx, *member).await?);
    }
    let mut ready = Vec::new();
    for system in systems {
        if core.system(&system).is_some() && is_released(core, tx, &system).await? {
            ready.push(system);
        }
    }
    for (place, a) in ready.iter().enumerate() {
        for b in ready.iter().skip(place + 1) {
            let told_a = notify(core, tx, &family, Sides::new(a, b), now).await?;
            let told_b = notify(core, tx, &family, Sides::new(b, a), now).await?;
            if let (Some(people), Some(_)) = (&told_a, &told_b) {
                episodes::confirm(core, tx, people, (a, b), now).await?;
            }
        }
    }
    Ok(())
}

/// Whether notices about a system's records may go out: its first load has been released.
///
/// # Errors
/// When the store fails.
pub async fn is_released(core: &Core, tx: &mut Tx, system: &SystemId) -> Result<bool, StoreError> {
    let is_baseline = core.system(system).is_none_or(|config| config.baseline);
    Ok(!is_baseline || tx.get::<ReleasedDoc>(system.as_str()).await?.is_some())
}

/// Who is told, and of whom.
#[derive(Clone, Copy)]
struct Sides<'a> {
    recipient: &'a SystemId,
    partner: &'a SystemId,
}

impl<'a> Sides<'a> {
    const fn new(recipient: &'a SystemId, partner: &'a SystemId) -> Self {
        Self { recipient, partner }
    }
}

/// The people of a family whom both sides serve.
struct Mutual {
    people: Vec<PersonId>,
    own_case: InvolvementDoc,
    /// The partner's open cases, by the people in them.
    partner_cases: BTreeMap<PersonId, InvolvementDoc>,
}

/// Tells the recipient that the partner serves the same people. Returns the people told of, now or before.
async fn notify(
    core: &Core,
    tx: &mut Tx,
    family: &BTreeSet<PersonId>,
    sides: Sides<'_>,
    now: Timestamp,
) -> Result<Option<BTreeSet<PersonId>>, StoreError> {
    let Some(mutual) = mutual(core, tx, family, sides).await? else {
        return Ok(None);
    };
    let mut told = BTreeSet::new();
    let mut permitted = Vec::new();
    for person in &mutual.people {
        let key = MutualDoc::key_of(*person, sides.recipient, sides.partner);
        match tx.get::<MutualDoc>(&key).await? {
            Some(notice) if stands(tx, &notice).await? => {
                told.insert(*person);
            }
            _ if may_be_told(core, tx, sides, &mutual, *person, now).await? => {
                permitted.push(*person);
            }
            _ => {}
        }
    }
    // A case is told of only with somebody of it: one person's permission does not open another's case.
    let mut named = permitted.iter().chain(&told);
    if let Some(case) = named.find_map(|person| mutual.partner_cases.get(person))
        && let Some(proposal) =
            propose(core, tx, sides, &permitted, (&mutual.own_case, case), now).await?
        && let Some(message) = tell::queue(core, tx, &proposal, now).await?
    {
        for person in &permitted {
            let notice = MutualDoc {
                person: *person,
                recipient: sides.recipient.clone(),
                partner: sides.partner.clone(),
                message,
            };
            tx.put(&notice, now).await?;
            told.insert(*person);
        }
    }
    Ok(Some(told).filter(|told| !told.is_empty()))
}

/// The people of a family whom both sides serve; `None` unless both have an open case with some of them.
async fn mutual(
    core: &Core,
    tx: &mut Tx,
    family: &BTreeSet<PersonId>,
    sides: Sides<'_>,
) -> Result<Option<Mutual>, StoreError> {
    let mut people = Vec::new();
    let mut own_case = None;
    let mut partner_cases = BTreeMap::new();
    for person in family {
        let systems = family::systems_of(tx, *person).await?;
        if systems.contains(sides.recipient) && systems.contains(sides.partner) {
            people.push(*person);
            let own = family::open_cases(tx, *person, sides.recipient).await?;
            own_case = own_case.or_else(|| own.into_iter().next());
            let cases = family::open_cases(tx, *person, sides.partner).await?;
            let usual = core.default_category(sides.partner);
            // A guarded matter beside a case does not keep the case from being told of.
            let plainest = cases.into_iter().min_by_key(|case| {
                let own = case.sensitivity.category.unwrap_or(usual);
                (own != usual, case.sensitivity.labels.len())
            });
            partner_cases.extend(plainest.map(|case| (*person, case)));
        }
    }
    let own_case = own_case.filter(|_| !partner_cases.is_empty());
    Ok(own_case.map(|own_case| Mutual {
        people,
        own_case,
        partner_cases,
    }))
}

/// Whether the recipient may be told of one person. A denial is recorded: once for each answer, not at every load.
async fn may_be_told(
    core: &Core,
    tx: &mut Tx,
    sides: Sides<'_>,
    mutual: &Mutual,
    person: PersonId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let own = mutual.partner_cases.get(&person);
    let case = own.or_else(|| mutual.partner_cases.values().next());
    let cases = (&mutual.own_case, case.unwrap_or(&mutual.own_case));
    let Some(proposal) = propose(core, tx, sides, &[person], cases, now).await? else {
        return Ok(false);
    };
    let ruling = tell::weigh(core, tx, MessageId(Uuid::nil()), &proposal, now).await?;
    if ruling.outbound.is_some() {
        return Ok(true);
    }
    let denial = DenialDoc {
        person,
        recipient: sides.recipient.clone(),
        partner: sides.partner.clone(),
        answer: ruling.answer(),
    };
    let known = tx.get::<DenialDoc>(&denial.key()).await?;
    if known.is_none_or(|known| known.answer != denial.answer) {
        ruling.record(tx, Stage::Outbox, now).await?;
        tx.put(&denial, now).await?;
    }
    Ok(false)
}

/// Whether a notice waits or is held: one that was withdrawn or recalled is no longer known to its recipient, and what
/// may be told again is told anew.
async fn stands(tx: &mut Tx, notice: &MutualDoc) -> Result<bool, StoreError> {
    let held = tx.get::<DisclosureDoc>(&notice.message.to_string()).await?;
    if let Some(disclosure) = held {
        return Ok(!disclosure.is_recalled);
    }
    let row = tx.outbox(notice.message).await?;
    Ok(row.is_some_and(|row| row.state != OutboxState::Withdrawn))
}

/// The notice to the recipient about some people, with a case on each side: the recipient's own, the partner's.
async fn propose(
    core: &Core,
    tx: &mut Tx,
    sides: Sides<'_>,
    people: &[PersonId],
    (own_case, partner_case): (&InvolvementDoc, &InvolvementDoc),
    now: Timestamp,
) -> Result<Option<Proposal>, StoreError> {
    let Sides { recipient, partner } = sides;
    let (Some(first), Some(sender), Some(organization)) = (
        people.first(),
        core.organization_of(partner),
        core.organization_of(recipient),
    ) else {
        return Ok(None);
    };
    let people = compose::people(tx, people, partner, recipient).await?;
    let items = exchange::items(core, partner, &partner_case.sensitivity);
    let body = OutboundBody::MutualClient(Box::new(MutualClientView {
        partner_system: partner.clone(),
        partner: Party {
            name: core.name_of(&sender),
            id: sender.clone(),
        },
        partner_program: partner_case.told.program,
        partner_case: Some(partner_case.told.case.to_string()),
        partner_case_status: partner_case.told.status.clone(),
        worker: partner_case.told.worker.clone(),
        since: Some(core.day(now)),
    }));
    Ok(Some(Proposal {
        sender,
        recipient: organization,
        recipient_system: recipient.clone(),
        action: Action::Disclose,
        people,
        recipient_case: Some(own_case.told.case.to_string()),
        case: first.to_string(),
        effect_key: format!("mutual:{first}:{partner}:{recipient}"),
        items,
        body,
        referral: None,
        episode: None,
    }))
}
