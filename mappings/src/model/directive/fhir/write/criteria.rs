//! The provisions of a consent.

use serde_json::{Map, Value, json};

use super::super::codes::{
    ACT_CODE_SYSTEM, CATEGORY_SYSTEM, OWN_PURPOSE_SYSTEM, PURPOSE_SYSTEM, ROLE_SYSTEM,
};
use super::{Dialect, concept, fit, moment, party};
use crate::model::directive::{Directive, Effect, Expiry, General};
use crate::model::purpose::Purpose;

/// The root provision with the exceptions to it.
pub(super) fn root(base: &Directive, exceptions: &[Directive], dialect: Dialect) -> Value {
    let mut provision = criteria(base, dialect);
    // What a root begins with holds for its exceptions as well. One that was given for a time before the consent would begin later,
    // and keep within a year of law what it was not; a root that says nothing begins when the consent was given.
    let begins_before = |one: &Directive| fit::begins_before(one, base);
    if base.valid_from == base.captured_at && exceptions.iter().any(begins_before) {
        let end = provision.get("period").and_then(|period| period.get("end"));
        match end.cloned() {
            Some(end) => provision.insert("period".to_owned(), json!({ "end": end })),
            None => provision.remove("period"),
        };
    }
    // Base R4 lets the policy rule say what the root does; the guides want it said there. Where provisions within permit,
    // a rule to opt in would leave it open whether the root permits as well.
    let permits_within = exceptions.iter().any(|one| one.effect == Effect::Permit);
    if dialect != Dialect::BaseR4 || (base.effect == Effect::Permit && permits_within) {
        provision.insert("type".to_owned(), json!(base.effect.code()));
    }
    if !exceptions.is_empty() {
        let nested = exceptions.iter().map(|exception| {
            let mut nested = criteria(exception, dialect);
            nested.insert("type".to_owned(), json!(exception.effect.code()));
            Value::Object(nested)
        });
        provision.insert("provision".to_owned(), nested.collect());
    }
    Value::Object(provision)
}

fn criteria(directive: &Directive, dialect: Dialect) -> Map<String, Value> {
    let mut fields = data(directive, dialect);
    let mut period = Map::new();
    if let Some(start) = directive.valid_from {
        period.insert("start".to_owned(), moment(start));
    }
    if let Some(Expiry::Date(end)) = directive.expiry {
        period.insert("end".to_owned(), moment(end));
    }
    if !period.is_empty() {
        fields.insert("period".to_owned(), Value::Object(period));
    }
    let actors = actors(directive, dialect);
    if !actors.is_empty() {
        fields.insert("actor".to_owned(), Value::Array(actors));
    }
    if !directive.purposes.is_empty() && !directive.general_words.contains(&General::Purposes) {
        let purposes = directive.purposes.iter().map(|purpose| coded(*purpose));
        fields.insert("purpose".to_owned(), purposes.collect());
    }
    if let Some(period) = directive.data_period {
        fields.insert("dataPeriod".to_owned(), json!(period));
    }
    let authors = directive.authors.named.iter();
    let authors: Vec<Value> = authors
        .map(|id| json!({"meaning": "authoredby", "reference": party("Organization", id, dialect)}))
        .collect();
    if !authors.is_empty() {
        fields.insert("data".to_owned(), Value::Array(authors));
    }
    fields
}

/// The data as labels; as classes where labels are taken.
fn data(directive: &Directive, dialect: Dialect) -> Map<String, Value> {
    let mut fields = Map::new();
    let is_general = directive.general_words.contains(&General::Categories);
    let categories = directive.categories.iter().filter(|_| !is_general);
    let categories: Vec<Value> = categories
        .map(|category| json!({"system": CATEGORY_SYSTEM, "code": category.as_str()}))
        .collect();
    let labels = directive.labels.iter();
    let labels: Vec<Value> = labels
        .filter(|_| directive.effect == Effect::Deny)
        .map(|label| json!({"system": ACT_CODE_SYSTEM, "code": label}))
        .collect();
    let (by_label, by_class) = if labels.is_empty() && dialect != Dialect::Fast {
        (categories, Vec::new())
    } else {
        (labels, categories)
    };
    for (name, list) in [("securityLabel", by_label), ("class", by_class)] {
        if !list.is_empty() {
            fields.insert(name.to_owned(), Value::Array(list));
        }
    }
    fields
}

fn actors(directive: &Directive, dialect: Dialect) -> Vec<Value> {
    let (recipients, disclosers) = (&directive.recipients, &directive.disclosers);
    let parties = [
        ("IRCP", "Organization", &recipients.named),
        ("IRCP", "CareTeam", &recipients.team),
        ("CST", "CareTeam", &disclosers.team),
    ];
    let actors = parties.into_iter().flat_map(|(role, kind, ids)| {
        ids.iter().map(move |id| {
            json!({"role": concept(ROLE_SYSTEM, role), "reference": party(kind, id, dialect)})
        })
    });
    actors.collect()
}

fn coded(purpose: Purpose) -> Value {
    let system = if purpose.as_str().starts_with("X_") {
        OWN_PURPOSE_SYSTEM
    } else {
        PURPOSE_SYSTEM
    };
    json!({"system": system, "code": purpose.as_str()})
}
