//! Category 3: fields of one record that must fit each other (rules C1 to C20).

use super::view::View;
use crate::tables::Program;

/// Takes a rule, the field at fault and what was expected.
pub(super) type Report<'a> = dyn FnMut(&'static str, &'static str, &'static str) + 'a;

const RACE_FLAGS: [&str; 6] = [
    "race_hispanic",
    "race_amer_indian",
    "race_asian",
    "race_black",
    "race_hawaiian",
    "race_white",
];

/// Rules C1 to C6: the family record T1 or M1.
pub(super) fn family(view: View<'_>, program: Program, report: &mut Report<'_>) {
    let is_ssp = program == Program::Ssp;
    let mut needs = |rule, amount: &str, month_count: &'static str, expected| {
        if view.amount(amount) > 0 && view.amount(month_count) == 0 {
            report(rule, month_count, expected);
        }
    };
    needs(
        "C1",
        "cash_amount",
        "nbr_months",
        "months of cash aid where cash_amount is above 0",
    );
    needs(
        "C2",
        "cc_amount",
        "children_covered",
        "children covered where cc_amount is above 0",
    );
    needs(
        "C2",
        "cc_amount",
        "cc_nbr_months",
        "months of child care where cc_amount is above 0",
    );
    needs(
        "C3",
        "transp_amount",
        "transp_nbr_months",
        "months of services where transp_amount is above 0",
    );
    if !is_ssp {
        let expected = "months of services where transition_services_amount is above 0";
        needs(
            "C3",
            "transition_services_amount",
            "transition_nbr_months",
            expected,
        );
        needs(
            "C3",
            "other_amount",
            "other_nbr_months",
            "months where other_amount is above 0",
        );
    }
    let mut answers = |rule, amount: &str, fields: &[&'static str], expected| {
        if view.amount(amount) > 0 {
            fields
                .iter()
                .filter(|field| !view.is_in(field, 1..=2))
                .for_each(|field| report(rule, field, expected));
        }
    };
    answers(
        "C4",
        "sanc_reduction_amt",
        &[
            "work_req_sanction",
            "sanc_teen_parent",
            "non_cooperation_cse",
            "failure_to_comply",
            "other_sanction",
        ],
        "1 or 2 where sanc_reduction_amt is above 0",
    );
    answers(
        "C5",
        "other_total_reductions",
        &["family_cap", "reductions_on_receipts", "other_non_sanction"],
        "1 or 2 where other_total_reductions is above 0",
    );
    let last = if is_ssp {
        "cc_nbr_months"
    } else {
        "transp_amount"
    };
    let aid = [
        "amt_food_stamp_assistance",
        "amt_sub_cc",
        "cash_amount",
        "cc_amount",
        last,
    ];
    if aid.iter().all(|field| view.amount(field) == 0) {
        report("C6", "cash_amount", "some aid: one of the amounts above 0");
    }
}

/// What the rules about an adult need beside the record.
#[derive(Debug, Clone, Copy)]
pub(super) struct AdultFacts {
    /// Whether the number is one digit nine times.
    pub has_repeated_ssn: bool,
    /// Age in whole years on the first day of the report month, when the birth date is one.
    pub age: Option<i32>,
}

/// Rules C7 to C15: the adult record T2 or M2.
pub(super) fn adult(view: View<'_>, program: Program, facts: AdultFacts, report: &mut Report<'_>) {
    let affiliation = view.amount("family_affiliation");
    shared_by_adults(view, affiliation, 3, report);
    adult_standing(view, program, affiliation, report);
    let is_ssp = program == Program::Ssp;
    let is_work_eligible = view.is_in("work_eligible_indicator", 1..=5);
    if (1..=2).contains(&affiliation) {
        if !view
            .number("work_eligible_indicator")
            .is_some_and(|code| matches!(code, 1..=9 | 11 | 12))
        {
            report(
                "C11",
                "work_eligible_indicator",
                "1-9, 11 or 12 for an affiliation of 1 or 2",
            );
        }
        // The portal takes 19 in a TANF file here though rule V refuses it, and 16 the other way round.
        let quirk = if is_ssp { 16 } else { 19 };
        let status = view.number("work_part_status");
        if !status.is_some_and(|code| {
            matches!(code, 1 | 2 | 5 | 7 | 9 | 15 | 17 | 18 | 99) || code == quirk
        }) {
            report(
                "C12",
                "work_part_status",
                "a participation status for an affiliation of 1 or 2",
            );
        }
    }
    if is_work_eligible && view.number("work_part_status") == Some(99) {
        report(
            "C13",
            "work_part_status",
            "not 99 for a work-eligible person",
        );
    }
    if facts.has_repeated_ssn {
        if is_work_eligible {
            report("C14", "ssn", "no repeated digit for a work-eligible person");
        }
        if is_ssp && affiliation == 1 {
            report("C14", "ssn", "no repeated digit for an affiliation of 1");
        }
    }
    let is_minor_parent = view.number("work_eligible_indicator") == Some(11);
    let is_head = view.number("relationship_hoh") == Some(1);
    if !is_ssp && is_minor_parent && is_head && facts.age.is_some_and(|age| age < 19) {
        report(
            "C15",
            "relationship_hoh",
            "not head of household for a minor parent under 19",
        );
    }
}

fn adult_standing(view: View<'_>, program: Program, affiliation: u64, report: &mut Report<'_>) {
    let education = view.number("education_level");
    if affiliation == 1 {
        if matches!(education, Some(0 | 99)) {
            report(
                "C9",
                "education_level",
                "not 0 or 99 for an affiliation of 1",
            );
        }
        if !view.is_in("citizenship_status", 1..=3) {
            report("C9", "citizenship_status", "1-3 for an affiliation of 1");
        }
    }
    let lowest = u64::from(program == Program::Ssp);
    let is_level =
        education.is_some_and(|level| (lowest..=16).contains(&level) || matches!(level, 98 | 99));
    if (2..=3).contains(&affiliation) && !is_level {
        report(
            "C9",
            "education_level",
            "an education level for an affiliation of 2 or 3",
        );
    }
    if (1..=3).contains(&affiliation) {
        if !matches!(view.number("cooperation_child_support"), Some(1 | 2 | 9)) {
            report(
                "C10",
                "cooperation_child_support",
                "1, 2 or 9 for an affiliation of 1 to 3",
            );
        }
        if !view.is_in("employment_status", 1..=3) {
            report(
                "C10",
                "employment_status",
                "1-3 for an affiliation of 1 to 3",
            );
        }
    }
}

/// Rules C7 and C8, which adults of sections one and two share.
fn shared_by_adults(
    view: View<'_>,
    affiliation: u64,
    last_parent_code: u64,
    report: &mut Report<'_>,
) {
    if (1..=3).contains(&affiliation) {
        for flag in RACE_FLAGS
            .into_iter()
            .filter(|flag| !view.is_in(flag, 1..=2))
        {
            report("C7", flag, "1 or 2 for an affiliation of 1 to 3");
        }
        if !view.is_in("marital_status", 1..=5) {
            report("C7", "marital_status", "1-5 for an affiliation of 1 to 3");
        }
    }
    if (1..=2).contains(&affiliation) && !view.is_in("parent_minor_child", 1..=last_parent_code) {
        report(
            "C8",
            "parent_minor_child",
            "a parent code for an affiliation of 1 or 2",
        );
    }
}

/// Rules C16 and C17: one child of T3 or M3.
pub(super) fn child(view: View<'_>, program: Program, report: &mut Report<'_>) {
    let affiliation = view.amount("family_affiliation");
    if !(1..=2).contains(&affiliation) {
        return;
    }
    for flag in RACE_FLAGS
        .into_iter()
        .filter(|flag| !view.is_in(flag, 1..=2))
    {
        report("C16", flag, "1 or 2 for an affiliation of 1 or 2");
    }
    if !view.is_in("relationship_hoh", 4..=9) {
        report(
            "C16",
            "relationship_hoh",
            "4-9 for an affiliation of 1 or 2",
        );
    }
    let lowest = if program == Program::Ssp { 1 } else { 2 };
    if !view.is_in("parent_minor_child", lowest..=3) {
        report(
            "C16",
            "parent_minor_child",
            "2 or 3 for an affiliation of 1 or 2",
        );
    }
    if affiliation == 1 && view.number("education_level") == Some(99) {
        report("C17", "education_level", "not 99 for an affiliation of 1");
    }
    let is_known = view.is_in("citizenship_status", 1..=3);
    let is_unknown_allowed = affiliation == 2 && view.number("citizenship_status") == Some(9);
    if !is_known && !is_unknown_allowed {
        report(
            "C17",
            "citizenship_status",
            "a citizenship status for an affiliation of 1 or 2",
        );
    }
}

/// Rules C7, C8, C18 and C19: the person record T5 or M5 of a closed case.
pub(super) fn closed_person(
    view: View<'_>,
    program: Program,
    age: Option<i32>,
    report: &mut Report<'_>,
) {
    let affiliation = view.amount("family_affiliation");
    shared_by_adults(
        view,
        affiliation,
        if program == Program::Ssp { 2 } else { 3 },
        report,
    );
    if age.is_some_and(|age| age > 18) && !view.is_in("rec_oasdi_insurance", 1..=2) {
        report(
            "C18",
            "rec_oasdi_insurance",
            "1 or 2 for a person older than 18",
        );
    }
    if affiliation == 1 {
        if !view.is_in("citizenship_status", 1..=3) {
            report("C19", "citizenship_status", "1-3 for an affiliation of 1");
        }
        if !view.is_in("rec_federal_disability", 1..=2) {
            report(
                "C19",
                "rec_federal_disability",
                "1 or 2 for an affiliation of 1",
            );
        }
    }
    let is_level = view.is_in("education_level", 1..=16) || view.is_in("education_level", 98..=99);
    if (1..=3).contains(&affiliation) && !is_level {
        report(
            "C19",
            "education_level",
            "1-16, 98 or 99 for an affiliation of 1 to 3",
        );
    }
}

/// Rule C20: the counts T6 or M6, month by month.
pub(super) fn counts(view: View<'_>, program: Program, report: &mut Report<'_>) {
    let is_ssp = program == Program::Ssp;
    for month in ["month1", "month2", "month3"] {
        let count = |field: &str| view.amount(&format!("{field}.{month}"));
        if !is_ssp && count("num_applications") != count("num_approved") + count("num_denied") {
            report(
                "C20",
                "num_applications",
                "applications = approved + denied, in each month",
            );
        }
        let (families, adults, children) = if is_ssp {
            ("sspmoe_families", "adult_recipients", "child_recipients")
        } else {
            (
                "num_families",
                "num_adult_recipients",
                "num_child_recipients",
            )
        };
        let parts = count("num_2_parents") + count("num_1_parents") + count("num_no_parents");
        if count(families) != parts {
            report(
                "C20",
                families,
                "families = two-parent + one-parent + no-parent, in each month",
            );
        }
        if count("num_recipients") != count(adults) + count(children) {
            report(
                "C20",
                "num_recipients",
                "recipients = adults + children, in each month",
            );
        }
    }
}
