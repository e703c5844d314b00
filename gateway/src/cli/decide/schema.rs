//! The JSON Schemas of what `tandem decide` reads and prints.

use clap::ValueEnum;

/// What a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Schema {
    /// The request
    Request,
    /// The facts about organizations
    Facts,
    /// The consent directives
    Directives,
    /// The answer
    Answer,
}

impl Schema {
    /// The schema as JSON.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Request => include_str!("../../../../docs/schemas/decide-request.schema.json"),
            Self::Facts => include_str!("../../../../docs/schemas/decide-facts.schema.json"),
            Self::Directives => {
                include_str!("../../../../docs/schemas/decide-directives.schema.json")
            }
            Self::Answer => include_str!("../../../../docs/schemas/decide-answer.schema.json"),
        }
    }
}
