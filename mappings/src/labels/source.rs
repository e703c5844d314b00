//! What about a source calls for a category, whatever the codes say.

use crate::model::category::Category;
use crate::registry::{Organization, Program, System};

/// Reason: the organisation or programme is a Part 2 program (42 CFR 2.11).
pub const PART2_SOURCE: &str = "source:part2_program";
/// Reason: what the system sends by default.
pub const SELF_DEFAULT: &str = "source:default_category";
/// Reason: what the notes of the system may tell of.
pub const FREE_TEXT: &str = "source:free_text_category";

/// What a reason means that is a fact about a source and no row.
#[must_use]
pub fn fact(id: &str) -> Option<&'static str> {
    match id {
        PART2_SOURCE => Some("the organisation or programme is a Part 2 program"),
        SELF_DEFAULT => Some("the sender claimed less than its system sends by default"),
        FREE_TEXT => Some("a note in free text"),
        unreadable if unreadable.starts_with("unreadable:") => {
            Some("a code that its own system cannot have")
        }
        _ => None,
    }
}

/// The facts about a source that count for labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelSource {
    /// The category of data without a label of their own.
    pub default_category: Category,
    /// Whether the organisation or the programme is a Part 2 program.
    pub is_part2: bool,
    /// The strictest category of which notes in free text may tell.
    pub free_text_category: Option<Category>,
}

impl LabelSource {
    /// The facts about what a system sends from a programme of its organisation. Of an organisation that nobody knows
    /// the strictest is assumed.
    #[must_use]
    pub fn of(
        organization: Option<&Organization>,
        system: Option<&System>,
        program: Option<&Program>,
    ) -> Self {
        let by_program = program.and_then(|program| program.default_category);
        let by_system = system.map(|system| system.default_category);
        let is_part2 = organization.is_none_or(|one| one.facts.part2_program != Some(false))
            || program.is_some_and(|program| program.part2_program);
        Self {
            default_category: by_program.or(by_system).unwrap_or(Category::SudPart2),
            is_part2,
            free_text_category: system.and_then(|system| system.free_text_category),
        }
    }
}
