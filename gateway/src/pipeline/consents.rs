//! What follows when consent is captured, verified, revoked or ends by itself: drafts that waited are asked, open referrals without a
//! basis are cancelled, holders of copies are told to stop, and what still waits is decided again before its attempt.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_coordination::referral::Move;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::{Directive, DirectiveState, Effect, Moment, Revocation};
use tandem_mappings::model::event::{Body, ConsentTold};
use tandem_mappings::model::id::{DirectiveId, MessageId, PersonId, RecordKey};
use tandem_mappings::model::referral::{ReasonCode, ReferralRole, ReferralStatus};

use super::core::Core;
use super::{basis, family, mutual, recall, referrals, tell};
use crate::state::directive::DirectiveDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{StoreError, Tx};

/// Why less may be told than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrowing {
    /// The person took it back, or said no.
    Revoked,
    /// It ended by itself.
    Expired,
}

/// Why a directive was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// No directive has this id.
    #[error("no consent has this id")]
    Unknown,
    /// A directive of this id exists with other content.
    #[error("a consent with this id exists: capture a new one, or revoke it")]
    Exists,
    /// It covers nobody whom the gateway knows.
    #[error("none of the people is known to the gateway")]
    NobodyCovered,
    /// Who captured it may not verify it.
    #[error("whoever captured a consent cannot verify it")]
    SamePerson,
    /// It does not stand where the step needs it.
    #[error("the consent is {0}")]
    Standing(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Captures a directive for the people whom it covers. Unverified, it opens nothing sensitive.
///
/// # Errors
/// When the id is taken, nobody is covered, or the store fails.
pub async fn capture(
    core: &Core,
    tx: &mut Tx,
    mut directive: Directive,
    covers: Vec<RecordKey>,
    actor: &str,
) -> Result<DirectiveDoc, ConsentError> {
    let now = core.clock.now();
    if let Some(known) = tx.get::<DirectiveDoc>(directive.id.as_str()).await? {
        return if known.directive == directive {
            Ok(known)
        } else {
            Err(ConsentError::Exists)
        };
    }
    if persons_of(tx, &covers).await?.is_empty() {
        return Err(ConsentError::NobodyCovered);
    }
    // Who captures and who verifies is what the gateway saw, not what the form claims.
    directive.captured_by = Some(actor.to_owned());
    directive.captured_at = Some(Moment::Instant(now));
    (directive.verified_by, directive.verified_at) = (None, None);
    if directive.effect == Effect::Permit {
        directive.state = Some(DirectiveState::SignedUnverified);
    }
    let document = DirectiveDoc {
        directive,
        covers,
        captured_by: actor.to_owned(),
        captured_at: now,
        link_version: tx.last_position().await?,
        history: Vec::new(),
    };
    tx.put(&document, now).await?;
    tx.audit(
        now,
        actor,
        "consent.capture",
        document.directive.id.as_str(),
        "",
    )
    .await?;
    if document.directive.effect == Effect::Deny {
        told(
            core,
            tx,
            &document,
            BTreeSet::new(),
            Body::ConsentRefused,
            now,
        )
        .await?;
        Box::pin(narrowed(
            core,
            tx,
            &document.covers,
            Narrowing::Revoked,
            now,
        ))
        .await?;
    } else {
        told(
            core,
            tx,
            &document,
            BTreeSet::new(),
            Body::ConsentOffered,
            now,
        )
        .await?;
    }
    Ok(document)
}

/// A second person verifies a directive: it takes effect.
///
/// # Errors
/// When it does not wait for verification, the verifier captured it, or the store fails.
pub async fn verify(
    core: &Core,
    tx: &mut Tx,
    id: &DirectiveId,
    actor: &str,
) -> Result<DirectiveDoc, ConsentError> {
    let now = core.clock.now();
    let mut document = tx
        .get::<DirectiveDoc>(id.as_str())
        .await?
        .ok_or(ConsentError::Unknown)?;
    let standing = document.directive.standing();
    if standing != DirectiveState::SignedUnverified {
        return Err(ConsentError::Standing(standing.code()));
    }
    if document.captured_by == actor {
        return Err(ConsentError::SamePerson);
    }
    document.directive.verified_by = Some(actor.to_owned());
    document.directive.verified_at = Some(Moment::Instant(now));
    document.directive.state = Some(DirectiveState::Active);
    tx.put(&document, now).await?;
    tx.audit(now, actor, "consent.verify", id.as_str(), "")
        .await?;
    told(
        core,
        tx,
        &document,
        BTreeSet::new(),
        Body::ConsentGranted,
        now,
    )
    .await?;
    widened(core, tx, &document.covers, now).await?;
    Ok(document)
}

/// The person takes a directive back, wholly or for some categories. It counts from now.
///
/// # Errors
/// When there is no such directive in force, or the store fails.
pub async fn revoke(
    core: &Core,
    tx: &mut Tx,
    id: &DirectiveId,
    categories: BTreeSet<Category>,
    channel: Option<String>,
    actor: &str,
) -> Result<(DirectiveDoc, Vec<MessageId>), ConsentError> {
    let now = core.clock.now();
    let mut document = tx
        .get::<DirectiveDoc>(id.as_str())
        .await?
        .ok_or(ConsentError::Unknown)?;
    let standing = document.directive.standing();
    let can_revoke = matches!(
        standing,
        DirectiveState::Active
            | DirectiveState::Expiring
            | DirectiveState::SignedUnverified
            | DirectiveState::Suspended
    );
    if !can_revoke {
        return Err(ConsentError::Standing(standing.code()));
    }
    document.history.push(document.directive.clone());
    let directive = &mut document.directive;
    directive.prior_version = Some(directive.version);
    directive.version += 1;
    let earlier = directive
        .revocation
        .take()
        .map(|one| one.categories)
        .unwrap_or_default();
    let is_partial = !categories.is_empty();
    let all: BTreeSet<Category> = earlier.union(&categories).copied().collect();
    directive.revocation = Some(Revocation {
        received_at: Moment::Instant(now),
        channel,
        categories: if is_partial { all } else { BTreeSet::new() },
        recipients: BTreeSet::new(),
    });
    if !is_partial {
        directive.state = Some(DirectiveState::Revoked);
    }
    tx.put(&document, now).await?;
    tx.audit(
        now,
        actor,
        "consent.revoke",
        id.as_str(),
        if is_partial { "partial" } else { "whole" },
    )
    .await?;
    told(core, tx, &document, categories, Body::ConsentRevoked, now).await?;
    let recalled = narrowed(core, tx, &document.covers, Narrowing::Revoked, now).await?;
    Ok((document, recalled))
}

pub(super) async fn told(
    core: &Core,
    tx: &mut Tx,
    document: &DirectiveDoc,
    categories: BTreeSet<Category>,
    body: fn(Box<ConsentTold>) -> Body,
    now: Timestamp,
) -> Result<(), StoreError> {
    let told = ConsentTold {
        directive: document.directive.id.clone(),
        version: document.directive.version,
        categories: categories.into_iter().collect(),
        reason: None,
    };
    core.record(tx, body(Box::new(told)), now).await
}

async fn persons_of(tx: &mut Tx, covers: &[RecordKey]) -> Result<BTreeSet<PersonId>, StoreError> {
    let mut persons = BTreeSet::new();
    for key in covers {
        if let Some(record) = family::record(tx, &key.system, &key.person).await? {
            persons.insert(record.person_id);
        }
    }
    Ok(persons)
}

/// More may be told: notices that were withheld, drafts that waited.
pub(crate) async fn widened(
    core: &Core,
    tx: &mut Tx,
    covers: &[RecordKey],
    now: Timestamp,
) -> Result<(), StoreError> {
    let persons = persons_of(tx, covers).await?;
    basis::consent_changed(core, tx, &persons, false, now).await?;
    for person in persons {
        mutual::evaluate(core, tx, person, now).await?;
        for document in tx
            .find::<ReferralDoc>("referral.person", &person.to_string())
            .await?
        {
            if document.state.status() == Some(ReferralStatus::Draft) {
                referrals::retry_draft(core, tx, document).await?;
            }
        }
    }
    Ok(())
}

/// Less may be told: open referrals without a basis are cancelled, holders of copies are told to stop.
pub(crate) async fn narrowed(
    core: &Core,
    tx: &mut Tx,
    covers: &[RecordKey],
    why: Narrowing,
    now: Timestamp,
) -> Result<Vec<MessageId>, StoreError> {
    let mut recalled = Vec::new();
    let persons = persons_of(tx, covers).await?;
    let is_revoked = why == Narrowing::Revoked;
    basis::consent_changed(core, tx, &persons, is_revoked, now).await?;
    for person in &persons {
        for document in tx
            .find::<ReferralDoc>("referral.person", &person.to_string())
            .await?
        {
            cancel_without_basis(core, tx, document, why, now).await?;
        }
        recalled.extend(recall::no_longer_permitted(core, tx, *person, now).await?);
    }
    // A notice about several people is recalled whole: who may still be told of is told of again.
    for person in persons {
        mutual::evaluate(core, tx, person, now).await?;
    }
    Ok(recalled)
}

async fn cancel_without_basis(
    core: &Core,
    tx: &mut Tx,
    document: ReferralDoc,
    why: Narrowing,
    now: Timestamp,
) -> Result<(), StoreError> {
    let is_asked =
        document.state.is_open() && document.state.status() != Some(ReferralStatus::Draft);
    if !is_asked {
        return Ok(());
    }
    let Some(proposal) = referrals::request_proposal(core, tx, &document, None, now).await? else {
        return Ok(());
    };
    if tell::weigh(core, tx, MessageId(uuid::Uuid::nil()), &proposal, now)
        .await?
        .outbound
        .is_some()
    {
        return Ok(());
    }
    let reason = match why {
        Narrowing::Revoked => ReasonCode::ConsentRevoked,
        Narrowing::Expired => ReasonCode::ConsentExpired,
    };
    let wish = Move::new(ReferralStatus::Cancelled, ReferralRole::Gateway, now).because(reason);
    referrals::follow(core, tx, document, wish, &core.gateway).await?;
    Ok(())
}
