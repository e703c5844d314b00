//! Putting rules in force: at the start of the gateway, and when the instant of a scheduled bundle comes.

use std::sync::Arc;

use jiff::Timestamp;
use tandem_consent::{Bundle, BundleError};

use super::approval::{ApprovalError, check};
use super::signers::{Signers, SignersError};
use crate::config::Config;
use crate::pipeline::core::{Core, GATEWAY_SYSTEM};
use crate::pipeline::reconsidering;
use crate::pipeline::replay::{Bundles, ReplayError};
use crate::store::{ActivationRow, Evidence, EvidenceKind, Store, StoreError, Tx};

/// Why rules were not put in force, or not scheduled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActivationError {
    /// They do not pass their checks.
    #[error("the rules do not pass their checks: {0}")]
    Bundle(#[from] BundleError),
    /// The people who must sign have not.
    #[error(transparent)]
    Approval(#[from] ApprovalError),
    /// The signers cannot be read.
    #[error("policy.signers: {0}")]
    Signers(#[from] SignersError),
    /// The instant has passed.
    #[error("the rules are to count from {0}, which has passed")]
    Past(Timestamp),
    /// They are for another county.
    #[error("the rules are those of {found}, not of {expected}")]
    Elsewhere {
        /// Whose rules they are.
        found: String,
        /// Whose they should be.
        expected: String,
    },
    /// They are scheduled already.
    #[error("these rules are scheduled for that instant already")]
    Scheduled,
    /// The rules that should be in force are not as they were recorded.
    #[error("the rules in force cannot be read back: {0}")]
    Kept(#[from] ReplayError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The rules with which a gateway starts: those activated last, else those of its configuration. Where the county has
/// signers, rules of the configuration need their signatures as well.
///
/// # Errors
/// When the rules in force cannot be read back, or those of the configuration are not signed for.
pub async fn in_force(
    config: &Config,
    configured: Bundle,
    store: &Store,
    now: Timestamp,
) -> Result<Arc<Bundle>, ActivationError> {
    let mut tx = store.snapshot().await?;
    let activations = tx.activations().await?;
    if let Some(row) = activations.iter().find(|row| row.effective_at <= now) {
        let bundle = Bundles::default().get(&mut tx, &row.bundle).await?;
        if configured.hash() != bundle.hash() {
            tracing::info!(
                in_force = bundle.hash(),
                configured = configured.hash(),
                "the rules of the configuration are not in force: activated ones are"
            );
        }
        return Ok(bundle);
    }
    if let Some(file) = &config.policy.signers {
        let signers = Signers::read(file)?;
        let notes = config.policy.notes().map_err(SignersError::Unreadable)?;
        let approved = check(configured.hash(), &notes, &signers)?;
        if approved.effective_at > now {
            return Err(ActivationError::Past(approved.effective_at));
        }
    }
    Ok(Arc::new(configured))
}

/// Records that rules are to count from the instant for which author and approver have signed. Where the county has no
/// signers, `effective_at` says from when.
///
/// # Errors
/// [`ActivationError`]; then nothing is recorded.
pub async fn schedule(
    core: &Core,
    tx: &mut Tx,
    bundle: &Bundle,
    approvals: Vec<String>,
    effective_at: Timestamp,
    actor: &str,
) -> Result<ActivationRow, ActivationError> {
    let now = core.clock.now();
    let expected = core.loaded.config.jurisdiction.as_str();
    if let Some(found) = bundle.jurisdiction().filter(|found| *found != expected) {
        let (found, expected) = (found.to_owned(), expected.to_owned());
        return Err(ActivationError::Elsewhere { found, expected });
    }
    let mut who = String::new();
    if let Some(file) = &core.loaded.config.policy.signers {
        let approved = check(bundle.hash(), &approvals, &Signers::read(file)?)?;
        if approved.effective_at != effective_at {
            return Err(ApprovalError::OtherInstant.into());
        }
        who = format!("author={} approver={}", approved.author, approved.approver);
    }
    if effective_at < now {
        return Err(ActivationError::Past(effective_at));
    }
    let row = ActivationRow {
        effective_at,
        bundle: bundle.hash().to_owned(),
        approvals,
        recorded_at: now,
        recorded_by: actor.to_owned(),
        started_at: None,
    };
    let is_known = |known: &ActivationRow| {
        known.effective_at == row.effective_at && known.bundle == row.bundle
    };
    if tx.activations().await?.iter().any(is_known) {
        return Err(ActivationError::Scheduled);
    }
    let rules = Evidence {
        kind: EvidenceKind::Bundle,
        hash: row.bundle.clone(),
        content: bundle.to_stored(),
    };
    tx.keep(&rules, now).await?;
    tx.add_activation(&row).await?;
    tx.audit(now, actor, "policy.schedule", &row.bundle, &who)
        .await?;
    Ok(row)
}

/// Puts rules in force whose instant has come. Returns when the next ones count.
///
/// # Errors
/// When the rules cannot be read back or the store fails; then those in force stay.
pub async fn look(core: &Core) -> Result<Option<Timestamp>, ActivationError> {
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    let activations = tx.activations().await?;
    let next = activations
        .iter()
        .map(|row| row.effective_at)
        .filter(|at| *at > now)
        .min();
    let due = activations.iter().find(|row| row.effective_at <= now);
    let Some(row) = due.filter(|row| row.started_at.is_none()) else {
        return Ok(next);
    };
    let bundle = Bundles::default().get(&mut tx, &row.bundle).await?;
    let before = core.judge.bundle();
    tx.start_activation(row, now).await?;
    tx.audit(
        now,
        GATEWAY_SYSTEM,
        "policy.activate",
        &row.bundle,
        before.hash(),
    )
    .await?;
    tx.consent_changed().await?;
    reconsidering::begin(&mut tx, &row.bundle, now).await?;
    // Nothing else is decided in a turn while this one is open, and what comes after it is decided by the new rules.
    core.judge.put_in_force(bundle);
    if let Err(error) = tx.commit().await {
        core.judge.put_in_force(before);
        return Err(error.into());
    }
    core.rules.notify_one();
    core.wake();
    Ok(next)
}

/// Takes over the rules that another gateway on the same store has put in force.
///
/// # Errors
/// When the rules cannot be read back or the store fails; then those known here stay, and nothing is decided by them.
pub async fn follow(core: &Core) -> Result<(), ActivationError> {
    let mut tx = core.store.snapshot().await?;
    let Some(hash) = tx.started_rules().await? else {
        return Ok(());
    };
    if hash != core.judge.bundle().hash() {
        let bundle = Bundles::default().get(&mut tx, &hash).await?;
        core.judge.put_in_force(bundle);
        tracing::info!(
            rules = hash,
            "the rules that another gateway put in force count here too"
        );
    }
    Ok(())
}
