//! A scene as Cedar sees it: recipient and items as entities, the rest as context.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::str::FromStr;
use std::sync::LazyLock;

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request as CedarRequest,
    RestrictedExpression as Value,
};
use jiff::Timestamp;
use jiff::civil::Date;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::{Capacity, Effect, Moment};
use tandem_mappings::registry::{AgreementKind, OrganizationFacts, Term};

use super::scene::Scene;
use crate::GATEWAY;
use crate::directive::{Reach, View};
use crate::facts::OrganizationRecord;
use crate::request::{Item, Origin};

/// Cedar could not take a value. The decision then denies.
#[derive(Debug)]
pub(super) struct CedarError;

type Fields = BTreeMap<&'static str, Value>;

/// The entities of a scene.
pub(super) struct Stage {
    pub(super) entities: Entities,
    recipient: EntityUid,
    action: EntityUid,
    items: Vec<EntityUid>,
}

impl Stage {
    /// Builds the entities. With `teams`, every item shares teams of these kinds with the
    /// recipient: used to find out what a team would open.
    pub(super) fn new(scene: &Scene<'_>, teams: Option<&[&str]>) -> Result<Self, CedarError> {
        let recipient = uid(&RECIPIENT, scene.request.recipient.organization.as_str())?;
        let mut entities = vec![entity(&recipient, recipient_fields(scene)?)?];
        let mut items = Vec::new();
        for (index, item) in scene.request.items.iter().enumerate() {
            let item_uid = uid(&ITEM, &index.to_string())?;
            entities.push(entity(&item_uid, item_fields(scene, item, teams)?)?);
            items.push(item_uid);
        }
        Ok(Self {
            entities: Entities::from_entities(entities, None).map_err(|_| CedarError)?,
            recipient,
            action: uid(&ACTION, scene.request.action.as_str())?,
            items,
        })
    }

    /// The question about one item in one context.
    pub(super) fn question(
        &self,
        item: usize,
        context: &Context,
    ) -> Result<CedarRequest, CedarError> {
        let item = self.items.get(item).ok_or(CedarError)?.clone();
        let (recipient, action) = (self.recipient.clone(), self.action.clone());
        // The fields are built from the schema's own list, so no schema is needed here; a field
        // that were missing would be an evaluation error, and an error denies.
        CedarRequest::new(recipient, action, item, context.clone(), None).map_err(|_| CedarError)
    }
}

/// An entity type; parsed once, since parsing costs as much as a whole evaluation.
type Kind = LazyLock<Option<EntityTypeName>>;

static RECIPIENT: Kind = LazyLock::new(|| EntityTypeName::from_str("Recipient").ok());
static ITEM: Kind = LazyLock::new(|| EntityTypeName::from_str("Item").ok());
static ACTION: Kind = LazyLock::new(|| EntityTypeName::from_str("Action").ok());

fn uid(kind: &Kind, id: &str) -> Result<EntityUid, CedarError> {
    let kind = (**kind).clone().ok_or(CedarError)?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

fn entity(uid: &EntityUid, fields: Fields) -> Result<Entity, CedarError> {
    let fields: HashMap<_, _> = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Entity::new(uid.clone(), fields, HashSet::new()).map_err(|_| CedarError)
}

fn text(value: &str) -> Value {
    Value::new_string(value.to_owned())
}

fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> Value {
    Value::new_set(values.into_iter().map(text))
}

fn record(fields: Fields) -> Result<Value, CedarError> {
    let fields = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    Value::new_record(fields).map_err(|_| CedarError)
}

/// Whole days since 1970-01-01.
fn day(date: Date) -> i64 {
    let epoch = Date::constant(1970, 1, 1);
    date.since(epoch)
        .map_or(i64::MIN, |span| i64::from(span.get_days()))
}

fn term(term: Term) -> Result<Value, CedarError> {
    record(Fields::from([
        (
            "from",
            Value::new_long(day(term.start.unwrap_or(Date::MIN))),
        ),
        ("to", Value::new_long(day(term.end.unwrap_or(Date::MAX)))),
    ]))
}

fn is_true(fact: Option<bool>) -> Value {
    Value::new_bool(fact == Some(true))
}

fn recipient_fields(scene: &Scene<'_>) -> Result<Fields, CedarError> {
    let recipient = &scene.request.recipient;
    let record = scene.recipient();
    let none = OrganizationFacts::default();
    let facts = record.map_or(&none, |record| &record.facts);
    let id = recipient.organization.as_str();
    let mut kinds = kinds(record);
    if id == GATEWAY {
        kinds.insert("GATEWAY");
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

fn item_fields(
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

/// The context of a question: without a directive, with one, or with the basis of a permit.
pub(super) fn context(
    scene: &Scene<'_>,
    directive: Option<Value>,
    basis: Option<&str>,
) -> Result<Context, CedarError> {
    let request = scene.request;
    let requester = &request.requester;
    let mut who = Fields::from([("organization", text(requester.organization.as_str()))]);
    if let Some(role) = &requester.role {
        who.insert("role", text(role));
    }
    let flags = request.subject.flags.iter().map(String::as_str);
    let mut subject = Fields::from([("flags", texts(flags))]);
    if let Some(age) = scene.age {
        subject.insert("age", Value::new_long(age));
    }
    let purpose = request
        .purpose
        .value()
        .map_or("", |purpose| purpose.as_str());
    let mut fields = Fields::from([
        ("now", Value::new_long(scene.now.as_second())),
        ("today", Value::new_long(day(scene.today))),
        ("purpose", text(purpose)),
        ("jurisdiction", text(request.jurisdiction.as_str())),
        ("requester", record(who)?),
        ("subject", record(subject)?),
        ("holds_copy", Value::new_bool(request.holds_copy)),
    ]);
    if let Some(emergency) = &request.emergency {
        let emergency = Fields::from([
            ("reason", text(&emergency.reason)),
            ("second_factor", Value::new_bool(emergency.second_factor)),
        ]);
        fields.insert("emergency", record(emergency)?);
    }
    if let Some(directive) = directive {
        fields.insert("directive", directive);
    }
    if let Some(basis) = basis {
        fields.insert("basis", text(basis));
    }
    let fields = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    Context::from_pairs(fields).map_err(|_| CedarError)
}

/// A directive as rules see it.
pub(super) fn directive(scene: &Scene<'_>, view: &View<'_>) -> Result<Value, CedarError> {
    let document = view.directive;
    let regimes = scene.bundle.regimes.keys().map(String::as_str);
    let serves = regimes.filter(|regime| view.serves(regime, scene.bundle));
    let effect = if view.effect == Effect::Permit {
        "permit"
    } else {
        "deny"
    };
    let period = document.data_period.unwrap_or_default();
    record(Fields::from([
        ("id", text(document.id.as_str())),
        ("effect", text(effect)),
        (
            "state",
            text(if view.is_active { "active" } else { "inactive" }),
        ),
        ("revoked", Value::new_bool(view.is_revoked)),
        (
            "revoked_categories",
            texts(view.revoked_categories.iter().map(|one| one.as_str())),
        ),
        ("valid_from", Value::new_long(second_up(view.valid_from))),
        ("expires", Value::new_long(view.expires.as_second())),
        ("serves", texts(serves)),
        (
            "categories",
            texts(view.categories.iter().map(|one| one.as_str())),
        ),
        (
            "purposes",
            texts(document.purposes.iter().map(|one| one.as_str())),
        ),
        (
            "disclosers",
            texts(view.disclosers.iter().map(String::as_str)),
        ),
        (
            "recipient_named",
            Value::new_bool(view.reach == Some(Reach::Named)),
        ),
        (
            "recipient_class",
            Value::new_bool(matches!(view.reach, Some(Reach::Class | Reach::All))),
        ),
        (
            "recipient_team",
            Value::new_bool(view.reach == Some(Reach::Team)),
        ),
        (
            "data_limited",
            Value::new_bool(document.data_period.is_some()),
        ),
        (
            "data_from",
            Value::new_long(day(period.start.unwrap_or(Date::MIN))),
        ),
        (
            "data_to",
            Value::new_long(day(period.end.unwrap_or(Date::MAX))),
        ),
        ("signer", text(document.signer.capacity.code())),
        (
            "authority_shown",
            Value::new_bool(document.authority_evidence.is_some()),
        ),
        (
            "stand_alone",
            Value::new_bool(document.stand_alone == Some(true)),
        ),
    ]))
}

/// A directive that holds everything for one item: used to find out whether consent would open it.
pub(super) fn ideal_directive(scene: &Scene<'_>, item: &Item) -> Result<Value, CedarError> {
    let signer = match scene.age {
        Some(age) if age < 12 => Capacity::Parent,
        Some(age) if age < 18 => Capacity::MinorByOwnRight,
        _ => Capacity::OwnSelf,
    };
    let category = scene.category(item).map_or("", Category::as_str);
    let categories = BTreeSet::from([category, "SUD_PART2", "HIV"]);
    let now = scene.now.as_second();
    record(Fields::from([
        ("id", text("")),
        ("effect", text("permit")),
        ("state", text("active")),
        ("revoked", Value::new_bool(false)),
        ("revoked_categories", texts([])),
        ("valid_from", Value::new_long(now)),
        ("expires", Value::new_long(now.saturating_add(1))),
        (
            "serves",
            texts(scene.bundle.regimes.keys().map(String::as_str)),
        ),
        ("categories", texts(categories)),
        ("purposes", texts([scene.request.purpose.as_str()])),
        ("disclosers", texts([item.source_organization.as_str()])),
        ("recipient_named", Value::new_bool(true)),
        ("recipient_class", Value::new_bool(true)),
        ("recipient_team", Value::new_bool(true)),
        ("data_limited", Value::new_bool(false)),
        ("data_from", Value::new_long(day(Date::MIN))),
        ("data_to", Value::new_long(day(Date::MAX))),
        ("signer", text(signer.code())),
        ("authority_shown", Value::new_bool(true)),
        ("stand_alone", Value::new_bool(true)),
    ]))
}

/// The first whole second that is not before the instant.
fn second_up(instant: Timestamp) -> i64 {
    let second = instant.as_second();
    if instant.subsec_nanosecond() > 0 {
        second.saturating_add(1)
    } else {
        second
    }
}
