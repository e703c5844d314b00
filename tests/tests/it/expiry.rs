//! A consent that ends by itself is looked after at its end, not at the next attempt.

use tandem::demo::world::{PATIENCE, World};
use tandem::pipeline::expiries;
use tandem::state::directive::DirectiveDoc;
use tandem::state::episode::EpisodeDoc;
use tandem::state::referral::ReferralDoc;
use tandem_coordination::comanagement::PauseReason;
use tandem_mappings::model::comanagement::ComanagementState;
use tandem_mappings::model::directive::DirectiveState;
use tandem_mappings::model::referral::{ReasonCode, ReferralStatus};

use crate::county::{County, applied};
use crate::episodes::coordinating;

/// The last instant on which the county's release counts, and the first on which it does not.
const LAST: &str = "2027-02-01T23:59:59-08:00";
const OVER: &str = "2027-02-02T00:00:00-08:00";

async fn types(world: &World) -> Vec<&'static str> {
    let mut tx = world.core().store.snapshot().await.unwrap();
    let (_, events) = tx.events_as_applied(0, 100_000).await.unwrap();
    let types = events.iter().map(|one| one.event.told.body.event_type());
    types.collect()
}

async fn episode(world: &World) -> EpisodeDoc {
    let mut tx = world.core().store.snapshot().await.unwrap();
    tx.all::<EpisodeDoc>().await.unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_that_ends_pauses_the_episode_and_recalls_without_waiting_for_an_attempt() {
    let county = coordinating().await;
    let world = &county.world;
    world.it_is(LAST).unwrap();
    expiries::look(&world.core()).await.unwrap();
    world.settle().await.unwrap();
    assert!(!types(world).await.contains(&"consent.expired"));
    let recall =
        |message: &tandem_simulators::calworks::LinkagesMessage| message.message_type == "recall";
    let early = world.calworks.received();
    assert!(!early.iter().any(|one| recall(&one.content)), "too soon");

    world.it_is(OVER).unwrap();
    expiries::look(&world.core()).await.unwrap();
    world.settle().await.unwrap();
    let recall =
        |message: &tandem_simulators::calworks::LinkagesMessage| message.message_type == "recall";
    world
        .calworks
        .wait_for("a recall", recall, PATIENCE)
        .await
        .unwrap();
    let told = world.partner.received();
    assert!(
        told.iter().any(|one| one.content.raw.contains("paused")),
        "child welfare was not told that co-management pauses"
    );
    let paused = episode(world).await.episode;
    assert_eq!(paused.state(), Some(ComanagementState::Paused));
    assert_eq!(paused.pause_reason(), Some(PauseReason::ConsentGap));
    // Looked at again, nothing is done twice.
    expiries::look(&world.core()).await.unwrap();
    let all = types(world).await;
    let ended = all.iter().filter(|one| **one == "consent.expired").count();
    assert_eq!(ended, 3, "each of the three consents ends once");
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_workers_read_in_their_own_systems_that_the_consents_they_rely_on_will_end() {
    let county = County::consented().await;
    let world = &county.world;
    world.it_is("2026-12-04T00:00:00-08:00").unwrap();
    expiries::look(&world.core()).await.unwrap();
    world.settle().await.unwrap();
    let told = world.calworks.received();
    let told: Vec<_> = told
        .iter()
        .filter(|one| one.content.message_type == "consent_reminder")
        .collect();
    assert!(!told.is_empty(), "the welfare worker was not reminded");
    for one in &told {
        assert_eq!(one.content.field("effective_date"), "2027-02-01");
        assert!(one.content.field("reason_text").contains("consent-"));
        assert_eq!(one.content.field("recalled_message_id"), "");
    }
    let partner = world.partner.received();
    let reminded = |one: &str| one.contains("consent-reminder") && one.contains("2027-02-01");
    let count = partner.iter().filter(|one| reminded(&one.content.raw));
    assert_eq!(
        count.count(),
        told.len(),
        "child welfare relies on the same"
    );
    let others = world.hmis.contains_text("consent reminder");
    assert!(!others, "housing relies on nothing yet");
    assert_eq!(world.violations(), Vec::<String>::new());
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn referral_is_cancelled_when_its_consent_ends_and_both_sides_are_told() {
    let county = County::housed().await;
    let world = &county.world;
    let referral = world
        .calworks
        .intake_referral("org-hmis", "CW-R-1", "shelter", "A bed for the family")
        .with("service_id", "svc-shelter-bed");
    world.calworks.send(&[referral]).await.unwrap();
    let asked = |row: &tandem_simulators::hmis::HmisRow| row["Event"] == "10";
    world
        .hmis
        .wait_for_event("the referral", asked, PATIENCE)
        .await
        .unwrap();
    applied(&world.core()).await;
    world.settle().await.unwrap();
    world.it_is(OVER).unwrap();
    expiries::look(&world.core()).await.unwrap();
    world.settle().await.unwrap();
    let mut tx = world.core().store.snapshot().await.unwrap();
    let found = tx.all::<ReferralDoc>().await.unwrap().remove(0);
    assert_eq!(found.state.status(), Some(ReferralStatus::Cancelled));
    assert_eq!(found.state.reason(), Some(ReasonCode::ConsentExpired));
    drop(tx);
    let cancelled = |message: &tandem_simulators::calworks::LinkagesMessage| {
        message.field("referral_status") == "cancelled"
    };
    world
        .calworks
        .wait_for("that its request was cancelled", cancelled, PATIENCE)
        .await
        .unwrap();
    assert_eq!(world.violations(), Vec::<String>::new());
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_parent_signed_is_suspended_on_the_eighteenth_birthday() {
    let county = County::consented().await;
    let world = &county.world;
    let mut tx = world.core().store.begin().await.unwrap();
    let mut document = tx
        .get::<DirectiveDoc>("consent-ana")
        .await
        .unwrap()
        .unwrap();
    // A release without an end, so that nothing but the birthday ends it.
    document.directive.expiry = None;
    let now = world.core().clock.now();
    tx.put(&document, now).await.unwrap();
    tx.commit().await.unwrap();
    world.it_is("2045-01-01T00:00:00-08:00").unwrap();
    expiries::look(&world.core()).await.unwrap();
    let mut tx = world.core().store.snapshot().await.unwrap();
    let ana = tx
        .get::<DirectiveDoc>("consent-ana")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ana.directive.standing(), DirectiveState::Suspended);
    let marisol = tx.get::<DirectiveDoc>("consent-marisol").await.unwrap();
    assert_eq!(
        marisol.unwrap().directive.standing(),
        DirectiveState::Expired
    );
    drop(tx);
    assert!(types(world).await.contains(&"consent.suspended"));
    county.stop().await;
}
