//! What the end of an answer promises: until then nothing that was permitted closes.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_consent::{Decision, Request};

use crate::arbitrary::{any_directive, any_request, asked, open, steady};
use crate::world::{ask_county, at, is_open, parse, release, request, with};

/// The latest instant looked at when nothing known ends an answer.
const FAR: &str = "2031-01-01T00:00:00Z";

fn end(decision: &Decision) -> Timestamp {
    decision
        .valid_until
        .map_or_else(|| at(FAR), |until| until.timestamp())
}

/// The instants at which an answer is asked for again: shortly before its end, and on the way.
fn before(request: &Request, end: Timestamp, share: u8) -> [Timestamp; 2] {
    let whole = end.duration_since(request.as_of).as_secs();
    let part = SignedDuration::from_secs(whole / 256 * i64::from(share));
    [request.as_of + part, end - SignedDuration::from_secs(1)]
}

/// A directive with limits in time that lie ahead.
fn bounded_directive() -> impl Strategy<Value = Value> {
    let day =
        |from: u8, to: u8| (3..8_u8, from..to).prop_map(|(m, d)| format!("2026-{m:02}-{d:02}"));
    (
        any_directive(),
        any::<bool>(),
        prop::option::of((any::<bool>(), day(3, 28))),
        prop::option::of(day(3, 28)),
        prop::option::of(day(3, 28)),
        day(1, 28),
    )
        .prop_map(|(directive, refuses, data, revoked, starts, expires)| {
            let mut changes = json!({"expiry": {"date": expires}, "state": "active"});
            if refuses {
                changes["effect"] = json!("deny");
            }
            if let Some((is_start, day)) = data {
                changes["data_period"] = json!({if is_start { "start" } else { "end" }: day});
            }
            if let Some(day) = revoked {
                changes["revocation"] = json!(day);
            }
            if let Some(day) = starts {
                changes["valid_from"] = json!(day);
            }
            with(directive, &changes)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_that_was_permitted_closes_before_the_answer_ends(
        request in any_request(),
        born in prop::sample::select(&["2014-04-10", "2011-04-10", "2008-04-10", "1994-05-17"][..]),
        consents in prop::collection::vec(bounded_directive(), 0..4),
        steady in prop::collection::vec(any_directive(), 0..2),
        share: u8,
        in_county: bool,
    ) {
        let mut request = request;
        request["subject"]["birth_date"] = json!(born);
        let all = [consents, steady].concat();
        let now = asked(in_county, &request, &all);
        for instant in before(&parse(&request), end(&now), share) {
            let later = with(request.clone(), &json!({"as_of": instant.to_string()}));
            let later = open(&asked(in_county, &later, &all));
            let lost: Vec<_> = open(&now).into_iter().filter(|item| !later.contains(item)).collect();
            prop_assert!(lost.is_empty(), "{lost:?} closed at {instant}, promised until {:?}", now.valid_until);
        }
    }
}

/// A directive whose limits are instants around the day of the question.
fn timed_directive() -> impl Strategy<Value = Value> {
    let instant = || {
        (1..4_u8, 0..24_u8, 0..60_u8)
            .prop_map(|(d, h, m)| format!("2026-03-{d:02}T{h:02}:{m:02}:00Z"))
    };
    let maybe = || prop::option::of(instant());
    (any_directive(), maybe(), maybe(), maybe(), maybe(), maybe()).prop_map(
        |(directive, captured, verified, from, until, revoked)| {
            let mut changes = json!({"state": "active"});
            for (field, value) in [
                ("captured_at", captured),
                ("verified_at", verified),
                ("valid_from", from),
                ("revocation", revoked),
            ] {
                if let Some(value) = value {
                    changes[field] = json!(value);
                }
            }
            if let Some(until) = until {
                changes["expiry"] = json!({"date": until});
            }
            with(directive, &changes)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn an_answer_stays_the_same_word_for_word_while_it_is_steady(
        request in any_request(),
        born in prop::sample::select(&["2014-03-03", "2008-03-03", "1994-05-17"][..]),
        timed in prop::collection::vec(timed_directive(), 0..4),
        others in prop::collection::vec(any_directive(), 0..2),
        share: u8,
        in_county: bool,
    ) {
        let mut request = request;
        request["subject"]["birth_date"] = json!(born);
        let all = [timed, others].concat();
        let Some(end) = steady(in_county, &request, &all) else {
            return Ok(());
        };
        let now = asked(in_county, &request, &all);
        for instant in before(&parse(&request), end, share) {
            let instant = instant.max(parse(&request).as_of);
            let later = with(request.clone(), &json!({"as_of": instant.to_string()}));
            prop_assert_eq!(&now, &asked(in_county, &later, &all), "at {}, promised until {}", instant, end);
        }
    }
}

fn until(request: &Value, consents: &[Value]) -> Value {
    let decision = ask_county(request, consents);
    assert!(is_open(&decision), "{}", decision.explanation.en);
    serde_json::to_value(decision.valid_until).unwrap()
}

#[test]
fn a_parents_signature_for_a_childs_own_care_ends_on_the_twelfth_birthday() {
    let child = json!({"subject": {"id": "p-1", "birth_date": "2014-04-10"}});
    let signed = |category: &str| {
        let parent = json!({"signer": {"capacity": "parent"}});
        [with(release("d-1", &[category]), &parent)]
    };
    let care = with(request("MENTAL_HEALTH", "org-bh", "org-cws"), &child);
    assert_eq!(
        until(&care, &signed("MENTAL_HEALTH")),
        "2026-04-10T00:00:00-07:00"
    );
    let cash = with(request("CASH_AID", "org-calworks", "org-cws"), &child);
    assert_eq!(
        until(&cash, &signed("CASH_AID")),
        "2026-06-30T00:00:00-07:00"
    );
}

#[test]
fn what_the_law_permits_ends_where_a_refusal_comes_to_speak_of_it() {
    let care = request("HEALTH_GENERAL", "org-clinic", "org-bh");
    let treatment = with(care, &json!({"action": "refer"}));
    let refusal = with(
        release("d-no", &["HEALTH_GENERAL"]),
        &json!({"effect": "deny"}),
    );
    // The item goes on, and from April on it is of the data that are refused.
    let from_april = with(
        refusal.clone(),
        &json!({"data_period": {"start": "2026-04-01"}}),
    );
    assert_eq!(
        until(&treatment, &[from_april]),
        "2026-04-01T00:00:00-07:00"
    );

    // A permission that speaks of the data until the end of March keeps the refusal from closing the item until then.
    let permit = with(
        release("d-yes", &["HEALTH_GENERAL"]),
        &json!({"data_period": {"end": "2026-03-31"}}),
    );
    assert_eq!(
        until(&treatment, &[refusal, permit]),
        "2026-04-01T00:00:00-07:00"
    );
}

#[test]
fn an_item_that_goes_on_is_told_until_the_stated_period_of_data_is_over() {
    let cash = request("CASH_AID", "org-calworks", "org-cws");
    let period = json!({"data_period": {"end": "2026-04-30"}});
    let consents = [with(release("d-1", &["CASH_AID"]), &period)];
    assert_eq!(until(&cash, &consents), "2026-05-01T00:00:00-07:00");
    let closed = json!({"start": "2026-01-10", "end": "2026-01-31"});
    let mut past = cash;
    past["items"][0]["authored"] = closed;
    assert_eq!(until(&past, &consents), "2026-06-30T00:00:00-07:00");
}

#[test]
fn a_revocation_on_file_ends_the_answer_when_it_takes_effect() {
    let cash = request("CASH_AID", "org-calworks", "org-cws");
    let revoked = json!({"revocation": "2026-03-20T09:00:00-07:00"});
    let one = with(release("d-1", &["CASH_AID"]), &revoked);
    let overlapping = release("d-2", &["CASH_AID"]);
    assert_eq!(
        until(&cash, &[one, overlapping]),
        "2026-03-20T09:00:00-07:00"
    );
}

#[test]
fn a_permission_that_keeps_a_refusal_away_ends_the_answer_with_itself() {
    let care = json!({"purpose": "CAREMGT"});
    let cash = with(request("CASH_AID", "org-calworks", "org-cws"), &care);
    let refusal = json!({
        "effect": "deny", "categories": [], "recipients": [], "disclosers": [], "purposes": [],
        "form_template": null, "expiry": null
    });
    let refusal = with(release("d-no", &[]), &refusal);
    let narrower = json!({"purposes": ["CAREMGT"], "expiry": {"date": "2026-05-31"}});
    let permission = with(release("d-1", &["CASH_AID"]), &narrower);
    assert_eq!(
        until(&cash, &[refusal, permission]),
        "2026-06-01T00:00:00-07:00"
    );
}

#[test]
fn an_answer_ends_with_what_it_rests_on_from_the_next_birthday_on() {
    // Until 18 a rule on children in care opens it, from then on only the own signature does.
    let care =
        json!({"subject": {"id": "p-1", "birth_date": "2008-04-10", "flags": ["foster_care"]}});
    let care = with(request("MENTAL_HEALTH", "org-bh", "org-cws"), &care);
    let consents = [release("d-1", &["MENTAL_HEALTH"])];
    assert_eq!(until(&care, &consents), "2026-06-30T00:00:00-07:00");
}
