//! Events about delivery, recalls and messages between workers.

use serde::{Deserialize, Serialize};

use super::coding::codes;
use super::id::{MessageId, SystemId};

codes! {
    /// Where an outbound message stands. Not the state of what it tells: a delivered message is not an accepted
    /// referral.
    DeliveryState {
        /// Waits in its lane.
        Queued = "queued",
        /// Handed to the transport.
        Sent = "sent",
        /// The destination has it.
        Delivered = "delivered",
        /// The destination's system acknowledged it.
        Acknowledged = "acknowledged",
        /// An attempt failed; it will be tried again.
        Failed = "failed",
        /// Set aside until somebody replays or skips it.
        Parked = "parked",
        /// Dropped before delivery since it may no longer be told.
        Withdrawn = "withdrawn",
    }
}

codes! {
    /// What a recall asks of a holder.
    Duty {
        /// Use no longer.
        StopUse = "stop-use",
        /// Do not pass on.
        DoNotRedisclose = "do-not-redisclose",
        /// Return or destroy.
        ReturnOrDestroy = "return-or-destroy",
    }
}

/// Payload of the `delivery.*` events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryTold {
    /// The outbound message.
    pub message: MessageId,
    /// Its destination.
    pub target: SystemId,
    /// Which attempt, from 1.
    pub attempt: u32,
}

/// Payload of `disclosure.recalled`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recalled {
    /// The messages recalled.
    pub messages: Vec<MessageId>,
    /// The holder.
    pub holder: SystemId,
    /// What is asked.
    pub duties: Vec<Duty>,
}

/// Payload of `message.sent` and `message.read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTold {
    /// The object the thread is about.
    pub thread: String,
    /// Recipients.
    pub recipients: Vec<String>,
    /// Reference of the text.
    pub text_reference: String,
}

/// Payload of `indicator.reported`: numbers that a data owner supplies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndicatorReported {
    /// The indicator, for example `UN-2`.
    pub indicator: String,
    /// Numerator.
    pub numerator: u64,
    /// Denominator, where the indicator has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denominator: Option<u64>,
    /// First day of the period.
    pub from: jiff::civil::Date,
    /// Last day of the period.
    pub to: jiff::civil::Date,
    /// Strata, `name=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strata: Vec<String>,
    /// Where the numbers come from.
    pub source: String,
    /// Note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
