//! Moves of a referral that its state table or its sides forbid.

use tandem::demo::world::{PATIENCE, World};
use tandem::state::referral::ReferralDoc;
use tandem_simulators::cws::ReferralDraft;
use tandem_simulators::family;

use crate::county::{County, applied};

async fn the_referral(world: &World) -> ReferralDoc {
    let mut found = world
        .core()
        .store
        .snapshot()
        .await
        .unwrap()
        .all::<ReferralDoc>()
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

async fn refusals(world: &World) -> usize {
    let mut tx = world.core().store.snapshot().await.unwrap();
    tx.audit_entries(Some("event.refused"), 1000)
        .await
        .unwrap()
        .len()
}

/// Child welfare asks CalWORKs for child care. Returns the id under which CalWORKs knows the referral.
async fn asked(world: &World) -> String {
    let draft = ReferralDraft {
        referral_id: "CWR-1".to_owned(),
        status: "requested".to_owned(),
        reason: "Child care while the mother works".to_owned(),
        recipient: "org-calworks".to_owned(),
        service: "Child care centre".to_owned(),
        domain: "child-care".to_owned(),
        category: "Other Services".to_owned(),
        related_case: family::CALWORKS_CASE.to_owned(),
        ..ReferralDraft::default()
    };
    world
        .partner
        .send(&world.for_cws, &world.partner.referral(&draft))
        .await
        .unwrap();
    let asked = world
        .calworks
        .wait_for(
            "the referral",
            |message| message.message_type == "intake_referral",
            PATIENCE,
        )
        .await
        .unwrap();
    world.settle().await.unwrap();
    asked.content.field("referral_id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_or_repeated_move_changes_nothing_and_is_audited() {
    let county = County::consented().await;
    let world = &county.world;
    let id = asked(world).await;
    let status = |status: &str, reason: &str| {
        world
            .calworks
            .referral_status("org-cws", &id, status, reason)
    };
    county
        .calworks_says(status("rejected", "no-capacity"))
        .await;
    world.settle().await.unwrap();
    let before = (
        the_referral(world).await.state,
        world.partner.received().len(),
        refusals(world).await,
    );

    county
        .calworks_says(status("rejected", "no-capacity"))
        .await;
    world.settle().await.unwrap();
    assert_eq!(the_referral(world).await.state, before.0);
    assert_eq!(
        world.partner.received().len(),
        before.1,
        "a repeat was told again"
    );
    assert_eq!(refusals(world).await, before.2, "a repeat is no refusal");

    for impossible in [
        status("accepted", ""),
        status("completed", "service-received"),
        status("in-progress", ""),
    ] {
        county.calworks_says(impossible).await;
    }
    world.settle().await.unwrap();
    assert_eq!(the_referral(world).await.state, before.0);
    assert_eq!(
        world.partner.received().len(),
        before.1,
        "a refused move was told"
    );
    assert_eq!(refusals(world).await, before.2 + 3);
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn source_cannot_make_the_targets_move() {
    let county = County::housed().await;
    let world = &county.world;
    let referral = world
        .calworks
        .intake_referral("org-hmis", "CW-R-1", "shelter", "A bed")
        .with("service_id", "svc-shelter-bed");
    county.calworks_says(referral).await;
    world.settle().await.unwrap();
    let before = the_referral(world).await.state;
    for status in ["accepted", "in-progress"] {
        county
            .calworks_says(
                world
                    .calworks
                    .referral_status("org-hmis", "CW-R-1", status, ""),
            )
            .await;
    }
    world.settle().await.unwrap();
    assert_eq!(the_referral(world).await.state, before);
    assert_eq!(refusals(world).await, 2);
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stranger_cannot_move_a_referral_that_it_does_not_know() {
    let county = County::housed().await;
    let world = &county.world;
    let referral = world
        .calworks
        .intake_referral("org-hmis", "CW-R-1", "shelter", "A bed")
        .with("service_id", "svc-shelter-bed");
    county.calworks_says(referral).await;
    world.settle().await.unwrap();
    let document = the_referral(world).await;
    // Child welfare stands on no side, even when it has learnt the gateway's own id.
    let draft = ReferralDraft {
        referral_id: "CW-R-1".to_owned(),
        gateway_referral_id: document.id.to_string(),
        status: "cancelled".to_owned(),
        reason_code: "service-unavailable".to_owned(),
        reason: "nothing".to_owned(),
        recipient: "org-hmis".to_owned(),
        domain: "shelter".to_owned(),
        category: "Other Services".to_owned(),
        related_case: family::CALWORKS_CASE.to_owned(),
        ..ReferralDraft::default()
    };
    world
        .partner
        .send(&world.for_cws, &world.partner.referral(&draft))
        .await
        .unwrap();
    applied(&world.core()).await;
    world.settle().await.unwrap();
    assert_eq!(the_referral(world).await.state, document.state);
    county.stop().await;
}
