//! What comes twice has one effect.

use tandem::demo::world::{PATIENCE, World};
use tandem::store::OutboxState;
use tandem_simulators::cws::ReferralDraft;
use tandem_simulators::family;

use crate::county::{County, applied};

/// How much has happened: events, messages, records' versions.
async fn effects(world: &World) -> (i64, usize) {
    let core = world.core();
    let mut tx = core.store.snapshot().await.unwrap();
    let position = tx.last_position().await.unwrap();
    (
        position,
        tx.outbox_in(&OutboxState::ALL).await.unwrap().len(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn same_file_dropped_again_has_no_second_effect_under_either_name() {
    let county = County::consented().await;
    let world = &county.world;
    let name = "caseload-20260202-0001.csv";
    let bytes = county.taken("calworks-demo", name);
    let before = effects(world).await;
    for again in [name, "caseload-20260202-again.csv"] {
        world.calworks.drop_bytes(again, &bytes).await.unwrap();
        let answer = world
            .calworks
            .wait_for_answer(again, PATIENCE)
            .await
            .unwrap();
        assert!(answer.accepted, "{}", answer.body);
        assert_eq!(answer.body["duplicate"], again == name);
        applied(&world.core()).await;
        assert_eq!(effects(world).await, before, "{again}");
    }
    county.stop().await;
}

fn child_care(status: &str) -> ReferralDraft {
    ReferralDraft {
        referral_id: "CWR-1".to_owned(),
        status: status.to_owned(),
        reason: "Child care while the mother works".to_owned(),
        recipient: "org-calworks".to_owned(),
        service: "Child care centre".to_owned(),
        domain: "child-care".to_owned(),
        category: "Other Services".to_owned(),
        related_case: family::CALWORKS_CASE.to_owned(),
        ..ReferralDraft::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn same_message_posted_twice_asks_once() {
    let county = County::consented().await;
    let world = &county.world;
    let message = world.partner.referral(&child_care("requested"));
    for is_repeat in [false, true] {
        let answer = world.partner.send(&world.for_cws, &message).await.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.body);
        assert_eq!(answer.json()["duplicate"], is_repeat);
        world.settle().await.unwrap();
    }
    let asked = world
        .calworks
        .received()
        .into_iter()
        .filter(|one| one.content.message_type == "intake_referral")
        .count();
    assert_eq!(asked, 1);
    // Another message about the same referral is no second referral either.
    world
        .partner
        .send(
            &world.for_cws,
            &world.partner.referral(&child_care("requested")),
        )
        .await
        .unwrap();
    world.settle().await.unwrap();
    let asked = world
        .calworks
        .received()
        .into_iter()
        .filter(|one| one.content.message_type == "intake_referral")
        .count();
    assert_eq!(asked, 1, "a repeat under a new message id asked again");
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn named_message_with_other_content_is_refused_with_409() {
    let county = County::linked().await;
    let world = &county.world;
    let post = |body: String| async {
        let url = format!(
            "{}/v1/inbox/cws-demo/child-welfare/niem",
            world.for_cws.base_url
        );
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client
            .post(url)
            .bearer_auth(&world.for_cws.token)
            .header("content-type", "application/xml");
        request
            .header("idempotency-key", "letter-1")
            .body(body)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    let message = world.partner.referral(&child_care("requested"));
    assert_eq!(post(message.clone()).await, 202);
    applied(&world.core()).await;
    world.settle().await.unwrap();
    let before = effects(world).await;
    assert_eq!(post(message.clone()).await, 202, "a repeat");
    assert_eq!(
        post(message.replace("mother works", "mother rests")).await,
        409
    );
    applied(&world.core()).await;
    world.settle().await.unwrap();
    assert_eq!(effects(world).await, before);
    county.stop().await;
}
