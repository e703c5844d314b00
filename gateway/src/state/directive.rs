//! A consent directive and the source records of the people whom it covers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::directive::Directive;
use tandem_mappings::model::id::{RecordKey, SystemId};

use super::record::RecordDoc;
use crate::store::{Document, Index};

/// Why a directive is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// The child for whom somebody else signed came of age.
    CameOfAge,
    /// The signer's authority ended.
    Authority,
    /// The person died.
    Death,
    /// Somebody wants to look at it.
    Review,
}

impl Because {
    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CameOfAge => "came_of_age",
            Self::Authority => "authority",
            Self::Death => "death",
            Self::Review => "review",
        }
    }
}

/// The scanned document that was signed, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// Hash of its bytes: `sha256:` and hexadecimal digits.
    pub hash: String,
    /// Its media type.
    pub kind: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A directive as captured. Its subject is set to the person when a decision is made, since persons follow links.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DirectiveDoc {
    /// The directive.
    pub directive: Directive,
    /// The people whom it covers, each by a source record.
    pub covers: Vec<RecordKey>,
    /// Who captured it.
    pub captured_by: String,
    /// When.
    pub captured_at: Timestamp,
    /// The link version at which it was captured: it speaks for the records that were the person then.
    #[serde(default)]
    pub link_version: i64,
    /// Earlier versions, oldest first.
    pub history: Vec<Directive>,
    /// The FHIR consent of which it is a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    /// The system that filed it; a privacy officer captured it when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filed_by: Option<SystemId>,
    /// Whether what waits for it must be looked at on the day on which it begins to count.
    #[serde(default)]
    pub waits_for_start: bool,
    /// The last reminder that its end is near, in days before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded: Option<u16>,
    /// Why it is held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
    /// The scanned document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<Scan>,
}

impl DirectiveDoc {
    /// A directive as it is captured.
    #[must_use]
    pub const fn new(
        directive: Directive,
        covers: Vec<RecordKey>,
        captured_by: String,
        captured_at: Timestamp,
        link_version: i64,
    ) -> Self {
        Self {
            directive,
            covers,
            captured_by,
            captured_at,
            link_version,
            history: Vec::new(),
            consent: None,
            filed_by: None,
            waits_for_start: false,
            reminded: None,
            because: None,
            scan: None,
        }
    }

    /// Keeps the directive as it stands, and begins its next version.
    pub fn next_version(&mut self) {
        self.history.push(self.directive.clone());
        self.directive.prior_version = Some(self.directive.version);
        self.directive.version = self.directive.version.saturating_add(1);
    }
}

/// Index of directives by the FHIR consent of which they are parts.
pub const BY_CONSENT: &str = "directive.consent";
/// Index of directives by where they stand.
pub const BY_STATE: &str = "directive.state";
/// Index of directives by the form on which they were signed.
pub const BY_FORM: &str = "directive.form";

impl Document for DirectiveDoc {
    const KIND: &'static str = "directive";
    const HAS_TIMES: bool = true;
    const IS_BASIS: bool = true;

    fn key(&self) -> String {
        self.directive.id.as_str().to_owned()
    }

    fn indexes(&self) -> Vec<Index> {
        let records = self.covers.iter();
        let records =
            records.map(|record| Index::new("directive.record", RecordDoc::key_of(record)));
        let consent = self.consent.iter().map(|id| Index::new(BY_CONSENT, id));
        let state = Index::new(BY_STATE, self.directive.standing().code());
        let form = self.directive.form_template.iter();
        let form = form.map(|form| Index::new(BY_FORM, form_key(&form.id, &form.version)));
        records.chain(consent).chain([state]).chain(form).collect()
    }
}

/// The value under which directives on a form in one version are found.
#[must_use]
pub fn form_key(form: &str, version: &str) -> String {
    format!("{form}\u{1f}{version}")
}
