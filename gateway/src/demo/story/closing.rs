//! Step 8: the loops close.

use anyhow::{Context as _, ensure};

use super::referrals::{child_care_asked, counselling_task, source_task};
use crate::demo::voice::seen;
use crate::demo::world::{PATIENCE, World};

const QUARTER: (&str, &str) = ("2026-01-01", "2026-03-31");

pub(super) async fn play(world: &World) -> anyhow::Result<()> {
    ends(world).await?;
    world.it_is("2026-06-15T09:00:00-07:00")?;
    figures(world).await
}

/// What is left comes to its end.
pub(in crate::demo) async fn ends(world: &World) -> anyhow::Result<()> {
    world.it_is("2026-03-30T09:00:00-07:00")?;
    world.behavioral_health.complete(
        &counselling_task(world)?,
        "service-received",
        "Counselling, eight sessions",
    )?;
    world.minutes_pass(16)?;
    source_task(world, "completed").await?;
    let second = child_care_asked(world)
        .pop()
        .context("no child care referral")?;
    world
        .calworks
        .send(&[world.calworks.referral_status(
            "org-cws",
            &second,
            "completed",
            "service-received",
        )])
        .await?;
    world
        .partner
        .wait_for(
            "the child care outcome",
            |message| {
                message
                    .referrals
                    .iter()
                    .any(|referral| referral.status == "completed")
            },
            PATIENCE,
        )
        .await?;
    seen(
        "counselling and child care complete; clinic and child welfare read it in their own systems",
    );

    world.it_is("2026-03-31T10:00:00-07:00")?;
    world
        .calworks
        .send(&[
            world.calworks.assessment(
                "org-cws",
                "exit",
                &[("housing", 3), ("income-benefits", 3), ("child-care", 3)],
            ),
            world
                .calworks
                .plan_update("org-cws", "WTW-1", 3, "completed"),
        ])
        .await?;
    world
        .partner
        .wait_for(
            "the completed plan",
            |message| {
                message
                    .plan
                    .as_ref()
                    .is_some_and(|plan| plan.status == "completed")
            },
            PATIENCE,
        )
        .await?;
    let end = world.calworks.end_of_common_case(
        "org-cws",
        "goals-met",
        "Food pantry on Tuesdays; call 211",
    );
    world.calworks.send(&[end]).await?;
    world
        .partner
        .wait_for(
            "the end of co-management",
            |message| message.raw.contains("goals-met"),
            PATIENCE,
        )
        .await?;
    seen(
        "exit ratings: housing 3, income 3, child care 3; the plan is completed, co-management ends with goals met",
    );
    world.settle().await
}

async fn figures(world: &World) -> anyhow::Result<()> {
    let closed = world
        .office
        .measure("RF-3", QUARTER.0, QUARTER.1, "")
        .await?;
    ensure!(
        part(&closed) == (4.0, 4.0),
        "loop closure is not 4 of 4: {closed}"
    );
    let received = world
        .office
        .measure("RF-4", QUARTER.0, QUARTER.1, "")
        .await?;
    ensure!(
        part(&received) == (3.0, 4.0),
        "service received is not 3 of 4: {received}"
    );
    seen("loop closure 4 of 4, service received 3 of 4");
    for (indicator, what) in [("AS-3", "out of crisis"), ("AS-4", "from crisis to stable")] {
        for domain in ["housing", "child-care"] {
            let rows = world
                .office
                .measures(indicator, QUARTER.0, QUARTER.1, "")
                .await?;
            let counted = rows
                .iter()
                .any(|row| row["stratum"] == format!("domain={domain}") && part(row) == (1.0, 1.0));
            ensure!(counted, "{domain} does not count as {what}: {rows:?}");
        }
    }
    seen("housing and child care count as out of crisis, and from crisis to stable");
    Ok(())
}

fn part(row: &serde_json::Value) -> (f64, f64) {
    (
        row["numerator"].as_f64().unwrap_or(-1.0),
        row["denominator"].as_f64().unwrap_or(-1.0),
    )
}
