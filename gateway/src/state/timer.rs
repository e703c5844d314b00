//! A deadline of a referral that has passed, and what was done about it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{MessageId, ReferralId};

use crate::store::{Document, Index};

/// An expired timer. There is one for each timer and start, so that nobody is told twice.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExpiredDoc {
    /// The referral.
    pub referral: ReferralId,
    /// Which timer.
    pub timer: String,
    /// When it started.
    pub started: Timestamp,
    /// When it was due.
    pub due: Timestamp,
    /// When it was found expired.
    pub found_at: Timestamp,
    /// Messages that were queued about it.
    #[serde(default)]
    pub told: Vec<MessageId>,
    /// The message that was delivered again.
    #[serde(default)]
    pub redelivered: Option<MessageId>,
    /// What an operator should look at, as a code.
    #[serde(default)]
    pub alerts: Vec<String>,
}

impl Document for ExpiredDoc {
    const KIND: &'static str = "expired";

    fn key(&self) -> String {
        format!(
            "{}\u{1f}{}\u{1f}{}",
            self.referral, self.timer, self.started
        )
    }

    fn indexes(&self) -> Vec<Index> {
        vec![Index::new("expired.referral", self.referral.to_string())]
    }
}
