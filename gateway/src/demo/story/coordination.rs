//! Step 3: co-management and the joint assessment.

use anyhow::ensure;

use super::connecting;
use crate::demo::voice::seen;
use crate::demo::world::{PATIENCE, World};

pub(in crate::demo) async fn play(world: &World) -> anyhow::Result<()> {
    world.it_is("2026-02-03T10:00:00-08:00")?;
    connecting::play(world).await?;
    world
        .calworks
        .send(&[world
            .calworks
            .common_case_referral("org-cws", "family-maintenance")])
        .await?;
    let told = world
        .partner
        .wait_for(
            "the start of co-management",
            |message| {
                message.raw.contains("family-maintenance") && message.raw.contains("coordinating")
            },
            PATIENCE,
        )
        .await?;
    ensure!(
        !told.content.disclosure_basis.is_empty(),
        "the message names no basis"
    );
    world
        .calworks
        .wait_for(
            "the start of co-management",
            |message| message.message_type == "common_case_referral",
            PATIENCE,
        )
        .await?;
    seen(
        "co-management starts for family maintenance: both systems are told, each in its own form",
    );

    world.it_is("2026-02-05T09:30:00-08:00")?;
    let present = "calworks-demo:worker;cws-demo:social worker";
    world
        .calworks
        .send(&[
            world
                .calworks
                .meeting("org-cws", "joint-assessment", present),
            world.calworks.assessment(
                "org-cws",
                "initial",
                &[
                    ("housing", 1),
                    ("income-benefits", 2),
                    ("mental-health", 2),
                    ("child-care", 1),
                ],
            ),
        ])
        .await?;
    world
        .partner
        .wait_for(
            "the meeting",
            |message| message.raw.contains("joint-assessment"),
            PATIENCE,
        )
        .await?;
    let rated = |domain: &'static str| {
        world.partner.wait_for(
            "the initial ratings",
            move |message| {
                message
                    .case_events
                    .iter()
                    .any(|event| event.category == "assessment")
                    && message.raw.contains(domain)
            },
            PATIENCE,
        )
    };
    rated("housing").await?;
    rated("child-care").await?;
    seen(
        "the joint assessment meeting and the levels (housing 1, income 2, mental health 2, child care 1) reach child welfare",
    );
    world.settle().await
}
