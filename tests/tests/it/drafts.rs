//! Referrals that wait for consent: nobody is asked, nothing is counted, and the events tell the whole way.

use tandem::demo::world::{PATIENCE, World};
use tandem::state::referral::ReferralDoc;
use tandem_mappings::model::referral::{ReferralStatus, SubStatus};

use crate::county::{County, applied};
use crate::records::fold;

async fn referral(world: &World) -> ReferralDoc {
    let mut tx = world.core().store.snapshot().await.unwrap();
    let mut all = tx.all::<ReferralDoc>().await.unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// The types of the applied events about referrals, and the state to which they fold.
async fn told(world: &World, document: &ReferralDoc) -> Vec<&'static str> {
    let mut tx = world.core().store.snapshot().await.unwrap();
    let (_, events) = tx.events_as_applied(0, 100_000).await.unwrap();
    assert_eq!(
        fold(document, &events),
        document.state,
        "the referral is not what its events say"
    );
    let types = events.iter().map(|one| one.event.told.body.event_type());
    types.filter(|one| one.starts_with("referral.")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn referral_that_waited_for_consent_is_what_its_events_say_before_and_after() {
    let county = County::linked().await;
    county.housing_loads().await;
    let world = &county.world;
    let asked = world
        .calworks
        .intake_referral("org-hmis", "CW-R-1", "shelter", "A shelter bed")
        .with("service_id", "svc-shelter-bed");
    world.calworks.send(&[asked]).await.unwrap();
    let draft = |message: &tandem_simulators::calworks::LinkagesMessage| {
        message.field("referral_status") == "draft"
    };
    world
        .calworks
        .wait_for("that its referral waits", draft, PATIENCE)
        .await
        .unwrap();
    applied(&world.core()).await;
    let document = referral(world).await;
    assert_eq!(document.state.status(), Some(ReferralStatus::Draft));
    assert_eq!(
        document.state.sub_status(),
        Some(SubStatus::AwaitingConsent)
    );
    assert_eq!(told(world, &document).await, ["referral.drafted"]);

    county.consent().await;
    world.settle().await.unwrap();
    let document = referral(world).await;
    assert_eq!(document.state.status(), Some(ReferralStatus::Requested));
    assert_eq!(
        told(world, &document).await,
        ["referral.drafted", "referral.requested"],
        "the request counts from when the target may be asked"
    );
    let asked = |row: &tandem_simulators::hmis::HmisRow| row["Event"] == "10";
    world
        .hmis
        .wait_for_event("the referral", asked, PATIENCE)
        .await
        .unwrap();
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_under_one_record_keeps_a_draft_under_another_from_being_asked() {
    let county = County::linked().await;
    county.housing_loads().await;
    let world = &county.world;
    let asked = world
        .calworks
        .intake_referral("org-hmis", "CW-R-1", "shelter", "A shelter bed")
        .with("service_id", "svc-shelter-bed");
    county.calworks_says(asked).await;
    world.settle().await.unwrap();
    // A refusal of hers is captured meanwhile: it outlives whatever is granted later.
    let mut refusal = tandem::demo::directives::coordination("refusal-marisol", "self");
    refusal["effect"] = "deny".into();
    let body = serde_json::json!({
        "directive": refusal,
        "covers": [{ "system": "cws-demo", "person": tandem_simulators::family::CWS_MARISOL }],
    });
    world
        .office
        .post("privacy", "/v1/consents", &body)
        .await
        .unwrap();
    county.consent().await;
    world.settle().await.unwrap();
    let document = referral(world).await;
    assert_eq!(document.state.status(), Some(ReferralStatus::Draft));
    assert!(world.hmis.received().is_empty(), "housing was asked");
    county.stop().await;
}
