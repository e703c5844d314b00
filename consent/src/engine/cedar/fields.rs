//! Recipient and item as the schema describes them.

use std::collections::BTreeSet;

use cedar_policy::RestrictedExpression as Value;
use jiff::civil::Date;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::Moment;
use tandem_mappings::registry::{AgreementKind, OrganizationFacts};

use super::CedarError;
use super::value::{Fields, day, is_true, term, text, texts};
use crate::GATEWAY;
use crate::engine::scene::Scene;
use crate::facts::OrganizationRecord;
use crate::request::{Item, Origin};

/// The relations in which an individual may be told.
const INDIVIDUALS: [&str; 6] = [
    "CAREGIVER",
    "CLIENT",
    "FAMILY",
    "GUARDIAN",
    "PARENT",
    "POLICYHOLDER",
];

pub(super) fn recipient_fields(scene: &Scene<'_>) -> Result<Fields, CedarError> {
    let recipient = &scene.request.recipient;
    let record = scene.recipient();
    let none = OrganizationFacts::default();
    let facts = record.map_or(&none, |record| &record.facts);
    let id = recipient.organization.as_str();
    let mut kinds = kinds(record);
    if id == GATEWAY {
        kinds.insert("GATEWAY");
    }
    // A person is a recipient of the kind of his or her relation. An organisation's kind is never
    // taken from a request.
    if let Some(relation) = recipient.relation.as_deref()
        && INDIVIDUALS.contains(&relation)
    {
        kinds.insert(relation);
    }
    let mut fields = Fields::from([
        ("id", text(id)),
        ("kinds", texts(kinds)),
        ("hipaa_covered_entity", is_true(facts.hipaa_covered_entity)),
        ("needs_based_program", is_true(facts.needs_based_program)),
        ("government_program", is_true(facts.government_program)),
        ("bound_to_10850", is_true(facts.bound_to_10850)),
        ("calaim_partner", is_true(facts.calaim_partner)),
        ("serves_subject", Value::new_bool(recipient.serves_subject)),
        ("agreement_excludes", excluded(record, scene.today)),
    ]);
    let agreement = record.and_then(|one| one.gateway_term(AgreementKind::Dsa, scene.today));
    if let Some(agreement) = agreement {
        fields.insert("agreement", term(agreement)?);
    }
    if let Some(relation) = &recipient.relation {
        fields.insert("relation", text(relation));
    }
    Ok(fields)
}

/// The kinds of an organisation. Only the operator is the gateway, whatever a record says.
fn kinds(record: Option<&OrganizationRecord>) -> BTreeSet<&str> {
    let kinds = record.into_iter().flat_map(|record| &record.kinds);
    kinds
        .map(|kind| kind.as_str())
        .filter(|kind| *kind != "GATEWAY")
        .collect()
}

/// What the agreements in force leave out.
fn excluded(record: Option<&OrganizationRecord>, today: Date) -> Value {
    texts(
        record
            .into_iter()
            .flat_map(|record| record.excluded_on(today)),
    )
}

pub(super) fn item_fields(
    scene: &Scene<'_>,
    item: &Item,
    teams: Option<&[&str]>,
) -> Result<Fields, CedarError> {
    let source = scene.source(item);
    let none = OrganizationFacts::default();
    let facts = source.map_or(&none, |record| &record.facts);
    let shared = scene.shared_teams(item);
    let shared: BTreeSet<&str> = match teams {
        Some(teams) => teams.iter().copied().collect(),
        None => shared.iter().map(|(kind, _)| *kind).collect(),
    };
    let chain_consented = !item.consent_chain.is_empty()
        && item.consent_chain.iter().all(|link| link.consent.is_some());
    let origin = match item.origin {
        Origin::Direct => "direct",
        Origin::Redisclosed => "redisclosed",
    };
    let mut fields = Fields::from([
        (
            "category",
            text(scene.category(item).map_or("", Category::as_str)),
        ),
        ("labels", texts(item.labels.iter().map(String::as_str))),
        ("source", text(item.source_organization.as_str())),
        ("source_kinds", texts(kinds(source))),
        ("source_covered_entity", is_true(facts.hipaa_covered_entity)),
        (
            "source_government_program",
            is_true(facts.government_program),
        ),
        ("source_calaim_partner", is_true(facts.calaim_partner)),
        ("source_notice_posted", is_true(facts.privacy_notice_posted)),
        (
            "source_victim_service_provider",
            is_true(facts.victim_service_provider),
        ),
        ("source_agreement_excludes", excluded(source, scene.today)),
        ("shared_teams", texts(shared)),
        ("origin", text(origin)),
        ("chain_consented", Value::new_bool(chain_consented)),
    ]);
    for (name, kind) in [
        ("source_agreement", AgreementKind::Dsa),
        ("source_baa", AgreementKind::Baa),
        ("source_qsoa", AgreementKind::Qsoa),
    ] {
        let held = source.and_then(|record| record.gateway_term(kind, scene.today));
        if let Some(held) = held {
            fields.insert(name, term(held)?);
        }
    }
    if let Some(authored) = item.authored {
        if let Some(start) = authored.start.map(|moment| local_day(scene, moment)) {
            fields.insert("authored_from", Value::new_long(day(start)));
        }
        let end = authored
            .end
            .map_or(scene.today, |moment| local_day(scene, moment));
        fields.insert("authored_to", Value::new_long(day(end)));
    }
    Ok(fields)
}

fn local_day(scene: &Scene<'_>, moment: Moment) -> Date {
    match moment {
        Moment::Day(day) => day,
        Moment::Instant(instant) => scene.bundle.zone.to_datetime(instant).date(),
    }
}
