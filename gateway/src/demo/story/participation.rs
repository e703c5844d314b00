//! Step 6: sanction and cure.

use anyhow::ensure;
use tandem_simulators::cws::NiemMessage;

use crate::demo::voice::seen;
use crate::demo::world::{PATIENCE, World};

/// The social worker is told within one business day.
const LIMIT_HOURS: i64 = 24;

pub(in crate::demo) async fn play(world: &World) -> anyhow::Result<()> {
    told(world, "2026-02-24T10:00:00-08:00", "sanctioned").await?;
    seen(
        "the work programme sanctions the mother; her social worker reads it within the delivery limit",
    );
    told(world, "2026-03-03T10:00:00-08:00", "cured").await?;
    seen("the sanction is cured; she is told again");
    world.settle().await
}

async fn told(world: &World, at: &str, status: &'static str) -> anyhow::Result<()> {
    world.it_is(at)?;
    world
        .calworks
        .send(&[world.calworks.participation("org-cws", status)])
        .await?;
    let told = world
        .partner
        .wait_for(
            &format!("the standing {status}"),
            |message| says(message, status),
            PATIENCE,
        )
        .await?;
    let sent: jiff::Timestamp = at.parse()?;
    let took = told.at.duration_since(sent);
    ensure!(took.as_hours() <= LIMIT_HOURS, "it took {took:#}");
    Ok(())
}

fn says(message: &NiemMessage, status: &str) -> bool {
    message
        .plan
        .as_ref()
        .is_some_and(|plan| plan.tasks.iter().any(|task| task.status == status))
}
