//! What must never enter gives nothing but file, line and count.

use proptest::prelude::*;
use tandem_adapter_port::report::{Collected, Outcome};

use crate::support::{extract, read_extract};

/// Everything in the small extract that only a sealed file or an abuse report holds.
const FORBIDDEN: [&str; 12] = [
    "Sealina",
    "Verschluss",
    "Sealy",
    "Geheimnis",
    "Hidden Lane",
    "5550100999",
    "900999001",
    "2012-12-12",
    "0uG40yK0dn",
    "1D0j3980dn",
    "Hotline",
    "000AQMH0dm",
];
const SEALED_CLIENT: &str = "3d2KcQu0dn";

fn everything(found: &Collected) -> String {
    let events: Vec<String> = found
        .events
        .iter()
        .map(|event| serde_json::to_string(event).unwrap())
        .collect();
    format!(
        "{}\n{:?}\n{:?}",
        events.join("\n"),
        found.deviations,
        found.refused
    )
}

#[test]
fn nothing_of_a_sealed_file_or_an_abuse_report_comes_out() {
    let (found, report) = read_extract(extract());
    let told = format!(
        "{}\n{}",
        everything(&found),
        serde_json::to_string(&report).unwrap()
    );
    for forbidden in FORBIDDEN {
        assert!(!told.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn a_sealed_client_is_named_once_by_id_so_that_an_earlier_copy_can_be_recalled() {
    let (found, _) = read_extract(extract());
    let events: Vec<_> = found
        .events
        .iter()
        .filter(|event| {
            serde_json::to_string(event)
                .unwrap()
                .contains(SEALED_CLIENT)
        })
        .collect();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].body.event_type(), "record.sealed");
    assert!(!format!("{:?}{:?}", found.deviations, found.refused).contains(SEALED_CLIENT));
}

#[test]
fn every_row_of_a_sealed_file_is_cut_out_of_the_kept_original() {
    let (found, report) = read_extract(extract());
    let entries = extract();
    for (name, text) in &entries {
        for (index, line) in text.lines().enumerate().skip(1) {
            let number = index as u64 + 1;
            let is_cut = found.refused.iter().any(|(place, last)| {
                place.file == *name && (place.line.unwrap()..=*last).contains(&number)
            });
            let is_forbidden = line.contains(SEALED_CLIENT)
                || FORBIDDEN.iter().any(|word| line.contains(word))
                    && !line.starts_with("0Ikkp6E0dm")
                    && !line.starts_with("0bVz08c0dm");
            assert!(!is_forbidden || is_cut, "{name}:{number}");
        }
    }
    assert_eq!(report.refused, found.refused.len() as u64);
}

#[test]
fn an_unknown_mark_counts_as_sealed_and_a_missing_one_as_sensitive() {
    let text = "IDENTIFIER,COM_LST_NM,SENSTV_IND\n4g8Ojkb0dm,Demofield,Q\nDJlTBUb0dm,Testa,\n";
    let (found, report) = read_extract(vec![("CLIENT_T.csv".into(), text.into())]);
    assert_eq!(report.persons, 1);
    assert!(!everything(&found).contains("Demofield"));
    assert!(everything(&found).contains("\"sensitive\""));
}

#[test]
fn a_later_row_seals_an_earlier_one_of_the_same_client() {
    let text = "IDENTIFIER,COM_LST_NM,SENSTV_IND\n4g8Ojkb0dm,Demofield,N\n4g8Ojkb0dm,Demofield,R\n";
    let (found, report) = read_extract(vec![("CLIENT_T.csv".into(), text.into())]);
    assert_eq!((report.persons, report.refused), (0, 2));
    assert!(!everything(&found).contains("Demofield"));
}

#[test]
fn a_row_whose_client_is_not_in_the_client_table_is_refused() {
    let clients = "IDENTIFIER,COM_LST_NM,SENSTV_IND\n4g8Ojkb0dm,Demofield,N\n";
    let names = "THIRD_ID,FKCLIENT_T,FIRST_NM,LAST_NM\nx,DJlTBUb0dm,Verschluss,Testa\n";
    let (found, report) = read_extract(vec![
        ("CLIENT_T.csv".into(), clients.into()),
        ("OCL_NM_T.csv".into(), names.into()),
    ]);
    assert_eq!(report.refused, 1);
    assert!(!everything(&found).contains("Verschluss"));
    assert!(
        found
            .deviations
            .iter()
            .any(|deviation| deviation.code == "client-unknown")
    );
}

#[test]
fn two_client_tables_are_refused_since_nobody_knows_who_is_sealed() {
    let text = "IDENTIFIER,COM_LST_NM,SENSTV_IND\n4g8Ojkb0dm,Demofield,N\n";
    let entries = vec![
        ("CLIENT_T.csv".into(), text.into()),
        ("old/client_t.csv".into(), text.into()),
    ];
    let (found, report) = read_extract(entries);
    assert_eq!(report.outcome, Outcome::Rejected);
    assert!(found.events.is_empty());
}

#[test]
fn the_screen_form_of_a_sealed_key_is_recognised() {
    let clients = "IDENTIFIER,COM_LST_NM,SENSTV_IND\n5Y3vKVs0X5,Verschluss,R\n4g8Ojkb0dm,Testa,N\n";
    let other = "WHO,WHAT\n0315-2076-8676-8002051,Geheimnis\n";
    let (found, report) = read_extract(vec![
        ("CLIENT_T.csv".into(), clients.into()),
        ("COUNTY_NOTES.csv".into(), other.into()),
    ]);
    assert_eq!(report.refused, 2);
    assert_eq!(found.refused[1].0.file, "COUNTY_NOTES.csv");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_in_any_table_give_a_report(text in "[\\PC\n\",]{0,400}", which in 0_usize..14) {
        let mut entries = extract();
        let index = which % entries.len();
        entries[index].1.push_str(&text);
        let (found, _) = read_extract(entries);
        prop_assert!(!everything(&found).contains("Verschluss"));
    }
}
