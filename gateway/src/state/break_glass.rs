//! Breaking the glass once: who, why, what was opened for how long, and what a privacy officer found in review.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{DecisionId, PersonId, RecordKey, SystemId};
use tandem_mappings::model::purpose::Purpose;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store::{Document, Index};

/// Why the glass is broken: one of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Reason {
    /// A medical emergency in which the person cannot be asked.
    MedicalEmergency,
    /// An overdose or poisoning.
    Overdose,
    /// The person may harm himself or herself.
    SelfHarm,
    /// A serious and imminent threat to somebody (45 CFR 164.512(j)).
    ThreatToSomebody,
    /// The programme is closed by a declared disaster (42 CFR 2.51(a)(2)).
    Disaster,
}

impl Reason {
    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MedicalEmergency => "medical_emergency",
            Self::Overdose => "overdose",
            Self::SelfHarm => "self_harm",
            Self::ThreatToSomebody => "threat_to_somebody",
            Self::Disaster => "disaster",
        }
    }
}

/// What a review found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Outcome {
    /// It was an emergency.
    Justified,
    /// It was none: a breach to be reviewed (45 CFR 164.402).
    NotJustified,
}

/// A review.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Review {
    /// What it found.
    pub outcome: Outcome,
    /// In words.
    pub note: String,
    /// Who reviewed.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Whose record was opened, and what of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Opened {
    /// The record.
    pub record: RecordKey,
    /// The categories told.
    pub categories: BTreeSet<String>,
}

/// What was opened.
#[derive(Clone, Serialize, Deserialize)]
pub struct Grant {
    /// About whom.
    pub person: PersonId,
    /// SHA-256 of the key by which it is read, in hex.
    pub key: String,
    /// Until when.
    pub until: Timestamp,
    /// Records in the order in which the items of the decision count them.
    pub records: Vec<Opened>,
    /// The items told.
    pub items: BTreeSet<String>,
    /// When something of it was shown once more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<Timestamp>,
    /// When a review is due.
    pub review_due: Timestamp,
    /// The review.
    #[serde(default)]
    pub review: Option<Review>,
    /// The systems that took the disclosure into their record, and when.
    #[serde(default)]
    pub documented: BTreeMap<SystemId, Timestamp>,
}

/// Breaking the glass once, opened or not. `Debug` shows nothing of a person.
#[derive(Clone, Serialize, Deserialize)]
pub struct BreakGlassDoc {
    /// Its id.
    pub id: Uuid,
    /// The system through which it was asked.
    pub system: SystemId,
    /// The person who asked, as that system knows him or her.
    pub user: String,
    /// Name and affiliation.
    pub name: String,
    /// The role.
    pub role: String,
    /// For what.
    pub purpose: Purpose,
    /// Why.
    pub reason: Reason,
    /// Why, in words.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// The decision.
    pub decision: DecisionId,
    /// What was opened; nothing when absent.
    #[serde(default)]
    pub grant: Option<Grant>,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grant(until {})", self.until)
    }
}

impl fmt::Debug for BreakGlassDoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BreakGlassDoc({})", self.id)
    }
}

impl BreakGlassDoc {
    /// Field by which it is found by where its review stands.
    pub const STANDING: &'static str = "break-glass.standing";
    /// Field by which a system finds what was opened of its records.
    pub const SOURCE: &'static str = "break-glass.source";

    /// Where its review stands: `denied` when nothing was opened, `waiting`, or the outcome.
    #[must_use]
    pub fn standing(&self) -> &'static str {
        let review = self.grant.as_ref().map(|grant| grant.review.as_ref());
        match review {
            None => "denied",
            Some(None) => "waiting",
            Some(Some(review)) => match review.outcome {
                Outcome::Justified => "justified",
                Outcome::NotJustified => "not_justified",
            },
        }
    }

    /// Whether its review is due and was not done.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.grant
            .as_ref()
            .is_some_and(|grant| grant.review.is_none() && grant.review_due <= now)
    }
}

impl Document for BreakGlassDoc {
    const KIND: &'static str = "break-glass";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn indexes(&self) -> Vec<Index> {
        let mut indexes = vec![Index::new(Self::STANDING, self.standing())];
        let opened = self.grant.iter().flat_map(|grant| &grant.records);
        let told = opened.filter(|one| !one.categories.is_empty());
        indexes.extend(told.map(|one| Index::new(Self::SOURCE, one.record.system.as_str())));
        indexes
    }
}
