//! The record types of a program with their fields by name.

use std::collections::HashMap;

use tandem_mappings::tables::TableError;

use super::values::is_unused;
use super::view::Names;
use crate::tables::{Field, Layout, Layouts, Program, Section, Span};

/// What a record type is about, alike in TANF (`T`) and SSP (`M`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// T1, T4: the family.
    Family,
    /// T2: an adult; T5: a person of a closed case.
    Person,
    /// T3: one or two children.
    Children,
    /// T6: counts of the quarter.
    Counts,
    /// T7: counts by stratum.
    Strata,
}

/// One record type.
#[derive(Debug)]
pub(super) struct RecordType {
    /// The layout.
    pub layout: Layout,
    /// Section to which it belongs.
    pub section: Section,
    /// What it is about.
    pub role: Role,
    /// Repeating groups in order: `child1`, `child2`, `stratum1`...; one without a name when there are none. The fields
    /// that all groups share count with the first.
    pub(super) groups: Vec<Group>,
    /// Whether the fields after the case number are known. Not for a tribal T2, whose layout is not published with
    /// the others.
    pub is_known: bool,
}

/// A repeating group of a record type.
#[derive(Debug)]
pub(super) struct Group {
    /// Its name; empty when the record has no groups.
    pub(super) name: String,
    /// Its fields and the shared ones by name.
    pub(super) names: Names,
    /// The fields that rule V looks at.
    pub(super) checked: Vec<Field>,
    /// The positions of the group; none when the record has no groups.
    span: Option<Span>,
}

impl Group {
    fn of(layout: &Layout, name: &str, is_first: bool) -> Self {
        let own = |field: &&Field| field.group() == name;
        let is_own = |field: &Field| own(&field) || (is_first && field.group().is_empty());
        // Month and case number have rules of their own (R2, R3); the SSN is checked after decoding.
        let is_covered = |field: &Field| {
            let name = field.name.as_str();
            matches!(name, "rpt_month_year" | "case_number" | "ssn")
        };
        let checked = layout
            .fields
            .iter()
            .filter(|field| field.is_required && is_own(field) && !is_covered(field));
        let start = layout
            .fields
            .iter()
            .filter(own)
            .map(|field| field.span.start)
            .min();
        let end = layout
            .fields
            .iter()
            .filter(own)
            .map(|field| field.span.end)
            .max();
        let span = start.zip(end).filter(|_| !name.is_empty());
        Self {
            name: name.to_owned(),
            names: Names::of(layout, name),
            checked: checked.cloned().collect(),
            span: span.map(|(start, end)| Span { start, end }),
        }
    }

    /// Whether the group is blank or zero over its whole width. Never for a record without groups.
    pub(super) fn is_unused_in(&self, text: &str) -> bool {
        self.span.is_some_and(|span| is_unused(span.of(text)))
    }
}

/// The record types of the three programs.
#[derive(Debug)]
pub(super) struct Program3 {
    tanf: HashMap<String, RecordType>,
    ssp: HashMap<String, RecordType>,
    tribal: HashMap<String, RecordType>,
}

impl Program3 {
    /// Loads every layout.
    ///
    /// # Errors
    /// When a table is not sound or lacks a field that a rule needs.
    pub(super) fn load() -> Result<Self, TableError> {
        Ok(Self {
            tanf: types(Program::Tanf)?,
            ssp: types(Program::Ssp)?,
            tribal: types(Program::Tribal)?,
        })
    }

    /// A record type by its tag.
    #[must_use]
    pub(super) fn get(&self, program: Program, tag: &str) -> Option<&RecordType> {
        let types = match program {
            Program::Tanf => &self.tanf,
            Program::Ssp => &self.ssp,
            Program::Tribal => &self.tribal,
        };
        types.get(tag)
    }
}

fn types(program: Program) -> Result<HashMap<String, RecordType>, TableError> {
    let layouts = Layouts::load(program)?;
    let letter = if program == Program::Ssp { 'M' } else { 'T' };
    let mut types = HashMap::new();
    for (number, role) in [
        (1, Role::Family),
        (2, Role::Person),
        (3, Role::Children),
        (4, Role::Family),
        (5, Role::Person),
        (6, Role::Counts),
        (7, Role::Strata),
    ] {
        let tag = format!("{letter}{number}");
        let Some((layout, section)) = layouts.get(&tag) else {
            continue;
        };
        check_needed(layout, role)?;
        let groups = group_names(layout);
        let groups = (0..)
            .zip(&groups)
            .map(|(place, name)| Group::of(layout, name, place == 0))
            .collect();
        let is_known = !(program == Program::Tribal && number == 2);
        types.insert(
            tag,
            RecordType {
                layout: layout.clone(),
                section,
                role,
                groups,
                is_known,
            },
        );
    }
    Ok(types)
}

fn group_names(layout: &Layout) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for field in &layout.fields {
        if !field.group().is_empty() && !names.iter().any(|name| name == field.group()) {
            names.push(field.group().to_owned());
        }
    }
    if names.is_empty() {
        names.push(String::new());
    }
    names
}

/// The fields without which no record can be used.
fn check_needed(layout: &Layout, role: Role) -> Result<(), TableError> {
    let (shared, grouped): (&[&str], &[&str]) = match role {
        Role::Family => (&["rpt_month_year", "case_number", "zip_code"], &[]),
        Role::Person => (
            &[
                "rpt_month_year",
                "case_number",
                "family_affiliation",
                "date_of_birth",
                "ssn",
                "sex",
            ],
            &[],
        ),
        Role::Children => (
            &["rpt_month_year", "case_number"],
            &["family_affiliation", "date_of_birth", "ssn", "sex"],
        ),
        Role::Counts | Role::Strata => (&["calendar_quarter"], &[]),
    };
    for name in shared {
        layout.span(name, "")?;
    }
    for name in grouped {
        layout.span(name, "child1")?;
        layout.span(name, "child2")?;
    }
    Ok(())
}
