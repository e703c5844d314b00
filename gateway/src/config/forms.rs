//! The forms on which people sign, as their words change (specs consent 8, "template change").

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;
use tandem_mappings::model::directive::FormTemplate;

/// A new version of a form.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormChange {
    /// The form series.
    pub id: String,
    /// The new version of its words.
    pub version: String,
    /// The first day on which people sign it.
    pub from: Date,
    /// The versions that it replaces.
    pub replaces: BTreeSet<String>,
    /// Whether its words let more be told than the replaced ones: then it needs a new signature.
    pub is_broader: bool,
}

impl FormChange {
    /// Whether a directive can't have been signed on this form: it counts from a day on which nobody signed it yet.
    #[must_use]
    pub fn came_after(&self, signed: &FormTemplate, counts_from: Date) -> bool {
        self.is_broader
            && self.id == signed.id
            && self.version == signed.version
            && counts_from < self.from
    }

    /// What does not fit, with its place.
    pub(super) fn problems(forms: &[Self]) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut problems = Vec::new();
        for form in forms {
            let place = format!("forms.{}.{}", form.id, form.version);
            if !seen.insert((&form.id, &form.version)) {
                problems.push(format!("{place}: the version stands twice"));
            }
            if form.replaces.contains(&form.version) {
                problems.push(format!(
                    "{place}.replaces: a version does not replace itself"
                ));
            }
        }
        problems
    }
}
