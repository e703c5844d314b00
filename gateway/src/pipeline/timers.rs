//! Looks after the timers of open referrals. A timer flags; it never moves a state.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tandem_coordination::calendar::Calendar;
use tandem_coordination::timers::{TimerSettings, running_timers};
use tandem_mappings::model::event::Body;
use tandem_mappings::model::referral::{ReferralRef, ReferralTimer};
use tokio_util::sync::CancellationToken;

use super::core::Core;
use crate::state::referral::ReferralDoc;
use crate::store::{StoreError, Tx};

/// How often to look.
const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Looks until cancelled.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    loop {
        if let Err(error) = look(&core).await {
            tracing::error!(%error, "the timers cannot be looked at");
        }
        let now = core.clock.now();
        tokio::select! {
            () = stop.cancelled() => return,
            () = core.clock.sleep_until(now.checked_add(EVERY).unwrap_or(now)) => {}
        }
    }
}

/// Flags every timer that has expired since the last look.
///
/// # Errors
/// When the store fails.
pub async fn look(core: &Core) -> Result<(), StoreError> {
    let now = core.clock.now();
    let calendar = Calendar::new(
        core.loaded.zone.clone(),
        core.loaded.config.holidays.iter().copied(),
    );
    let mut tx = core.store.begin().await?;
    for document in tx.all::<ReferralDoc>().await? {
        if document.state.is_open() {
            flag(core, &mut tx, document, &calendar, now).await?;
        }
    }
    tx.commit().await
}

async fn flag(
    core: &Core,
    tx: &mut Tx,
    mut document: ReferralDoc,
    calendar: &Calendar,
    now: Timestamp,
) -> Result<(), StoreError> {
    let expired: Vec<_> = running_timers(&document.state, &TimerSettings::default(), calendar)
        .into_iter()
        .filter(|timer| timer.is_expired(now))
        .collect();
    let mut is_new = false;
    for timer in expired {
        // A timer that starts again is another timer.
        let flagged = format!("{}@{}", timer.name.code(), timer.started);
        if !document.flagged.insert(flagged) {
            continue;
        }
        is_new = true;
        let told = ReferralTimer {
            referral: ReferralRef {
                id: Some(document.id),
                ..ReferralRef::default()
            },
            timer: timer.name.code().to_owned(),
            due: timer.due,
            expired: true,
        };
        core.record(tx, Body::ReferralTimer(Box::new(told)), now)
            .await?;
        tx.audit(
            now,
            core.gateway.as_str(),
            "referral.timer",
            &document.id.to_string(),
            timer.name.code(),
        )
        .await?;
        metrics::counter!("tandem_referral_timers_expired_total", "timer" => timer.name.code())
            .increment(1);
    }
    if is_new {
        tx.put(&document, now).await?;
    }
    Ok(())
}
