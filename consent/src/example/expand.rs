//! Examples that a file lists in short, made one field at a time.

use std::collections::BTreeSet;

use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::Capacity;
use tandem_mappings::model::purpose::Purpose;
use toml::{Table, Value};

use super::file::{Ages, Field, Held, Reach, RuleExamples};
use super::world::Universe;
use crate::request::Action;

/// One field changed: the name of the example, the changes, and whether the rule still applies.
pub(super) struct Made {
    pub(super) name: String,
    pub(super) changes: Table,
    pub(super) applies: bool,
}

/// What the short lists are read against.
pub(super) struct Against<'a> {
    pub(super) universe: &'a Universe,
    /// The flags about a person that rules know.
    pub(super) flags: &'a BTreeSet<String>,
    /// Whether the rule closes: a consent or agreement that falls short then lets it.
    pub(super) closes: bool,
    /// Whether the regime asks for a signature.
    pub(super) signed: bool,
}

/// Every example that a file lists in short.
pub(super) fn made(examples: &RuleExamples, against: &Against<'_>) -> Vec<Made> {
    let Against {
        universe,
        flags,
        closes,
        signed,
    } = *against;
    let mut all = Vec::new();
    for (field, values) in &examples.only {
        all.extend(only(*field, values, universe, flags));
    }
    if !examples.limits.is_empty() {
        let limits = limits(&examples.limits, closes);
        all.extend(
            limits
                .into_iter()
                .filter(|made| signed || made.name != UNSIGNED),
        );
    }
    for held in &examples.in_force {
        all.extend(in_force(*held, closes));
    }
    all.extend(examples.ages.into_iter().flat_map(ages));
    all
}

/// Changes written as TOML. The text is the product's own.
fn change(text: &str) -> Table {
    text.parse().unwrap_or_default()
}

fn only<'a>(
    field: Field,
    values: &'a BTreeSet<String>,
    universe: &Universe,
    flags: &BTreeSet<String>,
) -> impl Iterator<Item = Made> + use<'a> {
    let mut tried: BTreeSet<String> = match field {
        Field::Action => Action::ALL.map(|one| one.as_str().to_owned()).into(),
        Field::Category => Category::ALL.map(|one| one.as_str().to_owned()).into(),
        Field::Purpose => Purpose::ALL.map(|one| one.as_str().to_owned()).into(),
        Field::Signer => Capacity::ALL
            .iter()
            .map(|one| one.code().to_owned())
            .collect(),
        Field::Flags => flags.clone(),
        Field::FromKinds | Field::ToKinds => universe.kinds.iter().cloned().collect(),
        Field::Labels => universe.labels.iter().cloned().collect(),
        Field::Teams => universe.teams.iter().cloned().collect(),
        Field::Role => universe.roles.iter().cloned().collect(),
        Field::Basis => universe.bases.iter().cloned().collect(),
    };
    let may_be_none = !matches!(
        field,
        Field::Action | Field::Category | Field::Purpose | Field::Signer
    );
    if may_be_none {
        tried.insert(String::new());
    }
    tried.extend(values.iter().cloned());
    tried.into_iter().map(move |value| Made {
        changes: with_value(field, &value),
        applies: values.contains(&value),
        name: if value.is_empty() {
            format!("{} none", field.name())
        } else {
            format!("{} {value}", field.name())
        },
    })
}

impl Field {
    const fn name(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Basis => "basis",
            Self::Category => "category",
            Self::Flags => "flags",
            Self::FromKinds => "from_kinds",
            Self::Labels => "labels",
            Self::Purpose => "purpose",
            Self::Role => "role",
            Self::Signer => "signer",
            Self::Teams => "teams",
            Self::ToKinds => "to_kinds",
        }
    }
}

/// The change that gives a field one value alone; nothing for an empty value.
fn with_value(field: Field, value: &str) -> Table {
    let text = Value::String(value.to_owned());
    let list = if value.is_empty() {
        Value::Array(Vec::new())
    } else {
        Value::Array(vec![text.clone()])
    };
    let one = |name: &str, value: Value| Table::from_iter([(name.to_owned(), value)]);
    let within = |name: &str, inner: &str, value: Value| one(name, Value::Table(one(inner, value)));
    let or_left_out = if value.is_empty() {
        Value::String("-".to_owned())
    } else {
        text
    };
    match field {
        Field::Action | Field::Category | Field::Purpose | Field::Role | Field::Basis => {
            one(field.name(), or_left_out)
        }
        Field::Flags | Field::Labels | Field::Teams => one(field.name(), list),
        Field::FromKinds => within("source", "kinds", list),
        Field::ToKinds => {
            // A person's relation is a kind of recipient too.
            let mut changes = within("recipient", "kinds", list);
            changes.extend(one("relation", Value::String("-".to_owned())));
            changes
        }
        Field::Signer => within(
            "document",
            "signer",
            Value::Table(one("capacity", or_left_out)),
        ),
    }
}

/// Every limit of a document, overstepped alone; and its edges, where it still counts.
fn limits(reaches: &BTreeSet<Reach>, closes: bool) -> Vec<Made> {
    let named = |name: &str| format!("document {name}");
    let mut all: Vec<Made> = OVERSTEPPED
        .iter()
        .map(|(name, text)| (name, text, closes))
        .chain(WITHIN.iter().map(|(name, text)| (name, text, !closes)))
        .map(|(name, text, applies)| Made {
            name: named(name),
            changes: change(text),
            applies,
        })
        .collect();
    for (reach, name, text) in [
        (
            Reach::Named,
            "that names the recipient",
            "document.recipients = ['@to']",
        ),
        (
            Reach::Class,
            "for a class of recipients",
            "document.recipients = { class = ['@kind'], team = '-' }",
        ),
        (
            Reach::Team,
            "for the members of a team",
            "recipient.teams = [{ id = 'team-own', kind = 'X_OWN' }]\ndocument.recipients = { team = ['@team'] }",
        ),
    ] {
        all.push(Made {
            name: named(name),
            changes: change(text),
            applies: reaches.contains(&reach) != closes,
        });
    }
    if closes {
        // The scene of a rule that closes for want of consent has none.
        let release = || Value::String("release".to_owned());
        for made in &mut all {
            made.changes.insert("consent".to_owned(), release());
        }
    }
    all
}

/// The example that says nothing where the regime asks for no signature.
const UNSIGNED: &str = "document that nobody signed";

const OVERSTEPPED: [(&str, &str); 15] = [
    ("that refuses", "document.effect = 'deny'"),
    ("that is suspended", "document.state = 'suspended'"),
    (
        "that was taken back",
        "document.revocation = { received_at = '2026-03-01' }",
    ),
    (
        "that was taken back for the category",
        "document.revocation = { received_at = '2026-03-01', categories = ['@category'] }",
    ),
    (
        "that counts from tomorrow",
        "document.valid_from = '2026-03-03'",
    ),
    (
        "that has just ended",
        "as_of = '2026-03-03T00:00:00-08:00'\ndocument.expiry = { date = '2026-03-02' }",
    ),
    (
        "for another category",
        "document.categories = ['IMMIGRATION']",
    ),
    ("for no category", "document.categories = []"),
    ("for another purpose", "document.purposes = ['FRAUD']"),
    ("of another discloser", "document.disclosers = ['nobody']"),
    ("for another recipient", "document.recipients = ['nobody']"),
    (
        "for later data",
        "document.data_period = { start = '2026-01-11', end = '2026-12-31' }",
    ),
    (
        "for earlier data",
        "document.data_period = { start = '2025-01-01', end = '2026-01-09' }",
    ),
    (
        "for a period, about data without a date",
        "written = '-'\ndocument.data_period = { start = '2025-01-01', end = '2026-12-31' }",
    ),
    (
        "that nobody signed",
        "document.method = 'staff_attestation'",
    ),
];

const WITHIN: [(&str, &str); 4] = [
    (
        "that counts from this instant",
        "document.valid_from = '2026-03-02T09:15:00-08:00'",
    ),
    (
        "for the day of the data alone",
        "document.data_period = { start = '2026-01-10', end = '2026-01-10' }",
    ),
    (
        "without a period, about data without a date",
        "written = '-'",
    ),
    (
        "on its last day",
        "document.expiry = { date = '2026-03-02' }",
    ),
];

/// An agreement that is not there, or not in force that day.
fn in_force(held: Held, closes: bool) -> Vec<Made> {
    let (side, kind) = match held {
        Held::Recipient => ("recipient", "dsa"),
        Held::Source => ("source", "dsa"),
        Held::SourceBaa => ("source", "baa"),
        Held::SourceQsoa => ("source", "qsoa"),
    };
    let agreement = format!("id = 'a-1', with = 'gateway', kind = '{kind}'");
    let today = "start = '2026-03-02', end = '2026-03-02'";
    let one = |terms: &str| format!("{side}.agreements = [{{ {agreement}, {terms} }}]");
    let noon = |day: &str| {
        format!("as_of = '2026-03-{day}T12:00:00-08:00'\nfacts_at = '2026-03-02T12:00:00-08:00'")
    };
    let within = [("in force this day alone", one(today))];
    let outside = [
        ("that is not there", format!("{side}.agreements = []")),
        (
            "that ended yesterday",
            one("start = '2025-01-01', end = '2026-03-01'"),
        ),
        (
            "that starts tomorrow",
            one("start = '2026-03-03', end = '2027-12-31'"),
        ),
        (
            "seen on the day after its end",
            format!("{}\n{}", noon("03"), one(today)),
        ),
        (
            "seen on the day before its start",
            format!("{}\n{}", noon("01"), one(today)),
        ),
    ];
    let outside = outside.map(|(name, text)| (name, text, closes));
    let within = within.map(|(name, text)| (name, text, !closes));
    outside
        .into_iter()
        .chain(within)
        .map(|(name, text, applies)| Made {
            name: format!("{side} agreement {name}"),
            changes: change(&text),
            applies,
        })
        .collect()
}

/// The day before and the day of each birthday that matters. The scenes are of 2 March 2026.
fn ages(ages: Ages) -> Vec<Made> {
    let born = |name: String, years: i16, day: &str, applies: bool| Made {
        name,
        changes: change(&format!("person.birth_date = '{}-{day}'", 2026 - years)),
        applies,
    };
    let mut all = vec![Made {
        name: "age unknown".to_owned(),
        changes: change("person.birth_date = '-'"),
        applies: ages.unknown,
    }];
    if let Some(from) = ages.from {
        all.push(born(format!("age {from}"), from, "03-02", true));
        all.push(born(format!("age almost {from}"), from, "03-03", false));
    }
    if let Some(to) = ages.to {
        let past = to.saturating_add(1);
        all.push(born(format!("age almost {past}"), past, "03-03", true));
        all.push(born(format!("age {past}"), past, "03-02", false));
    }
    all
}
