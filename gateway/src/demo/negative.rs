//! The same family without any consent: nothing that depends on it may reach anybody.

use anyhow::ensure;
use tandem_simulators::family;

use super::voice::{self, seen};
use super::world::{PATIENCE, World};

/// Plays the counterpart of the story. Returns whether it came true.
pub(super) async fn play(world: &mut World) -> bool {
    voice::opening("the same family, without consent");
    let played = told_nobody(world).await;
    if let Err(error) = &played {
        voice::failed(1, error);
    }
    voice::closing(usize::from(played.is_ok()), 1);
    played.is_ok()
}

async fn told_nobody(world: &World) -> anyhow::Result<()> {
    let caseload = world.calworks.drop_caseload().await?;
    world.calworks.wait_for_answer(&caseload, PATIENCE).await?;
    let extract = world.cws.drop_extract().await?;
    world.cws.wait_for_answer(&extract, PATIENCE).await?;
    let export = world.hmis.drop_export().await?;
    world.hmis.wait_for_answer(&export, PATIENCE).await?;
    world.settle().await?;
    for link in world.office.candidates().await? {
        if let Some(id) = link["id"].as_str() {
            world.office.confirm(id, "same family").await?;
        }
    }
    seen("the family is found in three systems, and linked");
    world
        .calworks
        .send(&[world
            .calworks
            .common_case_referral("org-cws", "family-maintenance")])
        .await?;
    let referral = world
        .calworks
        .intake_referral(
            "org-hmis",
            "CW-R-1",
            "shelter",
            "Family needs a shelter bed",
        )
        .with("service_id", "svc-shelter-bed");
    world
        .calworks
        .send(&[
            referral,
            world.calworks.participation("org-cws", "sanctioned"),
        ])
        .await?;
    let waits = world
        .calworks
        .wait_for(
            "the referral's standing",
            |message| message.message_type == "referral_status",
            PATIENCE,
        )
        .await?;
    ensure!(
        waits.content.field("sub_status") == "awaiting-consent",
        "the referral does not wait for consent"
    );
    world.settle().await?;
    ensure!(
        world.partner.received().is_empty(),
        "child welfare was told something"
    );
    ensure!(
        world.hmis.received().is_empty(),
        "housing was told something"
    );
    ensure!(
        world
            .calworks
            .received()
            .iter()
            .all(|one| one.content.message_type == "referral_status"),
        "CalWORKs was told more than that its own referral waits for consent"
    );
    for word in [
        family::CWS_SURNAME,
        family::CWS_WORKER,
        family::CWS_CASE_ANA,
        family::CWS_ANA,
    ] {
        ensure!(
            !world.calworks.contains_text(word),
            "CalWORKs was told of the child welfare case"
        );
    }
    seen(
        "the referral waits for consent, its source knows so, and nobody learns that the family exists elsewhere",
    );
    Ok(())
}
