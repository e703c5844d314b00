//! Match queries of a system about its own records: does it know this person already, perhaps twice?
//!
//! The answer comes from an index that holds this system's records and no other's, so nothing in it, neither a hit nor
//! the time that it takes, depends on what others know. It tells the asker what the asker has told; it is no
//! disclosure, and no decision is recorded.

use serde::Serialize;
use tandem_mappings::model::id::SystemId;
use tandem_mappings::model::person::PersonRecord;
use tandem_matching::Candidate;
use utoipa::ToSchema;

use super::match_query::asked;
use super::problem::ApiError;
use crate::pipeline::core::Core;

/// A record of the asker's own system.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OwnFound {
    /// The person's id in that system.
    pub source_person_id: String,
    /// `link`: so sure that the gateway would link the two. `review`: somebody should look.
    pub decision: &'static str,
}

/// The asker's own records that may be of this person, best first.
///
/// # Errors
/// When the system is not set up to ask.
pub(super) async fn answer(
    core: &Core,
    asker: &SystemId,
    person: &PersonRecord,
) -> Result<Vec<OwnFound>, ApiError> {
    let record = asked(asker, person)?;
    core.catch_up().await?;
    let found = core.matcher.lock().await.own_candidates(&record);
    let found = found.ok_or_else(|| {
        ApiError::Invalid(
            "scope: own is not set up for this system (own_matches in its configuration)"
                .to_owned(),
        )
    })?;
    Ok(found.iter().map(told).collect())
}

fn told(candidate: &Candidate) -> OwnFound {
    OwnFound {
        source_person_id: candidate.key.id.clone(),
        decision: candidate.decision.label(),
    }
}
