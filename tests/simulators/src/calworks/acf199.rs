//! ACF-199 section 1: families on aid in one month, with substituted SSNs.

use std::collections::BTreeMap;

use anyhow::Context;
use jiff::civil::Date;

use super::layout::RecordLayout;
use crate::person::{COUNTY, Family, Person, ZIP};

/// The substitution of header flag `E`: position in this list = digit that the character stands for.
const SUBSTITUTES: [char; 10] = ['T', '@', '9', 'Z', 'P', '0', '#', 'Y', 'B', 'W'];
/// FIPS code of the borrowed county inside California.
const COUNTY_FIPS: &str = "115";

type Values = BTreeMap<String, String>;

/// Writes the file of the calendar quarter in which `month` lies, for that month alone.
///
/// # Errors
/// When a value does not fit the published layout.
pub(crate) fn write(month: Date, families: &[Family]) -> anyhow::Result<Vec<u8>> {
    let header = values(&[
        ("title", "HEADER"),
        ("year", &month.year().to_string()),
        ("quarter", &((month.month() - 1) / 3 + 1).to_string()),
        ("type", "A"),
        ("state_fips", "06"),
        ("program_type", "TAN"),
        ("edit", "1"),
        ("encryption", "E"),
        ("update", "D"),
    ]);
    let mut lines = vec![RecordLayout::load("HEADER")?.line(&header)?];
    let month = format!("{:04}{:02}", month.year(), month.month());
    for family in families {
        family_lines(&month, family, &mut lines)?;
    }
    let count = format!("{:07}", lines.len() - 1);
    let trailer = values(&[("title", "TRAILER"), ("record_count", &count)]);
    lines.push(RecordLayout::load("TRAILER")?.line(&trailer)?);
    Ok((lines.join("\n") + "\n").into_bytes())
}

/// T1 for the family, T2 for each adult, T3 for each pair of children.
fn family_lines(month: &str, family: &Family, lines: &mut Vec<String>) -> anyhow::Result<()> {
    let case_number = format!("{COUNTY}{}", family.serial);
    let shared = |record: &str| {
        let mut line = values(&[("rpt_month_year", month), ("case_number", &case_number)]);
        line.insert("record_type".to_owned(), record.to_owned());
        line
    };
    let mut t1 = shared("T1");
    t1.extend(t1_values(family));
    lines.push(data_line("T1", &t1)?);
    for adult in family.members.iter().filter(|member| !member.is_child) {
        let mut t2 = shared("T2");
        t2.extend(t2_values(adult));
        lines.push(data_line("T2", &t2)?);
    }
    let children: Vec<&Person> = family
        .members
        .iter()
        .filter(|member| member.is_child)
        .collect();
    for pair in children.chunks(2) {
        let mut t3 = shared("T3");
        for (slot, child) in ["child1", "child2"].iter().zip(pair) {
            for (field, value) in t3_values(child) {
                t3.insert(format!("{slot}.{field}"), value);
            }
        }
        lines.push(data_line("T3", &t3)?);
    }
    Ok(())
}

/// A data record of section 1, blank-filled to its full length of 156.
fn data_line(record: &str, values: &Values) -> anyhow::Result<String> {
    let line = RecordLayout::load(record)?.line(values)?;
    Ok(format!("{line:<156}"))
}

fn t1_values(family: &Family) -> Values {
    let mut t1 = values(&[
        ("county_fips_code", COUNTY_FIPS),
        ("zip_code", ZIP),
        ("funding_stream", "1"),
        ("disposition", "1"),
        ("new_applicant", "2"),
        ("nbr_family_members", &family.members.len().to_string()),
        ("family_type", "1"),
        ("receives_sub_housing", "2"),
        ("receives_med_assistance", "1"),
        ("receives_food_stamps", "1"),
        ("amt_food_stamp_assistance", "420"),
        ("receives_sub_cc", "3"),
        ("cash_amount", "925"),
        ("nbr_months", "7"),
        ("waiver_eval_control_grps", "9"),
        ("family_exempt_time_limits", "01"),
        ("family_new_child", "2"),
    ]);
    let zeros = [
        "amt_sub_cc",
        "child_support_amt",
        "family_cash_resources",
        "cc_amount",
        "children_covered",
        "cc_nbr_months",
        "transp_amount",
        "transp_nbr_months",
        "transition_services_amount",
        "transition_nbr_months",
        "other_amount",
        "other_nbr_months",
        "sanc_reduction_amt",
        "recoupment_prior_ovrpmt",
        "other_total_reductions",
    ];
    let noes = [
        "work_req_sanction",
        "family_sanc_adult",
        "sanc_teen_parent",
        "non_cooperation_cse",
        "failure_to_comply",
        "other_sanction",
        "family_cap",
        "reductions_on_receipts",
        "other_non_sanction",
    ];
    t1.extend(zeros.map(|field| (field.to_owned(), "0".to_owned())));
    t1.extend(noes.map(|field| (field.to_owned(), "2".to_owned())));
    t1
}

fn t2_values(adult: &Person) -> Values {
    let mut t2 = values(&[
        ("family_affiliation", "1"),
        ("noncustodial_parent", "2"),
        ("race_hispanic", "1"),
        ("race_white", "1"),
        ("fed_oasdi_program", "2"),
        ("fed_disability_status", "2"),
        ("disabled_title_xivapdt", "2"),
        ("aid_aged_blind", "2"),
        ("receive_ssi", "2"),
        ("marital_status", "1"),
        ("relationship_hoh", "01"),
        ("parent_minor_child", "2"),
        ("needs_pregnant_woman", "0"),
        ("education_level", "12"),
        ("citizenship_status", "1"),
        ("cooperation_child_support", "1"),
        ("months_fed_time_limit", "007"),
        ("months_state_time_limit", "53"),
        ("current_month_state_exempt", "2"),
        ("employment_status", "2"),
        ("work_eligible_indicator", "01"),
        ("work_part_status", "18"),
        ("job_search_hop", "12"),
        ("earned_income", "0000"),
    ]);
    t2.extend(
        [
            "race_amer_indian",
            "race_asian",
            "race_black",
            "race_hawaiian",
        ]
        .map(|field| (field.to_owned(), "2".to_owned())),
    );
    t2.extend(
        [
            "unearned_income_tax_credit",
            "unearned_social_security",
            "unearned_ssi",
            "unearned_workers_comp",
            "other_unearned_income",
        ]
        .map(|field| (field.to_owned(), "0000".to_owned())),
    );
    t2.extend(person_values(adult));
    t2
}

fn t3_values(child: &Person) -> Values {
    let mut t3 = values(&[
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
        ("education_level", "98"),
        ("citizenship_status", "1"),
        ("unearned_ssi", "0000"),
        ("other_unearned_income", "0000"),
    ]);
    t3.extend(person_values(child));
    t3
}

fn person_values(person: &Person) -> Values {
    let born = person.birth_date;
    values(&[
        (
            "date_of_birth",
            &format!("{:04}{:02}{:02}", born.year(), born.month(), born.day()),
        ),
        ("ssn", &substitute(&person.ssn)),
        ("sex", if person.sex == 'M' { "1" } else { "2" }),
    ])
}

fn substitute(ssn: &str) -> String {
    ssn.chars()
        .map(|digit| {
            let place = digit
                .to_digit(10)
                .and_then(|place| usize::try_from(place).ok());
            place
                .and_then(|place| SUBSTITUTES.get(place))
                .copied()
                .unwrap_or(digit)
        })
        .collect()
}

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs
        .iter()
        .map(|(field, value)| ((*field).to_owned(), (*value).to_owned()))
        .collect()
}

/// The month before the one in which `today` lies: what a county reports first of all.
///
/// # Errors
/// When the calendar ends.
pub(crate) fn report_month(today: Date) -> anyhow::Result<Date> {
    today
        .first_of_month()
        .checked_sub(jiff::Span::new().months(1))
        .context("month before")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::layout::RecordLayout;
    use super::{report_month, substitute, write};
    use crate::family::demo_family;
    use crate::fillers::{Neighbourhood, families};

    #[test]
    fn every_field_of_the_written_file_is_one_that_the_portal_accepts() {
        let mut all = vec![demo_family()];
        all.extend(families(1, Neighbourhood::Calworks, 20));
        let month = report_month(date(2026, 2, 2)).unwrap();
        let text = String::from_utf8(write(month, &all).unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "HEADER20261A06   TAN1ED");
        assert_eq!(
            lines.last().unwrap(),
            &format!("TRAILER{:07}         ", lines.len() - 2)
        );
        for line in &lines[1..lines.len() - 1] {
            assert_eq!(line.len(), 156, "{line}");
            let layout = RecordLayout::load(&line[..2]).unwrap();
            let values = layout.values(line);
            for position in &layout.positions {
                let value = &values[&position.key()];
                if position.field == "ssn" {
                    assert!(
                        value
                            .chars()
                            .all(|character| "T@9ZP0#YBW".contains(character))
                    );
                } else if position.field == "rpt_month_year" {
                    assert_eq!(value, "202601");
                } else {
                    assert!(position.accepts(value), "{} = {value:?}", position.key());
                }
            }
        }
    }

    #[test]
    fn value_that_the_portal_refuses_is_not_written() {
        let layout = RecordLayout::load("T1").unwrap();
        let disposition = layout
            .positions
            .iter()
            .find(|one| one.field == "disposition")
            .unwrap();
        assert!(disposition.accepts("1") && !disposition.accepts("7") && !disposition.accepts(""));
    }

    #[test]
    fn ssn_is_substituted_by_the_published_map() {
        assert_eq!(substitute("1234567890"), "@9ZP0#YBWT");
    }
}
