//! Facts told by tables instead of events: who stands in the base population of a system, and whose case is open.

use std::collections::BTreeMap;

use tandem_mappings::model::id::{IdError, SourceCaseId, SourcePersonId, SystemId};

use super::facts::{Facts, Span};

impl Facts {
    /// Takes people as the base population of a system in every period that is measured.
    ///
    /// # Errors
    /// [`IdError`] never in practice: the name of the case is given here.
    pub fn add_base(
        &mut self,
        system: &SystemId,
        people: impl IntoIterator<Item = SourcePersonId>,
    ) -> Result<(), IdError> {
        self.involve_all(system, SourceCaseId::new("base")?, people);
        Ok(())
    }

    /// Takes people as those with an open case in a system that is linked to an intake or referral of the period.
    ///
    /// # Errors
    /// [`IdError`] never in practice: the name of the case is given here.
    pub fn add_open_cases(
        &mut self,
        system: &SystemId,
        people: impl IntoIterator<Item = SourcePersonId>,
    ) -> Result<(), IdError> {
        let case = SourceCaseId::new("open")?;
        self.cases.insert((system.clone(), case.clone()));
        self.involve_all(system, case, people);
        Ok(())
    }

    fn involve_all(
        &mut self,
        system: &SystemId,
        case: SourceCaseId,
        people: impl IntoIterator<Item = SourcePersonId>,
    ) {
        let always = Span {
            from: None,
            to: None,
        };
        let people: BTreeMap<_, _> = people
            .into_iter()
            .map(|person| (person, always.clone()))
            .collect();
        self.involved
            .entry((system.clone(), case))
            .or_default()
            .extend(people);
    }
}
