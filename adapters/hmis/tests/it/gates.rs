//! What must never enter.

use crate::package::{Files, Outcome};

fn everything_told(outcome: &Outcome) -> String {
    let mut text = outcome.events_text();
    text += &serde_json::to_string(&outcome.collected.partner_rows).unwrap();
    text += &serde_json::to_string(&outcome.collected.deviations).unwrap();
    text += &serde_json::to_string(&outcome.report).unwrap();
    text
}

/// Lines of the file that the sink was told to cut out of the kept original.
fn cut_lines(outcome: &Outcome, file: &str) -> Vec<u64> {
    let places = outcome
        .collected
        .refused
        .iter()
        .filter(|(place, _)| place.file == file);
    places
        .flat_map(|(place, last)| place.line.unwrap()..=*last)
        .collect()
}

#[test]
fn a_client_of_a_victim_service_provider_occurs_nowhere() {
    for folder in ["fy2026", "fy2024"] {
        let outcome = Files::fixture(folder).read();
        let text = everything_told(&outcome);
        for word in [
            "Secreta",
            "Hiddenfield",
            "50001",
            "900990001",
            "E-90",
            "EV-90",
            "HD-90",
        ] {
            assert!(!text.contains(word), "{folder}: {word}");
        }
        assert!(text.contains("P-SAFE"), "its project row may be read");
    }
}

#[test]
fn a_client_of_a_comparable_database_occurs_nowhere() {
    let text = everything_told(&Files::fixture("fy2026").read());
    for word in ["Confida", "Comparafield", "50002", "900990002", "E-91"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn a_client_with_a_clear_stay_is_read_without_the_refused_one() {
    let text = everything_told(&Files::fixture("fy2026").read());
    assert!(text.contains("Twofield"));
    assert!(text.contains("E-93"));
    for word in ["E-92", "EX-90"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn refused_rows_are_cut_from_the_original_line_by_line() {
    let files = Files::fixture("fy2026");
    let outcome = files.read();
    for file in ["Client", "Enrollment", "Exit", "Event", "HealthAndDV"] {
        let cut = cut_lines(&outcome, &format!("{file}.csv"));
        let kept: String = files
            .text(file)
            .lines()
            .enumerate()
            .filter(|(index, _)| !cut.contains(&(*index as u64 + 1)))
            .map(|(_, line)| format!("{line}\n"))
            .collect();
        for word in [
            "50001", "50002", "Secreta", "Confida", "E-90", "E-91", "E-92",
        ] {
            assert!(!kept.contains(word), "{file}: {word}");
        }
    }
    assert_eq!(outcome.report.refused, 2 + 3 + 1 + 1 + 1);
}

#[test]
fn a_refused_row_over_several_lines_is_cut_whole() {
    let outcome = Files::fixture("fy2026")
        .set("Client", "50001", &[("FirstName", "Secreta\nSecunda")])
        .read();
    assert_eq!(cut_lines(&outcome, "Client.csv").len(), 3);
    assert!(!everything_told(&outcome).contains("Secunda"));
}

#[test]
fn an_unreadable_row_beside_closed_projects_is_cut_too() {
    let outcome = Files::fixture("fy2026")
        .append("Client", "50001,Secreta,Hiddenfield\n")
        .read();
    assert!(cut_lines(&outcome, "Client.csv").contains(&8));
    assert!(!everything_told(&outcome).contains("Secreta"));
}

#[test]
fn a_blank_or_odd_provider_mark_closes_the_organisation() {
    for mark in ["", "Yes", "99", "2"] {
        let files = Files::fixture("fy2026").set(
            "Organization",
            "O-SAFE",
            &[("VictimServiceProvider", mark)],
        );
        let text = everything_told(&files.read());
        assert!(!text.contains("Hiddenfield"), "{mark}");
    }
}

#[test]
fn stays_of_a_project_that_nobody_describes_are_refused() {
    let outcome = Files::fixture("fy2026")
        .set("Enrollment", "E-93", &[("ProjectID", "P-LOST")])
        .read();
    assert!(outcome.codes().contains(&"gate-unknown-project"));
    assert!(!everything_told(&outcome).contains("Twofield"));
}

#[test]
fn a_client_row_of_nobody_beside_closed_projects_is_refused() {
    let outcome = Files::fixture("fy2026")
        .add_like(
            "Client",
            "48211",
            &[("PersonalID", "60001"), ("LastName", "Looseend")],
        )
        .read();
    assert!(!everything_told(&outcome).contains("Looseend"));
}

#[test]
fn a_header_that_hides_the_columns_opens_nothing() {
    let files = Files::fixture("fy2026").replace("Client", "PersonalID,", "Identifier,");
    let outcome = files.read();
    assert_eq!(outcome.report.persons, 0);
    assert_eq!(cut_lines(&outcome, "Client.csv").len(), 7);
    let files = Files::fixture("fy2026").replace("Organization", "VictimServiceProvider", "VSP");
    assert_eq!(files.read().report.persons, 0);
}

#[test]
fn a_project_closed_by_the_settings_stays_closed_when_a_delta_leaves_its_mark_out() {
    let files = Files::fixture("fy2026").without("HMISParticipation");
    assert!(everything_told(&files.read()).contains("Comparafield"));
    let config = tandem_hmis::config::ReadConfig {
        closed_projects: vec!["P-CMP".to_owned()],
        ..Default::default()
    };
    assert!(!everything_told(&files.read_with(config)).contains("Comparafield"));
}

#[test]
fn a_deleted_client_without_a_stay_is_withdrawn_by_id_and_the_row_itself_is_refused() {
    let outcome = Files::fixture("fy2026")
        .set("Export", "X-2026-02-02", &[("ExportDirective", "1")])
        .add_like(
            "Client",
            "48211",
            &[
                ("PersonalID", "70007"),
                ("LastName", "Gonefield"),
                ("DateDeleted", "2026-02-01 09:00:00"),
            ],
        )
        .read();
    assert!(outcome.codes().contains(&"gate-unknown-project"));
    let withdrawn = outcome.event("Client:70007:2026-02-01 09:00:00");
    assert_eq!(withdrawn["source_person_id"], "70007");
    assert_eq!(withdrawn["payload"]["reason"], "deleted");
    assert!(!everything_told(&outcome).contains("Gonefield"));
    assert!(!cut_lines(&outcome, "Client.csv").is_empty());
}

#[test]
fn a_deleted_client_of_a_victim_service_provider_is_not_even_withdrawn() {
    let outcome = Files::fixture("fy2026")
        .set("Client", "50001", &[("DateDeleted", "2026-02-01 09:00:00")])
        .read();
    assert!(!everything_told(&outcome).contains("50001"));
}

#[test]
fn a_custom_file_keeps_no_row_of_a_closed_project() {
    let custom = "CustomQuestionID,EnrollmentID,PersonalID,CustomAnswer\n\
        1,E-1,48211,a goal\n2,E-90,50001,a safe place\n3,,50001,more\n4,E-92,50003,of the refused stay\n\
        5,E-93,50003,of the clear one\n6,,,of nobody\n";
    let outcome = Files::fixture("fy2026").put("CustomGoals", custom).read();
    assert_eq!(cut_lines(&outcome, "CustomGoals.csv"), [3, 4, 5, 7]);
    let open = crate::tolerance::open_export().put("CustomGoals", custom);
    assert!(open.read().collected.refused.is_empty());
}

#[test]
fn a_file_that_nobody_can_judge_is_cut_whole_beside_closed_projects() {
    let mut files = Files::fixture("fy2026").put("CustomNotes", "Name,Note\nSecreta,hides\n");
    let client = files.0["Client.csv"].clone();
    files.0.insert("old/Client.csv".to_owned(), client);
    files.0.insert("notes.txt".to_owned(), b"Secreta".to_vec());
    let outcome = files.read();
    let is_whole = |file: &str| {
        let mut refused = outcome.collected.refused.iter();
        refused.any(|(place, _)| place.file == file && place.line.is_none())
    };
    assert!(is_whole("CustomNotes.csv") && is_whole("notes.txt"));
    // A second entry of a known file shows whose its rows are.
    assert_eq!(cut_lines(&outcome, "old/Client.csv"), [5, 6]);
}
