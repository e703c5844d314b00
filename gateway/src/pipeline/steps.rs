//! The five steps of service coordination, folded for a family's episode.

use tandem_coordination::steps::StepFact;
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::SourcePersonId;

use super::core::Core;
use super::exchange;
use crate::store::{StoreError, Tx};

/// Takes what an event says about the steps into the family's episode. Whether a family goes on is the lead's decision:
/// a step left before its work was done is flagged, not refused.
///
/// # Errors
/// When the store fails.
pub async fn fold(core: &Core, tx: &mut Tx, event: &Event) -> Result<(), StoreError> {
    let facts = StepFact::of(event);
    if facts.is_empty() {
        return Ok(());
    }
    let Some(mut scene) = exchange::scene(tx, &event.system, people(&event.told.body)).await?
    else {
        return Ok(());
    };
    let now = core.clock.now();
    let episode = scene.episode.id.to_string();
    for fact in facts {
        match scene.episode.steps.apply(&fact) {
            Ok(None) => {}
            Ok(Some(undone)) => {
                tx.audit(
                    now,
                    core.gateway.as_str(),
                    "step.left-undone",
                    &episode,
                    undone.code(),
                )
                .await?;
            }
            Err(refused) => {
                tx.audit(
                    now,
                    core.gateway.as_str(),
                    "step.refused",
                    &episode,
                    &refused.to_string(),
                )
                .await?;
            }
        }
    }
    tx.put(&scene.episode, now).await
}

/// The people about whom an event tells something of the steps.
#[must_use]
pub fn people(body: &Body) -> &[SourcePersonId] {
    match body {
        Body::AssessmentRecorded(told) => &told.people,
        Body::PlanAgreed(told) => &told.subjects,
        Body::ReferralRequested(told) => &told.subjects,
        Body::ServiceDelivered(told) => std::slice::from_ref(&told.person),
        Body::MeetingHeld(told) => &told.people,
        Body::CoordinationStep(told) | Body::CoordinationIntensity(told) => &told.people,
        _ => &[],
    }
}
