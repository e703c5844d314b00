//! Messages of others, and our own read back.

use proptest::prelude::*;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::outbound::{Outbound, OutboundBody};
use tandem_adapter_port::package::MemoryPackage;
use tandem_adapter_port::read::{FormatReader, Input};
use tandem_adapter_port::report::{Collected, Counting, Outcome, Report};
use tandem_child_welfare::{Config, NiemReader};
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::involvement::PlacementChange;
use tandem_mappings::model::person::Relation;
use tandem_mappings::model::plan::{ActivityStatus, PlanType};
use tandem_mappings::model::referral::{ReasonCode, ReferralStatus, SubStatus, Urgency};

use crate::samples::{every_kind, outbound, plan_view, referral_view, status_view};
use crate::support::{context, fixture};
use crate::write::xml;

pub(crate) fn read(bytes: &[u8]) -> (Collected, Report) {
    let reader = NiemReader::new(Config::default()).unwrap();
    let mut collected = Collected::default();
    let mut counting = Counting::new(Format::Niem, &mut collected);
    let mut stream = bytes;
    let input = Input::Stream {
        name: "message.xml",
        reader: &mut stream,
    };
    reader.read(input, &context(), &mut counting).unwrap();
    let report = counting.report();
    (collected, report)
}

pub(crate) fn example(name: &str) -> String {
    std::fs::read_to_string(fixture("niem").join(name)).unwrap()
}

fn find<'a, T>(found: &'a Collected, pick: impl Fn(&'a Body) -> Option<&'a T>) -> &'a T {
    found
        .events
        .iter()
        .find_map(|event| pick(&event.body))
        .unwrap()
}

#[test]
fn the_referral_example_is_read() {
    let (found, report) = read(example("referral_example.xml").as_bytes());
    assert_eq!(
        report.outcome,
        Outcome::Accepted,
        "{:#?}",
        report.deviations
    );
    assert_eq!(report.version.as_deref(), Some("NIEM 6.0"));
    assert_eq!(report.persons, 2);
    assert_eq!(report.records["CoordinatedReferralMessage"], 1);
    let referral = find(&found, |body| match body {
        Body::ReferralRequested(referral) => Some(referral.as_ref()),
        _ => None,
    });
    assert_eq!(referral.referral.source_ref.as_deref(), Some("REF-1"));
    assert_eq!(referral.domain, Domain::Employment);
    assert_eq!(
        referral.original.as_ref().unwrap().code,
        "Employment Services"
    );
    assert_eq!(
        referral.need.as_deref(),
        Some("AB 429 family reunification services")
    );
    assert_eq!(referral.subjects.len(), 1);
    assert_eq!(
        referral.worker.as_ref().unwrap().name.as_deref(),
        Some("Example Worker")
    );
    let removal = find(&found, |body| match body {
        Body::PlacementChanged(placement) => Some(placement.as_ref()),
        _ => None,
    });
    assert_eq!(
        (removal.person.as_str(), removal.change),
        ("5Y3vKVs0X5", PlacementChange::Removed)
    );
    let relation = find(&found, |body| match body {
        Body::HouseholdMembership(told) => Some(told.as_ref()),
        _ => None,
    });
    assert_eq!(relation.relation, Relation::Parent);
    assert_eq!(relation.relative.as_ref().unwrap().as_str(), "5Y3vKVs0X5");
    assert_eq!(relation.person, referral.subjects[0]);
}

#[test]
fn the_plan_example_is_read() {
    let (found, report) = read(example("case_plan_update_example.xml").as_bytes());
    assert_eq!(
        report.outcome,
        Outcome::Accepted,
        "{:#?}",
        report.deviations
    );
    assert_eq!(report.persons, 1);
    let plan = find(&found, |body| match body {
        Body::PlanUpdate(plan) => Some(plan.as_ref()),
        _ => None,
    });
    assert_eq!(
        (plan.plan.as_str(), plan.plan_type),
        ("PLAN-9", PlanType::ChildWelfare)
    );
    assert_eq!(
        plan.activities[0].name.as_deref(),
        Some("Parenting education")
    );
    assert_eq!(plan.activities[0].status, ActivityStatus::InProgress);
    assert_eq!(plan.activities[0].domain, Domain::AdultEducation);
    assert_eq!(plan.goals[0].statement.as_deref(), Some("Return home"));
    assert_eq!(
        plan.goals[0].original.as_ref().unwrap().code,
        "Reunification"
    );
    assert_eq!(plan.goals[0].target_date.unwrap().to_string(), "2026-08-20");
    let placement = find(&found, |body| match body {
        Body::PlacementChanged(placement) => Some(placement.as_ref()),
        _ => None,
    });
    assert_eq!(placement.change, PlacementChange::Placed);
    assert_eq!(placement.date.unwrap().to_string(), "2026-02-20");
    assert_eq!(placement.original.as_ref().unwrap().code, "Foster Home");
}

fn round(body: OutboundBody) -> Collected {
    let (found, report) = read(xml(&outbound(body)).as_bytes());
    assert_eq!(
        report.outcome,
        Outcome::Accepted,
        "{:#?}",
        report.deviations
    );
    found
}

#[test]
fn a_referral_survives_writing_and_reading() {
    let view = referral_view();
    let found = round(OutboundBody::Referral(Box::new(view.clone())));
    let referral = find(&found, |body| match body {
        Body::ReferralRequested(referral) => Some(referral.as_ref()),
        _ => None,
    });
    assert_eq!(referral.referral.id, Some(view.referral));
    assert_eq!(
        (referral.domain, referral.urgency),
        (Domain::Shelter, Urgency::Urgent)
    );
    assert_eq!(referral.need, view.need);
    assert_eq!(
        referral.target.organization.as_ref().unwrap().as_str(),
        "org-cws"
    );
    assert_eq!(referral.target.service, view.service);
    assert_eq!(referral.subjects[0].as_str(), "2dHPBgz0dm");
    assert_eq!(referral.part_of.as_ref().unwrap().id, view.part_of);
    assert_eq!(
        referral.worker.as_ref().unwrap().email,
        view.worker.unwrap().email
    );
}

#[test]
fn a_referral_status_survives_writing_and_reading() {
    let view = status_view();
    let found = round(OutboundBody::ReferralStatus(Box::new(view.clone())));
    let update = find(&found, |body| match body {
        Body::ReferralRejected(update) => Some(update.as_ref()),
        _ => None,
    });
    assert_eq!(update.referral.id, Some(view.referral));
    assert_eq!(update.referral.source_ref.as_deref(), Some("REF-1"));
    assert_eq!(
        (update.status, update.reason),
        (ReferralStatus::Rejected, Some(ReasonCode::NoCapacity))
    );
    assert_eq!(update.sub_status, Some(SubStatus::Viewed));
    assert_eq!(update.reason_text, view.reason_text);
    assert_eq!(update.outputs[0].text, view.outputs[0].text);
}

#[test]
fn a_plan_survives_writing_and_reading() {
    let view = plan_view();
    let found = round(OutboundBody::Plan(Box::new(view.clone())));
    let plan = find(&found, |body| match body {
        Body::PlanUpdate(plan) => Some(plan.as_ref()),
        _ => None,
    });
    assert_eq!(
        (&plan.plan, plan.plan_type, plan.version),
        (&view.plan, view.plan_type, view.version)
    );
    assert_eq!(
        (plan.from, plan.to, plan.status),
        (view.from, view.to, view.status)
    );
    assert_eq!(plan.goals, view.goals);
    assert_eq!(plan.fundings, view.fundings);
    let mut activity = plan.activities[0].clone();
    assert_eq!(
        activity.original.take().unwrap().code,
        "Employment Services"
    );
    assert_eq!(activity, view.activities[0]);
}

#[test]
fn people_survive_writing_and_reading() {
    let found = round(OutboundBody::Plan(Box::new(plan_view())));
    let mother = found.events.iter().find_map(|event| match &event.body {
        Body::RecordReceived(record)
            if event.source_person_id.as_ref().unwrap().as_str() == "2dHPBgz0dm" =>
        {
            Some(&record.person)
        }
        _ => None,
    });
    let mother = mother.unwrap();
    assert_eq!(mother.names[0].middle, "Inés & <Ana>");
    assert_eq!(mother.identifier("cin"), Some("91234567A"));
    assert_eq!(mother.phones, ["5550100123"]);
    assert_eq!(mother.addresses[0].zip, "93001");
}

#[test]
fn every_kind_of_our_own_is_read_without_an_error() {
    for (name, message) in every_kind() {
        let (_, report) = read(xml(&message).as_bytes());
        assert_eq!(
            report.outcome,
            Outcome::Accepted,
            "{name}: {:#?}",
            report.deviations
        );
        let unknown = report
            .deviations
            .iter()
            .any(|one| one.code == "element-unknown");
        assert!(!unknown, "{name}: {:#?}", report.deviations);
    }
}

#[test]
fn meetings_ratings_comanagement_and_participation_become_events() {
    let event = |name: &str| {
        let (_, message): (_, Outbound) = every_kind()
            .into_iter()
            .find(|(one, _)| *one == name)
            .unwrap();
        let types = read(xml(&message).as_bytes()).1.events;
        types
            .into_keys()
            .filter(|one| one != "record.received")
            .collect::<Vec<_>>()
    };
    assert_eq!(event("meeting"), ["meeting.held"]);
    assert_eq!(event("assessment"), ["assessment.recorded"]);
    assert_eq!(
        event("comanagement"),
        ["comanagement.ended", "worker.changed"]
    );
    assert_eq!(event("participation"), ["participation.status"]);
    assert_eq!(event("change-placement"), ["placement.changed"]);
}

#[test]
fn a_dangling_reference_is_an_error_with_its_line() {
    let text =
        example("referral_example.xml").replace("structures:ref=\"p1\"", "structures:ref=\"p9\"");
    let (_, report) = read(text.as_bytes());
    let dangling = report
        .deviations
        .iter()
        .find(|one| one.code == "reference-dangling")
        .unwrap();
    let line = text
        .lines()
        .position(|line| line.contains("\"p9\""))
        .unwrap() as u64
        + 1;
    assert_eq!((dangling.count, dangling.first.line), (2, Some(line)));
    assert_eq!(dangling.first.file, "message.xml");
    assert_eq!(
        report.outcome,
        Outcome::PartiallyAccepted,
        "a referral of nobody is dropped"
    );
}

#[test]
fn allegations_are_refused_and_cut_out() {
    let allegation = "<hs:JuvenileAbuseNeglectAllegation>\n<hs:AbuseNeglectAllegationCategoryText>\
                      Hotline words</hs:AbuseNeglectAllegationCategoryText>\n\
                      </hs:JuvenileAbuseNeglectAllegation>\n  <hs:Placement>";
    let text = example("case_plan_update_example.xml").replace("<hs:Placement>", allegation);
    let (found, report) = read(text.as_bytes());
    assert_eq!(report.refused, 1);
    let (place, last) = &found.refused[0];
    assert_eq!(last - place.line.unwrap(), 2);
    assert!(!format!("{:?}", found.events).contains("Hotline"));
}

#[test]
fn a_code_outside_a_closed_list_is_an_error() {
    let text = example("referral_example.xml").replace("Employment Services", "Castles");
    let (_, report) = read(text.as_bytes());
    assert_eq!(report.outcome, Outcome::AcceptedWithErrors);
    assert_eq!(report.deviations[0].code, "code-unknown");
}

#[test]
fn an_unknown_element_is_told_and_harms_nothing() {
    let text = example("referral_example.xml")
        .replace("<nc:Referral>", "<nc:Novelty>x</nc:Novelty><nc:Referral>");
    let (_, report) = read(text.as_bytes());
    assert_eq!(report.outcome, Outcome::Accepted);
    assert!(
        report
            .deviations
            .iter()
            .any(|one| one.code == "element-unknown")
    );
}

#[test]
fn what_is_no_message_is_rejected_with_a_reason() {
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;&b;\">]><a>&c;</a>";
    let deep = "<a>".repeat(100_000);
    let wide = format!(
        "<a {}/>",
        (0..5_000)
            .map(|one| format!("b{one}=\"\" "))
            .collect::<String>()
    );
    let many = format!("<a>{}</a>", "<b/>".repeat(200_000));
    let spaces: String = (0..3_000)
        .map(|one| format!("<p xmlns:n{one}=\"u\">"))
        .collect();
    for (text, code) in [
        (bomb, "xml-entity-refused"),
        ("<a>&nothing;</a>", "xml-entity-refused"),
        (deep.as_str(), "xml-too-deep"),
        (spaces.as_str(), "xml-too-deep"),
        (wide.as_str(), "xml-too-large"),
        (many.as_str(), "xml-too-large"),
        ("", "empty"),
        ("<a>", "xml-not-well-formed"),
        ("<a></b>", "xml-not-well-formed"),
        ("<lk:CasePlanUpdateMessage/>", "xml-not-well-formed"),
        ("<a/>", "message-unknown"),
        (
            "<CasePlanUpdateMessage xmlns=\"https://example.org/ns/linkages/1.0/\"/>",
            "required-element-missing",
        ),
    ] {
        let (found, report) = read(text.as_bytes());
        assert_eq!(report.outcome, Outcome::Rejected, "{code}");
        assert!(
            found.deviations.iter().any(|one| one.code == code),
            "{code}: {:?}",
            found.deviations
        );
    }
    let (found, _) = read(b"\xff\xfe<\x00a\x00");
    assert_eq!(found.deviations[0].code, "not-utf-8");
}

#[test]
fn one_bad_message_of_several_costs_that_message_alone() {
    let mut package = MemoryPackage::new([
        ("bad.xml", "<a>".to_owned()),
        ("good.xml", example("referral_example.xml")),
    ]);
    let reader = NiemReader::new(Config::default()).unwrap();
    let mut collected = Collected::default();
    let mut counting = Counting::new(Format::Niem, &mut collected);
    let input = Input::Package {
        name: "messages.zip",
        package: &mut package,
    };
    reader.read(input, &context(), &mut counting).unwrap();
    let report = counting.report();
    assert_eq!(
        (report.outcome, report.persons),
        (Outcome::PartiallyAccepted, 2)
    );
}

#[test]
fn a_message_of_another_release_is_rejected() {
    let text = example("referral_example.xml").replace("linkages/1.0/", "linkages/0.9/");
    assert_eq!(read(text.as_bytes()).1.outcome, Outcome::Rejected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_give_a_report(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
    }

    #[test]
    fn any_damage_to_a_message_gives_a_report(at in 0_usize..4_000, with in "[\\PC<>&\"]{0,12}", cut in 0_usize..40) {
        let mut text = example("referral_example.xml");
        let start = (0..=at.min(text.len())).rev().find(|one| text.is_char_boundary(*one)).unwrap();
        let end = (start..=(start + cut).min(text.len())).rev().find(|one| text.is_char_boundary(*one)).unwrap();
        text.replace_range(start..end, &with);
        let _ = read(text.as_bytes());
    }
}
