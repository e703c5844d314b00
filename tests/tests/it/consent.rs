//! Consent that is taken back reaches what is queued, what was delivered and what is under way.

use tandem::demo::world::PATIENCE;
use tandem::store::OutboxState;

use crate::county::{County, applied, drained};

#[tokio::test(flavor = "multi_thread")]
async fn queued_message_is_withdrawn_when_consent_was_revoked_before_its_attempt() {
    let county = County::linked().await;
    county.lane("cws-demo", "pause").await;
    county.consent().await;
    applied(&county.world.core()).await;
    assert!(
        county
            .outbox("cws-demo")
            .await
            .iter()
            .any(|row| row.kind == "mutual-client" && row.state == OutboxState::Queued)
    );
    for id in ["consent-marisol", "consent-ana", "consent-leo"] {
        county.revoke(id).await;
    }
    county.lane("cws-demo", "resume").await;
    drained(&county.world.core(), "cws-demo").await;

    assert!(
        county.world.partner.received().is_empty(),
        "child welfare was told after all"
    );
    let mut tx = county.world.core().store.snapshot().await.unwrap();
    for row in county.outbox("cws-demo").await {
        assert_eq!(row.state, OutboxState::Withdrawn, "{}", row.kind);
        let attempts = tx.attempts(row.id).await.unwrap();
        assert_eq!(attempts.len(), 1);
        assert_eq!(attempts[0].outcome, "withdrawn");
        let decision = tx.decision(attempts[0].decision).await.unwrap().unwrap();
        assert_eq!(decision.stage, "attempt");
        assert_ne!(decision.outcome, "permit");
    }
    drop(tx);
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recall_reaches_each_holder_once_and_names_nobody() {
    let county = County::consented().await;
    let world = &county.world;
    let first = county.revoke("consent-marisol").await;
    assert!(!first["recalled"].as_array().unwrap().is_empty(), "{first}");
    let recall = world
        .calworks
        .wait_for(
            "a recall",
            |message| message.message_type == "recall",
            PATIENCE,
        )
        .await
        .unwrap();
    assert!(recall.content.parts.is_empty(), "the recall names people");
    world.settle().await.unwrap();
    let recalls = || async {
        county
            .outbox("calworks-demo")
            .await
            .iter()
            .filter(|row| row.kind == "recall")
            .count()
    };
    assert_eq!(recalls().await, 1);
    for row in county
        .outbox("calworks-demo")
        .await
        .iter()
        .filter(|row| row.kind == "recall")
    {
        let text = String::from_utf8(row.content.clone()).unwrap();
        for word in ["Demofield", "Marisol", "Ana", "900123456", "91234567A"] {
            assert!(!text.contains(word), "the recall says {word}");
        }
    }
    let second = county.revoke("consent-ana").await;
    world.settle().await.unwrap();
    let ids = |answer: &serde_json::Value| answer["recalled"].as_array().unwrap().clone();
    assert!(
        ids(&second).iter().all(|id| !ids(&first).contains(id)),
        "a message was recalled twice"
    );
    assert_eq!(recalls().await, 2, "one notice for each revocation");
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn message_about_several_people_is_recalled_when_one_of_them_may_no_longer_be_named() {
    let county = County::consented().await;
    let world = &county.world;
    world
        .calworks
        .send(&[world
            .calworks
            .common_case_referral("org-cws", "family-maintenance")])
        .await
        .unwrap();
    let about_all = |message: &tandem_simulators::cws::NiemMessage| {
        message.raw.contains("coordinating")
            && ["Marisol", "Ana", "Leo"]
                .iter()
                .all(|name| message.raw.contains(name))
    };
    world
        .partner
        .wait_for("the start of co-management", about_all, PATIENCE)
        .await
        .unwrap();
    world.settle().await.unwrap();
    let answer = county.revoke("consent-leo").await;
    let rows = county.outbox("cws-demo").await;
    let start = rows.iter().find(|row| row.kind == "co-management").unwrap();
    assert!(
        answer["recalled"]
            .as_array()
            .unwrap()
            .contains(&start.id.to_string().into()),
        "{answer}"
    );
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_recalls_nothing_that_rests_on_another_consent() {
    let county = County::housed().await;
    let world = &county.world;
    world
        .office
        .consent(
            &tandem::demo::directives::behavioral_health("consent-bh"),
            "calworks-demo",
            "91234567A",
        )
        .await
        .unwrap();
    world.settle().await.unwrap();
    let answer = county.revoke("consent-bh").await;
    assert_eq!(
        answer["recalled"],
        serde_json::json!([]),
        "nothing was told under this consent"
    );
    world.settle().await.unwrap();
    for lane in ["calworks-demo", "cws-demo", "hmis-demo"] {
        assert!(
            !county
                .outbox(lane)
                .await
                .iter()
                .any(|row| row.kind == "recall"),
            "{lane} got a recall"
        );
    }
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_referral_without_a_basis_is_cancelled_at_housing_and_nothing_else_is_said() {
    let county = County::housed().await;
    let world = &county.world;
    let referral = world
        .calworks
        .intake_referral(
            "org-hmis",
            "CW-R-1",
            "shelter",
            "Family needs a shelter bed",
        )
        .with("service_id", "svc-shelter-bed");
    world.calworks.send(&[referral]).await.unwrap();
    let asked = |row: &tandem_simulators::hmis::HmisRow| row["Event"] == "10";
    let event = world
        .hmis
        .wait_for_event("the referral", asked, PATIENCE)
        .await
        .unwrap();
    world.settle().await.unwrap();
    let before = world.hmis.received().len();
    county.revoke("consent-marisol").await;
    world.settle().await.unwrap();
    let withdrawn = |row: &tandem_simulators::hmis::HmisRow| {
        row["EventID"] == event["EventID"]
            && row.get("DateDeleted").is_some_and(|at| !at.is_empty())
    };
    world
        .hmis
        .wait_for_event("the cancellation", withdrawn, PATIENCE)
        .await
        .unwrap();
    let cancelled = |message: &tandem_simulators::calworks::LinkagesMessage| {
        message.message_type == "referral_status" && message.field("referral_status") == "cancelled"
    };
    let told = world
        .calworks
        .wait_for("the cancellation", cancelled, PATIENCE)
        .await
        .unwrap();
    assert_eq!(told.content.field("reason_code"), "consent-revoked");
    world.settle().await.unwrap();
    for package in world.hmis.received().iter().skip(before) {
        let rows: Vec<_> = package
            .content
            .files
            .iter()
            .filter(|(name, _)| *name == "Client" || name.starts_with("Custom"))
            .collect();
        let text = format!("{rows:?}{}", package.content.text);
        for word in ["shelter bed", "Samplework"] {
            // Housing's own client row names her to housing, as the format demands; the need and the worker do not stay.
            assert!(!text.contains(word), "the cancellation says {word}: {text}");
        }
    }
    assert!(world.violations().is_empty(), "{:?}", world.violations());
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_referral_without_a_basis_is_cancelled_on_the_targets_fhir_server() {
    let county = County::consented().await;
    let world = &county.world;
    world
        .office
        .consent(
            &tandem::demo::directives::behavioral_health("consent-bh"),
            "calworks-demo",
            "91234567A",
        )
        .await
        .unwrap();
    world.minutes_pass(16).unwrap();
    world.settle().await.unwrap();
    let referral =
        world
            .calworks
            .intake_referral("org-bh", "CW-R-8", "mental-health", "Counselling");
    world.calworks.send(&[referral]).await.unwrap();
    world
        .behavioral_health
        .wait_for_resource(
            "Task",
            "the Task",
            |task| task["status"] == "requested",
            PATIENCE,
        )
        .await
        .unwrap();
    world.settle().await.unwrap();
    for id in ["consent-marisol", "consent-bh"] {
        county.revoke(id).await;
    }
    let task = world
        .behavioral_health
        .wait_for_resource(
            "Task",
            "the Task cancelled",
            |task| task["status"] == "cancelled",
            PATIENCE,
        )
        .await
        .unwrap();
    assert!(
        task["statusReason"].to_string().contains("consent-revoked"),
        "{}",
        task["statusReason"]
    );
    county.stop().await;
}
