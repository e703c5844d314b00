//! What is told by id alone: a source says that a stay, the end of a stay, or a referral is gone, or that a stay is more
//! sensitive than it had said, and nothing else of it, because nobody can tell from its package who ran the project.
//! Whoever knows the id follows; of an id that was never seen nothing is kept, not even that it was named.

use tandem_mappings::model::event::{Body, Event, NewEvent};
use tandem_mappings::model::id::{SourceCaseId, SystemId};
use tandem_mappings::model::involvement::Involvement;
use tandem_mappings::model::referral::ReferralUpdate;

use super::referrals;
use crate::state::involvement::InvolvementDoc;
use crate::state::sensitivity::Sensitivity;
use crate::store::{StoreError, Tx};

/// Status of a stay that its source deleted.
const DELETED: &str = "deleted";

/// Whether an event names nothing but an id: no person, no project, no day, no category. What raises a stay names the
/// category that it calls for.
#[must_use]
pub fn is_by_id_alone(told: &NewEvent) -> bool {
    let names_nobody = told.source_person_id.is_none() && told.source_household_id.is_none();
    let is_bare = names_nobody && told.category.is_none() && told.original.is_none();
    if matches!(told.body, Body::EnrollmentSensitive(_)) {
        return names_nobody;
    }
    is_bare
        && match &told.body {
            Body::EnrollmentActive(stay) | Body::EnrollmentEnded(stay) => is_bare_stay(stay),
            Body::ReferralCancelled(update) => is_bare_update(update),
            _ => false,
        }
}

fn is_bare_stay(stay: &Involvement) -> bool {
    let has_days = stay.from.is_some() || stay.to.is_some();
    let has_details = stay.worker.is_some() || stay.project.is_some() || stay.original.is_some();
    stay.people.is_empty() && !has_days && !has_details
}

/// A sender that tells a deletion by id alone does not know whether the id is the source's or the target's: it gives
/// both.
fn is_bare_update(update: &ReferralUpdate) -> bool {
    let reference = &update.referral;
    reference.source_ref.is_some()
        && reference.source_ref == reference.target_ref
        && update.original.is_none()
}

/// Whether what is told by id alone is of something that was seen: a stay, a referral, or a request that is parked.
///
/// # Errors
/// When the store fails.
pub async fn is_known(tx: &mut Tx, system: &SystemId, told: &NewEvent) -> Result<bool, StoreError> {
    let is_known_stay = async |tx: &mut Tx, case: &SourceCaseId| {
        let key = InvolvementDoc::key_of(system, case.as_str());
        Ok::<_, StoreError>(tx.get::<InvolvementDoc>(&key).await?.is_some())
    };
    match &told.body {
        Body::EnrollmentActive(stay) | Body::EnrollmentEnded(stay) => {
            is_known_stay(tx, &stay.case).await
        }
        Body::EnrollmentSensitive(stay) => is_known_stay(tx, &stay.case).await,
        Body::ReferralCancelled(update) => {
            let found = referrals::resolve(tx, system, &update.referral).await?;
            let is_of_sender = found.is_some_and(|known| {
                known.source == *system || known.target.as_ref() == Some(system)
            });
            Ok(is_of_sender || is_parked(tx, system, update).await?)
        }
        _ => Ok(true),
    }
}

async fn is_parked(
    tx: &mut Tx,
    system: &SystemId,
    update: &ReferralUpdate,
) -> Result<bool, StoreError> {
    let parked = tx.parked_requests().await?;
    Ok(parked.iter().any(|one| match &one.event.told.body {
        Body::ReferralDrafted(request) | Body::ReferralRequested(request) => {
            one.event.system == *system && request.referral.source_ref == update.referral.source_ref
        }
        _ => false,
    }))
}

/// What is known of a stay after a deletion by its id; `None` when that changes nothing: the end of a stay that is open,
/// or that was deleted itself, is no news.
#[must_use]
pub fn of_stay(known: &InvolvementDoc, told: &Involvement, is_open: bool) -> Option<Involvement> {
    let was_deleted = known.told.status.as_deref() == Some(DELETED);
    if is_open && (known.is_open || was_deleted) {
        return None;
    }
    let mut stay = known.told.clone();
    stay.status.clone_from(&told.status);
    if is_open {
        // They told of the end that is gone.
        (stay.to, stay.original) = (None, None);
    }
    Some(stay)
}

/// The event as if it had said how sensitive the thing is.
#[must_use]
pub fn marked(event: &Event, known: &Sensitivity) -> Event {
    let mut event = event.clone();
    event.told.category = known.category;
    event.told.labels = known.labels.iter().cloned().collect();
    event
}
