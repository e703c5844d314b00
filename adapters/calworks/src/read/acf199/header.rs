//! The HEADER line: which program, section and quarter a file is about (rules H1 to H7).

use super::finding::{Finding, Findings, Weight};
use super::values::{check_field, is_missing, number};
use crate::tables::{Layout, Program, Section};

/// What the receiver asked for, when it did. A file about something else is rejected (rules H3, H4, H5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Header letter of the section: `A`, `C`, `G` or `S`.
    pub section: Option<char>,
    /// `TAN`, `SSP` or `TRIBAL`.
    pub program: Option<ExpectedProgram>,
    /// Calendar year and quarter as in the header, for example 20214.
    pub calendar_quarter: Option<u32>,
}

/// The program a receiver asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub enum ExpectedProgram {
    /// State TANF.
    #[serde(rename = "TAN")]
    Tanf,
    /// Separate state program.
    #[serde(rename = "SSP")]
    Ssp,
    /// Tribal TANF.
    #[serde(rename = "TRIBAL")]
    Tribal,
}

impl From<ExpectedProgram> for Program {
    fn from(expected: ExpectedProgram) -> Self {
        match expected {
            ExpectedProgram::Tanf => Self::Tanf,
            ExpectedProgram::Ssp => Self::Ssp,
            ExpectedProgram::Tribal => Self::Tribal,
        }
    }
}

/// A usable header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Whose file it is.
    pub program: Program,
    /// Which section it carries.
    pub section: Section,
    /// Calendar year.
    pub year: u32,
    /// Calendar quarter, 1 to 4.
    pub quarter: u32,
    /// Whether the SSNs are substituted.
    pub is_substituted: bool,
}

impl Header {
    /// Reads the first line. `None` when the file is rejected for it; each reason is a finding.
    pub(super) fn read(
        text: &str,
        layout: &Layout,
        expected: &Expected,
        findings: &mut dyn Findings,
    ) -> Option<Self> {
        let mut reject = |rule, what| {
            findings.found(Finding::of_record(rule, Weight::File, 1, "HEADER", what));
        };
        if text.len() != layout.length || !text.starts_with("HEADER") {
            reject("H1", "a HEADER of exactly 23 characters as first line");
            return None;
        }
        let part = |name: &str| layout.span(name, "").map_or("", |span| span.of(text));
        let program = program(part("program_type"), part("tribe_code"));
        if program.is_none() {
            reject("H3", "program type TAN or SSP");
        } else if expected
            .program
            .is_some_and(|wanted| Some(Program::from(wanted)) != program)
        {
            reject("H3", "the program that was asked for");
        }
        let section = Section::from_letter(part("type"));
        if section.is_none() {
            reject("H4", "section A, C, G or S");
        } else if expected
            .section
            .is_some_and(|wanted| part("type") != wanted.to_string())
        {
            reject("H4", "the section that was asked for");
        }
        let period = period(part("year"), part("quarter"));
        if period.is_none() {
            reject("H5", "a calendar year and quarter");
        } else if expected
            .calendar_quarter
            .is_some_and(|wanted| period.map(|(y, q)| y * 10 + q) != Some(wanted))
        {
            reject("H5", "the quarter that was asked for");
        }
        let is_placed = is_placed(part("state_fips"), part("tribe_code"));
        if !is_placed {
            reject("H6", "a state or a tribe, and not both");
        }
        let is_as_expected = expected.accepts(program, part("type"), period);
        check_values(text, layout, findings);
        let (program, section, (year, quarter)) = (program?, section?, period?);
        let header = Self {
            program,
            section,
            year,
            quarter,
            is_substituted: part("encryption") == "E",
        };
        (is_placed && is_as_expected).then_some(header)
    }

    /// Whether a month `YYYYMM` lies in the header's quarter.
    #[must_use]
    pub(super) fn holds_month(&self, text: &str) -> bool {
        let Some((year, month)) = text.split_at_checked(4) else {
            return false;
        };
        let is_month = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        let (year, month) = (
            year.parse::<u32>().unwrap_or(0),
            month.parse::<u32>().unwrap_or(0),
        );
        is_month
            && year == self.year
            && (1..=12).contains(&month)
            && month.div_ceil(3) == self.quarter
    }

    /// Whether a text is the header's quarter as `YYYYQ`.
    #[must_use]
    pub(super) fn is_quarter(&self, text: &str) -> bool {
        text == format!("{}{}", self.year, self.quarter)
    }
}

impl Expected {
    fn accepts(&self, program: Option<Program>, letter: &str, period: Option<(u32, u32)>) -> bool {
        self.program
            .is_none_or(|wanted| Some(Program::from(wanted)) == program)
            && self
                .section
                .is_none_or(|wanted| letter == wanted.to_string())
            && self
                .calendar_quarter
                .is_none_or(|wanted| period.map(|(y, q)| y * 10 + q) == Some(wanted))
    }
}

/// Edit indicator and encryption mark are checked as values; only the update indicator has a rule of its own (H7).
fn check_values(text: &str, layout: &Layout, findings: &mut dyn Findings) {
    for field in &layout.fields {
        let value = field.span.of(text);
        if field.name == "update" && value != "D" {
            findings.found(Finding {
                rule: "H7",
                weight: Weight::Value,
                line: 1,
                record: "HEADER",
                item: &field.item,
                field: &field.name,
                what: "update indicator D",
            });
        }
        if field.name == "edit" || (field.name == "encryption" && !is_missing(value)) {
            let mut strict = field.clone();
            strict.is_required = true;
            check_field(&strict, value, 1, "HEADER", findings);
        }
    }
}

fn program(program_type: &str, tribe: &str) -> Option<Program> {
    match program_type {
        "TAN" if names_tribe(tribe) => Some(Program::Tribal),
        "TAN" => Some(Program::Tanf),
        "SSP" => Some(Program::Ssp),
        _ => None,
    }
}

fn names_tribe(tribe: &str) -> bool {
    !matches!(tribe.trim(), "" | "0" | "00" | "000")
}

fn period(year: &str, quarter: &str) -> Option<(u32, u32)> {
    let year = number(year).filter(|year| (2000..=2099).contains(year))?;
    let quarter = number(quarter).filter(|quarter| (1..=4).contains(quarter))?;
    Some((u32::try_from(year).ok()?, u32::try_from(quarter).ok()?))
}

fn is_placed(state: &str, tribe: &str) -> bool {
    let names_state = !matches!(state.trim(), "" | "0" | "00");
    let is_known_state = crate::tables::Accepted::StateFips.allows(state);
    let is_tribe_code = tribe.trim().bytes().all(|byte| byte.is_ascii_digit());
    is_tribe_code && (names_state != names_tribe(tribe)) && (!names_state || is_known_state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Layouts;

    #[derive(Default)]
    struct Rules(Vec<&'static str>);

    impl Findings for Rules {
        fn found(&mut self, finding: Finding<'_>) {
            self.0.push(finding.rule);
        }
    }

    fn read(text: &str, expected: &Expected) -> (Option<Header>, Vec<&'static str>) {
        let mut rules = Rules::default();
        let header = Header::read(text, &Layouts::header().unwrap(), expected, &mut rules);
        (header, rules.0)
    }

    #[test]
    fn header_rules_by_table() {
        let any = Expected::default();
        for (text, is_usable, rules) in [
            ("HEADER20204A06   TAN1ED", true, vec![]),
            ("HEADER20204A06000TAN1 D", true, vec![]),
            ("HEADER20204A00142TAN1 D", true, vec![]),
            ("HEADER20204A  142TAN1 D", true, vec![]),
            ("HEADER20204A06   SSP1 D", true, vec![]),
            ("HEADER20204A06   TAN1ED ", false, vec!["H1"]),
            ("HEADER20204A06   TAN1E", false, vec!["H1"]),
            ("HEADING0204A06   TAN1ED", false, vec!["H1"]),
            ("HEADER20204A06   XXX1ED", false, vec!["H3"]),
            ("HEADER20204X06   TAN1ED", false, vec!["H4"]),
            ("HEADER20205A06   TAN1ED", false, vec!["H5"]),
            ("HEADER19994A06   TAN1ED", false, vec!["H5"]),
            ("HEADER20204A06142TAN1ED", false, vec!["H6"]),
            ("HEADER20204A00   TAN1ED", false, vec!["H6"]),
            ("HEADER20204A99   TAN1ED", false, vec!["H6"]),
            ("HEADER20204A06   TAN1EU", true, vec!["H7"]),
            ("HEADER20204A06   TAN3ED", true, vec!["V-value"]),
            ("HEADER20204A06   TAN1XD", true, vec!["V-value"]),
        ] {
            let (header, found) = read(text, &any);
            assert_eq!((header.is_some(), found), (is_usable, rules), "{text}");
        }
    }

    #[test]
    fn a_file_about_something_else_than_expected_is_rejected() {
        let text = "HEADER20204A06   TAN1ED";
        let section = Expected {
            section: Some('C'),
            ..Expected::default()
        };
        assert_eq!(read(text, &section), (None, vec!["H4"]));
        let program = Expected {
            program: Some(ExpectedProgram::Ssp),
            ..Expected::default()
        };
        assert_eq!(read(text, &program), (None, vec!["H3"]));
        let quarter = Expected {
            calendar_quarter: Some(20211),
            ..Expected::default()
        };
        assert_eq!(read(text, &quarter), (None, vec!["H5"]));
        let right = Expected {
            calendar_quarter: Some(20204),
            ..Expected::default()
        };
        assert!(read(text, &right).0.is_some());
    }

    #[test]
    fn a_month_must_lie_in_the_header_quarter() {
        let header = read("HEADER20204A06   TAN1ED", &Expected::default())
            .0
            .unwrap();
        assert!(header.holds_month("202010") && header.holds_month("202012"));
        for outside in ["202009", "202101", "202013", "2020", "20201 ", ""] {
            assert!(!header.holds_month(outside), "{outside}");
        }
    }
}
