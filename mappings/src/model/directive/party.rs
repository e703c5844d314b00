//! The discloser and recipient side of a directive.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Organisations and persons as a directive names them. A plain list of texts means `named`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "PartiesForm")]
pub struct Parties {
    /// Ids of organisations, or keys of individuals.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub named: BTreeSet<String>,
    /// Kinds of organisations, such as `HEALTH_PROVIDER`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub class: BTreeSet<String>,
    /// Ids of teams.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub team: BTreeSet<String>,
    /// Every organisation that took part in the exchange on this day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_participants_at_date: Option<Date>,
}

impl Parties {
    /// The organisations or persons with these ids.
    pub fn named<I, S>(ids: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        Self {
            named: ids.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Whether nobody is meant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
            && self.class.is_empty()
            && self.team.is_empty()
            && self.all_participants_at_date.is_none()
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PartiesForm {
    Named(BTreeSet<String>),
    Fields(PartiesFields),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartiesFields {
    #[serde(default)]
    named: BTreeSet<String>,
    #[serde(default)]
    class: BTreeSet<String>,
    #[serde(default)]
    team: BTreeSet<String>,
    #[serde(default, alias = "all_participants_at")]
    all_participants_at_date: Option<Date>,
}

impl From<PartiesForm> for Parties {
    fn from(form: PartiesForm) -> Self {
        match form {
            PartiesForm::Named(named) => Self {
                named,
                ..Self::default()
            },
            PartiesForm::Fields(fields) => Self {
                named: fields.named,
                class: fields.class,
                team: fields.team,
                all_participants_at_date: fields.all_participants_at_date,
            },
        }
    }
}
