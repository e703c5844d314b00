//! Builds the parts that proposals share: people as the recipient may see them, and element groups.

use std::collections::BTreeSet;

use jiff::civil::Date;
use tandem_adapter_port::outbound::OutboundPerson;
use tandem_mappings::labels::Strictness;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::id::{OrganizationId, PersonId, SystemId};
use tandem_mappings::model::person::Relation;

use super::family;
use super::proposal::{Part, Proposal, ProposedItem, ProposedPerson};
use crate::state::record::RecordDoc;
use crate::state::sensitivity::Sensitivity;
use crate::store::{StoreError, Tx};

/// People as the sender's records show them, with the recipient's own ids where it knows them.
///
/// # Errors
/// When the store fails.
pub async fn people(
    tx: &mut Tx,
    people: &[PersonId],
    sender: &SystemId,
    recipient: &SystemId,
) -> Result<Vec<ProposedPerson>, StoreError> {
    let mut found = Vec::new();
    for person in people {
        let own = family::record_in(tx, *person, sender).await?;
        let theirs = family::record_in(tx, *person, recipient).await?;
        let Some(shown) = own.as_ref().or(theirs.as_ref()) else {
            continue;
        };
        let view = view(shown, theirs.as_ref());
        found.push(ProposedPerson {
            person: *person,
            view,
            labels: shown.labels.clone(),
            labelled_by: shown.labelled_by.clone(),
        });
    }
    Ok(found)
}

fn view(shown: &RecordDoc, theirs: Option<&RecordDoc>) -> OutboundPerson {
    let person = &shown.person;
    let name = person.official_name();
    let text = |part: fn(&tandem_mappings::model::name::PersonName) -> &String| {
        name.map(part).filter(|text| !text.is_empty()).cloned()
    };
    OutboundPerson {
        person: theirs.map(|record| record.key.person.clone()),
        role: role(shown).to_owned(),
        given: text(|name| &name.given),
        middle: text(|name| &name.middle),
        family: text(|name| &name.family),
        birth: person.birth.map(|birth| birth.date),
        sex: person.sex,
        cin: person.identifier("cin").map(str::to_owned),
        address: person.addresses.first().cloned(),
        phone: person.phones.first().cloned(),
    }
}

/// Fills in the recipient's own ids and case where it knew the people only after the proposal was made.
///
/// # Errors
/// When the store fails.
pub async fn complete(tx: &mut Tx, proposal: &mut Proposal) -> Result<(), StoreError> {
    let recipient = proposal.recipient_system.clone();
    let mut learnt = Vec::new();
    for one in proposal
        .people
        .iter_mut()
        .filter(|one| one.view.person.is_none())
    {
        if let Some(record) = family::record_in(tx, one.person, &recipient).await? {
            one.view.person = Some(record.key.person);
            learnt.push(one.person);
        }
    }
    if !learnt.is_empty() && proposal.recipient_case.is_none() {
        proposal.recipient_case = super::referrals::recipient_case(tx, &learnt, &recipient).await?;
    }
    Ok(())
}

/// The same person by the recipient's own id and role alone.
#[must_use]
pub fn ids_only(view: &OutboundPerson) -> OutboundPerson {
    OutboundPerson {
        person: view.person.clone(),
        role: view.role.clone(),
        given: None,
        middle: None,
        family: None,
        birth: None,
        sex: None,
        cin: None,
        address: None,
        phone: None,
    }
}

fn role(record: &RecordDoc) -> &'static str {
    let relation = record
        .memberships
        .iter()
        .find(|member| member.household.is_some())
        .or(record.memberships.first());
    match relation.map(|member| member.relation) {
        Some(Relation::HeadOfHousehold | Relation::Spouse | Relation::Parent) => "parent",
        Some(Relation::Child) => "child",
        Some(Relation::Caretaker) => "caretaker",
        _ => "other",
    }
}

/// An element group.
#[must_use]
pub fn item(
    id: impl Into<String>,
    part: Part,
    category: Category,
    source: &OrganizationId,
    authored: Option<Date>,
) -> ProposedItem {
    ProposedItem {
        id: id.into(),
        part,
        category,
        labels: BTreeSet::new(),
        labelled_by: BTreeSet::new(),
        source: source.clone(),
        authored,
    }
}

/// Puts labels and their reasons on what is told, beside who it is about: a person's own labels are added when it is
/// decided about them.
pub fn label(items: &mut [ProposedItem], told: &Sensitivity) {
    for item in items.iter_mut().filter(|item| item.part != Part::Identity) {
        item.labels.extend(told.labels.iter().cloned());
        item.labelled_by.extend(told.why.iter().cloned());
    }
}

/// The category of something about a domain: the sender's own, or a stricter one that the domain calls for. Labels only
/// rise.
#[must_use]
pub fn category(base: Category, domain: Domain) -> Category {
    let called_for = match domain {
        Domain::MentalHealth => Category::MentalHealth,
        Domain::SubstanceUse => Category::SudNonpart2,
        _ => return base,
    };
    // What is stricter already stays: Part 2 data, a fact about HIV.
    let is_stricter = Strictness::shared().is_ok_and(|order| order.is_at_least(base, called_for));
    if is_stricter { base } else { called_for }
}
