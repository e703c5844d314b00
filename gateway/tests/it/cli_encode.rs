//! `tandem encode` and `tandem link --pprl` as agencies use them. All people are invented.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::fmt::Write as _;
use std::fs;

use tempfile::{TempDir, tempdir};

use crate::cli_program::{Ended, file, tandem_in};

/// A table of so many people; the slip is in the family name of every seventh.
fn people(slip: &str) -> String {
    const FIRST: [&str; 7] = [
        "Marisol", "Leonardo", "Ana", "Tomas", "Beatriz", "Ruben", "Ines",
    ];
    const LAST: [&str; 5] = [
        "Demofield",
        "Testaverde",
        "Examplar",
        "Sampleton",
        "Placeholt",
    ];
    let mut table = "record_id,first_name,last_name,dob,sex,ssn\n".to_owned();
    for number in 0..300_u32 {
        let (first, last) = (FIRST[number as usize % 7], LAST[number as usize % 5]);
        let slip = if number % 7 == 0 { slip } else { "" };
        let (year, month, day) = (1950 + number % 61, 2 + number % 11, 1 + number % 27);
        let ssn = 900_110_001 + number * 7919;
        writeln!(
            table,
            "C-{number},{first},{last}{slip},{year}-{month:02}-{day:02},,{ssn}"
        )
        .unwrap();
    }
    table
}

fn place() -> TempDir {
    let place = tempdir().unwrap();
    file(&place, "a.csv", people(""));
    file(&place, "b.csv", people("s"));
    let made = tandem_in(place.path(), &["encode", "--new-key", "shared.key"]);
    assert_eq!(made.code, 0, "{made:?}");
    place
}

fn encode(place: &TempDir, system: &str, more: &[&str]) -> Ended {
    let records = format!("{system}={system}.csv");
    let output = format!("{system}.clk.csv");
    let named = [
        "--records",
        &records,
        "--key-file",
        "shared.key",
        "--output",
        &output,
    ];
    tandem_in(place.path(), &[&["encode"], &named[..], more].concat())
}

fn link(place: &TempDir, more: &[&str]) -> Ended {
    let outputs = ["link", "--links", "l.csv", "--clusters", "c.csv"];
    tandem_in(place.path(), &[&outputs[..], more].concat())
}

fn read(place: &TempDir, name: &str) -> String {
    fs::read_to_string(place.path().join(name)).unwrap()
}

#[test]
fn a_key_is_made_for_its_owner_only_shown_nowhere_and_never_overwritten() {
    let place = tempdir().unwrap();
    let made = tandem_in(place.path(), &["encode", "--new-key", "k", "--json"]);
    assert_eq!(made.code, 0, "{made:?}");
    let key = read(&place, "k");
    assert_eq!(key.trim().len(), 64);
    assert_eq!(made.json()["key_check"].as_str().unwrap().len(), 16);
    assert!(!made.out.contains(key.trim()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(place.path().join("k")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }
    let again = tandem_in(place.path(), &["encode", "--new-key", "k"]);
    assert_eq!(again.code, 2);
    assert!(again.told.contains("never overwritten"), "{}", again.told);
    assert_eq!(read(&place, "k"), key);
}

#[test]
fn two_agencies_find_their_common_people_and_the_linkage_unit_sees_no_name_and_no_key() {
    let place = place();
    for system in ["a", "b"] {
        let ids = format!("{system}.ids.csv");
        let ended = encode(&place, system, &["--ids", &ids]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let encoded = read(&place, &format!("{system}.clk.csv"));
        assert!(!encoded.contains("Marisol") && !encoded.contains("C-1"));
    }
    fs::remove_file(place.path().join("shared.key")).unwrap();
    let tables = [
        "--pprl",
        "--encoded",
        "a=a.clk.csv",
        "--encoded",
        "b=b.clk.csv",
    ];
    let ended = link(&place, &[&tables[..], &["--json"]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    let links = ended.json()["statistics"]["links"].as_u64().unwrap();
    assert!((280..=300).contains(&links), "{links}");
    let encoded_id = |system: &str| {
        let ids = read(&place, &format!("{system}.ids.csv"));
        let line = ids.lines().find(|line| line.starts_with("C-17,")).unwrap();
        line.split_once(',').unwrap().1.to_owned()
    };
    let pair = format!("a,{},b,{},", encoded_id("a"), encoded_id("b"));
    assert!(read(&place, "l.csv").contains(&pair), "{pair}");
    let ended = link(&place, &tables);
    for part in ["household rules", "not anonymous", "nearly the same score"] {
        assert!(ended.out.contains(part), "{part} in {}", ended.out);
    }
}

#[test]
fn a_clear_table_links_with_an_encoded_one_by_the_key() {
    let place = place();
    assert_eq!(encode(&place, "b", &["--keep-ids"]).code, 0);
    let clear = ["--pprl", "--records", "a=a.csv", "--encoded", "b=b.clk.csv"];
    let ended = link(
        &place,
        &[&clear[..], &["--key-file", "shared.key"]].concat(),
    );
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(read(&place, "l.csv").contains("a,C-17,b,C-17,"));
    assert_eq!(read(&place, "c.csv").lines().count(), 601);
    let without = link(&place, &clear);
    assert_eq!(without.code, 2);
    assert!(without.told.contains("--key-file"), "{}", without.told);
}

#[test]
fn another_key_is_told_and_the_earlier_outputs_stay() {
    let place = place();
    assert_eq!(encode(&place, "b", &[]).code, 0);
    file(&place, "l.csv", "earlier");
    let other = tandem_in(place.path(), &["encode", "--new-key", "other.key"]);
    assert_eq!(other.code, 0);
    let tables = ["--pprl", "--records", "a=a.csv", "--encoded", "b=b.clk.csv"];
    let ended = link(
        &place,
        &[&tables[..], &["--key-file", "other.key"]].concat(),
    );
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended
            .told
            .contains("b.clk.csv, line 2, column key_check: expected"),
        "{}",
        ended.told
    );
    assert_eq!(read(&place, "l.csv"), "earlier");
}

#[test]
fn nothing_of_a_victim_service_provider_is_encoded() {
    let place = place();
    let declared = encode(&place, "a", &["--victim-service-provider"]);
    assert_eq!(declared.code, 1, "{declared:?}");
    assert!(declared.told.contains("victim service provider"));
    assert_eq!(tandem_in(place.path(), &["init", "county"]).code, 0);
    fs::copy(
        place.path().join("a.csv"),
        place.path().join("hmis-coc.csv"),
    )
    .unwrap();
    let config = fs::read_to_string(place.path().join("county/gateway.toml")).unwrap();
    let start = config.find("[systems.").unwrap() + "[systems.".len();
    let system: String = config[start..]
        .chars()
        .take_while(|sign| !"].".contains(*sign))
        .collect();
    fs::copy(
        place.path().join("a.csv"),
        place.path().join(format!("{system}.csv")),
    )
    .unwrap();
    let more = ["--config", "county/gateway.toml"];
    let ended = encode(&place, &system, &more);
    assert_eq!(ended.code, 0, "{ended:?}");
    let registry = place.path().join("county/registry/organizations.toml");
    let facts = fs::read_to_string(&registry).unwrap();
    let closed = facts.replace(
        "victim_service_provider = false",
        "victim_service_provider = true",
    );
    fs::write(&registry, closed).unwrap();
    fs::remove_file(place.path().join(format!("{system}.clk.csv"))).unwrap();
    let ended = encode(&place, &system, &more);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.told.contains("is a victim service provider"),
        "{}",
        ended.told
    );
    assert!(!place.path().join(format!("{system}.clk.csv")).exists());
    let unknown = encode(&place, "a", &more);
    assert_eq!(unknown.code, 2);
    assert!(unknown.told.contains("no system a"), "{}", unknown.told);
}

#[test]
fn a_weak_key_wrong_noise_and_a_file_read_and_written_are_refused() {
    let place = place();
    file(&place, "weak.key", "ab".repeat(32));
    let weak = [
        "encode",
        "--records",
        "a=a.csv",
        "--output",
        "o.csv",
        "--key-file",
    ];
    let ended = tandem_in(place.path(), &[&weak[..], &["weak.key"]].concat());
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .told
            .contains("weak.key: expected a key of 32 random bytes"),
        "{}",
        ended.told
    );
    assert!(!ended.told.contains("abab"));
    let ended = tandem_in(place.path(), &[&weak[..], &["none.key"]].concat());
    assert_eq!(ended.code, 3);
    assert_eq!(encode(&place, "a", &["--noise", "0"]).code, 2);
    assert_eq!(encode(&place, "a", &["--ids", "a.csv"]).code, 2);
    assert_eq!(encode(&place, "a", &["--ids", "a.clk.csv"]).code, 2);
    assert_eq!(encode(&place, "a", &["--ids", "shared.key"]).code, 2);
    assert!(read(&place, "a.csv").starts_with("record_id"));
}

#[test]
fn a_dry_run_counts_and_writes_nothing() {
    let place = place();
    let ended = encode(&place, "a", &["--dry-run", "--ids", "ids.csv", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.json()["records"], 300);
    assert_eq!(ended.json()["scheme"], "tandem-clk-1");
    assert!(!place.path().join("a.clk.csv").exists() && !place.path().join("ids.csv").exists());
}

#[test]
fn options_that_encodings_cannot_serve_are_wrong_usage() {
    let place = place();
    let tables = ["--pprl", "--encoded", "a=a.clk.csv"];
    for more in [
        &["--explain", "a:1", "a:2"][..],
        &["--report", "r.html"],
        &["--dry-run"],
        &["--save-settings", "s.toml"],
    ] {
        assert_eq!(
            link(&place, &[&tables[..], more].concat()).code,
            2,
            "{more:?}"
        );
    }
    assert_eq!(link(&place, &["--encoded", "a=a.clk.csv"]).code, 2);
    assert_eq!(link(&place, &["--pprl"]).code, 2);
}
