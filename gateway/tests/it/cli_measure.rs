//! `tandem measure` from tables: match rates as county staff compute them, without a gateway.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use tandem_population::{Shape, write_linkages};
use tempfile::{TempDir, tempdir};

use crate::cli_program::{Ended, file, tandem_in};

const TABLES: [&str; 10] = [
    "measure",
    "MC-1",
    "MC-2",
    "MC-3",
    "--records",
    "tanf=tanf.csv",
    "--records",
    "cws=cws.csv",
    "--open",
    "cws=open_cws.csv",
];

/// The children of the published California example, one to a hundred.
fn california(difficulty: f64) -> TempDir {
    let place = tempdir().unwrap();
    write_linkages(Shape::CALIFORNIA_HUNDREDTH, 1, difficulty, place.path()).unwrap();
    place
}

fn measure(folder: &Path, more: &[&str]) -> Ended {
    let ended = tandem_in(folder, &[&TABLES[..], more].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    ended
}

/// Percentages in the order of the rows.
fn percents(ended: &Ended) -> Vec<String> {
    let rows = ended.out.lines().filter(|line| line.starts_with("MC-"));
    let percent = |line: &str| line.split_whitespace().last().unwrap().to_owned();
    rows.map(percent).collect()
}

#[test]
fn the_published_rates_come_out_of_linked_tables_in_both_directions_persons_and_records() {
    let place = california(0.0);
    let ended = measure(place.path(), &[]);
    let rates = ["14.0", "36.2", "47.4"];
    assert_eq!(percents(&ended), [rates, rates].concat(), "{}", ended.out);
    assert!(ended.out.contains("made in this run  24766 records"));
    for direction in [
        "MC-1     tanf             cws       person",
        "MC-2     cws              tanf      record",
        "MC-3     cws, open cases  tanf      person",
    ] {
        assert!(ended.out.contains(direction), "{}", ended.out);
    }
}

#[test]
fn ordinary_errors_of_the_records_move_a_rate_by_less_than_a_point() {
    let place = california(1.0);
    let truth = measure(place.path(), &["--clusters", "people.csv"]);
    let rates = ["14.0", "36.2", "47.4"];
    assert_eq!(percents(&truth), [rates, rates].concat());
    assert!(!truth.out.contains("made in this run"));
    let found = measure(place.path(), &[]);
    let number = |text: &String| text.parse::<f64>().unwrap();
    let (found, truth) = (percents(&found), percents(&truth));
    let apart = found
        .iter()
        .zip(&truth)
        .map(|(one, other)| (number(one) - number(other)).abs());
    assert!(
        apart.fold(0.0, f64::max) < 1.0,
        "found {found:?}, true {truth:?}"
    );
}

const CLUSTERS: &str = "system,record_id,cluster_id\n\
    cws,b1,p\ncws,b2,p\ncws,b3,q\ntanf,a1,p\ntanf,a2,r\ntanf,a3,s\n";

#[test]
fn two_records_of_one_person_are_one_person_and_two_records() {
    let place = tempdir().unwrap();
    file(&place, "c.csv", CLUSTERS);
    file(&place, "open.csv", "record_id\nb1\nb3\n");
    let arguments = [
        "measure",
        "--clusters",
        "c.csv",
        "--open",
        "cws=open.csv",
        "--json",
    ];
    let ended = tandem_in(place.path(), &arguments);
    assert_eq!(ended.code, 0, "{ended:?}");
    let answer = ended.json();
    let count = |indicator: &str, pair: &str, unit: &str| {
        let mut rows = answer["rows"].as_array().unwrap().iter();
        let row = rows
            .find(|row| {
                let stratum = &row["stratum"];
                row["indicator"] == indicator && stratum["pair"] == pair && stratum["unit"] == unit
            })
            .unwrap_or_else(|| panic!("no row {indicator} {pair} {unit}"));
        [&row["numerator"], &row["denominator"]].map(|number| number.as_u64().unwrap())
    };
    assert_eq!(count("MC-1", "cws>tanf", "person"), [1, 2]);
    assert_eq!(count("MC-1", "cws>tanf", "record"), [2, 3]);
    assert_eq!(count("MC-2", "cws>tanf", "person"), [1, 3]);
    assert_eq!(count("MC-2", "cws>tanf", "record"), [1, 3]);
    // Open cases are those of the pair's second system, whichever comes first in the table.
    assert_eq!(count("MC-3", "tanf>cws", "person"), [1, 2]);
    assert_eq!(answer["rows"].as_array().unwrap().len(), 6);
}

#[test]
fn the_same_links_have_the_same_snapshot_id_however_they_are_written() {
    let place = tempdir().unwrap();
    let mut lines: Vec<&str> = CLUSTERS.lines().collect();
    let mut other = vec![lines.remove(0).to_owned()];
    other.extend(lines.iter().rev().map(|line| format!("{line}-again")));
    let apart = CLUSTERS.replace("tanf,a1,p", "tanf,a1,t");
    let id = |clusters: &str| {
        file(&place, "c.csv", clusters);
        let ended = tandem_in(place.path(), &["measure", "--clusters", "c.csv", "--json"]);
        ended.json()["snapshot_id"].as_str().unwrap().to_owned()
    };
    assert_eq!(id(CLUSTERS), id(&other.join("\n")));
    assert_ne!(id(CLUSTERS), id(&apart));
}

#[test]
fn the_public_sees_no_count_of_one_to_ten_and_no_rate_made_from_it() {
    let place = tempdir().unwrap();
    let mut clusters = "system,record_id,cluster_id\n".to_owned();
    for number in 0..30 {
        clusters.push_str(&format!("tanf,a{number},p{number}\n"));
        // Four of the 40 are known to both.
        clusters.push_str(&format!("cws,b{number},p{}\n", number + 26));
    }
    file(&place, "c.csv", clusters);
    let run = |more: &[&str]| {
        let arguments = ["measure", "MC-1", "--clusters", "c.csv", "--csv"];
        tandem_in(place.path(), &[&arguments[..], more].concat()).out
    };
    assert!(run(&[]).contains(",4,30,0.1333,none,"));
    let public = run(&["--public"]);
    assert_eq!(public.matches(",,30,,primary,").count(), 2, "{public}");
    assert!(!public.contains(",4,"), "{public}");
}

#[test]
fn what_can_not_be_counted_is_refused_with_its_place_and_without_its_value() {
    let place = tempdir().unwrap();
    file(&place, "c.csv", CLUSTERS);
    file(&place, "open.csv", "record_id\nb1\nb777\n");
    file(&place, "twice.csv", format!("{CLUSTERS}tanf,a2,q\n"));
    file(&place, "other.csv", "record_id,name\na1,x\n");
    let refused = |arguments: &[&str]| {
        let ended = tandem_in(place.path(), &[&["measure"], arguments].concat());
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(!ended.told.contains("b777"), "{}", ended.told);
        ended.told
    };
    file(&place, "one.csv", "system,record_id,cluster_id\ncws,b1,p\n");
    let cases: [(&[&str], &str); 8] = [
        (
            &["--clusters", "c.csv", "--open", "cws=open.csv"],
            "open.csv, line 3, column record_id",
        ),
        (
            &["--clusters", "twice.csv"],
            "twice.csv, line 8, column record_id",
        ),
        (
            &["--clusters", "other.csv"],
            "other.csv, line 1, column system",
        ),
        (&["MC-3", "--clusters", "c.csv"], "MC-3 needs --open"),
        (&["MC-5", "--clusters", "c.csv"], "MC-5: tables tell"),
        (
            &["--clusters", "c.csv", "--open", "hmis=open.csv"],
            "no records of a system",
        ),
        (&["--clusters", "one.csv"], "records of two systems"),
        (
            &["--records", "a=c.csv", "--records", "a=c.csv"],
            "two tables are named a",
        ),
    ];
    for (arguments, expected) in cases {
        let told = refused(arguments);
        assert!(told.contains(expected), "{told}");
    }
    let missing = tandem_in(place.path(), &["measure", "--clusters", "none.csv"]);
    assert_eq!(missing.code, 3, "{missing:?}");
}
