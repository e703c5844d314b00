//! Why somebody was told or not, what would open it, what a change would do, and that a decision is made again as it was.

use serde_json::{Value, json};
use tandem::store::{OutboxRow, OutboxState};

use crate::county::{County, applied};

/// The decisions that the gateway has recorded, newest first.
async fn decisions(county: &County) -> Vec<Value> {
    let office = &county.world.office;
    let answer = office
        .get("auditor", "/v1/decisions?limit=1000")
        .await
        .unwrap();
    answer["decisions"].as_array().unwrap().clone()
}

/// A person about whom an organisation asked in vain, and the decision that said so.
async fn refused(county: &County, recipient: &str) -> (String, String) {
    let refused = |one: &&Value| {
        one["recipient"] == recipient && one["outcome"] == "deny" && one["person"].is_string()
    };
    let all = decisions(county).await;
    let found = all.iter().find(refused).unwrap();
    let text = |name: &str| found[name].as_str().unwrap().to_owned();
    (text("person"), text("id"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_decision_is_made_again_byte_for_byte() {
    let county = County::consented().await;
    county.revoke("consent-ana").await;
    county.world.settle().await.unwrap();
    let all = decisions(&county).await;
    assert!(all.len() > 20, "{}", all.len());
    let (mut permitted, mut linked) = (0, 0);
    for decision in &all {
        let path = format!("/v1/decisions/{}/replay", decision["id"].as_str().unwrap());
        let again = county
            .world
            .office
            .post("auditor", &path, &json!({}))
            .await
            .unwrap();
        assert_eq!(again["is_same"], true, "{again}");
        permitted += usize::from(again["given"]["outcome"] == "permit");
        linked += usize::from(again["records"].as_array().unwrap().len() > 1);
    }
    assert!(permitted > 0 && linked > 0, "{permitted} {linked}");
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_notice_says_why_and_the_smallest_consent_opens_it() {
    let county = County::linked().await;
    applied(&county.world.core()).await;
    let office = &county.world.office;
    let (person, decision) = refused(&county, "org-cws").await;
    let why = format!("/v1/why?person={person}&recipient=org-cws");
    let answer = office.get("privacy", &why).await.unwrap();
    let first = &answer["answers"][0];
    assert_eq!(first["outcome"], "deny", "{answer}");
    assert!(
        first["en"]
            .as_str()
            .unwrap()
            .starts_with("This may not be told."),
        "{first}"
    );
    assert!(
        first["es"]
            .as_str()
            .unwrap()
            .starts_with("Esto no se puede decir."),
        "{first}"
    );
    assert!(!first["needs"].as_array().unwrap().is_empty(), "{first}");

    let path = format!("/v1/decisions/{decision}/opening");
    let opening = office.get("privacy", &path).await.unwrap();
    assert!(
        !opening["items"].as_array().unwrap().is_empty(),
        "{opening}"
    );
    let consent = &opening["consent"];
    assert_eq!(consent["recipients"]["named"], json!(["org-cws"]));

    let body = json!({ "person": person, "add": consent });
    let simulated = office
        .post("privacy", "/v1/simulations", &body)
        .await
        .unwrap();
    let opened = |change: &Value| change["opens"] == true && change["recipient"] == "org-cws";
    assert!(
        simulated["changes"].as_array().unwrap().iter().any(opened),
        "{simulated}"
    );
    // Nothing was changed by asking.
    assert!(county.outbox("cws-demo").await.is_empty());
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_taking_a_consent_back_would_close_is_said_before_it_is_taken_back() {
    let county = County::consented().await;
    let office = &county.world.office;
    let told = decisions(&county).await;
    let told = told
        .iter()
        .find(|one| one["outcome"] == "permit" && one["stage"] == "attempt");
    let person = told.unwrap()["person"].as_str().unwrap().to_owned();
    let mut closed = 0;
    for id in ["consent-marisol", "consent-ana", "consent-leo"] {
        let body = json!({ "person": person, "revoke": { "id": id } });
        // A consent of somebody else is none of this person's.
        let Ok(simulated) = office.post("privacy", "/v1/simulations", &body).await else {
            continue;
        };
        let changes = simulated["changes"].as_array().unwrap();
        assert!(
            changes.iter().all(|change| change["opens"] == false),
            "{simulated}"
        );
        closed += changes.len();
    }
    assert!(closed > 0);
    let rows = county.outbox("cws-demo").await;
    // Nothing was taken back by asking.
    let taken_back = |row: &OutboxRow| row.state == OutboxState::Withdrawn || row.kind == "recall";
    assert!(!rows.is_empty() && !rows.iter().any(taken_back));
    county.stop().await;
}
