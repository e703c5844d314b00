//! What could be shown of a person: for each record that another system holds, its element groups with their categories.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tandem_consent::Decision;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::id::{PersonId, RecordKey};
use tandem_mappings::model::person::{Address, PersonRecord};
use tandem_mappings::model::worker::WorkerContact;
use utoipa::ToSchema;

use crate::config::NEVER;
use crate::pipeline::core::Core;
use crate::pipeline::family;
use crate::pipeline::judge::AskedItem;
use crate::state::break_glass::Opened;
use crate::state::involvement::InvolvementDoc;
use crate::state::record::RecordDoc;
use crate::state::sensitivity::Sensitivity;
use crate::store::{StoreError, Tx};

/// A record that could be shown, with its open cases: each with its number among all cases, in the order in which they came,
/// so that a number always means the same case.
#[derive(Debug)]
struct Held {
    record: RecordDoc,
    cases: Vec<(usize, InvolvementDoc)>,
}

/// What could be shown of one person.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    held: Vec<Held>,
    /// The items, as they are asked about.
    pub(crate) items: Vec<AskedItem>,
}

/// What is shown of one record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Shown {
    /// The system that holds it.
    pub(crate) system: String,
    /// Its organisation.
    pub(crate) organization: String,
    /// The organisation's name.
    pub(crate) organization_name: String,
    /// Who it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<Identity>,
    /// Where the person can be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact: Option<Contact>,
    /// The language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<String>,
    /// That the person is served there, and by whom.
    pub(crate) services: Vec<Service>,
}

/// Who a person is in a system.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Identity {
    /// The person's id there.
    pub(crate) source_person_id: String,
    /// Names, the official one first.
    pub(crate) names: Vec<String>,
    /// Birth date as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) birth_date: Option<String>,
}

/// Where a person can be found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Contact {
    /// Addresses, the current one first.
    #[schema(value_type = Vec<Object>)]
    pub(crate) addresses: Vec<Address>,
    /// Telephone numbers.
    pub(crate) phones: Vec<String>,
}

/// A service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Service {
    /// Its category.
    pub(crate) category: String,
    /// The case there; absent when only the record tells of the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) case: Option<String>,
    /// Its status in the programme's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    /// Whom to call. An office tells where somebody is: left out where the person's whereabouts are not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) worker: Option<WorkerContact>,
}

impl Opening {
    /// What could be shown of records that still stand for the person, as far as a role may see it.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn of(
        core: &Core,
        tx: &mut Tx,
        person: PersonId,
        records: &[RecordKey],
        role: &BTreeSet<Category>,
    ) -> Result<Self, StoreError> {
        let mut opening = Self::default();
        for (place, key) in records.iter().enumerate() {
            let record = family::record(tx, &key.system, &key.person).await?;
            let Some(record) = record.filter(|one| one.person_id == person && one.may_match) else {
                continue;
            };
            let of_record = RecordDoc::key_of(key);
            let mut cases = tx
                .find::<InvolvementDoc>("involvement.record", &of_record)
                .await?;
            cases.sort_by(|a, b| (a.since, &a.told.case).cmp(&(b.since, &b.told.case)));
            let cases: Vec<_> = cases
                .into_iter()
                .enumerate()
                .filter(|(_, case)| case.is_open)
                .collect();
            let asked = items_of(core, place, &record, &cases);
            let may_be =
                |item: &AskedItem| role.contains(&item.category) && !NEVER.contains(&item.category);
            opening.items.extend(asked.into_iter().filter(may_be));
            opening.held.push(Held { record, cases });
        }
        Ok(opening)
    }

    /// What a decision lets be shown, of the items among `within` when it is given, with the items' ids.
    pub(super) fn shown(
        &self,
        core: &Core,
        records: &[RecordKey],
        decision: &Decision,
        within: Option<&BTreeSet<String>>,
    ) -> (Vec<Shown>, BTreeSet<String>) {
        let asked: BTreeMap<&str, Category> = self
            .items
            .iter()
            .map(|item| (item.id.as_str(), item.category))
            .collect();
        let open: BTreeSet<String> = decision
            .permitted()
            .filter(|id| asked.contains_key(id) && within.is_none_or(|all| all.contains(*id)))
            .map(str::to_owned)
            .collect();
        let place = |held: &Held| records.iter().position(|key| *key == held.record.key);
        let shown = self.held.iter().filter_map(|held| {
            let place = place(held)?;
            show(core, place, held, &open)
        });
        (shown.collect(), open)
    }

    /// The records with the categories of the items that were told.
    pub(super) fn opened(&self, records: &[RecordKey], told: &BTreeSet<String>) -> Vec<Opened> {
        let of = |(place, record): (usize, &RecordKey)| {
            let prefix = format!("{place}:");
            let items = self.items.iter();
            let told = items.filter(|item| item.id.starts_with(&prefix) && told.contains(&item.id));
            Opened {
                record: record.clone(),
                categories: told.map(|item| item.category.as_str().to_owned()).collect(),
            }
        };
        records.iter().enumerate().map(of).collect()
    }
}

/// The element groups of one record. An id begins with the record's place.
fn items_of(
    core: &Core,
    place: usize,
    record: &RecordDoc,
    cases: &[(usize, InvolvementDoc)],
) -> Vec<AskedItem> {
    let system = &record.key.system;
    let Some(source) = core.organization_of(system) else {
        return Vec::new();
    };
    let item = |name: &str, category, told: &Sensitivity| AskedItem {
        id: format!("{place}:{name}"),
        category,
        labels: record.labels.union(&told.labels).cloned().collect(),
        labelled_by: record.labelled_by.union(&told.why).cloned().collect(),
        source: source.clone(),
        authored: None,
    };
    let none = Sensitivity::default();
    let mut items = vec![
        item("identity", Category::PersonIndex, &none),
        item("contact", Category::ContactLocation, &none),
        item("demographics", Category::Demographics, &none),
        item("served", core.default_category(system), &none),
    ];
    items.extend(cases.iter().map(|(number, case)| {
        let category = core.category(system, &case.sensitivity);
        item(&format!("case-{number}"), category, &case.sensitivity)
    }));
    items
}

fn show(core: &Core, place: usize, held: &Held, open: &BTreeSet<String>) -> Option<Shown> {
    let is_open = |name: &str| open.contains(&format!("{place}:{name}"));
    let prefix = format!("{place}:");
    if !open.iter().any(|id| id.starts_with(&prefix)) {
        return None;
    }
    let (record, system) = (&held.record, &held.record.key.system);
    let organization = core.organization_of(system)?;
    let person = &record.person;
    let mut services = Vec::new();
    if is_open("served") {
        services.push(Service {
            category: core.default_category(system).as_str().to_owned(),
            case: None,
            status: None,
            worker: None,
        });
    }
    for (number, case) in &held.cases {
        if is_open(&format!("case-{number}")) {
            let category = core.category(system, &case.sensitivity);
            services.push(Service {
                category: category.as_str().to_owned(),
                case: Some(case.told.case.to_string()),
                status: case.told.status.clone(),
                worker: case.told.worker.clone().filter(|_| is_open("contact")),
            });
        }
    }
    Some(Shown {
        system: system.to_string(),
        organization: organization.to_string(),
        organization_name: core.name_of(&organization),
        identity: is_open("identity").then(|| identity(record)),
        contact: is_open("contact").then(|| contact(person)),
        language: person.language.clone().filter(|_| is_open("demographics")),
        services,
    })
}

fn identity(record: &RecordDoc) -> Identity {
    let names = record.person.names.iter().map(|name| {
        let parts = [&name.given, &name.middle, &name.family, &name.suffix];
        let told: Vec<&str> = parts
            .into_iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        told.join(" ")
    });
    Identity {
        source_person_id: record.key.person.to_string(),
        names: names.collect(),
        birth_date: record.person.birth.map(|birth| birth.date.to_string()),
    }
}

fn contact(person: &PersonRecord) -> Contact {
    Contact {
        addresses: person.addresses.clone(),
        phones: person.phones.clone(),
    }
}
