//! Step 4: the overlay plan.

use anyhow::ensure;
use tandem_simulators::cws::{FundingDraft, PlanTaskDraft, PlanUpdateDraft};

use crate::demo::voice::{seen, tell};
use crate::demo::world::{PATIENCE, World};

pub(in crate::demo) async fn play(world: &World) -> anyhow::Result<()> {
    world.it_is("2026-02-10T11:00:00-08:00")?;
    let plan = world
        .calworks
        .plan_update("org-cws", "WTW-1", 1, "agreed")
        .with_part(
            "goal",
            &[
                ("goal_id", "WTW-G1"),
                ("domain", "employment"),
                ("goal_statement", "Full-time work by summer"),
                ("goal_owner", "org-calworks"),
                ("goal_lifecycle", "active"),
                ("target_date", "2026-06-30"),
            ],
        )
        .with_part(
            "activity",
            &[
                ("activity_id", "WTW-A1"),
                ("activity_name", "Job readiness workshop"),
                ("activity_kind", "appointment"),
                ("activity_status", "scheduled"),
                ("domain", "employment"),
                ("goal_id", "WTW-G1"),
                ("starts_at", "2026-02-17T10:00:00-08:00"),
                ("ends_at", "2026-02-17T12:00:00-08:00"),
                ("counts_toward", "welfare-to-work"),
            ],
        )
        .with_part(
            "activity",
            &[
                ("activity_id", "WTW-A2"),
                ("activity_name", "Counselling"),
                ("activity_kind", "treatment"),
                ("activity_status", "scheduled"),
                ("domain", "mental-health"),
                ("counts_toward", "welfare-to-work;child-welfare"),
            ],
        )
        .with_part(
            "funding",
            &[
                ("resource_category", "housing"),
                ("payer", "org-calworks"),
                ("amount", "900"),
            ],
        );
    world.calworks.send(&[plan]).await?;
    let received = world
        .partner
        .wait_for(
            "the work plan",
            |message| message.goals.iter().any(|goal| goal.domain == "employment"),
            PATIENCE,
        )
        .await?;
    let plan = received.content.plan.as_ref();
    ensure!(
        plan.is_some_and(|plan| plan
            .tasks
            .iter()
            .any(|task| task.name.contains("Counselling"))),
        "the counselling does not stand in what child welfare received"
    );
    seen(
        "child welfare receives the employment goal, the workshop, the counselling that counts toward both, and who pays for housing",
    );

    let answer = world
        .partner
        .send(
            &world.for_cws,
            &world.partner.plan_update(&child_welfare_plan()),
        )
        .await?;
    ensure!(
        answer.status == 202,
        "the NIEM message was answered {}: {}",
        answer.status,
        answer.body
    );
    let received = world
        .calworks
        .wait_for(
            "the child welfare plan",
            |message| {
                message.message_type == "plan_update"
                    && message.field("plan_type") == "child-welfare"
            },
            PATIENCE,
        )
        .await?;
    ensure!(
        received
            .content
            .parts_of("goal")
            .any(|goal| goal.field("domain") == "safety"),
        "the safety goal did not reach CalWORKs"
    );
    ensure!(
        received
            .content
            .parts_of("funding")
            .any(|line| line.field("resource_category") == "child-care"),
        "the child care funding did not reach CalWORKs"
    );
    seen(
        "CalWORKs receives the safety goal, the parenting class, and that child welfare pays for child care",
    );

    tell("The workshop and the parenting class are at the same time.");
    world
        .calworks
        .wait_for(
            "the conflict flag",
            |message| {
                message.message_type == "conflict"
                    && message.field("conflict_kind") == "overlapping-times"
            },
            PATIENCE,
        )
        .await?;
    world
        .partner
        .wait_for(
            "the conflict flag",
            |message| message.raw.contains("overlapping-times"),
            PATIENCE,
        )
        .await?;
    seen("the gateway flags the overlap to both workers; it does not decide");
    world.settle().await
}

fn child_welfare_plan() -> PlanUpdateDraft {
    PlanUpdateDraft {
        plan_id: "CWP-7".to_owned(),
        created: "2026-02-10".to_owned(),
        updated: "2026-02-10".to_owned(),
        status: "agreed".to_owned(),
        version: 1,
        tasks: vec![PlanTaskDraft {
            task_id: "CWT-1".to_owned(),
            name: "Parenting class".to_owned(),
            status: "scheduled".to_owned(),
            kind: "appointment".to_owned(),
            start: "2026-02-17T11:00:00-08:00".to_owned(),
            end: "2026-02-17T12:30:00-08:00".to_owned(),
            domain: "parenting-family".to_owned(),
            goal_id: "CWG-1".to_owned(),
            assigned: "Marisol Demofield".to_owned(),
            category: "Educational Services".to_owned(),
            ..PlanTaskDraft::default()
        }],
        fundings: vec![FundingDraft {
            category: "child-care".to_owned(),
            payer: "org-cws".to_owned(),
            amount: "600".to_owned(),
        }],
        goal: "Children remain safely at home".to_owned(),
        goal_id: "CWG-1".to_owned(),
        goal_domain: "safety".to_owned(),
        goal_status: "active".to_owned(),
        goal_date: "2026-05-31".to_owned(),
    }
}
