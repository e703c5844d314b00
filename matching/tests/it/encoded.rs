//! Privacy-preserving linkage: what the user of encoded tables would notice. All people are invented.

use std::collections::{BTreeMap, BTreeSet};

use tandem_matching::{
    EncodeOptions, EncodedTables, LinkOutputs, LinkTablesError, Noise, Settings, TableInput,
    encode_table, link_encoded,
};
use tandem_population::Parameters;

use crate::encoded_run::{
    KEY, Tables, all_encoded, encoded, false_within_families, input, link, options, people, quality,
};

/// The key of another exchange.
const OTHER_KEY: &str = "1e90b7f3286cd45aa7c0531fe2864b9d70f4aa1852c39e6bd60b2f7e4913c8a5";

fn settings() -> Settings {
    Settings::standard().unwrap()
}

fn generated(people_wanted: u64, seed: u64) -> (Tables, crate::encoded_run::Truth) {
    people(Parameters {
        people: people_wanted,
        seed,
        difficulty: 1.0,
    })
}

fn few() -> (String, Vec<u8>) {
    let text = "record_id,first_name,last_name,dob,ssn,phone,street,zip\n\
        C-1001,Marisol,Demofield,1994-05-17,900-12-3456,2135550142,12 Example Street,90001\n\
        C-1002,Leonardo,Testaverde,2001-09-14,900-65-4321,2135550143,99 Sample Avenue,90002\n";
    ("hmis".to_owned(), text.as_bytes().to_vec())
}

fn refusal(tables: &Tables, clear: &Tables) -> String {
    match link(tables, clear, &settings()) {
        Err(error) => error.to_string(),
        Ok(ran) => format!("linked {} records", ran.clusters.len()),
    }
}

#[test]
fn encoded_tables_link_without_a_key_and_few_links_are_false() {
    let (tables, truth) = generated(3000, 41);
    let ran = link(
        &all_encoded(&tables, &options(KEY)),
        &Vec::new(),
        &settings(),
    )
    .unwrap();
    let (precision, recall, _) = quality(&ran, &truth);
    assert!(precision >= 0.98, "{precision}");
    assert!(recall >= 0.85, "{recall}");
    let (within, _) = false_within_families(&ran, &truth);
    assert!(
        within * 100 <= ran.links.len(),
        "{within} links within families"
    );
    assert_eq!(ran.clusters.len(), truth.len(), "every record once");
    let pairs = ran.report.statistics.pairs_compared as usize;
    assert!(pairs < 50 * truth.len(), "{pairs} pairs");
    let rate = ran.report.statistics.false_match_rate.unwrap();
    assert!(
        rate.low < rate.expected && rate.expected <= 0.01,
        "{rate:?}"
    );
}

#[test]
fn every_compared_pair_is_listed_on_demand() {
    let (tables, _) = generated(500, 47);
    let tables = all_encoded(&tables, &options(KEY));
    let (mut links, mut clusters, mut candidates) = (Vec::new(), Vec::new(), Vec::new());
    let outputs = LinkOutputs {
        links: &mut links,
        clusters: &mut clusters,
        candidates: Some(&mut candidates),
    };
    let tables = EncodedTables {
        encoded: tables.iter().map(input).collect(),
        clear: None,
    };
    let report = link_encoded(tables, &settings(), outputs, None).unwrap();
    let listed = String::from_utf8(candidates).unwrap();
    assert!(listed.starts_with("system_a,id_a,system_b,id_b,score\n"));
    let pairs = listed.lines().count() as u64 - 1;
    assert_eq!(pairs, report.statistics.pairs_compared);
    assert!(pairs > 0);
}

#[test]
fn clear_tables_link_with_encoded_ones_as_if_all_were_encoded() {
    let (tables, _) = generated(1500, 42);
    let (clear, rest) = tables.split_at(2);
    let rest = rest.to_vec();
    let mixed = link(
        &all_encoded(&rest, &options(KEY)),
        &clear.to_vec(),
        &settings(),
    )
    .unwrap();
    let all = link(
        &all_encoded(&tables, &options(KEY)),
        &Vec::new(),
        &settings(),
    )
    .unwrap();
    assert!(mixed.links.len() > 100);
    assert_eq!(mixed.links, all.links);
    assert_eq!(mixed.clusters, all.clusters);
}

#[test]
fn a_stricter_rate_links_less_and_reviews_more() {
    let (tables, truth) = generated(3000, 43);
    let tables = all_encoded(&tables, &options(KEY));
    let ordinary = link(&tables, &Vec::new(), &settings()).unwrap();
    let mut strict = settings();
    strict.thresholds.false_match_rate = 0.001;
    let strict = link(&tables, &Vec::new(), &strict).unwrap();
    assert!(strict.report.statistics.links < ordinary.report.statistics.links);
    assert!(strict.report.statistics.reviews > ordinary.report.statistics.reviews);
    assert!(quality(&strict, &truth).0 >= quality(&ordinary, &truth).0);
}

#[test]
fn two_records_of_one_system_share_a_cluster_only_when_they_are_linked_themselves() {
    let (tables, _) = generated(3000, 44);
    let ran = link(
        &all_encoded(&tables, &options(KEY)),
        &Vec::new(),
        &settings(),
    )
    .unwrap();
    let links = ran.links.iter().filter(|row| row[5] == "link");
    let within: BTreeSet<[&String; 2]> = links
        .filter(|row| row[0] == row[2])
        .flat_map(|row| [[&row[1], &row[3]], [&row[3], &row[1]]])
        .collect();
    let mut members: BTreeMap<(&String, &String), Vec<&String>> = BTreeMap::new();
    for row in &ran.clusters {
        members.entry((&row[2], &row[0])).or_default().push(&row[1]);
    }
    let twice: Vec<_> = members.values().filter(|ids| ids.len() == 2).collect();
    assert!(!twice.is_empty());
    for ids in twice {
        assert!(within.contains(&[ids[0], ids[1]]), "{ids:?}");
    }
}

#[test]
fn nothing_is_linked_where_too_little_can_be_learnt_and_what_looks_alike_is_for_review() {
    let table = few();
    let other = ("tanf".to_owned(), table.1.clone());
    let ran = link(
        &all_encoded(&vec![table, other], &options(KEY)),
        &Vec::new(),
        &settings(),
    );
    let ran = ran.unwrap();
    assert_eq!(ran.report.statistics.links, 0);
    assert_eq!(ran.report.statistics.reviews, 2);
    assert!(
        ran.report
            .estimate_refused
            .unwrap()
            .contains("too few matches")
    );
}

#[test]
fn noise_costs_links_and_not_their_precision() {
    let (tables, truth) = generated(3000, 45);
    let noisy = EncodeOptions {
        noise: Noise::of(3.0).unwrap(),
        ..options(KEY)
    };
    let clear = link(
        &all_encoded(&tables, &options(KEY)),
        &Vec::new(),
        &settings(),
    )
    .unwrap();
    let noisy = link(&all_encoded(&tables, &noisy), &Vec::new(), &settings()).unwrap();
    let (precision, recall, _) = quality(&noisy, &truth);
    assert!(precision >= 0.98, "{precision}");
    assert!(
        recall < quality(&clear, &truth).1 && recall >= 0.75,
        "{recall}"
    );
}

#[test]
fn an_encoding_holds_nothing_in_clear() {
    let (tables, _) = generated(300, 46);
    let hidden = EncodeOptions {
        keeps_ids: false,
        ..options(KEY)
    };
    for table in &tables {
        let (output, ids) = encoded(table, &hidden);
        let lines = String::from_utf8(output).unwrap();
        let mut reader = csv::Reader::from_reader(table.1.as_slice());
        for (row, line) in reader.records().zip(lines.lines().skip(1)) {
            let row = row.unwrap();
            for value in row.iter().filter(|value| value.len() >= 4) {
                let line = line.to_lowercase();
                assert!(!line.contains(&value.to_lowercase()), "{value} in {line}");
            }
        }
        assert_eq!(ids.len(), lines.lines().count() - 1);
        for (id, line) in ids.iter().zip(lines.lines().skip(1)) {
            assert!(
                line.starts_with(&id[1]),
                "the list of ids tells which line is which record"
            );
        }
    }
}

#[test]
fn the_same_table_gives_the_same_encodings_and_another_key_none_of_them() {
    let table = few();
    let (one, _) = encoded(&table, &options(KEY));
    assert_eq!(one, encoded(&table, &options(KEY)).0);
    let (other, _) = encoded(&table, &options(OTHER_KEY));
    let clks = |bytes: &[u8]| -> Vec<String> {
        let rows = crate::encoded_run::rows(bytes).into_iter();
        rows.map(|row| row[5].clone()).collect()
    };
    assert!(clks(&one).iter().all(|clk| !clks(&other).contains(clk)));
}

#[test]
fn a_table_of_another_key_or_scheme_is_refused_and_not_silently_unlinked() {
    let table = few();
    let ours = all_encoded(&vec![table.clone()], &options(KEY));
    let mut theirs = all_encoded(&vec![table], &options(OTHER_KEY));
    theirs[0].0 = "tanf".to_owned();
    let both = [ours.clone(), theirs.clone()].concat();
    let error = refusal(&both, &Vec::new());
    assert!(
        error.starts_with("tanf.csv, line 2, column key_check: expected"),
        "{error}"
    );
    let error = refusal(&theirs, &vec![few()]);
    assert!(
        error.starts_with("tanf.csv, line 2, column key_check: expected"),
        "{error}"
    );
    let text = String::from_utf8(ours[0].1.clone()).unwrap();
    let newer = text.replace("tandem-clk-1", "tandem-clk-9");
    let error = refusal(&vec![("hmis".to_owned(), newer.into_bytes())], &Vec::new());
    assert!(
        error.starts_with("hmis.csv, line 2, column scheme: expected"),
        "{error}"
    );
}

#[test]
fn damage_is_named_by_file_line_and_column() {
    let (bytes, _) = encoded(&few(), &options(KEY));
    let text = String::from_utf8(bytes).unwrap();
    let last: Vec<&str> = text.lines().last().unwrap().split(',').collect();
    let damaged = |column: usize, value: &str| {
        let mut fields = last.clone();
        fields[column] = value;
        let lines: Vec<&str> = text.lines().take(2).collect();
        format!("{}\n{}\n", lines.join("\n"), fields.join(","))
    };
    let cut = &last[5][..100];
    let letters = last[5].replace(char::is_alphanumeric, "?");
    let cases = [
        (0, "", "record_id"),
        (0, "C-1001", "record_id"),
        (1, "", "scheme"),
        (2, "", "key_check"),
        (3, "0.1", "noise"),
        (3, "4", "noise"),
        (4, "xyz", "known"),
        (4, "fff", "known"),
        (5, "", "clk"),
        (5, cut, "clk"),
        (5, &letters, "clk"),
    ];
    for (column, value, name) in cases {
        let table = ("hmis".to_owned(), damaged(column, value).into_bytes());
        let error = refusal(&vec![table], &Vec::new());
        let expected = format!("hmis.csv, line 3, column {name}: expected");
        assert!(error.starts_with(&expected), "{error}");
    }
    let headless = text.replacen("clk\n", "bits\n", 1).into_bytes();
    let error = refusal(&vec![("hmis".to_owned(), headless)], &Vec::new());
    assert!(
        error.starts_with("hmis.csv, line 1, column clk: expected"),
        "{error}"
    );
    let ragged = format!("{text}one,two\n").into_bytes();
    let error = refusal(&vec![("hmis".to_owned(), ragged)], &Vec::new());
    assert!(error.starts_with("hmis.csv: "), "{error}");
}

#[test]
fn an_id_that_comes_twice_is_refused_before_anything_is_linked() {
    let (_, bytes) = few();
    let twice = String::from_utf8(bytes)
        .unwrap()
        .replace("C-1002", "C-1001");
    let table = ("hmis".to_owned(), twice.into_bytes());
    let mut nowhere = Vec::new();
    let ended = encode_table(input(&table), &options(KEY), &mut nowhere, &mut Vec::new());
    assert!(matches!(
        ended,
        Err(LinkTablesError::Value {
            line: 3,
            column: "record_id",
            ..
        })
    ));
}

#[test]
fn empty_records_are_counted_and_never_compared() {
    let mut text = "record_id,first_name,last_name,dob\n".to_owned();
    for number in 0..400 {
        text.push_str(&format!("{number},,Demofield,\n"));
    }
    let table = ("hmis".to_owned(), text.into_bytes());
    let ran = link(
        &all_encoded(&vec![table], &options(KEY)),
        &Vec::new(),
        &settings(),
    )
    .unwrap();
    assert_eq!(ran.report.too_little_known, 400);
    assert_eq!(ran.report.statistics.pairs_compared, 0);
    assert_eq!(ran.report.clusters, 400);
}

#[test]
fn a_thousand_records_of_one_person_are_compared_with_few_of_each_other() {
    let mut text = "record_id,first_name,last_name,dob\n".to_owned();
    for number in 0..1000 {
        text.push_str(&format!("{number},Marisol,Demofield,1994-05-17\n"));
    }
    let table = ("hmis".to_owned(), text.into_bytes());
    let ran = link(
        &all_encoded(&vec![table], &options(KEY)),
        &Vec::new(),
        &settings(),
    )
    .unwrap();
    assert!(ran.report.statistics.pairs_compared <= 50_000);
    let clusters = ran
        .clusters
        .iter()
        .map(|row| &row[2])
        .collect::<BTreeSet<_>>()
        .len();
    assert_eq!(clusters, 1000, "nothing was learnt, so nobody is linked");
}

#[test]
fn a_table_that_cannot_be_read_as_csv_is_named() {
    let broken = TableInput {
        system: "hmis".to_owned(),
        file: "hmis.csv".to_owned(),
        input: Box::new(Failing),
    };
    let ended = encode_table(broken, &options(KEY), &mut Vec::new(), &mut Vec::new());
    assert!(ended.unwrap_err().to_string().starts_with("hmis.csv: "));
}

struct Failing;

impl std::io::Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::ConnectionReset.into())
    }
}
