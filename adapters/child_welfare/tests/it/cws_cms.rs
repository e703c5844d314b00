//! What an extract becomes.

use tandem_adapter_port::report::{Collected, Outcome};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::date::DateQuality;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::name::NameUse;
use tandem_mappings::model::person::{PersonFlag, PersonRecord, Relation, Sex};

use crate::support::{extract, read_extract};

const ANA: &str = "4g8Ojkb0dm";
const LEO: &str = "DJlTBUb0dm";
const MARISOL: &str = "2dHPBgz0dm";
const SENSITIVE: &str = "0xcP29D0dn";
const LIMITED: &str = "3zLnvVi0dn";

fn person(found: &Collected, id: &str) -> PersonRecord {
    let events = found.events.iter().filter(|event| {
        event
            .source_person_id
            .as_ref()
            .is_some_and(|person| person.as_str() == id)
    });
    events
        .filter_map(|event| match &event.body {
            Body::RecordReceived(record) => Some(record.person.clone()),
            _ => None,
        })
        .next()
        .unwrap()
}

#[test]
fn the_small_extract_is_accepted_and_counted() {
    let (_, report) = read_extract(extract());
    assert_eq!(
        report.outcome,
        Outcome::Accepted,
        "{:#?}",
        report.deviations
    );
    assert_eq!(report.persons, 5);
    assert_eq!(report.records["CLIENT_T"], 6);
    assert_eq!(report.records["CLN_RELT"], 4);
    assert_eq!(report.records["REFERL_T"], 1);
    assert_eq!(report.events["record.received"], 5);
    assert_eq!(report.events["record.sealed"], 1);
    assert_eq!(report.events["household.membership"], 3);
    assert_eq!(report.events["case.opened"], 2);
    assert_eq!(report.events["case.closed"], 1);
    assert_eq!(report.events["worker.changed"], 1);
    assert_eq!(report.events["placement.changed"], 1);
}

#[test]
fn a_client_keeps_names_birth_date_cin_address_and_other_names() {
    let (found, _) = read_extract(extract());
    let ana = person(&found, ANA);
    assert_eq!(
        (ana.names[0].given.as_str(), ana.names[0].family.as_str()),
        ("Ana", "Demofield-Rivas")
    );
    assert_eq!(ana.names[1].family, "Rivas");
    assert_eq!(ana.names[1].name_use, NameUse::Other);
    assert_eq!(ana.birth.unwrap().date.to_string(), "2018-03-02");
    assert_eq!(ana.birth.unwrap().quality, DateQuality::Exact);
    assert_eq!(ana.identifier("cin"), Some("91234568B"));
    assert_eq!(ana.identifier("state-case-id"), Some("191B2C3D4002"));
    assert_eq!(ana.sex, Some(Sex::Female));
    assert_eq!(ana.addresses[0].street, "12 Example Street 4B");
    assert_eq!(
        (
            ana.addresses[0].state.as_str(),
            ana.addresses[0].zip.as_str()
        ),
        ("CA", "93001")
    );
    assert_eq!(ana.phones, ["5550100123"]);
    assert!(ana.ssn.is_none(), "blanks are no number");
    assert!(ana.flags.is_empty());
}

#[test]
fn an_estimated_birth_date_is_not_exact_and_zeros_are_no_ssn() {
    let (found, _) = read_extract(extract());
    let leo = person(&found, LEO);
    assert_eq!(leo.birth.unwrap().quality, DateQuality::Estimated);
    assert!(leo.ssn.is_none());
    let mother = person(&found, MARISOL);
    assert_eq!(mother.ssn.unwrap().ssn.expose(), "900123456");
    assert_eq!(mother.language.as_deref(), Some("Spanish"));
    assert_eq!(mother.names[1].name_use, NameUse::Maiden);
}

#[test]
fn a_relationship_is_read_from_the_first_client_to_the_second() {
    let (found, _) = read_extract(extract());
    let relations: Vec<_> = found
        .events
        .iter()
        .filter_map(|event| match &event.body {
            Body::HouseholdMembership(told) => Some((
                told.person.to_string(),
                told.relative.clone().unwrap().to_string(),
                told.relation,
            )),
            _ => None,
        })
        .collect();
    let one = |a: &str, b: &str, relation| (a.to_owned(), b.to_owned(), relation);
    assert_eq!(
        relations,
        [
            one(MARISOL, ANA, Relation::Parent),
            one(LEO, MARISOL, Relation::Child),
            one(ANA, LEO, Relation::Sibling)
        ]
    );
}

#[test]
fn an_open_case_tells_component_child_worker_and_project() {
    let (found, _) = read_extract(extract());
    let case = found.events.iter().find_map(|event| match &event.body {
        Body::CaseOpened(case) if case.people[0].as_str() == ANA => Some(case),
        _ => None,
    });
    let case = case.unwrap();
    assert_eq!(case.case.as_str(), "0Ikkp6E0dm");
    assert_eq!(case.status.as_deref(), Some("FM"));
    assert_eq!(case.from.unwrap().to_string(), "2026-01-20");
    assert_eq!(case.project.as_deref(), Some("special-project"));
    let worker = case.worker.clone().unwrap();
    assert_eq!(worker.name.as_deref(), Some("Wanda Workerly"));
    assert_eq!(worker.phone.as_deref(), Some("5550100777 x12"));
    assert_eq!(worker.email.as_deref(), Some("wanda.workerly@cws.example"));
}

#[test]
fn a_case_under_investigation_is_guarded_like_the_report() {
    let mut entries = extract();
    for (name, text) in &mut entries {
        if name == "CASE_T.csv" {
            *text = text.replacen(",1693,", ",1692,", 1);
        }
    }
    let (found, _) = read_extract(entries);
    let categories = found.events.iter().filter_map(|event| match &event.body {
        Body::CaseOpened(case) => Some((case.status.clone().unwrap(), event.category.unwrap())),
        _ => None,
    });
    let expected = [
        ("ER".to_owned(), Category::CwReferral),
        ("FM".to_owned(), Category::CwCase),
    ];
    assert_eq!(categories.collect::<Vec<_>>(), expected);
}

#[test]
fn a_removal_is_told_without_its_reason() {
    let (found, _) = read_extract(extract());
    let removal = found
        .events
        .iter()
        .find(|event| matches!(event.body, Body::PlacementChanged(_)));
    let text = serde_json::to_string(removal.unwrap()).unwrap();
    assert!(text.contains(LEO) && text.contains("removed"));
    assert!(
        !text.contains("1615"),
        "the removal reason is part of the abuse report"
    );
}

#[test]
fn a_sensitive_client_enters_under_a_flag_and_so_does_the_child_of_a_sealed_case() {
    let (found, _) = read_extract(extract());
    for id in [SENSITIVE, LIMITED] {
        assert_eq!(person(&found, id).flags, [PersonFlag::Sensitive], "{id}");
    }
    for event in &found.events {
        let is_sensitive = event
            .source_person_id
            .as_ref()
            .is_some_and(|person| [SENSITIVE, LIMITED].contains(&person.as_str()));
        assert!(
            !is_sensitive || event.labels == ["R"],
            "{}",
            event.body.event_type()
        );
    }
}

#[test]
fn the_same_row_gives_the_same_event_id_and_a_changed_row_another() {
    let ids = |entries| -> Vec<String> {
        read_extract(entries)
            .0
            .events
            .iter()
            .map(|event| event.source_event_id.to_string())
            .collect()
    };
    let before = ids(extract());
    assert_eq!(before, ids(extract()));
    let mut entries = extract();
    for (name, text) in &mut entries {
        if name == "OCL_NM_T.csv" {
            *text = text.replace("Anita", "Annie");
        }
    }
    let after = ids(entries);
    let changed = before
        .iter()
        .zip(&after)
        .filter(|(old, new)| old != new)
        .count();
    assert_eq!(changed, 1);
}

#[test]
fn an_end_date_that_cannot_be_read_still_ends_the_case() {
    let mut entries = extract();
    for (name, text) in &mut entries {
        if name == "CASE_T.csv" {
            *text = text.replace("2024-02-08", "08/02/2024");
        }
    }
    let (_, report) = read_extract(entries);
    assert_eq!(
        (report.events["case.opened"], report.events["case.closed"]),
        (2, 1)
    );
    assert_eq!(report.outcome, Outcome::AcceptedWithErrors);
}

#[test]
fn columns_may_stand_in_any_order_and_be_absent() {
    let text = "COM_LST_NM,SENSTV_IND,IDENTIFIER,BIRTH_DT\nDemofield   ,N,4g8Ojkb0dm,2018-03-02\n";
    let (found, report) = read_extract(vec![("CLIENT_T.csv".into(), text.into())]);
    assert_eq!(
        report.outcome,
        Outcome::Accepted,
        "{:#?}",
        report.deviations
    );
    assert_eq!(person(&found, ANA).names[0].family, "Demofield");
}

#[test]
fn an_extract_without_clients_is_refused_as_a_whole() {
    let entries = extract()
        .into_iter()
        .filter(|(name, _)| name != "CLIENT_T.csv")
        .collect();
    let (found, report) = read_extract(entries);
    assert_eq!(report.outcome, Outcome::Rejected);
    assert!(found.events.is_empty());
}

#[test]
fn a_wrong_value_costs_the_value_and_not_the_client() {
    let text = "IDENTIFIER,COM_LST_NM,SENSTV_IND,BIRTH_DT,GENDER_CD,SS_NO,CL_INDX_NO\n\
                4g8Ojkb0dm,Demofield,N,03/02/2018,Q,90012,ABC\n";
    let (found, report) = read_extract(vec![("CLIENT_T.csv".into(), text.into())]);
    assert_eq!(report.outcome, Outcome::AcceptedWithErrors);
    assert_eq!(report.deviations[0].count, 4);
    assert_eq!(report.deviations[0].first.line, Some(2));
    let ana = person(&found, ANA);
    assert!(ana.birth.is_none() && ana.sex.is_none() && ana.ssn.is_none());
}

#[test]
fn a_case_that_stands_twice_is_told_once() {
    let mut entries = extract();
    for (name, text) in &mut entries {
        if name == "CASE_T.csv" {
            let row = text
                .lines()
                .find(|line| line.starts_with("0Ikkp6E0dm"))
                .unwrap();
            let other = row.replace(",1693,", ",1694,");
            *text = format!("{text}{other}\n");
        }
    }
    let (_, report) = read_extract(entries);
    let twice = report
        .deviations
        .iter()
        .find(|one| one.code == "case-twice");
    assert_eq!(twice.unwrap().first.line, Some(7));
    assert_eq!(report.events["case.opened"], 2);
    assert_eq!(report.outcome, Outcome::PartiallyAccepted);
}

#[test]
fn a_client_table_of_no_bytes_is_a_broken_transfer_and_no_county_without_clients() {
    for text in ["", "\n\n"] {
        let (_, report) = read_extract(vec![("CLIENT_T.csv".into(), text.into())]);
        assert_eq!(report.outcome, Outcome::Rejected);
        assert_eq!(report.deviations[0].code, "table-empty");
    }
    let header = "IDENTIFIER,COM_LST_NM,SENSTV_IND\n";
    let (_, report) = read_extract(vec![("CLIENT_T.csv".into(), header.into())]);
    assert_eq!(report.outcome, Outcome::Accepted);
}

#[test]
fn lines_that_end_in_a_carriage_return_alone_do_not_pass_for_an_empty_table() {
    let text = "IDENTIFIER,COM_LST_NM,SENSTV_IND\r4g8Ojkb0dm,Demofield,N\r";
    let (_, report) = read_extract(vec![("CLIENT_T.csv".into(), text.into())]);
    assert_eq!(report.outcome, Outcome::Rejected);
}
