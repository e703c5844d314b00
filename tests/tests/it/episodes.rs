//! Co-management rests on a family that two programmes share, and on leave to tell both of them.

use serde_json::json;
use tandem::demo::world::{PATIENCE, World};
use tandem::state::episode::EpisodeDoc;
use tandem::state::record::RecordDoc;
use tandem::store::{EventState, OutboxState};
use tandem_coordination::comanagement::PauseReason;
use tandem_mappings::model::comanagement::ComanagementState;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::RecordKey;
use tandem_simulators::cws::ComanagementDraft;
use tandem_simulators::family::{CIN_ANA, CIN_LEO, CIN_MARISOL, CWS_ANA, HMIS_MARISOL};

use crate::county::{County, applied, outbox};
use crate::restart::Rig;

/// Both programmes co-manage the family.
pub(crate) async fn coordinating() -> County {
    let county = County::consented().await;
    let world = &county.world;
    let referral = world
        .calworks
        .common_case_referral("org-cws", "family-maintenance");
    world.calworks.send(&[referral]).await.unwrap();
    world
        .partner
        .wait_for(
            "the start of co-management",
            |message| message.raw.contains("coordinating"),
            PATIENCE,
        )
        .await
        .unwrap();
    applied(&world.core()).await;
    world.settle().await.unwrap();
    assert_eq!(
        episode(world).await.episode.state(),
        Some(ComanagementState::Coordinating)
    );
    county
}

/// The family takes back every consent.
async fn take_back_all(county: &County) {
    for consent in ["consent-marisol", "consent-ana", "consent-leo"] {
        county.revoke(consent).await;
    }
    county.world.settle().await.unwrap();
}

async fn episode(world: &World) -> EpisodeDoc {
    let mut tx = world.core().store.snapshot().await.unwrap();
    let mut all = tx.all::<EpisodeDoc>().await.unwrap();
    assert_eq!(all.len(), 1, "one family, one episode");
    all.remove(0)
}

/// Why the gateway ended or paused the episode, as its own events tell.
async fn notes(world: &World) -> Vec<String> {
    let mut tx = world.core().store.snapshot().await.unwrap();
    let events = tx.events_after(0, 10_000).await.unwrap();
    let note = |body: &Body| match body {
        Body::ComanagementPaused(told) | Body::ComanagementEnded(told) => told.note.clone(),
        _ => None,
    };
    events
        .iter()
        .filter_map(|stored| note(&stored.event.told.body))
        .collect()
}

async fn undo_all_links(world: &World) {
    let links = world
        .office
        .get("steward", "/v1/links?standing=linked")
        .await
        .unwrap();
    for link in links["links"].as_array().unwrap() {
        let path = format!("/v1/links/{}/undo", link["id"].as_str().unwrap());
        let body = json!({ "reason": "two families" });
        world.office.post("steward", &path, &body).await.unwrap();
    }
    world.settle().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn episode_ends_when_the_programmes_turn_out_to_serve_two_families() {
    let county = coordinating().await;
    let world = &county.world;
    let told = world.partner.received().len();
    undo_all_links(world).await;
    let ended = episode(world).await;
    assert_eq!(ended.episode.state(), Some(ComanagementState::Ended));
    assert!(ended.members.is_empty());
    assert_eq!(notes(world).await, ["family not mutual any more"]);
    // Each side hears that it is over, by its own ids: nothing of the other family.
    let new: Vec<String> = world
        .partner
        .received()
        .into_iter()
        .skip(told)
        .map(|one| one.content.raw)
        .collect();
    assert!(
        new.iter().any(|raw| raw.contains("ended")),
        "child welfare was not told: {new:?}"
    );
    assert!(new.iter().all(|raw| !raw.contains(CIN_MARISOL)), "{new:?}");
    // What one programme says afterwards no longer reaches the other.
    let told = world.partner.received().len();
    let sanction = world.calworks.participation("org-cws", "sanctioned");
    county.calworks_says(sanction).await;
    world.settle().await.unwrap();
    let sanctioned = world
        .partner
        .received()
        .into_iter()
        .skip(told)
        .any(|one| one.content.raw.contains("sanction"));
    assert!(
        !sanctioned,
        "child welfare was told of another family's sanction"
    );
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn episode_ends_when_the_family_takes_its_consent_back() {
    let county = coordinating().await;
    let world = &county.world;
    take_back_all(&county).await;
    assert_eq!(
        episode(world).await.episode.state(),
        Some(ComanagementState::Ended)
    );
    assert_eq!(notes(world).await, ["consent revoked"]);
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_it_is_over_is_no_news_once_it_has_ended_and_nothing_begins_anew_without_consent() {
    let county = coordinating().await;
    let world = &county.world;
    take_back_all(&county).await;
    let ends = world
        .calworks
        .end_of_common_case("org-cws", "goals-met", "where to turn: 211");
    let begins = world
        .calworks
        .common_case_referral("org-cws", "family-maintenance");
    for message in [ends, begins] {
        county.calworks_says(message).await;
    }
    let mut tx = world.core().store.snapshot().await.unwrap();
    let parked = tx.events_aside(EventState::Parked, 10).await.unwrap();
    let parked: Vec<_> = parked
        .iter()
        .map(|one| (one.kind.as_str(), one.note.as_str()))
        .collect();
    let ended = "the co-management of these people has ended";
    assert_eq!(parked, [("comanagement.started", ended)]);
    assert_eq!(notes(world).await, ["consent revoked"]);
    drop(tx);
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawing_one_childs_record_leaves_the_rest_of_the_family_co_managed() {
    let county = coordinating().await;
    let world = &county.world;
    let before = episode(world).await.members.len();
    let links = world
        .office
        .get("steward", "/v1/links?standing=linked")
        .await
        .unwrap();
    let one = links["links"]
        .as_array()
        .unwrap()
        .iter()
        .find(|link| [&link["a"]["person"], &link["b"]["person"]].contains(&&json!(CWS_ANA)));
    let path = format!("/v1/links/{}/undo", one.unwrap()["id"].as_str().unwrap());
    let body = json!({ "reason": "another child" });
    world.office.post("steward", &path, &body).await.unwrap();
    world.settle().await.unwrap();
    let after = episode(world).await;
    assert_eq!(after.episode.state(), Some(ComanagementState::Coordinating));
    assert_eq!(
        after.members.len(),
        before - 2,
        "the child's two records left"
    );
    assert!(notes(world).await.is_empty());
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_before_a_person_was_joined_to_another_is_recalled_afterwards() {
    let county = County::consented().await;
    let world = &county.world;
    // Housing's record joins the person of whom both workers were told.
    county.housing_loads().await;
    world.settle().await.unwrap();
    for link in world.office.candidates().await.unwrap() {
        world
            .office
            .confirm(link["id"].as_str().unwrap(), "same family")
            .await
            .unwrap();
    }
    world.settle().await.unwrap();
    let person = |system: &str, person: &str| RecordKey {
        system: system.parse().unwrap(),
        person: person.parse().unwrap(),
    };
    let mut tx = world.core().store.snapshot().await.unwrap();
    let keys = [
        person("calworks-demo", CIN_MARISOL),
        person("hmis-demo", HMIS_MARISOL),
    ];
    let mut ids = Vec::new();
    for key in &keys {
        ids.push(
            tx.get::<RecordDoc>(&RecordDoc::key_of(key))
                .await
                .unwrap()
                .unwrap()
                .person_id,
        );
    }
    drop(tx);
    assert_eq!(ids[0], ids[1], "housing's record is hers");
    let answer = county.revoke("consent-marisol").await;
    let recalled = answer["recalled"].as_array().map_or(0, Vec::len);
    assert!(
        recalled >= 2,
        "both notices were told before the join: {answer}"
    );
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pause_keeps_the_reason_that_the_programme_gives() {
    for (words, reason) in [
        ("court-order", PauseReason::CourtOrder),
        ("family-away", PauseReason::FamilyAway),
        ("", PauseReason::ConsentGap),
    ] {
        let county = coordinating().await;
        let world = &county.world;
        let pause = ComanagementDraft {
            state: "paused".to_owned(),
            transition_plan: words.to_owned(),
            ..ComanagementDraft::default()
        };
        let answer = world
            .partner
            .send(&world.for_cws, &world.partner.comanagement(&pause))
            .await
            .unwrap();
        assert!((200..300).contains(&answer.status), "{}", answer.body);
        applied(&world.core()).await;
        let paused = episode(world).await.episode;
        assert_eq!(paused.state(), Some(ComanagementState::Paused), "{words}");
        assert_eq!(paused.pause_reason(), Some(reason), "{words}");
        county.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_that_comes_back_opens_a_new_episode_and_tells_both_workers_anew() {
    let county = coordinating().await;
    let world = &county.world;
    take_back_all(&county).await;
    let notices = |rows: Vec<tandem::store::OutboxRow>| {
        rows.iter()
            .filter(|row| row.kind == "mutual-client")
            .count()
    };
    let before = notices(county.outbox("cws-demo").await);
    world.minutes_pass(5).unwrap();
    for (id, capacity, cin) in [
        ("again-marisol", "self", CIN_MARISOL),
        ("again-ana", "parent", CIN_ANA),
        ("again-leo", "parent", CIN_LEO),
    ] {
        let directive = tandem::demo::directives::coordination(id, capacity);
        world
            .office
            .consent(&directive, "calworks-demo", cin)
            .await
            .unwrap();
    }
    world.settle().await.unwrap();
    assert!(
        notices(county.outbox("cws-demo").await) > before,
        "who was told to stop using the notice was not told anew"
    );
    let mut tx = world.core().store.snapshot().await.unwrap();
    let states: Vec<_> = tx
        .all::<EpisodeDoc>()
        .await
        .unwrap()
        .iter()
        .map(|one| one.episode.state())
        .collect();
    assert_eq!(states.len(), 2);
    assert!(
        states.contains(&Some(ComanagementState::Confirmed)),
        "{states:?}"
    );
    drop(tx);
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_referral_keep_one_order_though_co_management_begins_between_them() {
    let rig = Rig::consented().await;
    let asked =
        rig.calworks
            .intake_referral("org-cws", "CW-R-9", "child-care", "A place in child care");
    rig.calworks_says(asked).await;
    rig.rest().await;
    let why = serde_json::json!({ "reason": "their upgrade" });
    let path = "/v1/lanes/calworks-demo/pause";
    rig.office.post("operator", path, &why).await.unwrap();
    let core = std::sync::Arc::clone(&rig.gateway.core);
    let listed = rig.office.get("cws", "/v1/referrals").await.unwrap();
    let id = listed["referrals"][0]["id"].as_str().unwrap().to_owned();
    let stands = async |status: &str| {
        let body = serde_json::json!({ "status": status });
        let path = format!("/v1/referrals/{id}/status");
        rig.office.post("cws", &path, &body).await.unwrap();
        applied(&core).await;
    };
    stands("accepted").await;
    let start = rig
        .calworks
        .common_case_referral("org-cws", "family-maintenance");
    rig.calworks_says(start).await;
    stands("in-progress").await;
    let rows = outbox(&core, "calworks-demo").await;
    assert!(rows.iter().any(|row| row.kind == "co-management"));
    let told = rows.iter().filter(|row| row.kind == "referral-status");
    let waiting: Vec<_> = told
        .filter(|row| row.state == OutboxState::Queued)
        .map(|row| row.case_key.clone())
        .collect();
    assert_eq!(waiting.len(), 2);
    assert_eq!(waiting[0], waiting[1], "one could overtake the other");
    rig.gateway.stop().await;
}
