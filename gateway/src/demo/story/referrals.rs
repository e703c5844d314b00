//! Step 5: three needs, four referrals.

use anyhow::{Context as _, ensure};
use jiff::civil::date;
use serde_json::Value;
use tandem_simulators::calworks::LinkagesMessage;
use tandem_simulators::cws::ReferralDraft;
use tandem_simulators::family;
use tandem_simulators::hmis::PackageKind;

use crate::demo::voice::seen;
use crate::demo::world::{PATIENCE, World};

pub(in crate::demo) async fn play(world: &mut World) -> anyhow::Result<()> {
    world.it_is("2026-02-11T09:00:00-08:00")?;
    counselling_begins(world).await?;
    shelter(world).await?;
    child_care(world).await?;
    counselling_goes_on(world).await?;
    world.settle().await
}

fn is_status<'a>(referral: &'a str, status: &'a str) -> impl Fn(&LinkagesMessage) -> bool + 'a {
    move |message| {
        message.message_type == "referral_status"
            && message.field("referral_status") == status
            && (referral.is_empty() || message.field("referral_id") == referral)
    }
}

async fn shelter(world: &World) -> anyhow::Result<()> {
    let referral = world
        .calworks
        .intake_referral(
            "org-hmis",
            "CW-R-1",
            "shelter",
            "Family needs a shelter bed",
        )
        .with("service_id", "svc-shelter-bed");
    world.calworks.send(&[referral]).await?;
    let event = world
        .hmis
        .wait_for_event(
            "the shelter referral",
            |row| row.get("Event").is_some_and(|code| code == "10"),
            PATIENCE,
        )
        .await?;
    let cell = |column: &str| event.get(column).cloned().unwrap_or_default();
    ensure!(
        cell("LocationCrisisOrPHHousing") == family::HMIS_SHELTER_PROJECT,
        "the row names another project"
    );
    ensure!(
        cell("EnrollmentID") == family::HMIS_ENROLLMENT,
        "the row hangs under another stay"
    );
    seen(
        "housing imports the shelter referral as an HMIS Event row (4.20, code 10) under the mother's own stay",
    );
    world.it_is("2026-02-13T09:00:00-08:00")?;
    world
        .hmis
        .answer_event(&cell("EventID"), 1, date(2026, 2, 13))
        .await?;
    world
        .calworks
        .wait_for("the acceptance", is_status("CW-R-1", "accepted"), PATIENCE)
        .await?;
    plan_reaches_those_who_serve(world).await?;
    world.it_is("2026-02-17T09:00:00-08:00")?;
    world.hmis.enroll_in_shelter(date(2026, 2, 17)).await?;
    let done = world
        .calworks
        .wait_for("the outcome", is_status("CW-R-1", "completed"), PATIENCE)
        .await?;
    ensure!(
        done.content.field("reason_code") == "service-received",
        "the outcome has another reason"
    );
    seen(
        "housing answers with HMIS result 1, the family moves in on day six: CalWORKs reads accepted, then completed, service received",
    );
    world.settle().await
}

/// The work plan moves on while housing and behavioural health serve the family: each is told in its own form.
async fn plan_reaches_those_who_serve(world: &World) -> anyhow::Result<()> {
    let plan = world
        .calworks
        .plan_update("org-cws", "WTW-1", 2, "active")
        .with_part(
            "goal",
            &[
                ("goal_id", "WTW-G2"),
                ("domain", "housing"),
                ("goal_statement", "A home of their own"),
                ("goal_owner", "org-calworks"),
                ("goal_lifecycle", "active"),
                ("target_date", "2026-06-30"),
            ],
        );
    world.calworks.send(&[plan]).await?;
    world
        .hmis
        .wait_for(
            "the plan update",
            |package| {
                package.kind == PackageKind::Custom
                    && package.files.values().flatten().any(|row| {
                        row.values()
                            .any(|text| text.contains("A home of their own"))
                    })
            },
            PATIENCE,
        )
        .await?;
    let carried = world
        .behavioral_health
        .wait_for_resource(
            "Task",
            "the Task that carries the plan",
            |task| task["output"].is_array(),
            PATIENCE,
        )
        .await?;
    ensure!(
        carried["output"].to_string().contains("CarePlan/"),
        "the Task's output is no CarePlan: {}",
        carried["output"]
    );
    seen(
        "a change of the work plan reaches housing as a custom HMIS file and behavioural health as a CarePlan on the Task",
    );
    Ok(())
}

async fn counselling_begins(world: &World) -> anyhow::Result<()> {
    world
        .clinic
        .create_order("org-bh", "Counselling for the mother")?;
    world.minutes_pass(16)?;
    let task = world
        .behavioral_health
        .wait_for_resource(
            "Task",
            "the counselling Task",
            |task| task["status"] == "requested",
            PATIENCE,
        )
        .await?;
    let request = focus(world, &task)?;
    ensure!(
        request["intent"] == "filler-order",
        "the request is no filler order: {request}"
    );
    seen(
        "the clinic orders counselling; behavioural health finds a filler order and a Task on its own FHIR server",
    );
    let id = task["id"].as_str().context("a Task has an id")?;
    world.behavioral_health.accept(id)?;
    world.minutes_pass(16)?;
    source_task(world, "accepted").await?;
    world.behavioral_health.on_hold(id, "waitlisted")?;
    world.minutes_pass(16)?;
    source_task(world, "on-hold").await?;
    seen("the clinic's own Task follows: accepted, then on hold (waiting list)");
    world
        .calworks
        .wait_for(
            "the counselling's status",
            is_status("", "on-hold"),
            PATIENCE,
        )
        .await
        .context("the work programme, where counselling counts, was not told")?;
    seen(
        "the work programme, where the counselling counts, is told too, under the behavioural-health consent",
    );
    Ok(())
}

fn focus(world: &World, task: &Value) -> anyhow::Result<Value> {
    let reference = task["focus"]["reference"]
        .as_str()
        .context("a Task has a focus")?;
    let id = reference.rsplit('/').next().unwrap_or_default();
    world
        .behavioral_health
        .resource("ServiceRequest", id)
        .context("the focus is not there")
}

/// The clinic's own Task in a state.
pub(super) async fn source_task(world: &World, status: &'static str) -> anyhow::Result<Value> {
    world
        .clinic
        .wait_for_resource(
            "Task",
            &format!("the clinic's Task {status}"),
            |task| task["status"] == status,
            PATIENCE,
        )
        .await
}

/// The Task at behavioural health.
pub(super) fn counselling_task(world: &World) -> anyhow::Result<String> {
    let tasks = world.behavioral_health.resources("Task");
    let task = tasks.first().context("behavioural health has no Task")?;
    Ok(task["id"].as_str().context("a Task has an id")?.to_owned())
}

async fn counselling_goes_on(world: &World) -> anyhow::Result<()> {
    world
        .behavioral_health
        .start_work(&counselling_task(world)?)?;
    world.minutes_pass(16)?;
    source_task(world, "in-progress").await?;
    seen("counselling begins: the clinic's Task is in progress");
    Ok(())
}

fn child_care_referral(id: &str, service: &str) -> ReferralDraft {
    ReferralDraft {
        referral_id: id.to_owned(),
        status: "requested".to_owned(),
        reason: "Child care while the mother works".to_owned(),
        recipient: "org-calworks".to_owned(),
        service: service.to_owned(),
        domain: "child-care".to_owned(),
        category: "Other Services".to_owned(),
        related_case: family::CALWORKS_CASE.to_owned(),
        ..ReferralDraft::default()
    }
}

async fn child_care(world: &World) -> anyhow::Result<()> {
    world.it_is("2026-02-18T09:00:00-08:00")?;
    let first = ask_for_child_care(world, "CWR-1", "Child care centre").await?;
    world
        .calworks
        .send(&[world
            .calworks
            .referral_status("org-cws", &first, "rejected", "no-capacity")])
        .await?;
    status_at_child_welfare(world, "rejected").await?;
    seen(
        "child welfare asks the work programme for child care; the answer comes back as NIEM: rejected, no capacity",
    );
    world.it_is("2026-02-19T09:00:00-08:00")?;
    let second = ask_for_child_care(world, "CWR-2", "Family child care").await?;
    world
        .calworks
        .send(&[world
            .calworks
            .referral_status("org-cws", &second, "accepted", "")])
        .await?;
    status_at_child_welfare(world, "accepted").await?;
    seen("the next day it asks again for another place: accepted");
    Ok(())
}

async fn ask_for_child_care(world: &World, id: &str, service: &str) -> anyhow::Result<String> {
    let known: Vec<String> = child_care_asked(world);
    let answer = world
        .partner
        .send(
            &world.for_cws,
            &world.partner.referral(&child_care_referral(id, service)),
        )
        .await?;
    ensure!(
        answer.status == 202,
        "the NIEM message was answered {}: {}",
        answer.status,
        answer.body
    );
    let asked = world
        .calworks
        .wait_for(
            "the child care referral",
            |message| {
                message.message_type == "intake_referral"
                    && message.field("domain") == "child-care"
                    && !known.iter().any(|one| one == message.field("referral_id"))
            },
            PATIENCE,
        )
        .await?;
    Ok(asked.content.field("referral_id").to_owned())
}

/// Ids of the child care referrals that CalWORKs was asked so far.
pub(super) fn child_care_asked(world: &World) -> Vec<String> {
    let asked = world.calworks.received().into_iter().map(|one| one.content);
    asked
        .filter(|message| {
            message.message_type == "intake_referral" && message.field("domain") == "child-care"
        })
        .map(|message| message.field("referral_id").to_owned())
        .collect()
}

async fn status_at_child_welfare(world: &World, status: &'static str) -> anyhow::Result<()> {
    world
        .partner
        .wait_for(
            &format!("the referral {status}"),
            |message| {
                message
                    .referrals
                    .iter()
                    .any(|referral| referral.status == status)
            },
            PATIENCE,
        )
        .await?;
    Ok(())
}
