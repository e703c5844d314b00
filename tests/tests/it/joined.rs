//! Two persons who turn out to be one: nobody's directives are merged, and the stricter result applies until the whole
//! person has spoken.

use serde_json::{Value, json};
use tandem::demo::directives;
use tandem_simulators::family::{CIN_LEO, CWS_LEO};

use crate::county::County;

/// The son, as each programme knows him.
const SIDES: [(&str, &str); 2] = [("calworks-demo", CIN_LEO), ("cws-demo", CWS_LEO)];

async fn confirmed(county: &County) {
    let candidates = county.world.office.candidates().await.unwrap();
    assert_eq!(candidates.len(), 1, "the son waits");
    let id = candidates[0]["id"].as_str().unwrap();
    county.world.office.confirm(id, "one boy").await.unwrap();
    county.world.settle().await.unwrap();
}

async fn captured(county: &County, directive: &Value, (system, person): (&str, &str)) {
    let body =
        json!({ "directive": directive, "covers": [{ "system": system, "person": person }] });
    let office = &county.world.office;
    office.post("privacy", "/v1/consents", &body).await.unwrap();
}

/// How often each worker was told of the other programme.
async fn notices(county: &County) -> [usize; 2] {
    let mut found = [0; 2];
    for (count, (lane, _)) in found.iter_mut().zip(SIDES) {
        let rows = county.outbox(lane).await;
        *count = rows
            .iter()
            .filter(|row| row.kind == "mutual-client")
            .count();
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_on_either_side_of_a_join_closes_what_the_other_side_permits() {
    for (refuses, permits) in [(SIDES[0], SIDES[1]), (SIDES[1], SIDES[0])] {
        let county = County::doubtful().await;
        // No to everything, in general, for the boy of one programme; yes, by name and category, for the other's.
        let mut refusal = directives::coordination("refusal", "parent");
        refusal["effect"] = "deny".into();
        for all in ["categories", "purposes"] {
            refusal[all] = json!([]);
        }
        for all in ["disclosers", "recipients"] {
            refusal[all] = json!({});
        }
        captured(&county, &refusal, refuses).await;
        let permit = directives::coordination("permit", "parent");
        let office = &county.world.office;
        office.consent(&permit, permits.0, permits.1).await.unwrap();
        confirmed(&county).await;
        assert_eq!(notices(&county).await, [0, 0], "{} refused", refuses.0);
        assert!(county.world.partner.received().is_empty());
        assert!(!county.world.calworks.contains_text(CWS_LEO));
        county.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn permission_of_one_does_not_open_the_data_of_another_until_the_whole_person_has_spoken() {
    let county = County::doubtful().await;
    let office = &county.world.office;
    // Everything is permitted for the one, only what behavioural health holds for the other.
    let wide = directives::coordination("wide", "parent");
    office.consent(&wide, SIDES[0].0, SIDES[0].1).await.unwrap();
    let mut narrow = directives::behavioral_health("narrow");
    narrow["signer"]["capacity"] = "parent".into();
    office
        .consent(&narrow, SIDES[1].0, SIDES[1].1)
        .await
        .unwrap();
    confirmed(&county).await;
    assert_eq!(notices(&county).await, [0, 0]);
    assert!(county.world.partner.received().is_empty());
    // Captured for him as one person, it speaks for both.
    let both = directives::coordination("both", "parent");
    office.consent(&both, SIDES[0].0, SIDES[0].1).await.unwrap();
    county.world.settle().await.unwrap();
    assert_eq!(notices(&county).await, [1, 1]);
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_had_said_nothing_goes_with_the_person_to_whom_it_is_linked() {
    let county = County::doubtful().await;
    let office = &county.world.office;
    let permit = directives::coordination("permit", "parent");
    office
        .consent(&permit, SIDES[0].0, SIDES[0].1)
        .await
        .unwrap();
    confirmed(&county).await;
    assert_eq!(notices(&county).await, [1, 1]);
    county.stop().await;
}
