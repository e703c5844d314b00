//! The person takes something back: it counts from now, by whatever channel it came.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::{Directive, DirectiveState, Effect, Moment, Revocation};
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{DirectiveId, PersonId};

use super::moves::about;
use super::{ConsentError, Narrowing, narrowed, told, widened};
use crate::pipeline::core::Core;
use crate::pipeline::recalling::Recalls;
use crate::state::directive::DirectiveDoc;
use crate::store::Tx;

/// What is taken back; an empty part means all of it.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    /// The categories.
    pub categories: BTreeSet<Category>,
    /// The recipients who may not be told any more.
    pub recipients: BTreeSet<String>,
    /// The sources that may not tell any more.
    pub disclosers: BTreeSet<String>,
    /// How it reached the officer.
    pub channel: Option<String>,
}

impl Taken {
    /// What it takes from one directive; `None` when it does not concern it.
    fn of(&self, directive: &Directive, now: Timestamp) -> Option<Revocation> {
        let categories: BTreeSet<Category> = self
            .categories
            .intersection(&directive.categories)
            .copied()
            .collect();
        let misses = |asked: &BTreeSet<String>, named: &BTreeSet<String>, by_name: bool| {
            !asked.is_empty() && by_name && named.is_disjoint(asked)
        };
        let (recipients, disclosers) = (&directive.recipients, &directive.disclosers);
        let only_names = |parties: &tandem_mappings::model::directive::Parties| {
            parties.class.is_empty()
                && parties.team.is_empty()
                && parties.all_participants_at_date.is_none()
        };
        let is_elsewhere = (!self.categories.is_empty() && categories.is_empty())
            || misses(&self.recipients, &recipients.named, only_names(recipients))
            || misses(&self.disclosers, &disclosers.named, only_names(disclosers));
        if is_elsewhere {
            return None;
        }
        let all = categories == directive.categories;
        Some(Revocation {
            received_at: Moment::Instant(now),
            channel: self.channel.clone(),
            // What takes all that there is takes the whole.
            categories: if all { BTreeSet::new() } else { categories },
            recipients: whole_or(&self.recipients, &recipients.named, only_names(recipients)),
            disclosers: whole_or(&self.disclosers, &disclosers.named, only_names(disclosers)),
        })
    }
}

fn whole_or(asked: &BTreeSet<String>, named: &BTreeSet<String>, by_name: bool) -> BTreeSet<String> {
    if by_name && named.is_subset(asked) {
        BTreeSet::new()
    } else {
        asked.clone()
    }
}

/// The person takes a directive back, wholly or in part. It counts from now.
///
/// # Errors
/// When there is no such directive in force, it does not hold what is taken back, or the store fails.
pub async fn revoke(
    core: &Core,
    tx: &mut Tx,
    id: &DirectiveId,
    taken: &Taken,
    actor: &str,
) -> Result<(DirectiveDoc, Recalls), ConsentError> {
    let now = core.clock.now();
    let mut document = tx
        .get::<DirectiveDoc>(id.as_str())
        .await?
        .ok_or(ConsentError::Unknown)?;
    let standing = document.directive.standing();
    if !standing.may_become(DirectiveState::Revoked) {
        return Err(ConsentError::Standing(standing.code()));
    }
    let Some(revocation) = taken.of(&document.directive, now) else {
        return Err(ConsentError::Standing("about something else"));
    };
    let was = document.directive.says();
    take_back(core, tx, &mut document, revocation, actor, now).await?;
    if was == Some(Effect::Deny) {
        // Whoever takes a refusal back opens again what nothing else closes.
        widened(core, tx, &document.covers, now).await?;
        return Ok((document, Recalls::default()));
    }
    let recalls = narrowed(core, tx, &document.covers, Narrowing::Revoked, now).await?;
    Ok((document, recalls))
}

/// The person takes back a permission wherever it was given: every directive that permits it, not one row.
///
/// # Errors
/// When the store fails.
pub async fn revoke_scope(
    core: &Core,
    tx: &mut Tx,
    person: PersonId,
    taken: &Taken,
    actor: &str,
) -> Result<(Vec<DirectiveDoc>, Recalls), ConsentError> {
    let now = core.clock.now();
    let mut changed = Vec::new();
    for mut document in about(tx, person).await? {
        let directive = &document.directive;
        let is_permit = directive.effect == Effect::Permit
            && directive.standing().may_become(DirectiveState::Revoked);
        let Some(revocation) = taken.of(directive, now).filter(|_| is_permit) else {
            continue;
        };
        take_back(core, tx, &mut document, revocation, actor, now).await?;
        changed.push(document);
    }
    let covers: BTreeSet<_> = changed.iter().flat_map(|one| one.covers.clone()).collect();
    let covers: Vec<_> = covers.into_iter().collect();
    let recalls = narrowed(core, tx, &covers, Narrowing::Revoked, now).await?;
    Ok((changed, recalls))
}

/// Records a revocation in a directive.
async fn take_back(
    core: &Core,
    tx: &mut Tx,
    document: &mut DirectiveDoc,
    revocation: Revocation,
    actor: &str,
    now: Timestamp,
) -> Result<(), ConsentError> {
    document.next_version();
    let directive = &mut document.directive;
    let categories = revocation.categories.clone();
    let is_whole = revocation.is_whole();
    let earlier = directive.revocation.replace(revocation);
    directive.earlier_revocations.extend(earlier);
    if is_whole {
        directive.state = Some(DirectiveState::Revoked);
        document.because = None;
    }
    tx.put(document, now).await?;
    let detail = if is_whole { "whole" } else { "partial" };
    let id = document.directive.id.as_str().to_owned();
    tx.audit(now, actor, "consent.revoke", &id, detail).await?;
    told(core, tx, document, categories, Body::ConsentRevoked, now).await?;
    Ok(())
}
