//! Housing and health come online: first loads link silently.

use anyhow::ensure;

use crate::demo::voice::tell;
use crate::demo::world::{PATIENCE, World};

pub(super) async fn play(world: &World) -> anyhow::Result<()> {
    world.settle().await?;
    let told_before = world.calworks.received().len() + world.partner.received().len();
    let export = world.hmis.drop_export().await?;
    let answer = world.hmis.wait_for_answer(&export, PATIENCE).await?;
    ensure!(
        answer.accepted,
        "the HMIS export was not accepted: {}",
        answer.body
    );
    ensure!(
        answer.body["refused"].as_u64().unwrap_or(0) > 0,
        "the victim service provider's rows were not refused"
    );
    tell(&format!(
        "Housing exports its HMIS CSV: {} people; {} rows of a victim service provider are refused unread.",
        answer.body["persons"], answer.body["refused"]
    ));
    world.minutes_pass(16)?;
    world.settle().await?;
    let told_after = world.calworks.received().len() + world.partner.received().len();
    ensure!(
        told_before == told_after,
        "a first load told somebody something"
    );
    tell(
        "The clinic and behavioural health are FHIR servers; their patients are pulled. First loads link silently.",
    );
    Ok(())
}
