//! Deadlines that pass: each side reads of it in its own system, in its own format, and nobody's referral is moved.

use tandem::demo::world::PATIENCE;
use tandem::pipeline::timers;
use tandem::state::referral::ReferralDoc;
use tandem_mappings::model::referral::ReferralStatus;

use crate::county::County;

#[tokio::test(flavor = "multi_thread")]
async fn housing_and_behavioral_health_are_reminded_in_their_own_formats_and_the_source_is_told() {
    let county = County::housed().await;
    let world = &county.world;
    let nothing = serde_json::json!({});
    world
        .office
        .post("operator", "/v1/baseline/hmis-demo/release", &nothing)
        .await
        .unwrap();
    let referral = world
        .calworks
        .intake_referral("org-hmis", "CW-R-1", "shelter", "A bed for the family")
        .with("service_id", "svc-shelter-bed");
    county.calworks_says(referral).await;
    world
        .clinic
        .create_order("org-bh", "Counselling for the mother")
        .unwrap();
    world.minutes_pass(16).unwrap();
    world
        .behavioral_health
        .wait_for_resource(
            "Task",
            "the counselling Task",
            |task| task["status"] == "requested",
            PATIENCE,
        )
        .await
        .unwrap();
    world.settle().await.unwrap();
    for (system, told) in [
        ("HMIS", world.hmis.contains_text("Overdue")),
        ("FHIR", world.behavioral_health.contains_text("Overdue")),
    ] {
        assert!(!told, "{system} is reminded before anything is overdue");
    }
    // Delivered on Monday, wanted by Wednesday.
    world.it_is("2026-02-06T09:00:00-08:00").unwrap();
    timers::look(&world.core()).await.unwrap();
    world.settle().await.unwrap();
    assert!(world.hmis.contains_text("Overdue"), "housing is not told");
    assert!(
        world.behavioral_health.contains_text("Overdue"),
        "behavioural health is not told"
    );
    assert!(
        world.calworks.contains_text("Overdue") && world.clinic.contains_text("Overdue"),
        "a source is not told"
    );
    assert_eq!(world.violations(), Vec::<String>::new());
    let mut tx = world.core().store.snapshot().await.unwrap();
    let referrals = tx.all::<ReferralDoc>().await.unwrap();
    assert_eq!(referrals.len(), 2);
    for referral in referrals {
        assert_eq!(referral.state.status(), Some(ReferralStatus::Requested));
    }
    for task in world.behavioral_health.resources("Task") {
        assert_eq!(task["status"], "requested", "{task}");
    }
    drop(tx);
    county.stop().await;
}
