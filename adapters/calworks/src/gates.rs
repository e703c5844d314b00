//! What must never enter.
//!
//! Two gates. Fields of the federal files that the rules check but nobody outside may learn: they stay inside the reader
//! and are in no event. And senders of Linkages messages whose records never enter, such as victim service providers (34
//! USC 12291(b)(2)) that share the county's exchange: their messages are refused before anything of them is read.

use tandem_mappings::model::id::OrganizationId;

/// Fields of ACF-199 records that are checked and never told: immigration standing, race and ethnicity, disability,
/// income, cooperation with child support, and why a time limit does not run (code 08 is domestic violence).
pub const NEVER_TOLD: &[&str] = &[
    "citizenship_status",
    "race_hispanic",
    "race_amer_indian",
    "race_asian",
    "race_black",
    "race_hawaiian",
    "race_white",
    "fed_oasdi_program",
    "fed_disability_status",
    "disabled_title_xivapdt",
    "aid_aged_blind",
    "receive_ssi",
    "receive_nonssa_benefits",
    "needs_pregnant_woman",
    "cooperation_child_support",
    "non_cooperation_cse",
    "family_exempt_time_limits",
    "earned_income",
];

/// Organisations whose Linkages messages never enter, and whether a message's sender is the one that is expected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SenderGate {
    refused: Vec<OrganizationId>,
    is_offline: bool,
}

impl SenderGate {
    /// A gate that refuses these senders.
    #[must_use]
    pub fn new(refused: Vec<OrganizationId>) -> Self {
        Self {
            refused,
            is_offline: false,
        }
    }

    /// A gate for files read outside a gateway: nobody is refused, and no organisation is expected.
    #[must_use]
    pub fn offline() -> Self {
        Self {
            refused: Vec::new(),
            is_offline: true,
        }
    }

    /// Whether a message names another sender than the organisation that runs the sending system.
    #[must_use]
    pub fn is_other(&self, sender: &str, expected: &OrganizationId) -> bool {
        !self.is_offline && sender != expected.as_str()
    }

    /// Whether a sender is refused.
    #[must_use]
    pub fn refuses(&self, sender: &str) -> bool {
        self.refused
            .iter()
            .any(|refused| refused.as_str() == sender.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{Layouts, Program};

    #[test]
    fn every_field_that_is_never_told_is_a_field_of_a_layout() {
        let layouts = Layouts::load(Program::Tanf).unwrap();
        for name in NEVER_TOLD {
            let is_known = ["T1", "T2", "T3"].iter().any(|record| {
                layouts
                    .get(record)
                    .unwrap()
                    .0
                    .fields
                    .iter()
                    .any(|field| field.name == *name)
            });
            assert!(is_known, "{name}");
        }
    }

    #[test]
    fn a_named_sender_is_refused() {
        let gate = SenderGate::new(vec![OrganizationId::new("org-shelter").unwrap()]);
        assert!(gate.refuses(" org-shelter"));
        assert!(!gate.refuses("org-calworks"));
    }

    #[test]
    fn only_a_gateway_expects_a_sender() {
        let expected = OrganizationId::new("org-calworks").unwrap();
        let gate = SenderGate::default();
        assert!(gate.is_other("org-cws", &expected) && !gate.is_other("org-calworks", &expected));
        assert!(!SenderGate::offline().is_other("org-cws", &expected));
    }
}
