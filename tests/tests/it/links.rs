//! A link that is undone: what was told under it comes back, what was queued under it never leaves.

use serde_json::{Value, json};
use tandem::demo::world::{PATIENCE, World};
use tandem::state::record::RecordDoc;
use tandem::store::OutboxState;
use tandem_mappings::model::id::RecordKey;
use tandem_simulators::family::{CIN_MARISOL, CWS_MARISOL};

use crate::county::{County, applied, drained};

async fn person_of(world: &World, system: &str, person: &str) -> String {
    let key = RecordKey {
        system: system.parse().unwrap(),
        person: person.parse().unwrap(),
    };
    let mut tx = world.core().store.snapshot().await.unwrap();
    tx.get::<RecordDoc>(&RecordDoc::key_of(&key))
        .await
        .unwrap()
        .unwrap()
        .person_id
        .to_string()
}

/// The link by which the mother's child welfare record belongs to her.
async fn mothers_link(world: &World) -> String {
    let links = world
        .office
        .get("steward", "/v1/links?standing=linked")
        .await
        .unwrap();
    let is_hers = |link: &&Value| {
        let sides = [
            link["a"]["person"].as_str().unwrap(),
            link["b"]["person"].as_str().unwrap(),
        ];
        sides.contains(&CWS_MARISOL)
    };
    let link = links["links"]
        .as_array()
        .unwrap()
        .iter()
        .find(is_hers)
        .unwrap_or_else(|| panic!("the mother is not linked: {links}"));
    link["id"].as_str().unwrap().to_owned()
}

async fn undo(world: &World, link: &str) -> Value {
    world
        .office
        .post(
            "steward",
            &format!("/v1/links/{link}/undo"),
            &json!({ "reason": "two people" }),
        )
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn undone_link_splits_the_person_and_recalls_what_was_told_under_it() {
    let county = County::consented().await;
    let world = &county.world;
    let link = mothers_link(world).await;
    assert_eq!(
        person_of(world, "calworks-demo", CIN_MARISOL).await,
        person_of(world, "cws-demo", CWS_MARISOL).await
    );
    let answer = undo(world, &link).await;
    assert_ne!(
        person_of(world, "calworks-demo", CIN_MARISOL).await,
        person_of(world, "cws-demo", CWS_MARISOL).await
    );
    let disclosed = answer["disclosed"].as_array().unwrap();
    assert!(
        disclosed.len() >= 2,
        "both notices were told under the link: {answer}"
    );
    world
        .calworks
        .wait_for(
            "the recall",
            |message| message.message_type == "recall",
            PATIENCE,
        )
        .await
        .unwrap();
    world.settle().await.unwrap();
    for lane in ["calworks-demo", "cws-demo"] {
        let recalls = county
            .outbox(lane)
            .await
            .into_iter()
            .filter(|row| row.kind == "recall")
            .count();
        assert_eq!(recalls, 1, "{lane}");
    }
    // Undone once, it is not undone again.
    let again = world
        .office
        .post(
            "steward",
            &format!("/v1/links/{link}/undo"),
            &json!({ "reason": "again" }),
        )
        .await;
    assert!(again.unwrap_err().to_string().contains("409"));
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn undone_link_is_not_made_again_by_score() {
    let county = County::consented().await;
    let world = &county.world;
    let link = mothers_link(world).await;
    undo(world, &link).await;
    world.settle().await.unwrap();
    let told = (
        world.calworks.received().len(),
        world.partner.received().len(),
    );
    // Both systems send her again, with something new, so that the matcher looks at the pair again.
    let bytes = county.taken("calworks-demo", "caseload-20260202-0001.csv");
    let text = String::from_utf8(bytes)
        .unwrap()
        .replace("5305550142", "5305550143");
    world
        .calworks
        .drop_bytes("caseload-20260203-0001.csv", text.as_bytes())
        .await
        .unwrap();
    world
        .calworks
        .wait_for_answer("caseload-20260203-0001.csv", PATIENCE)
        .await
        .unwrap();
    world.it_is("2026-02-04T09:00:00-08:00").unwrap();
    let extract = world.cws.drop_extract().await.unwrap();
    world.cws.wait_for_answer(&extract, PATIENCE).await.unwrap();
    applied(&world.core()).await;
    world.settle().await.unwrap();
    assert_ne!(
        person_of(world, "calworks-demo", CIN_MARISOL).await,
        person_of(world, "cws-demo", CWS_MARISOL).await
    );
    let told_of_her = |text: &str| text.contains("Marisol");
    let new = world
        .partner
        .received()
        .into_iter()
        .skip(told.1)
        .any(|one| told_of_her(&one.content.raw));
    assert!(!new, "child welfare was told of her again");
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_queued_under_a_link_is_withdrawn_when_the_link_is_undone() {
    let county = County::linked().await;
    let world = &county.world;
    for lane in ["calworks-demo", "cws-demo"] {
        county.lane(lane, "pause").await;
    }
    county.consent().await;
    applied(&world.core()).await;
    let link = mothers_link(world).await;
    let answer = undo(world, &link).await;
    assert_eq!(answer["disclosed"], json!([]), "nothing had left");
    for lane in ["calworks-demo", "cws-demo"] {
        county.lane(lane, "resume").await;
        drained(&world.core(), lane).await;
    }
    world.settle().await.unwrap();
    let told = world
        .partner
        .received()
        .into_iter()
        .any(|one| one.content.raw.contains("Marisol"));
    assert!(
        !told,
        "child welfare was told of somebody whom it may not know"
    );
    let told = world.calworks.received().into_iter().any(|one| {
        one.content.message_type == "client_match"
            && one
                .content
                .parts
                .iter()
                .any(|part| part.field("first_name") == "Marisol")
    });
    assert!(!told, "CalWORKs was told of another person's case");
    for lane in ["calworks-demo", "cws-demo"] {
        assert!(
            !county
                .outbox(lane)
                .await
                .iter()
                .any(|row| row.state == OutboxState::Queued)
        );
    }
    county.stop().await;
}
