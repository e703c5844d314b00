//! Who may break the glass, for how long, and what is shown then (specs consent 10).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tandem_mappings::model::category::Category;

/// What no emergency opens, whoever asks: records of victim services, a therapist's or counsellor's separate notes, who
/// reported an abuse, court files (sealed ones among them), immigration and custody.
pub const NEVER: [Category; 7] = [
    Category::VspRecord,
    Category::PsychotherapyNotes,
    Category::SudCounselingNotes,
    Category::CwReporter,
    Category::JuvCourt,
    Category::Immigration,
    Category::Justice,
];
/// Most minutes for which a grant may be configured.
const MOST_MINUTES: u32 = 60;
/// Most hours until a review is due (specs consent 10).
const MOST_REVIEW_HOURS: u32 = 72;

/// How the glass is broken. Without `roles` nobody can.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakGlassConfig {
    /// Minutes for which what was opened can be read.
    pub minutes: u32,
    /// Hours until a privacy officer's review is due.
    pub review_hours: u32,
    /// The roles of agencies' people who may, each with what it may see.
    pub roles: BTreeMap<String, BreakGlassRole>,
}

/// What a role may see.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakGlassRole {
    /// The categories.
    pub categories: BTreeSet<Category>,
}

impl Default for BreakGlassConfig {
    fn default() -> Self {
        Self {
            minutes: 15,
            review_hours: MOST_REVIEW_HOURS,
            roles: BTreeMap::new(),
        }
    }
}

impl BreakGlassConfig {
    /// What does not fit, each with its place.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(1..=MOST_MINUTES).contains(&self.minutes) {
            problems.push(format!("break_glass.minutes: expected 1 to {MOST_MINUTES}"));
        }
        if !(1..=MOST_REVIEW_HOURS).contains(&self.review_hours) {
            problems.push(format!(
                "break_glass.review_hours: expected 1 to {MOST_REVIEW_HOURS}"
            ));
        }
        for (name, role) in &self.roles {
            let never = role.categories.iter().filter(|one| NEVER.contains(one));
            problems.extend(never.map(|one| {
                format!(
                    "break_glass.roles.{name}.categories: no emergency opens {}",
                    one.as_str()
                )
            }));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_emergency_opens_cannot_be_configured() {
        let text =
            "minutes = 0\n[roles.clinician]\ncategories = [\"HEALTH_GENERAL\", \"VSP_RECORD\"]";
        let config: BreakGlassConfig = toml::from_str(text).unwrap();
        assert_eq!(
            config.problems(),
            [
                "break_glass.minutes: expected 1 to 60",
                "break_glass.roles.clinician.categories: no emergency opens VSP_RECORD",
            ]
        );
        assert_eq!(BreakGlassConfig::default().problems(), Vec::<String>::new());
    }
}
