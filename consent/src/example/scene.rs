//! A scene: from the fields of an example to a request, facts and directives.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_mappings::model::directive::Directive;
use toml::Table;

use super::world::{World, change_record};
use crate::GATEWAY;
use crate::bundle::Bundle;
use crate::facts::Facts;
use crate::request::Request;

/// The fields of a scene. What an example does not change is as in the world's base.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    as_of: String,
    /// See [`crate::engine::Props::facts_at`].
    #[serde(default)]
    facts_at: Option<Timestamp>,
    action: String,
    purpose: String,
    /// That of the bundle when absent.
    #[serde(default)]
    jurisdiction: Option<String>,
    /// Names of organisations of the world.
    from: String,
    to: String,
    /// Name of a person of the world.
    who: String,
    category: String,
    labels: BTreeSet<String>,
    origin: String,
    /// Holders of the world through whom a passed-on item came.
    chain: BTreeSet<String>,
    /// Whether each of them had a consent.
    chain_consented: bool,
    #[serde(default)]
    written: Option<String>,
    #[serde(default)]
    program: Option<String>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    relation: Option<String>,
    serves_subject: bool,
    holds_copy: bool,
    /// Added to the person's own.
    flags: BTreeSet<String>,
    /// Kinds of teams that both sides share.
    teams: BTreeSet<String>,
    emergency: Emergency,
    /// Name of a document of the world.
    #[serde(default)]
    consent: Option<String>,
    /// Categories that the document names besides that of the item.
    also: BTreeSet<String>,
    #[serde(default)]
    basis: Option<String>,
    /// Changes to the records themselves.
    source: Table,
    recipient: Table,
    person: Table,
    document: Table,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Emergency {
    None,
    Declared,
    WithoutSecondFactor,
}

/// A scene as the engine takes it.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) request: Request,
    pub(super) facts: Facts,
    pub(super) directives: Vec<Directive>,
    pub(super) basis: Option<String>,
    pub(super) facts_at: Option<Timestamp>,
    /// Whether the scene is set in a jurisdiction of its own.
    pub(super) elsewhere: bool,
}

/// Where a scene is set that no county's layer lays over the law.
const SOMEWHERE: &str = "any-county";

/// The subject of every scene.
const SUBJECT: &str = "p-1";

impl Scene {
    /// Builds a scene from its fields.
    pub(super) fn new(bundle: &Bundle, fields: Table) -> Result<Self, String> {
        let world = &bundle.world;
        let mut fields: Fields = fields.try_into().map_err(|error| one_line(&error))?;
        let elsewhere = fields.jurisdiction.is_some();
        let here = bundle.jurisdiction().unwrap_or(SOMEWHERE);
        fields.jurisdiction.get_or_insert_with(|| here.to_owned());
        let request = request(world, &fields)?;
        let directives = match &fields.consent {
            None => Vec::new(),
            Some(name) => vec![parse(document(world, &fields, name)?)?],
        };
        Ok(Self {
            request: parse(request)?,
            facts: parse(facts(world, &fields)?)?,
            directives,
            basis: fields.basis,
            facts_at: fields.facts_at,
            elsewhere,
        })
    }
}

fn one_line(error: &impl ToString) -> String {
    let text = error.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn parse<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| one_line(&error))
}

fn found<'a>(
    names: &'a std::collections::BTreeMap<String, Table>,
    name: &str,
) -> Result<&'a Table, String> {
    names
        .get(name)
        .ok_or_else(|| format!("the world has no {name}"))
}

fn json_of(table: &Table) -> Result<Value, String> {
    serde_json::to_value(table).map_err(|error| one_line(&error))
}

fn request(world: &World, fields: &Fields) -> Result<Value, String> {
    let person = change_record(found(&world.people, &fields.who)?.clone(), &fields.person);
    let mut subject = json_of(&person)?;
    subject["id"] = json!(SUBJECT);
    let own = subject["flags"].as_array().cloned().unwrap_or_default();
    let added = fields.flags.iter().map(|flag| json!(flag));
    subject["flags"] = own.into_iter().chain(added).collect();
    let mut item = json!({
        "id": "i1", "category": fields.category, "labels": fields.labels,
        "source_organization": fields.from, "origin": fields.origin,
    });
    if let Some(written) = &fields.written {
        item["authored"] = json!({ "start": written, "end": written });
    }
    if let Some(program) = &fields.program {
        item["program"] = json!(program);
    }
    let link = |holder: &String| {
        let consent = fields.chain_consented.then_some("d-0");
        match consent {
            Some(id) => json!({ "organization": holder, "consent": id }),
            None => json!({ "organization": holder }),
        }
    };
    if !fields.chain.is_empty() {
        item["consent_chain"] = fields.chain.iter().map(link).collect();
    }
    let mut requester = json!({ "organization": fields.to });
    if let Some(role) = &fields.role {
        requester["role"] = json!(role);
    }
    let mut recipient =
        json!({ "organization": fields.to, "serves_subject": fields.serves_subject });
    if let Some(relation) = &fields.relation {
        recipient["relation"] = json!(relation);
    }
    let emergency = match fields.emergency {
        Emergency::None => Value::Null,
        declared => json!({
            "reason": "found unconscious", "declared_by": "w-9",
            "second_factor": declared == Emergency::Declared,
        }),
    };
    Ok(json!({
        "as_of": fields.as_of, "action": fields.action, "purpose": fields.purpose,
        "jurisdiction": fields.jurisdiction, "requester": requester, "recipient": recipient,
        "subject": subject, "items": [item], "emergency": emergency,
        "holds_copy": fields.holds_copy,
    }))
}

fn facts(world: &World, fields: &Fields) -> Result<Value, String> {
    found(&world.organizations, &fields.from)?;
    let named =
        |name: &&String| [&fields.from, &fields.to].contains(name) || fields.chain.contains(*name);
    let mut records = Vec::new();
    for (name, record) in world.organizations.iter().filter(|(name, _)| named(name)) {
        let mut record = record.clone();
        for (side, changes) in [
            (&fields.from, &fields.source),
            (&fields.to, &fields.recipient),
        ] {
            if side == name {
                record = change_record(record, changes);
            }
        }
        let mut record = json_of(&record)?;
        record["id"] = json!(name);
        if [&fields.from, &fields.to].contains(&name) && !fields.teams.is_empty() {
            let team = |kind: &String| json!({ "id": format!("team-{kind}"), "kind": kind });
            record["teams"] = fields.teams.iter().map(team).collect();
        }
        records.push(record);
    }
    Ok(json!({ "organizations": records }))
}

fn document(world: &World, fields: &Fields, name: &str) -> Result<Value, String> {
    let table = change_record(found(&world.consents, name)?.clone(), &fields.document);
    let mut document = json_of(&table)?;
    let mut categories = fields.also.clone();
    categories.insert(fields.category.clone());
    for (field, value) in [
        ("id", json!("d-1")),
        ("subject", json!(SUBJECT)),
        ("categories", json!(categories)),
        ("purposes", json!([fields.purpose])),
        ("disclosers", json!([fields.from])),
        // The operator too, for counties in which it is an intermediary (42 CFR 2.31(a)(4)(ii)).
        ("recipients", json!([fields.to, GATEWAY])),
    ] {
        if document.get(field).is_none() {
            document[field] = value;
        }
    }
    put_in(&mut document, &|text| match text {
        "@to" => Some(fields.to.clone()),
        "@category" => Some(fields.category.clone()),
        "@kind" => kind_of_recipient(world, fields),
        "@team" => Some(match fields.teams.first() {
            Some(kind) => format!("team-{kind}"),
            None => "team-own".to_owned(),
        }),
        _ => None,
    });
    Ok(document)
}

/// The first kind of the recipient, by which a document may mean it.
fn kind_of_recipient(world: &World, fields: &Fields) -> Option<String> {
    let record = world.organizations.get(&fields.to)?.clone();
    let record = change_record(record, &fields.recipient);
    let kinds = record.get("kinds")?.as_array()?;
    Some(kinds.first()?.as_str()?.to_owned())
}

/// Puts values in the place of the words that stand for them.
fn put_in(value: &mut Value, meant: &dyn Fn(&str) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(value) = meant(text) {
                *text = value;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|one| put_in(one, meant)),
        Value::Object(fields) => fields.values_mut().for_each(|one| put_in(one, meant)),
        _ => {}
    }
}
