//! For whom a copy of the list is made: what it leaves out depends on who will read it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Categories of services to which a minor may consent alone in California at 12 or at any age (specs consent 9:
/// Family Code 6924 to 6930, Health and Safety Code 124260). A parent's copy leaves them out whatever the minor's age and
/// whoever consented: too much left out harms nobody, too much shown may.
const MINORS_OWN: [&str; 8] = [
    "MENTAL_HEALTH",
    "PSYCHOTHERAPY_NOTES",
    "SUD_PART2",
    "SUD_COUNSELING_NOTES",
    "SUD_NONPART2",
    "HIV",
    "REPRO_HEALTH",
    "DV_INFO",
];

/// Who will read a copy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Copy {
    /// The person.
    #[default]
    Person,
    /// A parent or guardian: a minor's own services are left out.
    Parent,
    /// Privacy staff: also what is left out of others' copies for a time.
    Staff,
}

impl Copy {
    /// The copy as a code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Parent => "parent",
            Self::Staff => "staff",
        }
    }

    /// Whether a category may stand in this copy.
    #[must_use]
    pub fn shows(self, category: &str) -> bool {
        self != Self::Parent || !is_minors_own(category)
    }

    /// Whether the reason of an emergency may stand in this copy: that of an overdose tells of what a minor may be treated
    /// for alone.
    #[must_use]
    pub fn shows_reasons(self) -> bool {
        self != Self::Parent
    }
}

/// Whether a category is one of services to which a minor may consent alone.
#[must_use]
pub(super) fn is_minors_own(category: &str) -> bool {
    MINORS_OWN.contains(&category)
}
