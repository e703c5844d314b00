//! Step 7: revocation reaches what is queued and what was delivered.

use anyhow::ensure;
use serde_json::json;
use tandem_mappings::model::id::MessageId;

use super::referrals::{counselling_task, source_task};
use crate::demo::voice::{seen, tell};
use crate::demo::world::{PATIENCE, World};
use crate::store::OutboxState;

pub(super) async fn play(world: &World) -> anyhow::Result<()> {
    world.it_is("2026-03-05T09:00:00-08:00")?;
    let lane = |verb: &str| format!("/v1/lanes/calworks-demo/{verb}");
    world
        .office
        .post(
            "operator",
            &lane("pause"),
            &json!({ "reason": "a revocation is on its way" }),
        )
        .await?;
    let task = counselling_task(world)?;
    world.behavioral_health.on_hold(&task, "waitlisted")?;
    world.minutes_pass(16)?;
    source_task(world, "on-hold").await?;
    world.behavioral_health.start_work(&task)?;
    world.minutes_pass(16)?;
    source_task(world, "in-progress").await?;
    let queued = queued(world).await?;
    ensure!(!queued.is_empty(), "nothing waits for the work programme");
    seen(
        "the counselling pauses and goes on; the notices for the work programme wait in their lane",
    );
    tell("The mother takes back her consent for behavioural-health data, by telephone.");
    let answer = world
        .office
        .post(
            "privacy",
            "/v1/consents/consent-marisol-bh/revoke",
            &json!({ "categories": [], "channel": "telephone" }),
        )
        .await?;
    ensure!(
        answer["recalled"]
            .as_array()
            .is_some_and(|messages| !messages.is_empty()),
        "nothing that was told is recalled: {answer}"
    );
    world
        .office
        .post("operator", &lane("resume"), &json!({}))
        .await?;
    world.settle().await?;
    let mut tx = world.core().store.snapshot().await?;
    for message in queued {
        let row = tx.outbox(message).await?;
        ensure!(
            row.is_some_and(|row| row.state == OutboxState::Withdrawn),
            "what waited was told after all"
        );
    }
    drop(tx);
    seen(
        "decided again before their attempt, the notices that waited are withdrawn: nobody was told",
    );
    after(world).await
}

/// What waits in the lane of the work programme.
async fn queued(world: &World) -> anyhow::Result<Vec<MessageId>> {
    let mut tx = world.core().store.snapshot().await?;
    let rows = tx.outbox_in(&[OutboxState::Queued]).await?;
    let own = rows.into_iter().filter(|row| row.lane == "calworks-demo");
    Ok(own.map(|row| row.id).collect())
}

/// What the systems see afterwards.
pub(in crate::demo) async fn after(world: &World) -> anyhow::Result<()> {
    let recall = world
        .calworks
        .wait_for(
            "the recall notice",
            |message| message.message_type == "recall",
            PATIENCE,
        )
        .await?;
    ensure!(recall.content.parts.is_empty(), "the recall names people");
    seen(
        "the work programme is told which messages it must stop using: ids and duties, nothing else",
    );
    world.settle().await?;

    let before = counselling_messages(world);
    let task = counselling_task(world)?;
    world
        .behavioral_health
        .on_hold(&task, "missing-information")?;
    world.minutes_pass(16)?;
    source_task(world, "on-hold").await?;
    world.behavioral_health.start_work(&task)?;
    world.minutes_pass(16)?;
    source_task(world, "in-progress").await?;
    world.settle().await?;
    ensure!(
        counselling_messages(world) == before,
        "the work programme still reads of the counselling"
    );
    seen(
        "the counselling goes on between clinic and behavioural health, who treat her on a basis of their own;",
    );
    seen("its details no longer reach the work programme, and the open Task stays open");
    Ok(())
}

/// How many messages CalWORKs holds that speak of a referral of which it is neither source nor target.
fn counselling_messages(world: &World) -> usize {
    world
        .calworks
        .received()
        .iter()
        .filter(|one| {
            one.content.message_type == "referral_status" && !one.content.field("domain").is_empty()
        })
        .filter(|one| !matches!(one.content.field("domain"), "shelter" | "child-care"))
        .count()
}
