//! What the profile asks of a message, told where a message does otherwise.

use tandem_adapter_port::report::{Outcome, Report};
use tandem_mappings::model::event::Body;

use crate::niem::{example, read};
use crate::samples::every_kind;
use crate::write::xml;

const REFERRAL: &str = "referral_example.xml";
const PLAN: &str = "case_plan_update_example.xml";

/// The text without the part between two marks, marks included.
fn without(text: &str, from: &str, to: &str) -> String {
    let start = text.find(from).unwrap();
    let end = start + text[start..].find(to).unwrap() + to.len();
    format!("{}{}", &text[..start], &text[end..])
}

/// What is said of elements under a code, beside what is said of the example itself.
fn told(report: &Report, code: &str) -> u64 {
    let of_code = |one: &&tandem_adapter_port::report::DeviationCount| one.code == code;
    report
        .deviations
        .iter()
        .filter(of_code)
        .map(|one| one.count)
        .sum()
}

#[test]
fn an_element_that_the_profile_requires_is_missed() {
    for (name, from, to) in [
        (
            REFERRAL,
            "<hs:ServiceCategoryCode>",
            "</hs:ServiceCategoryCode>",
        ),
        (REFERRAL, "<nc:ReferralIssuer>", "</nc:ReferralIssuer>"),
        (REFERRAL, "<nc:ReferralEntity>", "</nc:ReferralEntity>"),
        (REFERRAL, "<nc:ActivityDate>", "</nc:ActivityDate>"),
        (
            REFERRAL,
            "<nc:DocumentSubmitter>",
            "</nc:DocumentSubmitter>",
        ),
        (
            REFERRAL,
            "<hs:ChildWelfareAgencyCaseID>",
            "</hs:ChildWelfareAgencyCaseID>",
        ),
        (PLAN, "<nc:PlanUpdatedDate>", "</nc:PlanUpdatedDate>"),
        (
            PLAN,
            "<hs:PrimaryGoalIndicator>",
            "</hs:PrimaryGoalIndicator>",
        ),
    ] {
        let whole = read(example(name).as_bytes()).1;
        let (_, report) = read(without(&example(name), from, to).as_bytes());
        let code = "required-element-missing";
        // Without its submitter a message no longer lacks the submitter's id: one for one.
        let more = u64::from(!from.contains("Submitter"));
        assert_eq!(told(&report, code), told(&whole, code) + more, "{from}");
        assert!(told(&report, code) > 0, "{from}");
        assert_eq!(report.outcome, Outcome::Accepted, "{from}");
        assert_eq!(report.events, whole.events, "{from}");
    }
}

#[test]
fn a_second_element_of_which_only_the_first_is_read_is_told() {
    let second = "<hs:ChildWelfareCase><hs:ChildWelfareAgencyCaseID>X</hs:ChildWelfareAgencyCaseID>\
                  </hs:ChildWelfareCase><hs:ServicePlanGoal>";
    let text = example(PLAN).replacen("<hs:ServicePlanGoal>", second, 1);
    let (_, report) = read(text.as_bytes());
    assert_eq!(report.outcome, Outcome::AcceptedWithErrors);
    assert_eq!(told(&report, "element-twice"), 1);
}

#[test]
fn two_plans_in_one_message_are_both_read_and_no_fault() {
    let text = example(PLAN);
    let start = text.find("<j:CasePlan>").unwrap();
    let end = text.find("</j:CasePlan>").unwrap() + "</j:CasePlan>".len();
    let plan = &text[start..end];
    let both = format!("{plan}{}", plan.replace("PLAN-9", "PLAN-10"));
    let (_, report) = read(text.replace(plan, &both).as_bytes());
    assert_eq!(report.events["plan.update"], 2);
    assert_eq!(report.outcome, Outcome::Accepted);
}

#[test]
fn a_goal_of_which_nobody_knows_whose_it_is_does_not_vanish() {
    let text = without(
        &example(PLAN),
        "<hs:ChildWelfareCase>",
        "</hs:ChildWelfareCase>",
    );
    let (_, report) = read(text.as_bytes());
    assert_eq!(told(&report, "goal-without-plan"), 1);
    assert_eq!(report.outcome, Outcome::PartiallyAccepted);
}

#[test]
fn each_removal_of_a_child_is_an_event_of_its_own() {
    let removal = "<hs:ChildRemovalDate>";
    let two =
        format!("{removal}<nc:Date>2024-01-01</nc:Date></hs:ChildRemovalDate>\n    {removal}");
    let (found, _) = read(example(REFERRAL).replace(removal, &two).as_bytes());
    let removals = found
        .events
        .iter()
        .filter(|one| matches!(one.body, Body::PlacementChanged(_)));
    let ids: std::collections::BTreeSet<&str> =
        removals.map(|one| one.source_event_id.as_str()).collect();
    assert_eq!(ids.len(), 2);
}

#[test]
fn a_date_that_is_none_is_told_wherever_it_stands() {
    for (good, bad) in [
        ("2026-03-05", "soon"),
        ("2026-02-20", "2026-02-31"),
        ("2019-04-05", "05/04/2019"),
        (
            "<nc:ActivityDate><nc:DateTime>2026-03-02T09:15:00-08:00",
            "<nc:ActivityDate><nc:DateTime>noon",
        ),
    ] {
        let text = example(REFERRAL).replace(good, bad);
        let (_, report) = read(text.as_bytes());
        assert_eq!(told(&report, "value-not-allowed"), 1, "{bad}");
        assert_eq!(report.outcome, Outcome::AcceptedWithErrors, "{bad}");
    }
}

#[test]
fn a_code_outside_its_list_is_told_also_where_nothing_reads_it() {
    for wrong in [
        "<j:PersonRaceCode>ZZ</j:PersonRaceCode>",
        "<hs:PersonAugmentation><hs:HousingPermanencyCategoryCode>ZZ</hs:HousingPermanencyCategoryCode>\
         </hs:PersonAugmentation>",
    ] {
        let sex = "<j:PersonSexCode>F";
        let text = example(REFERRAL).replacen(sex, &format!("{wrong}{sex}"), 1);
        assert_eq!(told(&read(text.as_bytes()).1, "code-unknown"), 1, "{wrong}");
    }
}

#[test]
fn our_own_referrals_and_plans_have_all_that_the_profile_requires() {
    let kinds = every_kind();
    let of_profile = kinds
        .iter()
        .filter(|(name, _)| ["referral", "plan"].contains(name));
    let mut count = 0;
    for (name, message) in of_profile {
        let (_, report) = read(xml(message).as_bytes());
        assert_eq!(
            told(&report, "required-element-missing"),
            0,
            "{name}: {:?}",
            report.deviations
        );
        assert_eq!(told(&report, "element-twice"), 0, "{name}");
        count += 1;
    }
    assert_eq!(count, 2);
}

#[test]
fn a_plan_names_the_day_of_its_update() {
    let kinds = every_kind();
    let (_, plan) = kinds.iter().find(|(name, _)| *name == "plan").unwrap();
    let text = xml(plan);
    let updated = &text[text.find("<nc:PlanUpdatedDate>").unwrap()..];
    let updated = &updated[..updated.find("</nc:PlanUpdatedDate>").unwrap()];
    assert!(updated.contains("<nc:Date>"), "{updated}");
    assert!(updated.contains("<nc:DateTime>"), "{updated}");
}
