//! Person tables in, links, clusters and candidates out.

use std::collections::BTreeMap;

use tandem_matching::{
    LinkOptions, LinkOutputs, LinkReport, LinkTablesError, Rulings, Settings, TableInput,
    link_tables,
};

struct Outputs {
    report: LinkReport,
    links: String,
    clusters: String,
    candidates: String,
}

fn run(tables: &[(&str, &[u8])]) -> Result<Outputs, LinkTablesError> {
    let options = LinkOptions {
        settings: Settings::standard().unwrap(),
        estimate: false,
        rulings: Rulings::new(),
    };
    let tables = tables.iter().map(|(system, text)| TableInput {
        system: (*system).into(),
        file: format!("{system}.csv"),
        input: Box::new(*text),
    });
    let (mut links, mut clusters, mut candidates) = (Vec::new(), Vec::new(), Vec::new());
    let outputs = LinkOutputs {
        links: &mut links,
        clusters: &mut clusters,
        candidates: Some(&mut candidates),
    };
    let report = link_tables(tables.collect(), &options, outputs)?;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ok(Outputs {
        report,
        links: text(links),
        clusters: text(clusters),
        candidates: text(candidates),
    })
}

/// One person in two systems with other columns, and a stranger.
const TANF: &[u8] = b"record_id,first_name,middle_name,last_name,suffix,dob,sex,ssn,phone,street,city,state,zip,id_cin\n\
    t1,Marisol,,Demofield,,1994-05-17,F,900-12-3456,,1 Example St,Demo City,CA,90001,91234567A\n\
    t2,Xenia,,Testa,,1971-11-03,F,,,,,,,\n";
const HMIS: &[u8] = b"record_id,last_name,first_name,dob,dob_dq,ssn,ssn_dq,name_dq,household_id,relationship,other_names\n\
    h1,Rivas,Marisol,1994-05-17,1,xxxxx3456,2,1,77,1,Marisol Demofield;Sol\n";

#[test]
fn tables_are_linked_and_written_in_the_published_columns() {
    let outputs = run(&[("tanf", TANF), ("hmis", HMIS)]).unwrap();
    let links: Vec<&str> = outputs.links.lines().collect();
    assert_eq!(
        links[0],
        "system_a,id_a,system_b,id_b,score,decision,false_match_rate"
    );
    assert!(links[1].starts_with("tanf,t1,hmis,h1,") && links[1].contains(",link,0.0"));
    assert_eq!(links.len(), 2);
    assert_eq!(
        outputs.candidates.lines().next(),
        Some("system_a,id_a,system_b,id_b,score")
    );
    assert_eq!(outputs.candidates.lines().count(), 2);
    assert!(
        outputs.report.warnings.is_empty(),
        "{:?}",
        outputs.report.warnings
    );
    assert_eq!(outputs.report.clusters, 2);
}

#[test]
fn every_record_has_one_cluster() {
    let outputs = run(&[("tanf", TANF), ("hmis", HMIS)]).unwrap();
    let mut lines = outputs.clusters.lines();
    assert_eq!(lines.next(), Some("system,record_id,cluster_id"));
    let clusters: BTreeMap<&str, &str> = lines.map(|line| line.rsplit_once(',').unwrap()).collect();
    assert_eq!(clusters.len(), 3);
    assert_eq!(clusters["tanf,t1"], clusters["hmis,h1"]);
    assert_ne!(clusters["tanf,t1"], clusters["tanf,t2"]);
}

#[test]
fn cluster_ids_do_not_depend_on_the_order_of_tables_and_lines() {
    let one = run(&[("tanf", TANF), ("hmis", HMIS)]).unwrap();
    let other = run(&[("hmis", HMIS), ("tanf", TANF)]).unwrap();
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&one.clusters), sorted(&other.clusters));
}

#[test]
fn what_cannot_be_read_is_named_by_line_and_column_and_holds_no_value() {
    let table = b"\xef\xbb\xbfRecord_ID,first_name,last_name,dob,ssn,sex,favourite,dob_dq\n\
        1,Ana,Demofield,2018-02-30,12,F,red,1\n\
        2,Jos\xe9,Testa,1990-05-17,,Q,blue,7,surplus\n";
    let report = run(&[("a", table)]).unwrap().report;
    let found: Vec<(u64, &str)> = report
        .warnings
        .iter()
        .map(|warning| (warning.line, warning.column.as_str()))
        .collect();
    for expected in [
        (1, "favourite"),
        (2, "dob"),
        (2, "ssn"),
        (3, "sex"),
        (3, "dob_dq"),
        (3, ""),
    ] {
        assert!(found.contains(&expected), "{expected:?} in {found:?}");
    }
    let text = serde_json::to_string(&report).unwrap();
    assert!(!text.contains("Demofield") && !text.contains("02-30"));
}

#[test]
fn open_quote_that_swallows_lines_is_reported() {
    let table = b"record_id,first_name,last_name\n1,\"Ana,Testa\n2,Eva,Testa\n3,Leo,Testa\n";
    let report = run(&[("a", table)]).unwrap().report;
    assert_eq!(report.records["a"], 1);
    assert!(
        report
            .warnings
            .iter()
            .any(|warning| warning.expected.contains("quote"))
    );
}

#[test]
fn unusable_tables_are_refused_with_their_place() {
    let missing = run(&[("a", b"record_id,dob\n1,\n,1990-05-17\n")])
        .err()
        .unwrap();
    assert_eq!(
        missing.to_string(),
        "a.csv, line 3, column record_id: expected a record id"
    );
    let twice = run(&[("a", b"record_id\n1\n1\n")])
        .err()
        .unwrap()
        .to_string();
    assert!(
        twice.starts_with("a.csv, line 3, column record_id"),
        "{twice}"
    );
    let systems = run(&[("a", b"record_id\n1\n"), ("a", b"record_id\n2\n")])
        .err()
        .unwrap();
    assert!(matches!(systems, LinkTablesError::System(_)));
}

#[test]
fn tables_without_record_ids_or_lines_are_linked_too() {
    let outputs = run(&[("a", b"first_name\nAna\nEva\n"), ("b", b"")]).unwrap();
    assert!(outputs.clusters.contains("a,1,") && outputs.clusters.contains("a,2,"));
    assert_eq!(outputs.report.records["b"], 0);
}

proptest::proptest! {
    #[test]
    fn no_table_makes_the_engine_panic(bytes in proptest::collection::vec(0_u8..=255, 0..400)) {
        let mut table = b"record_id,first_name,last_name,dob,ssn,phone,street,zip,other_names\n".to_vec();
        table.extend(bytes);
        let _ = run(&[("a", &table)]);
    }
}

#[test]
fn number_of_another_length_than_nine_is_compared_as_it_stands() {
    let one = b"record_id,first_name,last_name,ssn\n1,Kiera,Demofield,7119771\n";
    let other = b"record_id,first_name,last_name,ssn\n2,Odette,Testa,7119771\n3,Xenia,Exampla,12\n";
    let outputs = run(&[("a", one), ("b", other)]).unwrap();
    let compared: Vec<&str> = outputs.candidates.lines().skip(1).collect();
    assert_eq!(compared.len(), 1, "{compared:?}");
    assert!(compared[0].starts_with("a,1,b,2,"));
}
