//! Keeps each programme's plan as its owner tells it, tells the others, and flags where plans clash.

use std::collections::BTreeSet;

use tandem_adapter_port::outbound::{OutboundBody, Party, PlanView};
use tandem_mappings::model::event::Event;
use tandem_mappings::model::id::{OrganizationId, PlanId, SystemId};
use tandem_mappings::model::plan::{ActivityUpdated, FundingTold, GoalUpdated, PlanContent};
use tandem_mappings::model::referral::ReferralStatus;

use super::compose;
use super::core::Core;
use super::exchange::{self, Scene};
use super::overlay;
use super::processor::Applied;
use super::proposal::{Part, ProposedItem};
use crate::state::plan::PlanDoc;
use crate::state::referral::ReferralDoc;
use crate::state::sensitivity::Sensitivity;
use crate::store::{StoreError, Tx};

/// An owner tells of its plan. What it leaves out stays as it was.
///
/// # Errors
/// When the store fails.
pub async fn told(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    told: &PlanContent,
) -> Result<Applied, StoreError> {
    let known = tx
        .get::<PlanDoc>(&PlanDoc::key_of(&event.system, &told.plan))
        .await?;
    let mut document = known.unwrap_or_else(|| PlanDoc {
        system: event.system.clone(),
        content: PlanContent {
            goals: Vec::new(),
            activities: Vec::new(),
            fundings: Vec::new(),
            ..told.clone()
        },
        sensitivity: Sensitivity::default(),
        episode: None,
        updated_at: event.told.occurred_at,
    });
    merge(&mut document.content, told);
    keep_and_tell(core, tx, event, document, told.clone()).await
}

/// An owner tells of one goal.
///
/// # Errors
/// When the store fails.
pub async fn goal(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    told: &GoalUpdated,
) -> Result<Applied, StoreError> {
    part(core, tx, event, &told.plan, |change| {
        change.goals = vec![told.goal.clone()]
    })
    .await
}

/// An owner tells of one activity.
///
/// # Errors
/// When the store fails.
pub async fn activity(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    told: &ActivityUpdated,
) -> Result<Applied, StoreError> {
    part(core, tx, event, &told.plan, |change| {
        change.activities = vec![told.activity.clone()]
    })
    .await
}

/// An owner tells who pays for what.
///
/// # Errors
/// When the store fails.
pub async fn funding(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    told: &FundingTold,
) -> Result<Applied, StoreError> {
    part(core, tx, event, &told.plan, |change| {
        change.fundings = vec![told.line.clone()]
    })
    .await
}

async fn part(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    plan: &PlanId,
    set: impl FnOnce(&mut PlanContent) + Send,
) -> Result<Applied, StoreError> {
    let Some(mut document) = tx
        .get::<PlanDoc>(&PlanDoc::key_of(&event.system, plan))
        .await?
    else {
        return Ok(Applied::Parked(
            "the plan is not known from this system yet".to_owned(),
        ));
    };
    let mut change = PlanContent {
        goals: Vec::new(),
        activities: Vec::new(),
        fundings: Vec::new(),
        ..document.content.clone()
    };
    set(&mut change);
    merge(&mut document.content, &change);
    keep_and_tell(core, tx, event, document, change).await
}

/// Same id replaces, a new one is added; a funding line is known by category and payer.
fn merge(content: &mut PlanContent, told: &PlanContent) {
    content.status = told.status;
    content.plan_type = told.plan_type;
    content.version = told.version.or(content.version);
    content.from = told.from.or(content.from);
    content.to = told.to.or(content.to);
    content.review_due = told.review_due.or(content.review_due);
    if !told.subjects.is_empty() {
        content.subjects.clone_from(&told.subjects);
    }
    for goal in &told.goals {
        content.goals.retain(|known| known.id != goal.id);
        content.goals.push(goal.clone());
    }
    for activity in &told.activities {
        content.activities.retain(|known| known.id != activity.id);
        content.activities.push(activity.clone());
    }
    for line in &told.fundings {
        content
            .fundings
            .retain(|known| known.category != line.category || known.payer != line.payer);
        content.fundings.push(line.clone());
    }
}

async fn keep_and_tell(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    mut document: PlanDoc,
    change: PlanContent,
) -> Result<Applied, StoreError> {
    let now = core.clock.now();
    document.updated_at = event.told.occurred_at;
    document.sensitivity = document.sensitivity.then(Sensitivity::of(event));
    let scene = exchange::scene(tx, &event.system, &document.content.subjects).await?;
    document.episode = scene
        .as_ref()
        .map(|scene| scene.episode.id)
        .or(document.episode);
    tx.put(&document, now).await?;
    let (Some(scene), Some(owner)) = (scene, core.organization_of(&event.system)) else {
        return Ok(Applied::Done);
    };
    for (recipient, referral) in recipients(tx, &scene, &event.system).await? {
        let body = view(core, owner.clone(), &document, &change, referral.as_ref());
        let items = items(core, &event.system, &change, &document.sensitivity);
        exchange::tell_one(
            core,
            tx,
            &scene,
            &event.system,
            &recipient,
            &items,
            &OutboundBody::Plan(Box::new(body)),
            now,
        )
        .await?;
    }
    overlay::line_up(core, tx, &scene, event, now).await?;
    Ok(Applied::Done)
}

/// Who is told of a plan: the co-managing programmes, and whoever serves the family under a referral.
async fn recipients(
    tx: &mut Tx,
    scene: &Scene,
    owner: &SystemId,
) -> Result<Vec<(SystemId, Option<ReferralDoc>)>, StoreError> {
    let mut told: BTreeSet<SystemId> = scene.episode.told_by(owner).into_iter().collect();
    let mut found: Vec<(SystemId, Option<ReferralDoc>)> =
        told.iter().map(|system| (system.clone(), None)).collect();
    for person in &scene.persons {
        for document in tx
            .find::<ReferralDoc>("referral.person", &person.to_string())
            .await?
        {
            let is_serving = matches!(
                document.state.status(),
                Some(
                    ReferralStatus::Accepted | ReferralStatus::InProgress | ReferralStatus::OnHold
                )
            );
            if let Some(target) = document
                .target
                .clone()
                .filter(|target| is_serving && target != owner)
                && told.insert(target.clone())
            {
                found.push((target, Some(document)));
            }
        }
    }
    Ok(found)
}

fn view(
    core: &Core,
    owner: OrganizationId,
    document: &PlanDoc,
    change: &PlanContent,
    referral: Option<&ReferralDoc>,
) -> PlanView {
    PlanView {
        plan: document.content.plan.clone(),
        plan_type: document.content.plan_type,
        owner: Party {
            name: core.name_of(&owner),
            id: owner,
        },
        version: document.content.version,
        status: document.content.status,
        goals: change.goals.clone(),
        activities: change.activities.clone(),
        fundings: change.fundings.clone(),
        from: document.content.from,
        to: document.content.to,
        updated_at: document.updated_at,
        referral: referral.map(|one| one.id),
        referral_resource: referral.and_then(|one| one.target_resources.first().cloned()),
    }
}

/// One element group for the plan as such, and one for each object in it.
fn items(
    core: &Core,
    owner: &SystemId,
    change: &PlanContent,
    told: &Sensitivity,
) -> Vec<ProposedItem> {
    let base = core.category(owner, told);
    let mut items = exchange::items(core, owner, told);
    let Some(source) = core.organization_of(owner) else {
        return items;
    };
    for (place, goal) in change.goals.iter().enumerate() {
        let category = compose::category(base, goal.domain);
        items.push(compose::item(
            format!("goal-{place}"),
            Part::Goal(goal.id.clone()),
            category,
            &source,
            None,
        ));
    }
    for (place, activity) in change.activities.iter().enumerate() {
        let category = compose::category(base, activity.domain);
        let part = Part::Activity(activity.id.clone());
        items.push(compose::item(
            format!("activity-{place}"),
            part,
            category,
            &source,
            None,
        ));
    }
    for place in 0..change.fundings.len() {
        items.push(compose::item(
            format!("funding-{place}"),
            Part::Funding(place),
            base,
            &source,
            None,
        ));
    }
    compose::label(&mut items, told);
    items
}
