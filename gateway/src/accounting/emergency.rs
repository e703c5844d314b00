//! What an entry says of the emergency in which something was seen (specs consent 10; 42 CFR 2.51(c)).

use std::collections::BTreeSet;

use serde::Serialize;
use tandem_mappings::model::id::{MessageId, OrganizationId};
use utoipa::ToSchema;

use super::copy::Copy;
use crate::pipeline::core::Core;
use crate::state::break_glass::{BreakGlassDoc, Opened, Reason};
use crate::store::{StoreError, Tx};

/// The emergency in which something was seen.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Emergency {
    /// Its id, for privacy staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Who saw it: name and affiliation.
    pub seen_by: String,
    /// Why. A parent's copy leaves it out, since it may tell of a service to which a minor may consent alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The organisations that held it.
    pub disclosers: BTreeSet<String>,
    /// When it was seen once more.
    pub seen_again: Vec<String>,
}

/// The emergency of a disclosure, if it was made in one.
///
/// # Errors
/// When the store fails.
pub(super) async fn of(
    core: &Core,
    tx: &mut Tx,
    message: MessageId,
    copy: Copy,
) -> Result<Option<Emergency>, StoreError> {
    let Some(document) = tx.get::<BreakGlassDoc>(&message.to_string()).await? else {
        return Ok(None);
    };
    let grant = document.grant.as_ref();
    let holders = holders(core, &document, copy);
    let reads = grant.into_iter().flat_map(|grant| &grant.reads);
    Ok(Some(Emergency {
        id: (copy == Copy::Staff).then(|| document.id.to_string()),
        seen_by: document.name.clone(),
        reason: copy.shows_reasons().then_some(document.reason),
        disclosers: holders.iter().map(|one| core.name_of(one)).collect(),
        seen_again: reads.map(ToString::to_string).collect(),
    }))
}

/// The organisations that held what was seen, as far as a copy shows it.
#[must_use]
pub fn holders(core: &Core, document: &BreakGlassDoc, copy: Copy) -> BTreeSet<OrganizationId> {
    let records = document.grant.iter().flat_map(|grant| &grant.records);
    let is_shown = |one: &&Opened| one.categories.iter().any(|category| copy.shows(category));
    records
        .filter(is_shown)
        .filter_map(|one| core.organization_of(&one.record.system))
        .collect()
}
