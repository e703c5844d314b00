//! What `tandem link` gives beside its tables: explanations, a report, a plan, progress.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use tempfile::{TempDir, tempdir};

use crate::cli_program::{Ended, file, tandem_in};

const A: &str = "record_id,first_name,last_name,dob,ssn\n\
    1,Marisol,Demofield,1994-05-17,900123456\n2,Ana,Demofield,2018-03-02,\n";
const B: &str = "record_id,first_name,last_name,dob,ssn\n\
    1,Marisol,Demofield,1994-05-17,900-12-3456\n3,Leo,Testa,2021-09-14,\n";

fn place() -> TempDir {
    let place = tempdir().unwrap();
    file(&place, "a.csv", A);
    file(&place, "b.csv", B);
    place
}

fn link(place: &TempDir, more: &[&str]) -> Ended {
    let tables = ["link", "--records", "a=a.csv", "--records", "b=b.csv"];
    tandem_in(place.path(), &[&tables[..], more].concat())
}

fn files(place: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(place.path()).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn pairs_are_explained_without_writing_a_file_reached_or_not() {
    let place = place();
    let pairs = ["--explain", "a:1", "b:1", "--explain", "2", "b:3"];
    let ended = link(&place, &pairs);
    assert_eq!(ended.code, 0, "{ended:?}");
    for part in [
        "a:1 and b:1",
        "decision: link; the score is at the link threshold or above",
        "key: SSN; 2 records have it; brought them together",
        "a:2 and b:3",
        "never compared",
        "the two share none",
        "records of a",
    ] {
        assert!(ended.out.contains(part), "{part} in {}", ended.out);
    }
    assert!(
        !ended.out.contains("Marisol") && !ended.out.contains("123456"),
        "{}",
        ended.out
    );
    assert_eq!(files(&place), ["a.csv", "b.csv"]);
    let json = link(&place, &[&pairs[..], &["--json"]].concat()).json();
    assert_eq!(json["explained"][0]["decision"], "link");
    assert_eq!(json["explained"][0]["fields"][0]["level"], "exact");
    assert_eq!(json["explained"][1]["decided_by"], "not-compared");
    assert!(json["statistics"]["pairs_compared"].is_number());
}

#[test]
fn an_unknown_or_ambiguous_record_is_wrong_usage_and_leaves_no_file() {
    let place = place();
    let outputs = ["--links", "l.csv", "--clusters", "c.csv", "--explain"];
    for (a, b, told) in [
        (
            "a:1",
            "b:9",
            "b:9 is unknown: table b has no such record id",
        ),
        ("1", "b:3", "1 is in several tables (a and b)"),
    ] {
        let ended = link(&place, &[&outputs[..], &[a, b]].concat());
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.told.contains(told), "{}", ended.told);
        assert_eq!(files(&place), ["a.csv", "b.csv"]);
    }
    assert_eq!(
        link(&place, &["--explain", "a:1"]).code,
        2,
        "a pair has two records"
    );
}

#[test]
fn the_report_is_one_page_that_shows_values_only_when_asked() {
    let place = place();
    let outputs = [
        "--links",
        "l.csv",
        "--clusters",
        "c.csv",
        "--report",
        "r.html",
    ];
    let page = |more: &[&str]| {
        let ended = link(&place, &[&outputs[..], more].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        std::fs::read_to_string(place.path().join("r.html")).unwrap()
    };
    let masked = page(&[]);
    assert!(masked.starts_with("<!DOCTYPE html>") && !masked.contains("Marisol"));
    let shown = page(&["--report-values"]);
    assert!(shown.contains("Marisol") && !shown.contains("900123456"));
    let without = link(
        &place,
        &["--links", "l.csv", "--clusters", "c.csv", "--report-values"],
    );
    assert_eq!(without.code, 2, "{without:?}");
    let same = [
        "--links",
        "l.csv",
        "--clusters",
        "c.csv",
        "--report",
        "l.csv",
    ];
    assert_eq!(link(&place, &same).code, 2);
}

#[test]
fn a_dry_run_counts_and_writes_nothing() {
    let place = place();
    let ended = link(
        &place,
        &["--dry-run", "--links", "l.csv", "--clusters", "c.csv"],
    );
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("pairs to compare") && ended.out.contains("nothing was compared"));
    assert_eq!(files(&place), ["a.csv", "b.csv"]);
    let json = link(&place, &["--dry-run", "--json"]).json();
    assert_eq!(json["records"]["a"], 2);
    assert_eq!(json["pairs"], 1);
    assert!(
        json["keys"]
            .as_array()
            .unwrap()
            .iter()
            .any(|key| key["key"] == "SSN")
    );
    let both = link(&place, &["--dry-run", "--report", "r.html"]);
    assert_eq!(both.code, 2, "{both:?}");
}

#[test]
fn progress_is_told_on_standard_error_and_only_when_asked_where_nobody_waits() {
    let place = place();
    let outputs = ["--links", "l.csv", "--clusters", "c.csv"];
    let quiet = link(&place, &outputs);
    assert_eq!((quiet.code, quiet.told.as_str()), (0, ""));
    let told = link(&place, &[&outputs[..], &["--progress", "--json"]].concat());
    for phase in [
        "reading records",
        "comparing: 4 of 4 records, 1 pairs",
        "writing links",
    ] {
        assert!(told.told.contains(phase), "{phase} in {}", told.told);
    }
    assert!(
        told.json()["clusters"].is_number(),
        "the answer stays whole"
    );
}

#[test]
fn links_and_clusters_are_needed_unless_pairs_are_explained_or_planned() {
    let place = place();
    assert_eq!(link(&place, &[]).code, 2);
    assert_eq!(link(&place, &["--links", "l.csv"]).code, 2);
}

#[test]
fn households_and_groups_are_tables_and_the_summary_counts_nobody_twice() {
    let place = tempdir().unwrap();
    let header = "record_id,first_name,last_name,dob,ssn,household_id\n";
    let mother = "Marisol,Demofield,1994-05-17,900123456";
    let child = "Ana,Demofield,2018-03-02,900123477";
    file(
        &place,
        "a.csv",
        format!("{header}1,{mother},H1\n2,{child},H1\n"),
    );
    file(
        &place,
        "b.csv",
        format!("{header}8,{mother},20\n9,{child},20\n"),
    );
    let outputs =
        "--links l.csv --clusters c.csv --households h.csv --fairness f.csv --as-of 2026-07-01";
    let outputs: Vec<&str> = outputs.split(' ').collect();
    let ended = link(&place, &outputs);
    assert_eq!(ended.code, 0, "{ended:?}");
    for (label, number) in [
        ("people (clusters)", "2"),
        ("of these, children", "1"),
        ("households", "1"),
    ] {
        let line = ended.out.lines().find(|line| line.starts_with(label));
        assert!(
            line.is_some_and(|line| line.ends_with(number)),
            "{label}: {}",
            ended.out
        );
    }
    let households = std::fs::read_to_string(place.path().join("h.csv")).unwrap();
    let ids: std::collections::BTreeSet<&str> = households
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').next())
        .collect();
    assert_eq!(
        (households.lines().count(), ids.len()),
        (5, 1),
        "{households}"
    );
    let groups = std::fs::read_to_string(place.path().join("f.csv")).unwrap();
    assert!(
        groups.contains("age,0 to 5") || groups.contains("age,6 to 17"),
        "{groups}"
    );
    let json = link(&place, &[&outputs[..], &["--json"]].concat()).json();
    assert_eq!(json["unduplicated"]["families_with_children"], 1);
    let twice = link(
        &place,
        &[
            "--links",
            "l.csv",
            "--clusters",
            "c.csv",
            "--fairness",
            "l.csv",
        ],
    );
    assert_eq!(twice.code, 2, "{twice:?}");
}
