//! A clean export becomes the right events.

use tandem_adapter_port::read::Coverage;
use tandem_adapter_port::report::Outcome as Result;
use tandem_hmis::config::{OutsideService, ReadConfig};
use tandem_hmis::describe;
use tandem_mappings::model::id::{OrganizationId, ReferralId};

use crate::package::Files;

pub(crate) const REFERRAL: &str = "0191f2aa-0000-7000-8000-0000000000aa";

pub(crate) fn our_event() -> String {
    describe::event_id(REFERRAL.parse::<ReferralId>().unwrap())
}

fn with_our_event(values: &[(&str, &str)]) -> Files {
    let id = our_event();
    let mut all = vec![
        ("EventID", id.as_str()),
        ("Event", "10"),
        ("EventDate", "2026-02-03"),
        ("LocationCrisisOrPHHousing", "P-ES"),
    ];
    all.extend_from_slice(values);
    Files::fixture("fy2026").add_like("Event", "EV-2", &all)
}

#[test]
fn a_clean_export_of_either_edition_is_read_without_error() {
    for (folder, version) in [("fy2026", "FY2026"), ("fy2024", "FY2024")] {
        let outcome = Files::fixture(folder).read();
        assert_eq!(outcome.report.version.as_deref(), Some(version));
        let told: Vec<_> = outcome
            .collected
            .deviations
            .iter()
            .filter(|deviation| !deviation.code.starts_with("gate-"))
            .collect();
        assert!(told.is_empty(), "{folder}: {told:?}");
        assert_eq!(outcome.report.outcome, Result::PartiallyAccepted);
        assert_eq!(outcome.report.records.len(), 23, "Affiliation has no rows");
        assert_eq!(outcome.report.records["Client"], 6);
        assert_eq!(outcome.report.persons, 4);
        assert!(matches!(outcome.collected.coverage, Coverage::Stays(_)));
    }
}

#[test]
fn client_carries_quality_and_partial_ssn() {
    let outcome = Files::fixture("fy2026")
        .set("Client", "48213", &[("DOBDataQuality", "2")])
        .read();
    let mother = outcome.event("Client:48211");
    assert_eq!(mother["source_person_id"], "48211");
    let person = &mother["payload"]["person"];
    assert_eq!(person["names"][0]["family"], "Demofield");
    assert_eq!(person["names"][0]["quality"], "full");
    assert_eq!(person["ssn"]["ssn"], "xxxxx3456");
    assert_eq!(person["ssn"]["quality"], "partial");
    assert_eq!(person["birth"]["quality"], "exact");
    assert_eq!(person["sex"], "female");
    assert_eq!(mother["occurred_at"], "2026-01-20T18:30:00Z");
    let son = outcome.event("Client:48213");
    assert_eq!(son["payload"]["person"]["birth"]["quality"], "estimated");
}

#[test]
fn a_quality_code_of_no_answer_makes_a_value_a_placeholder() {
    let values = [
        ("NameDataQuality", "99"),
        ("SSNDataQuality", "8"),
        ("DOBDataQuality", "9"),
    ];
    let outcome = Files::fixture("fy2026")
        .set("Client", "48211", &values)
        .read();
    let person = &outcome.event("Client:48211")["payload"]["person"];
    assert_eq!(person["names"][0]["quality"], "placeholder");
    assert_eq!(person["ssn"]["quality"], "placeholder");
    assert_eq!(person["birth"]["quality"], "placeholder");
}

#[test]
fn stays_and_households_become_events() {
    let outcome = Files::fixture("fy2026").read();
    let stay = outcome.event("Enrollment:E-1:active");
    assert_eq!(stay["type"], "enrollment.active");
    assert_eq!(stay["payload"]["project"], "P-CE");
    assert_eq!(stay["payload"]["from"], "2026-01-12");
    assert_eq!(stay["category"], "HOMELESS_SERVICES");
    let child = outcome.event("Enrollment:E-2:household");
    assert_eq!(child["source_household_id"], "9920");
    assert_eq!(child["payload"]["relation"], "child");
    let ended = outcome.event("Exit:EX-1:ended");
    assert_eq!(ended["type"], "enrollment.ended");
    assert_eq!(ended["payload"]["project"], "P-ES");
    assert_eq!(ended["payload"]["to"], "2025-05-01");
}

#[test]
fn a_stay_carries_the_code_of_the_grant_that_pays_its_project() {
    let outcome = Files::fixture("fy2026")
        .set("Funder", "F-P-CE", &[("Funder", "15")])
        .read();
    let funders = |id: &str| -> Vec<String> {
        let mut events = outcome.collected.events.iter();
        let event = events
            .find(|event| event.source_event_id.as_str() == id)
            .unwrap();
        event.codes.iter().map(|one| one.code.clone()).collect()
    };
    assert_eq!(funders("Enrollment:E-1:active"), ["2.06.1:15"]);
    assert!(!funders("Enrollment:E-93:active").contains(&"2.06.1:15".to_owned()));
}

#[test]
fn a_stay_in_a_project_for_runaway_youth_has_its_own_category() {
    let outcome = Files::fixture("fy2026")
        .set("Funder", "F-P-CE", &[("Funder", "22")])
        .read();
    assert_eq!(
        outcome.event("Enrollment:E-1:active")["category"],
        "RHY_RECORD"
    );
    assert_eq!(
        outcome.event("Enrollment:E-93:active")["category"],
        "HOMELESS_SERVICES"
    );
}

#[test]
fn deleted_rows_withdraw_the_person_and_end_the_stay() {
    let deleted = [("DateDeleted", "2026-02-01 08:00:00")];
    let outcome = Files::fixture("fy2026")
        .set("Client", "48213", &deleted)
        .set("Enrollment", "E-3", &deleted)
        .read();
    let gone = outcome.event("Client:48213");
    assert_eq!(gone["type"], "record.withdrawn");
    assert_eq!(gone["payload"]["reason"], "deleted");
    assert_eq!(
        outcome.event("Enrollment:E-3:deleted")["type"],
        "enrollment.ended"
    );
    assert!(!outcome.has_event("Enrollment:E-3:household"));
}

#[test]
fn an_unanswered_row_of_ours_is_an_echo_and_tells_nothing() {
    let outcome = with_our_event(&[]).read();
    assert!(!outcome.events_text().contains(&our_event()));
}

#[test]
fn result_1_on_our_row_accepts_the_referral() {
    let outcome = with_our_event(&[
        ("ReferralResult", "1"),
        ("ResultDate", "2026-02-03"),
        ("DateUpdated", "2026-02-03 17:20:00"),
    ])
    .read();
    let event = outcome.event(&format!("Event:{}:accepted", our_event()));
    assert_eq!(event["type"], "referral.accepted");
    assert_eq!(event["payload"]["referral"]["id"], REFERRAL);
    assert_eq!(event["payload"]["role"], "target");
    assert_eq!(event["payload"]["original"]["code"], "4.20.D:1");
    assert_eq!(event["occurred_at"], "2026-02-04T01:20:00Z");
    assert!(!outcome.has_event(&format!("Event:{}:closed", our_event())));
}

#[test]
fn results_2_and_3_reject_and_a_deleted_row_cancels() {
    for (result, reason) in [("2", "client-declined"), ("3", "no-capacity")] {
        let values = [("ReferralResult", result), ("ResultDate", "2026-02-04")];
        let outcome = with_our_event(&values).read();
        let event = outcome.event(&format!("Event:{}:rejected", our_event()));
        assert_eq!(event["type"], "referral.rejected");
        assert_eq!(event["payload"]["reason"], reason);
    }
    let outcome = with_our_event(&[("DateDeleted", "2026-02-04 09:00:00")]).read();
    let event = outcome.event(&format!("Event:{}:cancelled", our_event()));
    assert_eq!(event["type"], "referral.cancelled");
}

#[test]
fn an_enrollment_in_the_receiving_project_after_the_result_proves_the_service() {
    let accepted = [("ReferralResult", "1"), ("ResultDate", "2026-02-04")];
    let stay = |date| {
        [
            ("EnrollmentID", "E-5"),
            ("ProjectID", "P-ES"),
            ("EntryDate", date),
            ("HouseholdID", "9921"),
        ]
    };
    for place in ["P-ES", "example family shelter"] {
        let outcome = with_our_event(&accepted)
            .set(
                "Event",
                &our_event(),
                &[("LocationCrisisOrPHHousing", place)],
            )
            .add_like("Enrollment", "E-1", &stay("2026-02-09"))
            .read();
        let closed = outcome.event(&format!("Event:{}:closed", our_event()));
        assert_eq!(closed["type"], "referral.closed");
        assert_eq!(closed["payload"]["status"], "completed");
        assert_eq!(closed["payload"]["reason"], "service-received");
        let delivered = outcome.event(&format!("Event:{}:delivered", our_event()));
        assert_eq!(delivered["payload"]["date"], "2026-02-09");
        assert_eq!(delivered["payload"]["domain"], "shelter");
    }
    let too_early = with_our_event(&accepted)
        .add_like("Enrollment", "E-1", &stay("2026-02-03"))
        .read();
    assert!(!too_early.has_event(&format!("Event:{}:closed", our_event())));
}

#[test]
fn a_referral_made_in_the_hmis_is_told_with_its_target() {
    let outcome = Files::fixture("fy2026").read();
    let internal = outcome.event("Event:EV-2:requested");
    assert_eq!(internal["type"], "referral.requested");
    assert_eq!(internal["payload"]["target"]["organization"], "org-hmis");
    assert_eq!(internal["payload"]["domain"], "housing");
    assert_eq!(internal["payload"]["original"]["code"], "4.20.2:13");
    assert!(
        !outcome.events_text().contains("EV-1"),
        "an access event is no referral"
    );
    let clinic = OutsideService {
        organization: OrganizationId::new("org-clinic").unwrap(),
        service: None,
    };
    let mut config = ReadConfig {
        internal_referrals: false,
        ..ReadConfig::default()
    };
    assert!(
        !Files::fixture("fy2026")
            .read_with(config.clone())
            .has_event("Event:EV-2:requested")
    );
    config
        .outside_services
        .insert("example clinic".to_owned(), clinic);
    let outcome = Files::fixture("fy2026")
        .set(
            "Event",
            "EV-2",
            &[
                ("Event", "8"),
                ("LocationCrisisOrPHHousing", "Example Clinic"),
            ],
        )
        .read_with(config);
    let outside = outcome.event("Event:EV-2:requested");
    assert_eq!(outside["payload"]["target"]["organization"], "org-clinic");
}

#[test]
fn a_delta_says_nothing_about_what_it_leaves_out() {
    let key = "X-2026-02-02";
    let outcome = Files::fixture("fy2026")
        .set("Export", key, &[("ExportDirective", "1")])
        .read();
    assert_eq!(outcome.collected.coverage, Coverage::Partial);
}

#[test]
fn a_full_refresh_speaks_of_the_stays_in_its_period_and_projects_alone() {
    let outcome = Files::fixture("fy2026").read();
    let Coverage::Stays(covered) = outcome.collected.coverage else {
        panic!("{:?}", outcome.collected.coverage);
    };
    let (first, last) = (Some(covered.from), Some(covered.to));
    let project = covered.projects.first().map(String::as_str);
    let before = covered.from.yesterday().ok();
    assert!(
        covered.has(project, before, None),
        "still there when the period began"
    );
    assert!(covered.has(project, first, last));
    assert!(covered.has(project, last, None), "came on the last day");
    assert!(!covered.has(project, before, before), "left before");
    assert!(
        !covered.has(project, covered.to.tomorrow().ok(), None),
        "came after"
    );
    assert!(!covered.has(Some("elsewhere"), first, None));
    assert!(!covered.has(project, None, None), "nobody knows when");
}

#[test]
fn a_full_refresh_without_a_period_withdraws_nobody() {
    let outcome = Files::fixture("fy2026")
        .set("Export", "X-2026-02-02", &[("ExportStartDate", "")])
        .read();
    assert_eq!(outcome.collected.coverage, Coverage::Partial);
    assert!(outcome.codes().contains(&"refresh-incomplete"));
}

#[test]
fn a_full_refresh_with_a_dropped_client_row_withdraws_nobody() {
    let outcome = Files::fixture("fy2026")
        .append("Client", "60001,broken\n")
        .read();
    assert_eq!(outcome.collected.coverage, Coverage::Partial);
    assert!(outcome.codes().contains(&"refresh-incomplete"));
}

#[test]
fn a_hashed_export_gives_no_names_and_is_told() {
    // SHA-256 of the Soundex code, and the SSN column, of the specification's own examples.
    let name = "431c1614067985015d2f8a45b4d6b96589bd4683aaf921e82aef2f787221e3a0";
    let ssn = "69448d841ad83f914696d3b465ce36ef18f66eb5660e0df90b7a4a4f8dc8f69b6061";
    let outcome = Files::fixture("fy2026")
        .set("Export", "X-2026-02-02", &[("HashStatus", "4")])
        .set(
            "Client",
            "48211",
            &[("FirstName", name), ("LastName", name), ("SSN", ssn)],
        )
        .read();
    let person = &outcome.event("Client:48211")["payload"]["person"];
    assert_eq!(person["names"], serde_json::json!([]));
    assert_eq!(person["ssn"]["ssn"], "xxxxx6944");
    assert!(outcome.codes().contains(&"hashed-export"));
    assert!(!outcome.codes().contains(&"too-long"));
}

#[test]
fn sensitive_files_are_counted_and_become_no_event() {
    let outcome = Files::fixture("fy2026").read();
    assert_eq!(outcome.report.records["HealthAndDV"], 2);
    assert_eq!(outcome.report.records["Disabilities"], 1);
    let text = outcome.events_text();
    for word in ["DomesticViolence", "HD-1", "D-1", "IB-1", "812.50"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn a_result_in_a_delta_counts_without_the_rows_that_the_delta_leaves_out() {
    let result = [("ReferralResult", "1"), ("ResultDate", "2026-02-03")];
    let mut files =
        with_our_event(&result).set("Export", "X-2026-02-02", &[("ExportDirective", "1")]);
    for file in [
        "Client",
        "Enrollment",
        "Exit",
        "HealthAndDV",
        "Project",
        "Organization",
    ] {
        let header = files.text(file).lines().next().unwrap().to_owned() + "\n";
        files = files.put(file, header);
    }
    let outcome = files.read();
    assert!(outcome.has_event(&format!("Event:{}:accepted", our_event())));
    assert_eq!(outcome.report.persons, 0);
}

#[test]
fn what_an_exit_tells_beyond_the_end_of_the_stay_is_not_kept() {
    let outcome = Files::fixture("fy2026")
        .set("Exit", "EX-1", &[("ExchangeForSex", "1")])
        .read();
    let exits = outcome
        .collected
        .partner_rows
        .iter()
        .filter(|row| row.kind == "Exit");
    let values: Vec<&str> = exits.map(|row| row.value.as_str()).collect();
    assert_eq!(values.len(), 1);
    assert!(values[0].contains("2025-05-01") && !values[0].contains("\"1\""));
    assert!(!values[0].contains("422"), "nor the destination");
}
