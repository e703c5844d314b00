//! `tandem link`: whole outputs or none.

use tempfile::tempdir;

use crate::cli_program::{file, tandem_in};

const CALWORKS: &str = "record_id,first_name,last_name,dob,ssn\n\
    a1,Marisol,Demofield,1994-05-17,900123456\na2,Ana,Demofield,2018-03-02,\n";
const HMIS: &str = "record_id,first_name,last_name,dob,ssn\n\
    b1,Marisol,Demofield,1994-05-17,900-12-3456\nb2,Leo,Demofield,2021-09-14,\n";

#[test]
fn one_person_in_two_tables_is_linked_and_every_record_stands_in_a_cluster() {
    let place = tempdir().unwrap();
    file(&place, "a.csv", CALWORKS);
    file(&place, "b.csv", HMIS);
    let arguments = [
        "link",
        "--records",
        "calworks=a.csv",
        "--records",
        "hmis=b.csv",
        "--links",
        "links.csv",
        "--clusters",
        "clusters.csv",
        "--candidates",
        "candidates.csv",
    ];
    let ended = tandem_in(place.path(), &arguments);
    assert_eq!(ended.code, 0, "{ended:?}");
    let text = |name: &str| std::fs::read_to_string(place.path().join(name)).unwrap();
    let links = text("links.csv");
    let rows: Vec<&str> = links.lines().collect();
    assert_eq!(
        rows[0],
        "system_a,id_a,system_b,id_b,score,decision,false_match_rate"
    );
    assert!(
        rows[1].starts_with("calworks,a1,hmis,b1,") && rows[1].contains(",link,0."),
        "{links}"
    );
    let clusters = text("clusters.csv");
    let cluster_of = |id: &str| {
        let row = clusters
            .lines()
            .find(|line| line.split(',').nth(1) == Some(id))
            .unwrap();
        row.split(',').nth(2).unwrap().to_owned()
    };
    assert_eq!(clusters.lines().count(), 5);
    assert_eq!(cluster_of("a1"), cluster_of("b1"));
    assert_ne!(cluster_of("a2"), cluster_of("b2"));
    assert!(
        text("candidates.csv")
            .lines()
            .any(|line| line.starts_with("calworks,a1,hmis,b1,"))
    );
    assert!(
        ended.out.contains("links") && !ended.out.contains("Marisol"),
        "{}",
        ended.out
    );
}

#[test]
fn a_run_that_fails_leaves_no_half_file_and_no_earlier_result_spoilt() {
    let place = tempdir().unwrap();
    file(&place, "a.csv", "record_id,first_name\na1,Ana\na1,Ana\n");
    file(&place, "links.csv", "earlier\n");
    let arguments = [
        "link",
        "--records",
        "calworks=a.csv",
        "--links",
        "links.csv",
        "--clusters",
        "clusters.csv",
    ];
    let ended = tandem_in(place.path(), &arguments);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended.told.contains("a.csv, line 3, column record_id"),
        "{}",
        ended.told
    );
    assert_eq!(
        std::fs::read_to_string(place.path().join("links.csv")).unwrap(),
        "earlier\n"
    );
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 2);
}

#[test]
fn an_input_is_never_overwritten_and_a_missing_one_could_not_be_read() {
    let place = tempdir().unwrap();
    file(&place, "a.csv", CALWORKS);
    let run = |records: &str, links: &str| {
        tandem_in(
            place.path(),
            &[
                "link",
                "--records",
                records,
                "--links",
                links,
                "--clusters",
                "c.csv",
            ],
        )
        .code
    };
    assert_eq!(run("calworks=a.csv", "a.csv"), 2);
    assert_eq!(run("calworks=a.csv", "c.csv"), 2);
    assert_eq!(run("a.csv", "l.csv"), 2);
    assert_eq!(run("calworks=none.csv", "l.csv"), 3);
    assert_eq!(
        std::fs::read_to_string(place.path().join("a.csv")).unwrap(),
        CALWORKS
    );
}

#[test]
fn saved_settings_link_the_same_pairs_again() {
    let place = tempdir().unwrap();
    file(&place, "a.csv", CALWORKS);
    file(&place, "b.csv", HMIS);
    let linked = |links: &str, more: &[&str]| {
        let tables = [
            "link",
            "--records",
            "a=a.csv",
            "--records",
            "b=b.csv",
            "--links",
            links,
            "--clusters",
            "c.csv",
        ];
        let ended = tandem_in(place.path(), &[&tables[..], more].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        std::fs::read_to_string(place.path().join(links)).unwrap()
    };
    let first = linked("first.csv", &["--save-settings", "learnt.toml"]);
    assert_eq!(linked("second.csv", &["--settings", "learnt.toml"]), first);
    let strict = tandem_in(
        place.path(),
        &[
            "link",
            "--records",
            "a=a.csv",
            "--links",
            "l.csv",
            "--clusters",
            "c.csv",
            "--false-match-rate",
            "1.5",
        ],
    );
    assert_eq!(strict.code, 2, "{strict:?}");
    assert!(strict.told.contains("false_match_rate"), "{strict:?}");
}
