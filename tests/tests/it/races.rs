//! What changes while an attempt runs: what arrives all the same is known, and taken back at once.

use serde_json::json;
use tandem::demo::world::PATIENCE;
use tandem::pipeline::core::Core;
use tandem::state::disclosure::DisclosureDoc;
use tandem::store::{OutboxRow, OutboxState};
use tandem_mappings::model::id::MessageId;
use tandem_simulators::Mood;

use crate::county::{drained, outbox, until};
use crate::restart::Rig;

/// Co-management starts, and child welfare's address does with the message what it will.
async fn started(mood: Mood) -> (Rig, OutboxRow) {
    let rig = Rig::consented().await;
    rig.liar.will(&[mood]);
    rig.calworks_says(
        rig.calworks
            .common_case_referral("org-cws", "family-maintenance"),
    )
    .await;
    let core = std::sync::Arc::clone(&rig.gateway.core);
    until(&core, "the start is on its way", || async {
        rig.liar.is_done()
    })
    .await;
    let rows = outbox(&core, "cws-demo").await;
    let start = rows.into_iter().find(|row| row.kind == "co-management");
    (rig, start.unwrap())
}

/// The whole family takes its consent back.
async fn revoked(rig: &Rig) {
    for id in ["consent-marisol", "consent-ana", "consent-leo"] {
        let body = json!({ "categories": [], "channel": "telephone" });
        rig.office
            .post("privacy", &format!("/v1/consents/{id}/revoke"), &body)
            .await
            .unwrap();
    }
}

/// The message arrives after all; its holder is told to stop using it.
async fn arrives_and_is_recalled(rig: &Rig, message: &OutboxRow) {
    rig.liar.lets_go();
    rig.partner
        .wait_for(
            "the start that was on its way",
            |one| one.raw.contains("coordinating"),
            PATIENCE,
        )
        .await
        .unwrap();
    let core = std::sync::Arc::clone(&rig.gateway.core);
    let id = message.id.to_string();
    until(&core, "its recall is written", || async {
        outbox(&core, "cws-demo")
            .await
            .iter()
            .any(|row| row.kind == "recall" && String::from_utf8_lossy(&row.content).contains(&id))
    })
    .await;
    drained(&core, "cws-demo").await;
    let rows = outbox(&core, "cws-demo").await;
    let now = rows.iter().find(|row| row.id == message.id).unwrap();
    assert!(
        matches!(
            now.state,
            OutboxState::Delivered | OutboxState::Acknowledged
        ),
        "what its holder has is kept as {}",
        now.state.code()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn message_on_its_way_when_consent_ends_is_recalled_on_arrival() {
    let (rig, start) = started(Mood::Holds).await;
    revoked(&rig).await;
    arrives_and_is_recalled(&rig, &start).await;
    rig.gateway.stop().await;
}

/// A steward takes all links back.
async fn unlinked(rig: &Rig) {
    let links = rig
        .office
        .get("steward", "/v1/links?standing=linked")
        .await
        .unwrap();
    for link in links["links"].as_array().unwrap() {
        let path = format!("/v1/links/{}/undo", link["id"].as_str().unwrap());
        let body = json!({ "reason": "two families" });
        rig.office.post("steward", &path, &body).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn message_on_its_way_when_its_link_is_undone_is_kept_as_told_and_recalled() {
    let (rig, start) = started(Mood::Holds).await;
    unlinked(&rig).await;
    arrives_and_is_recalled(&rig, &start).await;
    rig.gateway.stop().await;
}

/// The attempts of a message, and whether one hands it over without a note how that ended.
async fn attempts(core: &Core, message: MessageId) -> (usize, bool) {
    let mut tx = core.store.snapshot().await.unwrap();
    let row = tx.outbox(message).await.unwrap().unwrap();
    let attempts = tx.attempts(message).await.unwrap();
    (attempts.len(), row.is_handed)
}

#[tokio::test(flavor = "multi_thread")]
async fn message_that_was_withdrawn_while_its_partner_refused_it_counts_as_never_told() {
    let (rig, start) = started(Mood::HoldsAndAnswers(400)).await;
    unlinked(&rig).await;
    rig.liar.lets_go();
    let core = std::sync::Arc::clone(&rig.gateway.core);
    until(&core, "its attempt is noted", || async {
        attempts(&core, start.id).await == (1, false)
    })
    .await;
    let rig = rig.restart().await;
    rig.rest().await;
    let core = &rig.gateway.core;
    let mut tx = core.store.snapshot().await.unwrap();
    let held = tx.get::<DisclosureDoc>(&start.id.to_string()).await;
    assert!(held.unwrap().is_none(), "its partner surely has not got it");
    drop(tx);
    let rows = outbox(core, "cws-demo").await;
    let now = rows.iter().find(|row| row.id == start.id).unwrap();
    assert_eq!(now.state, OutboxState::Withdrawn);
    let id = start.id.to_string();
    let names_it = |row: &OutboxRow| String::from_utf8_lossy(&row.content).contains(&id);
    assert!(!rows.iter().any(|row| row.kind == "recall" && names_it(row)));
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn referral_that_was_withdrawn_before_its_answer_was_lost_is_cancelled_at_its_target() {
    let rig = Rig::consented().await;
    rig.liar.will(&[Mood::HoldsAndCutsAfter]);
    let asked =
        rig.calworks
            .intake_referral("org-cws", "CW-R-7", "child-care", "A place in child care");
    rig.calworks_says(asked).await;
    let core = std::sync::Arc::clone(&rig.gateway.core);
    until(&core, "the request is on its way", || async {
        rig.liar.is_done()
    })
    .await;
    let withdrawn =
        rig.calworks
            .referral_status("org-cws", "CW-R-7", "cancelled", "client-declined");
    rig.calworks_says(withdrawn).await;
    rig.liar.lets_go();
    rig.partner
        .wait_for(
            "the cancellation",
            |one| one.raw.contains("cancelled"),
            PATIENCE,
        )
        .await
        .unwrap();
    rig.rest().await;
    let told = rig.partner.received();
    let about = told
        .iter()
        .filter(|one| one.content.raw.contains("A place in child care"))
        .count();
    assert_eq!(about, 1, "the request arrived");
    let cancellations = told
        .iter()
        .filter(|one| one.content.raw.contains("cancelled"))
        .count();
    assert_eq!(cancellations, 1, "{told:#?}");
    rig.gateway.stop().await;
}

/// Child welfare is told to stop using a message.
async fn recall_arrives(rig: &Rig, message: &str) {
    rig.partner
        .wait_for(
            "the recall",
            |one| one.message_id != message && one.raw.contains(message),
            PATIENCE,
        )
        .await
        .unwrap();
}

/// One recall names a message, and nothing waits any more.
async fn is_recalled_once(core: &Core, message: &str) {
    drained(core, "cws-demo").await;
    let rows = outbox(core, "cws-demo").await;
    let names_it = |row: &&OutboxRow| String::from_utf8_lossy(&row.content).contains(message);
    let recalls = rows.iter().filter(|row| row.kind == "recall");
    assert_eq!(recalls.filter(names_it).count(), 1);
}

/// A store that takes no outcome of an attempt, as one whose disk is full or whose database is away.
fn store_that_notes_no_outcome(rig: &Rig) -> rusqlite::Connection {
    let file = rig.folder.path().join("data/tandem.sqlite");
    let store = rusqlite::Connection::open(file).unwrap();
    store.busy_timeout(PATIENCE).unwrap();
    let refuses = "CREATE TRIGGER refuses BEFORE INSERT ON attempt WHEN NEW.outcome <> 'withdrawn' \
                   BEGIN SELECT RAISE(ABORT, 'no room'); END";
    store.execute_batch(refuses).unwrap();
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn message_whose_outcome_the_store_did_not_take_is_recalled_when_consent_ends() {
    let (rig, start) = started(Mood::Holds).await;
    let store = store_that_notes_no_outcome(&rig);
    rig.liar.lets_go();
    let id = start.id.to_string();
    rig.partner
        .wait_for("the start", |one| one.message_id == id, PATIENCE)
        .await
        .unwrap();
    revoked(&rig).await;
    let core = std::sync::Arc::clone(&rig.gateway.core);
    until(&core, "it is withdrawn", || async {
        let rows = outbox(&core, "cws-demo").await;
        rows.iter()
            .any(|row| row.id == start.id && row.state == OutboxState::Withdrawn)
    })
    .await;
    // From here on outcomes are noted again: a recall waits for the one before it.
    store.execute_batch("DROP TRIGGER refuses").unwrap();
    core.wake();
    recall_arrives(&rig, &id).await;
    is_recalled_once(&core, &id).await;
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn message_whose_answer_was_lost_is_recalled_when_consent_ends() {
    let (rig, start) = started(Mood::CutsAfter).await;
    let core = std::sync::Arc::clone(&rig.gateway.core);
    until(&core, "the attempt has failed", || async {
        let rows = outbox(&core, "cws-demo").await;
        rows.iter()
            .any(|row| row.id == start.id && row.state == OutboxState::Failed)
    })
    .await;
    let taken = rig.partner.received();
    let id = start.id.to_string();
    assert!(
        taken.iter().any(|one| one.content.message_id == id),
        "child welfare has it"
    );
    revoked(&rig).await;
    rig.seconds_pass(3600);
    recall_arrives(&rig, &id).await;
    is_recalled_once(&core, &id).await;
    rig.gateway.stop().await;
}
