//! What follows when consent is captured, verified, revoked or ends by itself: drafts that waited are asked, open referrals without a
//! basis are cancelled, holders of copies are told to stop, and what still waits is decided again before its attempt.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_coordination::referral::Move;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::Effect;
use tandem_mappings::model::event::{Body, ConsentTold};
use tandem_mappings::model::id::{MessageId, PersonId, RecordKey};
use tandem_mappings::model::referral::{ReasonCode, ReferralRole, ReferralStatus};

use super::core::Core;
use super::recalling::{self, Recalls};
use super::{basis, family, mutual, referrals, tell};
use crate::state::directive::DirectiveDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{StoreError, Tx};

mod capture;
pub mod heard;
mod moves;
mod revoke;

pub use self::capture::{Captured, capture, verify};
pub use self::moves::{Step, authority_ended, covering, go, look_soon};
pub use self::revoke::{Taken, revoke, revoke_scope};

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
    /// It does not become what is asked from where it stands.
    #[error("a consent that is {from} does not become {to}")]
    Move {
        /// Where it stands.
        from: &'static str,
        /// Where it should stand.
        to: &'static str,
    },
    /// It names words that nobody could sign yet when it began to count.
    #[error(
        "the form in this version came into use later than the consent counts from: it needs a signature of its own"
    )]
    OtherForm,
    /// What should take its place is not in force, or is the same.
    #[error("no other consent of this id is in force to take its place")]
    NoSuccessor,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ConsentError {
    /// Whether a step was refused for what stands, which is audited: the reason as a code.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        match self {
            Self::Exists => Some("exists".to_owned()),
            Self::SamePerson => Some("same-person".to_owned()),
            Self::Standing(standing) => Some(format!("stands {standing}")),
            Self::Move { from, to } => Some(format!("{from} to {to}")),
            Self::OtherForm => Some("other-form".to_owned()),
            Self::NoSuccessor => Some("no-successor".to_owned()),
            Self::Unknown | Self::NobodyCovered | Self::Store(_) => None,
        }
    }
}

/// Does what follows from a directive's saying something else than before.
pub(super) async fn follow(
    core: &Core,
    tx: &mut Tx,
    before: Option<Effect>,
    after: &DirectiveDoc,
    why: Narrowing,
    now: Timestamp,
) -> Result<Recalls, StoreError> {
    let says = after.directive.says();
    let (permit, deny) = (Some(Effect::Permit), Some(Effect::Deny));
    let is_narrower = (before == permit && says != permit) || (before != deny && says == deny);
    let is_wider = (before == deny && says != deny) || (before != permit && says == permit);
    let mut recalls = Recalls::default();
    if is_narrower {
        recalls = Box::pin(narrowed(core, tx, &after.covers, why, now)).await?;
    }
    if is_wider {
        Box::pin(widened(core, tx, &after.covers, now)).await?;
    }
    Ok(recalls)
}

/// Records in the log of events what became of a directive.
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
    tx.consent_changed().await?;
    core.record(tx, body(Box::new(told)), now).await
}

/// The people to whom the covered records belong.
pub(in crate::pipeline) async fn persons_of(
    tx: &mut Tx,
    covers: &[RecordKey],
) -> Result<BTreeSet<PersonId>, StoreError> {
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

/// Less may be told: open referrals without a basis are cancelled, holders of copies are told to stop. Of people of whom much
/// was told that is begun here, and the gateway goes on with it.
pub(crate) async fn narrowed(
    core: &Core,
    tx: &mut Tx,
    covers: &[RecordKey],
    why: Narrowing,
    now: Timestamp,
) -> Result<Recalls, StoreError> {
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
    }
    recalling::begin(core, tx, &persons, now).await
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
