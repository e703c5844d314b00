//! Properties that hold for every request.

use proptest::prelude::*;
use serde_json::json;
use tandem_consent::{Decision, Facts, Verdict};

use crate::arbitrary::{LABELS, any_directive, any_request, asked, no_more, open, with_county};
use crate::world::{directives, facts, parse, release, request, with, with_item};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

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
        let after = with_county(&less, &request, &consents);
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
    fn of_two_answers_the_stricter_opens_what_both_open_and_asks_for_what_both_ask(
        request in any_request(),
        own in prop::collection::vec(any_directive(), 0..4),
        others in prop::collection::vec(any_directive(), 0..4),
        in_county: bool,
    ) {
        let (one, other) = (asked(in_county, &request, &own), asked(in_county, &request, &others));
        let stricter = one.clone().stricter(other.clone());
        let both: Vec<_> = open(&one).into_iter().filter(|id| open(&other).contains(id)).collect();
        prop_assert_eq!(&open(&stricter), &both);
        prop_assert_eq!(&open(&other.clone().stricter(one.clone())), &both);
        for duty in one.obligations.iter().chain(&other.obligations) {
            prop_assert!(stricter.obligations.contains(duty));
        }
        for end in one.valid_until.iter().chain(&other.valid_until) {
            let until = stricter.valid_until.map(|until| until.timestamp());
            prop_assert!(until.is_some_and(|until| until <= end.timestamp()));
        }
        prop_assert_eq!(one.clone().stricter(one.clone()).outcome, one.outcome);
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
    fn a_logged_decision_replays_byte_for_byte(
        request in any_request(),
        consents in prop::collection::vec(any_directive(), 0..4),
        in_county: bool,
    ) {
        let logged = asked(in_county, &request, &consents).to_canonical_json();
        let request = serde_json::to_value(parse(&request)).unwrap();
        let consents = serde_json::to_value(directives(&consents)).unwrap();
        let again = asked(in_county, &request, consents.as_array().unwrap());
        prop_assert_eq!(&logged, &again.to_canonical_json());
        let read: Decision = serde_json::from_str(&logged).unwrap();
        prop_assert_eq!(&logged, &read.to_canonical_json());
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
