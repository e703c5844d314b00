//! Requests and directives made at random, for the properties.

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tandem_consent::{Bundle, Decision, Facts, steady_until};

use crate::world::{ask_with, county, directives, facts, law, parse, release, request, with};

const ORGANIZATIONS: [&str; 7] = [
    "org-calworks",
    "org-cws",
    "org-clinic",
    "org-bh",
    "org-hmis",
    "org-safe-harbor",
    "org-nobody",
];
const CATEGORIES: [&str; 12] = [
    "PERSON_INDEX",
    "CONTACT_LOCATION",
    "CASH_AID",
    "CW_CASE",
    "HEALTH_GENERAL",
    "MENTAL_HEALTH",
    "SUD_PART2",
    "HIV",
    "HOMELESS_SERVICES",
    "DV_INFO",
    "JUV_COURT",
    "IMMIGRATION",
];
pub(crate) const LABELS: [&str; 6] = ["MH", "HIV", "SUD", "SEALED", "42CFRPart2", "SDV"];

struct World {
    law: Bundle,
    county: Bundle,
    facts: Facts,
}

thread_local! {
    static WORLD: World = World { law: law(), county: county(), facts: facts() };
}

/// A decision under the law alone or with the demo county's layer.
pub(crate) fn asked(in_county: bool, request: &Value, consents: &[Value]) -> Decision {
    WORLD.with(|world| {
        let bundle = if in_county { &world.county } else { &world.law };
        ask_with(bundle, &world.facts, request, consents)
    })
}

/// How long that decision stays the same.
pub(crate) fn steady(in_county: bool, request: &Value, consents: &[Value]) -> Option<Timestamp> {
    WORLD.with(|world| {
        let bundle = if in_county { &world.county } else { &world.law };
        steady_until(&parse(request), &world.facts, &directives(consents), bundle)
    })
}

/// A decision in the demo county on other facts.
pub(crate) fn with_county(facts: &Facts, request: &Value, consents: &[Value]) -> Decision {
    WORLD.with(|world| ask_with(&world.county, facts, request, consents))
}

/// The ids of what may be told.
pub(crate) fn open(decision: &Decision) -> Vec<String> {
    decision.permitted().map(str::to_owned).collect()
}

pub(crate) fn no_more(before: &Decision, after: &Decision) -> bool {
    open(after).iter().all(|item| open(before).contains(item))
}

/// What a source really holds, and who may ask for it on what ground.
const USUAL: [(&str, &str, &str, &str); 13] = [
    ("CASH_AID", "org-calworks", "org-cws", "CAREMGT"),
    ("CASH_AID", "org-calworks", "org-cws", "COC"),
    ("CASH_AID", "org-calworks", "org-bh", "COC"),
    ("CW_CASE", "org-cws", "org-calworks", "COC"),
    ("CW_CASE", "org-cws", "org-bh", "COC"),
    ("HOMELESS_SERVICES", "org-hmis", "org-cws", "COC"),
    ("HEALTH_GENERAL", "org-clinic", "org-bh", "TREAT"),
    ("MENTAL_HEALTH", "org-bh", "org-clinic", "COC"),
    ("MENTAL_HEALTH", "org-bh", "org-cws", "COC"),
    ("PERSON_INDEX", "org-cws", "org-bh", "COC"),
    ("HOMELESS_SERVICES", "org-hmis", "org-cws", "X_HOUSING"),
    ("PERSON_INDEX", "org-calworks", "org-cws", "CAREMGT"),
    ("CONTACT_LOCATION", "org-cws", "org-calworks", "COC"),
];

fn item(category: &str, from: &str, labels: &[&str], again: bool) -> Value {
    let origin = if again { "redisclosed" } else { "direct" };
    json!({"category": category, "labels": labels, "source_organization": from, "origin": origin,
           "authored": {"start": "2026-01-10"}})
}

fn any_item() -> impl Strategy<Value = Value> {
    (
        prop::sample::select(&CATEGORIES[..]),
        prop::sample::select(&ORGANIZATIONS[..]),
        prop::sample::subsequence(&LABELS[..], 0..2),
        any::<bool>(),
    )
        .prop_map(|(category, from, labels, again)| item(category, from, &labels, again))
}

/// Recipient, purpose and items: most of them as they occur, some as they may never.
fn any_matter() -> impl Strategy<Value = (&'static str, &'static str, Vec<Value>)> {
    let usual = (
        prop::sample::select(&USUAL[..]),
        prop::collection::vec(any_item(), 0..3),
    );
    let odd = (
        prop::sample::select(&ORGANIZATIONS[..]),
        prop::sample::select(&["COC", "TREAT", "CAREMGT", "X_HOUSING", "X_ABUSE_REPORT"][..]),
        prop::collection::vec(any_item(), 1..4),
    );
    prop_oneof![
        3 => usual.prop_map(|((category, from, to, purpose), mut more)| {
            more.insert(0, item(category, from, &[], false));
            (to, purpose, more)
        }),
        1 => odd,
    ]
}

/// A request about an adult, a child or a youth.
pub(crate) fn any_request() -> impl Strategy<Value = Value> {
    (
        any_matter(),
        prop::sample::select(&["disclose", "disclose", "refer", "match", "update_case_plan"][..]),
        prop::sample::subsequence(&["safety", "foster_care", "homeless_12_months"][..], 0..2),
        prop_oneof![5 => Just("1994-05-17"), 1 => Just("2018-03-02"), 1 => Just("2012-01-01")],
    )
        .prop_map(|((to, purpose, mut items), action, flags, born)| {
            for (index, item) in items.iter_mut().enumerate() {
                item["id"] = json!(format!("i{index}"));
            }
            with(
                request("CASH_AID", "org-calworks", to),
                &json!({"items": items, "purpose": purpose, "action": action,
                        "subject": {"id": "p-1", "birth_date": born, "flags": flags}}),
            )
        })
}

/// A directive between the demo organisations: mostly wide, in force and complete.
pub(crate) fn any_directive() -> impl Strategy<Value = Value> {
    let other_signer = prop::sample::select(&["parent", "minor_by_own_right"][..]);
    let ended = prop::sample::select(&["expiring", "suspended", "revoked", "refused"][..]);
    let state = prop_oneof![5 => Just("active"), 1 => ended];
    (
        prop::sample::subsequence(&CATEGORIES[..], 6..=12),
        prop::sample::subsequence(&ORGANIZATIONS[..], 4..=7),
        prop::sample::subsequence(&["COC", "TREAT", "CAREMGT", "X_HOUSING"][..], 3..=4),
        prop_oneof![5 => Just("permit"), 1 => Just("deny")],
        state,
        prop_oneof![5 => Just("self"), 1 => other_signer],
        0..6_u8,
        1..3_u8,
        1..20_u8,
    )
        .prop_map(
            |(categories, recipients, purposes, effect, state, signer, id, version, day)| {
                with(
                    release(&format!("d-{id}"), &categories),
                    &json!({"recipients": recipients, "purposes": purposes, "effect": effect,
                        "state": state, "signer": {"capacity": signer}, "version": version,
                        "captured_at": format!("2026-02-{day:02}"),
                        "valid_from": format!("2026-02-{day:02}")}),
                )
            },
        )
}

#[test]
fn requests_made_for_the_properties_are_often_permitted_and_often_by_consent() {
    let mut runner = TestRunner::deterministic();
    let cases = (
        any_request(),
        prop::collection::vec(any_directive(), 0..4),
        any::<bool>(),
    );
    let (mut permitted, mut by_consent, mut ending) = (0, 0, 0);
    for _ in 0..200 {
        let (request, consents, in_county) = cases.new_tree(&mut runner).unwrap().current();
        let decision = asked(in_county, &request, &consents);
        let open = open(&decision);
        let regimes = decision.items.iter().filter(|item| open.contains(&item.id));
        let consent = regimes
            .flat_map(|item| &item.regimes)
            .any(|one| one.consent.is_some());
        permitted += usize::from(!open.is_empty());
        by_consent += usize::from(consent);
        ending += usize::from(decision.valid_until.is_some());
    }
    assert!(
        permitted >= 50 && by_consent >= 20 && ending >= 50,
        "{permitted} of 200 permitted, {by_consent} by consent, {ending} with an end"
    );
}
