//! Looks after the timers of open referrals, and after consents that end. A timer flags and asks; it never moves a state (specs coordination 3.2).
//!
//! Each expiry is handled once for each timer and start: it becomes a `referral.timer` event, and what follows is
//! decided by consent and carried in the recipient's own format like everything else. What cannot be told, or not
//! mended by telling, is for the operator.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tandem_adapter_port::format::Format;
use tandem_coordination::calendar::Calendar;
use tandem_coordination::timers::{Expiry, Timer, TimerName, TimerSettings, running_timers};
use tandem_mappings::model::event::Body;
use tandem_mappings::model::referral::{ReferralRef, ReferralRole, ReferralStatus, ReferralTimer};
use tokio_util::sync::CancellationToken;

use super::core::Core;
use super::expiries;
use super::timer_notice::{self, Told};
use super::{referrals, tell};
use crate::figures;
use crate::policy;
use crate::state::referral::ReferralDoc;
use crate::state::timer::ExpiredDoc;
use crate::store::{Document as _, Found, OutboxRow, OutboxState, StoreError, Tx};

/// How often to look.
const EVERY: SignedDuration = SignedDuration::from_hours(1);
/// Referrals that are read at once.
const PAGE: u32 = 200;
/// Name of the second look at a delivery that is not acknowledged.
const STILL_NOT_ACKNOWLEDGED: &str = "acknowledge-redelivery";

/// The names under which expiries are counted.
pub(crate) const NAMES: [&str; 7] = [
    TimerName::AcknowledgeDelivery.code(),
    STILL_NOT_ACKNOWLEDGED,
    TimerName::Decision.code(),
    TimerName::DecisionLimit.code(),
    TimerName::FirstContact.code(),
    TimerName::StatusRefresh.code(),
    TimerName::ClosureWindow.code(),
];

/// Looks until cancelled.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    loop {
        if let Err(error) = look(&core).await {
            tracing::error!(%error, "the timers cannot be looked at");
        }
        let next = expiries::look(&core).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the ends of consents cannot be looked at");
            None
        });
        let rules = policy::look(&core).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the rules that should count from now on cannot be put in force");
            None
        });
        let next = next.into_iter().chain(rules).min();
        let now = core.clock.now();
        let hour = now.checked_add(EVERY).unwrap_or(now);
        let until = next.map_or(hour, |next| next.min(hour));
        tokio::select! {
            () = stop.cancelled() => return,
            () = core.timers.notified() => {}
            () = core.clock.sleep_until(until) => {}
        }
    }
}

/// The calendar of the jurisdiction.
#[must_use]
pub fn calendar(core: &Core) -> Calendar {
    let holidays = core.loaded.config.holidays.iter().copied();
    Calendar::new(core.loaded.zone.clone(), holidays)
}

/// The timers of a referral that have expired at an instant, earliest due first. A delivery that was repeated and is
/// still not acknowledged has a timer of its own, as long as the first.
#[must_use]
pub fn expired(
    document: &ReferralDoc,
    settings: &TimerSettings,
    calendar: &Calendar,
    now: Timestamp,
) -> Vec<(&'static str, Timer)> {
    let mut found = Vec::new();
    for timer in running_timers(&document.state, settings, calendar) {
        found.push((timer.name.code(), timer));
        if timer.name == TimerName::AcknowledgeDelivery {
            let due = calendar.after_business_days(timer.due, settings.acknowledge_delivery);
            found.push((STILL_NOT_ACKNOWLEDGED, Timer { due, ..timer }));
        }
    }
    found.retain(|(_, timer)| timer.is_expired(now));
    found
}

/// Handles every timer that has expired since the last look.
///
/// # Errors
/// When the store fails.
pub async fn look(core: &Core) -> Result<(), StoreError> {
    let now = core.clock.now();
    let (calendar, settings) = (calendar(core), core.loaded.config.timers);
    let (mut has_messages, mut after) = (false, Vec::new());
    loop {
        // There are as many as ever were, and few are due: nobody who writes waits until all are read.
        let mut tx = core.store.snapshot().await?;
        let (found, last) = tx.page_each::<ReferralDoc>(&after, PAGE).await?;
        drop(tx);
        if found.is_empty() {
            break;
        }
        for one in found {
            let looked = look_alone(core, one, &settings, &calendar, now);
            has_messages |= Box::pin(looked).await?;
        }
        after = last;
    }
    if has_messages {
        core.wake();
    }
    Ok(())
}

/// Looks after one referral if anything of it is due. When that fails for what is stored, it is left as it was until the next look,
/// and holds up no other. Returns whether a message waits for its lane.
async fn look_alone(
    core: &Core,
    found: Found<ReferralDoc>,
    settings: &TimerSettings,
    calendar: &Calendar,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let looked = match found.document {
        Ok(document) => {
            let is_draft = document.state.status() == Some(ReferralStatus::Draft);
            if !is_draft && unflagged(&document, settings, calendar, now).is_empty() {
                return Ok(false);
            }
            look_at(core, &document, settings, calendar, now).await
        }
        Err(error) => Err(error),
    };
    match looked {
        Err(error @ (StoreError::Seal(_) | StoreError::Shape { .. })) => {
            let place = &found.place;
            tracing::error!(%place, %error, "the timers of a referral cannot be looked at; they are at the next look");
            Ok(false)
        }
        looked => looked,
    }
}

/// The expired timers of an open referral that were not handled, with the names by which they are known. A timer that starts
/// again is another timer.
fn unflagged(
    document: &ReferralDoc,
    settings: &TimerSettings,
    calendar: &Calendar,
    now: Timestamp,
) -> Vec<(String, &'static str, Timer)> {
    if !document.state.is_open() {
        return Vec::new();
    }
    let timers = expired(document, settings, calendar, now).into_iter();
    timers
        .map(|(name, timer)| (format!("{name}@{}", timer.started), name, timer))
        .filter(|(flag, ..)| !document.flagged.contains(flag))
        .collect()
}

/// Looks after one referral, as it is by now. Returns whether a message waits for its lane.
async fn look_at(
    core: &Core,
    document: &ReferralDoc,
    settings: &TimerSettings,
    calendar: &Calendar,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut tx = core.store.begin().await?;
    let Some(mut document) = tx.get::<ReferralDoc>(&document.key()).await? else {
        return Ok(false);
    };
    let mut has_messages = false;
    if document.state.status() == Some(ReferralStatus::Draft) {
        // A draft has no timers; its target may have closed or opened.
        has_messages = referrals::sweep(core, &mut tx, document, now).await?;
    } else {
        for (flag, name, timer) in unflagged(&document, settings, calendar, now) {
            document.flagged.insert(flag);
            has_messages |= expire(core, &mut tx, &document, name, timer, now).await?;
            tx.put(&document, now).await?;
        }
    }
    tx.commit().await?;
    Ok(has_messages)
}

/// Records an expiry and does what it asks for. Returns whether a message waits for its lane.
async fn expire(
    core: &Core,
    tx: &mut Tx,
    document: &ReferralDoc,
    name: &'static str,
    timer: Timer,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let told = ReferralTimer {
        referral: ReferralRef {
            id: Some(document.id),
            ..ReferralRef::default()
        },
        timer: name.to_owned(),
        due: timer.due,
        expired: true,
    };
    core.record(tx, Body::ReferralTimer(Box::new(told)), now)
        .await?;
    let object = document.id.to_string();
    let gateway = core.gateway.as_str();
    tx.audit(now, gateway, "referral.timer", &object, name)
        .await?;
    figures::timer_expired(name, 1);
    let mut expired = ExpiredDoc {
        referral: document.id,
        timer: name.to_owned(),
        started: timer.started,
        due: timer.due,
        found_at: now,
        told: Vec::new(),
        redelivered: None,
        alerts: Vec::new(),
    };
    follow(core, tx, document, name, &timer, &mut expired, now).await?;
    for alert in &expired.alerts {
        tx.audit(now, gateway, "operator.alert", &object, alert)
            .await?;
        tracing::warn!(referral = %document.id, timer = name, alert, "a referral needs an operator");
    }
    tx.put(&expired, now).await?;
    Ok(expired.redelivered.is_some() || !expired.told.is_empty())
}

/// What the table of the timers says under "on expiry".
async fn follow(
    core: &Core,
    tx: &mut Tx,
    document: &ReferralDoc,
    name: &str,
    timer: &Timer,
    expired: &mut ExpiredDoc,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sides: &[ReferralRole] = match timer.name.on_expiry() {
        Expiry::RedeliverThenAlertOperator => {
            if name == STILL_NOT_ACKNOWLEDGED {
                expired.alerts.push("delivery-not-acknowledged".to_owned());
            } else if redeliver(core, tx, document, now).await? {
                expired.redelivered = document.request_message;
            } else {
                expired.alerts.push("cannot-be-delivered-again".to_owned());
            }
            return Ok(());
        }
        Expiry::FlagOverdueAndNotifyBothSides => &[ReferralRole::Source, ReferralRole::Target],
        Expiry::NotifyTargetSupervisor | Expiry::AskTargetForStatus => &[ReferralRole::Target],
        // Closing windows are for measures alone.
        _ => return Ok(()),
    };
    for side in sides {
        let told = timer_notice::expired(core, tx, document, *side, timer, now).await?;
        match told {
            Told::Queued(message) => expired.told.push(message),
            Told::NoSystem => expired
                .alerts
                .push(format!("{}-has-no-system", side.code())),
            Told::NotPermitted => expired
                .alerts
                .push(format!("{}-may-not-be-told", side.code())),
        }
    }
    Ok(())
}

/// Sends the request again under its own message id. Only what was handed over and not acknowledged is repeated; it is
/// decided anew like every attempt. A row of an HMIS file has no message id by which a repeat is known: sent again, it
/// could write over what the partner has put there since, so it is not.
async fn redeliver(
    core: &Core,
    tx: &mut Tx,
    document: &ReferralDoc,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(message) = document.request_message else {
        return Ok(false);
    };
    let Some(row) = tx.outbox(message).await? else {
        return Ok(false);
    };
    let Ok(lane) = row.lane.parse() else {
        return Ok(false);
    };
    let output = core.system(&lane).and_then(|system| system.output.clone());
    let knows_repeats = output.is_some_and(|format| format != Format::HmisCsv.name());
    if row.state != OutboxState::Delivered || !knows_repeats {
        return Ok(false);
    }
    let again = OutboxRow {
        state: OutboxState::Queued,
        due_at: now,
        note: Some("delivered again: not acknowledged in time".to_owned()),
        ..row
    };
    let attempt = u32::try_from(again.attempts.saturating_add(1)).unwrap_or(u32::MAX);
    let is_moved = tx.move_outbox(&again, OutboxState::Delivered, now).await?;
    if is_moved {
        tell::queued(core, tx, again.id, &lane, attempt, now).await?;
    }
    Ok(is_moved)
}
