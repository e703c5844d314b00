//! Builds lines of federal files by the layout tables.

use std::collections::BTreeMap;

use tandem_calworks::tables::{Layout, Layouts, Program};

/// A line that breaks no rule, of which single fields can be changed. A field of a second child is `child2.NAME`.
#[derive(Clone)]
pub(crate) struct Record {
    layout: Layout,
    values: BTreeMap<String, String>,
    length: usize,
}

impl Record {
    pub(crate) fn new(program: Program, record: &str, values: &[(&str, &str)]) -> Self {
        let layouts = Layouts::load(program).unwrap();
        let layout = layouts.get(record).unwrap().0.clone();
        let length = layout.length;
        let mut new = Self {
            layout,
            values: BTreeMap::new(),
            length,
        };
        new.values
            .insert("record_type".to_owned(), record.to_owned());
        values
            .iter()
            .fold(new, |record, (name, value)| record.with(name, value))
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.values.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn cut_at(mut self, length: usize) -> Self {
        self.length = length;
        self
    }

    pub(crate) fn line(&self) -> String {
        let mut line: Vec<u8> = vec![b' '; self.layout.length];
        for (name, value) in &self.values {
            let (group, field) = name.split_once('.').unwrap_or(("", name));
            let is_first = |known: &str| known.is_empty() || known == "child1";
            let field = self.layout.fields.iter().find(|known| {
                known.name == field
                    && if group.is_empty() {
                        is_first(&known.occurrence)
                    } else {
                        known.occurrence == group
                    }
            });
            let span = field.unwrap_or_else(|| panic!("no field {name}")).span;
            let width = span.end - span.start;
            line[span.start..span.end].copy_from_slice(format!("{value:<width$}").as_bytes());
        }
        String::from_utf8(line).unwrap()[..self.length].to_owned()
    }
}

/// A family on federal funds, with 925 dollars of cash aid.
pub(crate) fn t1() -> Record {
    let zeros = [
        "amt_food_stamp_assistance",
        "amt_sub_cc",
        "child_support_amt",
        "family_cash_resources",
        "cc_amount",
        "children_covered",
        "cc_nbr_months",
        "transp_amount",
        "transp_nbr_months",
        "sanc_reduction_amt",
        "recoupment_prior_ovrpmt",
        "other_total_reductions",
    ];
    let noes = [
        "receives_sub_housing",
        "receives_med_assistance",
        "new_applicant",
        "work_req_sanction",
        "sanc_teen_parent",
        "non_cooperation_cse",
        "failure_to_comply",
        "other_sanction",
        "family_cap",
        "reductions_on_receipts",
        "other_non_sanction",
    ];
    let base = Record::new(
        Program::Tanf,
        "T1",
        &[
            ("rpt_month_year", "202601"),
            ("case_number", "581D3M0F1"),
            ("county_fips_code", "115"),
            ("zip_code", "95999"),
            ("funding_stream", "1"),
            ("disposition", "1"),
            ("nbr_family_members", "03"),
            ("family_type", "1"),
            ("cash_amount", "0925"),
            ("nbr_months", "007"),
            ("family_exempt_time_limits", "01"),
        ],
    );
    let base = zeros
        .iter()
        .fold(base, |record, name| record.with(name, "0"));
    noes.iter()
        .fold(base, |record, name| record.with(name, "2"))
}

/// The mother, aided and work-eligible.
pub(crate) fn t2() -> Record {
    Record::new(
        Program::Tanf,
        "T2",
        &[
            ("rpt_month_year", "202601"),
            ("case_number", "581D3M0F1"),
            ("family_affiliation", "1"),
            ("noncustodial_parent", "2"),
            ("date_of_birth", "19940517"),
            ("ssn", "900123456"),
            ("race_hispanic", "1"),
            ("race_amer_indian", "2"),
            ("race_asian", "2"),
            ("race_black", "2"),
            ("race_hawaiian", "2"),
            ("race_white", "1"),
            ("sex", "2"),
            ("fed_oasdi_program", "2"),
            ("fed_disability_status", "2"),
            ("disabled_title_xivapdt", "2"),
            ("aid_aged_blind", "2"),
            ("receive_ssi", "2"),
            ("marital_status", "1"),
            ("relationship_hoh", "01"),
            ("parent_minor_child", "2"),
            ("education_level", "12"),
            ("citizenship_status", "1"),
            ("cooperation_child_support", "1"),
            ("employment_status", "2"),
            ("work_eligible_indicator", "01"),
            ("work_part_status", "18"),
            ("earned_income", "0000"),
            ("unearned_social_security", "0000"),
            ("unearned_ssi", "0000"),
            ("unearned_workers_comp", "0000"),
            ("other_unearned_income", "0000"),
        ],
    )
}

const CHILD: [(&str, &str); 15] = [
    ("family_affiliation", "1"),
    ("race_hispanic", "1"),
    ("race_amer_indian", "2"),
    ("race_asian", "2"),
    ("race_black", "2"),
    ("race_hawaiian", "2"),
    ("race_white", "1"),
    ("receive_nonssa_benefits", "2"),
    ("receive_ssi", "2"),
    ("relationship_hoh", "04"),
    ("parent_minor_child", "3"),
    ("education_level", "01"),
    ("citizenship_status", "1"),
    ("unearned_ssi", "0000"),
    ("other_unearned_income", "0000"),
];

/// Both children in one record.
pub(crate) fn t3() -> Record {
    let mut record = Record::new(
        Program::Tanf,
        "T3",
        &[
            ("rpt_month_year", "202601"),
            ("case_number", "581D3M0F1"),
            ("date_of_birth", "20180302"),
            ("ssn", "900123457"),
            ("sex", "2"),
            ("child2.date_of_birth", "20210914"),
            ("child2.ssn", "900123458"),
            ("child2.sex", "1"),
        ],
    );
    for (name, value) in CHILD {
        record = record
            .with(name, value)
            .with(&format!("child2.{name}"), value);
    }
    record
}

/// A file of section 1 of January to March 2026 with these records and a right trailer.
pub(crate) fn file(records: &[Record]) -> String {
    let lines: Vec<String> = records.iter().map(Record::line).collect();
    file_of(&lines)
}

pub(crate) fn file_of(lines: &[String]) -> String {
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    format!(
        "HEADER20261A06   TAN1 D\n{body}TRAILER{:07}         \n",
        lines.len()
    )
}
