//! That a person took a directive back.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::moment::Moment;
use crate::model::category::Category;

/// A revocation: effective on receipt by any channel, also when spoken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RevocationForm")]
pub struct Revocation {
    /// When it was received.
    pub received_at: Moment,
    /// By which channel: `oral`, `paper`, `portal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The categories taken back; all when empty.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub categories: BTreeSet<Category>,
    /// Ids of the recipients from whom they are taken back; all when empty.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub recipients: BTreeSet<String>,
    /// Ids of the sources that may not tell any more; all when empty.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub disclosers: BTreeSet<String>,
}

impl Revocation {
    /// Whether nothing is left of the permission.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.categories.is_empty() && self.recipients.is_empty() && self.disclosers.is_empty()
    }

    /// A revocation of everything.
    #[must_use]
    pub const fn whole(received_at: Moment) -> Self {
        Self {
            received_at,
            channel: None,
            categories: BTreeSet::new(),
            recipients: BTreeSet::new(),
            disclosers: BTreeSet::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RevocationForm {
    Received(Moment),
    Fields(RevocationFields),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RevocationFields {
    #[serde(alias = "at", alias = "revoked_at")]
    received_at: Moment,
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    categories: BTreeSet<Category>,
    #[serde(default)]
    recipients: BTreeSet<String>,
    #[serde(default)]
    disclosers: BTreeSet<String>,
}

impl From<RevocationForm> for Revocation {
    fn from(form: RevocationForm) -> Self {
        match form {
            RevocationForm::Received(received_at) => Self::whole(received_at),
            RevocationForm::Fields(fields) => Self {
                received_at: fields.received_at,
                channel: fields.channel,
                categories: fields.categories,
                recipients: fields.recipients,
                disclosers: fields.disclosers,
            },
        }
    }
}
