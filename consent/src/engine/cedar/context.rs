//! The context of a question: the situation, and one directive at most.

use std::collections::BTreeSet;

use cedar_policy::{Context, RestrictedExpression as Value};
use jiff::Timestamp;
use jiff::civil::Date;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::{Capacity, Effect};

use super::CedarError;
use super::value::{Fields, day, record, text, texts};
use crate::GATEWAY;
use crate::directive::{Reach, View};
use crate::engine::scene::Scene;
use crate::request::{Emergency, Item};

/// The context of a question: without a directive, with one, or with the basis of a permit.
pub(in crate::engine) fn context(
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
    // An emergency without a reason, or that nobody declared, is none.
    let stated = |emergency: &&Emergency| {
        !emergency.reason.trim().is_empty() && !emergency.declared_by.trim().is_empty()
    };
    if let Some(emergency) = request.emergency.as_ref().filter(stated) {
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
pub(in crate::engine) fn directive(
    scene: &Scene<'_>,
    view: &View<'_>,
) -> Result<Value, CedarError> {
    let document = view.directive;
    let regimes = scene.regimes.iter().copied();
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
            "names_intermediary",
            Value::new_bool(document.recipients.named.contains(GATEWAY)),
        ),
        (
            "stand_alone",
            Value::new_bool(document.stand_alone == Some(true)),
        ),
    ]))
}

/// A directive that holds everything for one item: used to find out whether consent would open it.
pub(in crate::engine) fn ideal_directive(
    scene: &Scene<'_>,
    item: &Item,
) -> Result<Value, CedarError> {
    let signer = match scene.age {
        Some(age) if age < 12 => Capacity::Parent,
        Some(age) if age < 18 => Capacity::MinorByOwnRight,
        _ => Capacity::OwnSelf,
    };
    let category = scene.category(item).map_or("", Category::as_str);
    let mut categories = BTreeSet::from([category]);
    // Notes need a document of their own; elsewhere a name may need the category behind it as well.
    if !category.ends_with("_NOTES") {
        categories.extend(["SUD_PART2", "HIV"]);
    }
    let now = scene.now.as_second();
    record(Fields::from([
        ("id", text("")),
        ("effect", text("permit")),
        ("state", text("active")),
        ("revoked", Value::new_bool(false)),
        ("revoked_categories", texts([])),
        ("valid_from", Value::new_long(now)),
        ("expires", Value::new_long(now.saturating_add(1))),
        ("serves", texts(scene.regimes.iter().copied())),
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
        ("names_intermediary", Value::new_bool(true)),
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
