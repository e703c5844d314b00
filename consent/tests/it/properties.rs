//! Properties that hold for every request.

use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_consent::{Bundle, Decision, Facts, Verdict};

use crate::world::{ask_with, county, facts, law, release, request, with, with_item};

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
const LABELS: [&str; 6] = ["MH", "HIV", "SUD", "SEALED", "42CFRPart2", "SDV"];

struct World {
    law: Bundle,
    county: Bundle,
    facts: Facts,
}

thread_local! {
    static WORLD: World = World { law: law(), county: county(), facts: facts() };
}

fn asked(in_county: bool, request: &Value, consents: &[Value]) -> Decision {
    WORLD.with(|world| {
        let bundle = if in_county { &world.county } else { &world.law };
        ask_with(bundle, &world.facts, request, consents)
    })
}

fn open(decision: &Decision) -> Vec<String> {
    decision.permitted().map(str::to_owned).collect()
}

fn no_more(before: &Decision, after: &Decision) -> bool {
    open(after).iter().all(|item| open(before).contains(item))
}

fn any_request() -> impl Strategy<Value = Value> {
    let item = (
        prop::sample::select(&CATEGORIES[..]),
        prop::sample::select(&ORGANIZATIONS[..]),
        prop::sample::subsequence(&LABELS[..], 0..2),
        any::<bool>(),
    );
    (
        prop::collection::vec(item, 1..4),
        prop::sample::select(&ORGANIZATIONS[..]),
        prop::sample::select(&["COC", "TREAT", "CAREMGT", "X_HOUSING", "X_ABUSE_REPORT"][..]),
        prop::sample::select(&["disclose", "refer", "match", "update_case_plan"][..]),
        prop::sample::subsequence(&["safety", "foster_care", "homeless_12_months"][..], 0..2),
        prop::sample::select(&["1994-05-17", "2018-03-02", "2012-01-01"][..]),
    )
        .prop_map(|(items, to, purpose, action, flags, born)| {
            let items: Vec<Value> = items
                .into_iter()
                .enumerate()
                .map(|(index, (category, from, labels, again))| {
                    json!({"id": format!("i{index}"), "category": category, "labels": labels,
                           "source_organization": from,
                           "origin": if again { "redisclosed" } else { "direct" }})
                })
                .collect();
            with(
                request("CASH_AID", "org-calworks", to),
                &json!({"items": items, "purpose": purpose, "action": action,
                        "subject": {"id": "p-1", "birth_date": born, "flags": flags}}),
            )
        })
}

fn any_directive() -> impl Strategy<Value = Value> {
    (
        prop::sample::subsequence(&CATEGORIES[..], 1..8),
        prop::sample::subsequence(&ORGANIZATIONS[..], 0..6),
        prop::sample::subsequence(&["COC", "TREAT", "CAREMGT", "X_HOUSING"][..], 0..4),
        prop::sample::select(&["permit", "permit", "deny"][..]),
        prop::sample::select(&["active", "expiring", "suspended", "revoked", "refused"][..]),
        prop::sample::select(&["self", "parent", "minor_by_own_right"][..]),
        0..4_u8,
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn adding_a_deny_never_adds_a_permit(
        request in any_request(),
        consents in prop::collection::vec(any_directive(), 0..4),
        refusal in any_directive(),
        in_county: bool,
    ) {
        let refusal = with(refusal, &json!({"effect": "deny"}));
        let before = asked(in_county, &request, &consents);
        let after = asked(in_county, &request, &[consents, vec![refusal]].concat());
        prop_assert!(no_more(&before, &after));
    }

    #[test]
    fn adding_a_label_never_adds_a_permit(
        request in any_request(),
        consents in prop::collection::vec(any_directive(), 0..3),
        label in prop::sample::select(&LABELS[..]),
        in_county: bool,
    ) {
        let mut labelled = request.clone();
        labelled["items"][0]["labels"].as_array_mut().unwrap().push(json!(label));
        let before = asked(in_county, &request, &consents);
        prop_assert!(no_more(&before, &asked(in_county, &labelled, &consents)));
    }

    #[test]
    fn removing_an_agreement_never_adds_a_permit(
        request in any_request(),
        consents in prop::collection::vec(any_directive(), 0..3),
        organization in 0..6_usize,
    ) {
        let mut less = serde_json::to_value(facts()).unwrap();
        if let Some(agreements) = less["organizations"][organization]["agreements"].as_array_mut() {
            agreements.pop();
        }
        let less: Facts = serde_json::from_value(less).unwrap();
        let before = asked(true, &request, &consents);
        let after = WORLD.with(|world| ask_with(&world.county, &less, &request, &consents));
        prop_assert!(no_more(&before, &after));
    }

    #[test]
    fn a_permit_on_consent_is_gone_past_its_valid_until(
        category in prop::sample::select(&["CASH_AID", "CW_CASE", "HOMELESS_SERVICES"][..]),
        (from, to) in prop::sample::select(&[("org-calworks", "org-cws"), ("org-cws", "org-hmis"), ("org-hmis", "org-bh")][..]),
        first in 1..28_u8,
        second in 1..28_u8,
    ) {
        let consent = |id: &str, day: u8| {
            with(release(id, &[category]), &json!({"expiry": {"date": format!("2026-05-{day:02}")}}))
        };
        let consents = [consent("d-1", first), consent("d-2", second)];
        let asked_now = request(category, from, to);
        let now = asked(true, &asked_now, &consents);
        if let Some(until) = now.valid_until {
            prop_assert_eq!(open(&now), ["i1"]);
            prop_assert!(!now.permits("i1", until.timestamp()));
            let later = with(asked_now, &json!({"as_of": until.timestamp().to_string()}));
            prop_assert!(open(&asked(true, &later, &consents)).is_empty());
        } else {
            prop_assert!(open(&now).is_empty());
        }
    }

    #[test]
    fn what_is_left_after_redaction_is_decided_as_before(
        request in any_request(),
        consents in prop::collection::vec(any_directive(), 0..4),
        in_county: bool,
    ) {
        let before = asked(in_county, &request, &consents);
        let kept = open(&before);
        let mut left = request;
        left["items"].as_array_mut().unwrap().retain(|item| kept.iter().any(|id| item["id"] == **id));
        let after = asked(in_county, &left, &consents);
        let permitted: Vec<_> =
            before.items.iter().filter(|item| item.outcome == Verdict::Permit).collect();
        prop_assert_eq!(permitted, after.items.iter().collect::<Vec<_>>());
        prop_assert_eq!(before.obligations, after.obligations);
        prop_assert_eq!(before.valid_until, after.valid_until);
    }

    #[test]
    fn equal_inputs_give_equal_bytes_whatever_their_order(
        request in any_request(),
        consents in prop::collection::vec(any_directive(), 0..4),
    ) {
        let mut turned = consents.clone();
        turned.reverse();
        let one = asked(true, &request, &consents).to_canonical_json();
        prop_assert_eq!(&one, &asked(true, &request, &consents).to_canonical_json());
        prop_assert_eq!(&one, &asked(true, &request, &turned).to_canonical_json());
    }

    #[test]
    fn a_safety_flag_never_lets_a_location_out(
        request in any_request(),
        consents in prop::collection::vec(any_directive(), 0..4),
    ) {
        let flagged = with(
            with_item(request, &json!({"category": "CONTACT_LOCATION"})),
            &json!({"subject": {"id": "p-1", "birth_date": "1994-05-17", "flags": ["safety"]}}),
        );
        let decision = asked(false, &flagged, &consents);
        prop_assert_eq!(decision.items[0].outcome, Verdict::Deny);
    }
}
