//! The timers of a referral. Timers flag; they never move a state.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::referral::{ReferralStatus, Urgency};

use crate::calendar::Calendar;
use crate::referral::Referral;

/// Which timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TimerName {
    /// The target's system should have acknowledged delivery.
    AcknowledgeDelivery,
    /// The target is wanted to have decided.
    Decision,
    /// The target must have decided: the referral is overdue.
    DecisionLimit,
    /// The client should have been contacted.
    FirstContact,
    /// The referral should have been heard of.
    StatusRefresh,
    /// The referral should be closed; else it counts as not closed.
    ClosureWindow,
}

impl TimerName {
    /// The timer's name in events.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AcknowledgeDelivery => "acknowledge-delivery",
            Self::Decision => "decision",
            Self::DecisionLimit => "decision-limit",
            Self::FirstContact => "first-contact",
            Self::StatusRefresh => "status-refresh",
            Self::ClosureWindow => "closure-window",
        }
    }

    /// What an expiry asks the gateway to do.
    #[must_use]
    pub const fn on_expiry(self) -> Expiry {
        match self {
            Self::AcknowledgeDelivery => Expiry::RedeliverThenAlertOperator,
            Self::Decision | Self::DecisionLimit => Expiry::FlagOverdueAndNotifyBothSides,
            Self::FirstContact => Expiry::NotifyTargetSupervisor,
            Self::StatusRefresh => Expiry::AskTargetForStatus,
            Self::ClosureWindow => Expiry::CountAsNotClosed,
        }
    }
}

/// What an expired timer asks for. Never a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expiry {
    /// Deliver again; if that fails too, tell the operator.
    RedeliverThenAlertOperator,
    /// Flag as overdue and tell both sides.
    FlagOverdueAndNotifyBothSides,
    /// Tell the supervisor contact of the target.
    NotifyTargetSupervisor,
    /// Ask the target for the status.
    AskTargetForStatus,
    /// Measures count the referral as not closed.
    CountAsNotClosed,
}

/// Lengths of the timers; all of them are configuration of a network. Days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimerSettings {
    /// Business days from sent.
    pub acknowledge_delivery: u16,
    /// Business days from delivered, wanted.
    pub decision: u16,
    /// Business days from delivered, at most.
    pub decision_limit: u16,
    /// Business days from accepted.
    pub first_contact: u16,
    /// Calendar days from accepted, in a crisis.
    pub first_contact_in_crisis: u16,
    /// Calendar days from the last event.
    pub status_refresh: u16,
    /// Calendar days from requested.
    pub closure_window: u16,
}

impl Default for TimerSettings {
    fn default() -> Self {
        Self {
            acknowledge_delivery: 1,
            decision: 2,
            decision_limit: 14,
            first_contact: 3,
            first_contact_in_crisis: 1,
            status_refresh: 30,
            closure_window: 60,
        }
    }
}

/// A timer that runs on a referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    /// Which.
    pub name: TimerName,
    /// When it started.
    pub started: Timestamp,
    /// When it is due.
    pub due: Timestamp,
}

impl Timer {
    /// Whether it has expired at an instant. A timer expires after its due instant, not on it.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now > self.due
    }
}

/// The timers that run on a referral, earliest due first. None run on a draft or once it is over.
#[must_use]
pub fn running_timers(
    referral: &Referral,
    settings: &TimerSettings,
    calendar: &Calendar,
) -> Vec<Timer> {
    let Some(status) = referral
        .status()
        .filter(|&status| status != ReferralStatus::Draft)
    else {
        return Vec::new();
    };
    if !referral.is_open() {
        return Vec::new();
    }
    let business = |name, started: Option<Timestamp>, days| {
        started.map(|at| Timer {
            name,
            started: at,
            due: calendar.after_business_days(at, days),
        })
    };
    let calendar_days = |name, started: Option<Timestamp>, days| {
        started.map(|at| Timer {
            name,
            started: at,
            due: calendar.after_days(at, days),
        })
    };
    let mut timers = Vec::new();
    if status == ReferralStatus::Requested {
        let (sent, delivered) = (referral.sent_at(), referral.delivered_at());
        if delivered.is_none() {
            let days = settings.acknowledge_delivery;
            timers.push(business(TimerName::AcknowledgeDelivery, sent, days));
        }
        timers.push(business(TimerName::Decision, delivered, settings.decision));
        timers.push(business(
            TimerName::DecisionLimit,
            delivered,
            settings.decision_limit,
        ));
    }
    if referral.first_contact_at().is_none() {
        let accepted = referral.accepted_at();
        timers.push(match referral.urgency() {
            Urgency::Crisis => calendar_days(
                TimerName::FirstContact,
                accepted,
                settings.first_contact_in_crisis,
            ),
            _ => business(TimerName::FirstContact, accepted, settings.first_contact),
        });
    }
    let last = referral.last_event_at();
    timers.push(calendar_days(
        TimerName::StatusRefresh,
        last,
        settings.status_refresh,
    ));
    let requested = referral.requested_at();
    timers.push(calendar_days(
        TimerName::ClosureWindow,
        requested,
        settings.closure_window,
    ));
    let mut timers: Vec<_> = timers.into_iter().flatten().collect();
    timers.sort_by_key(|timer| (timer.due, timer.name));
    timers
}

/// Whether any running timer of a referral has expired at an instant.
#[must_use]
pub fn is_overdue(
    referral: &Referral,
    settings: &TimerSettings,
    calendar: &Calendar,
    now: Timestamp,
) -> bool {
    running_timers(referral, settings, calendar)
        .iter()
        .any(|timer| timer.is_expired(now))
}
