//! `tandem labels`: what privacy staff see of codes, categories and rows.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::path::Path;

use serde_json::json;

use crate::cli_program::{tandem, tandem_in};

fn config() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/gateway.toml");
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_code_of_a_source_is_explained_with_its_row_and_standard() {
    let config = config();
    let ended = tandem(&[
        "labels",
        "explain",
        "--config",
        &config,
        "--source",
        "org-clinic",
        "icd10cm|F11.20",
        "icd10cm|E11.9",
        "?|x",
        "--json",
    ]);
    assert_eq!(ended.code, 0, "{}", ended.told);
    let answer = ended.json();
    assert_eq!(answer["category"], "SUD_NONPART2");
    assert_eq!(answer["labels"], json!(["ETH", "OPIOIDUD", "SUD"]));
    assert_eq!(answer["why"], json!(["icd10cm:F11"]));
    assert_eq!(answer["codes"][0]["source"], "FY2026, chapter 5, F10-F19");
    assert_eq!(answer["codes"][1]["found"], "unlisted");
    assert_eq!(answer["codes"][2]["found"], "unknown-system");
    let text = tandem(&[
        "labels",
        "explain",
        "--config",
        &config,
        "--source",
        "org-hmis",
        "hmis|1.3:10",
    ]);
    assert!(
        text.out.contains("HOMELESS_SERVICES") && text.out.contains("hmis:1.3:10"),
        "{}",
        text.out
    );
}

#[test]
fn a_source_that_is_not_there_is_wrong_usage_and_a_victim_service_is_refused() {
    let config = config();
    let unknown = tandem(&[
        "labels",
        "explain",
        "--config",
        &config,
        "--source",
        "org-nobody",
        "F11.20",
    ]);
    assert_eq!(unknown.code, 2, "{}", unknown.told);
    let closed = tandem(&[
        "labels",
        "explain",
        "--config",
        &config,
        "--source",
        "org-safe-harbor",
        "F11.20",
    ]);
    assert_eq!(closed.code, 1, "{}", closed.told);
    let neither = tandem(&["labels", "explain", "F11.20"]);
    assert_eq!(neither.code, 2, "{}", neither.told);
}

#[test]
fn the_rows_of_a_table_are_listed() {
    let ended = tandem(&["labels", "list", "--system", "http://loinc.org", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.told);
    let rows = ended.json();
    assert!(
        rows.as_array()
            .unwrap()
            .iter()
            .all(|row| row["row"].as_str().unwrap().starts_with("loinc:"))
    );
    assert_eq!(tandem(&["labels", "list", "--system", "elsewhere"]).code, 2);
}

const COUNTY: &str = "# source: Demo County privacy office\n# version: 2026-02\n# example: 1.3:7 -> county:hmis:chronic\n\
    row,first,last,category,labels,meaning,section\nchronic,1.3:7,1.3:7,HEALTH_GENERAL,MH,chronic condition,memo 4\n";

/// A deployment whose configuration names a label table of the county.
fn county(table: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(tandem_in(place.path(), &["init", "county"]).code, 0);
    let folder = place.path().join("county");
    std::fs::create_dir(folder.join("labels")).unwrap();
    std::fs::write(folder.join("labels/hmis.csv"), table).unwrap();
    let file = folder.join("gateway.toml");
    let own = "\n[labels]\ntables = [{ system = \"hmis\", file = \"labels/hmis.csv\" }]\n";
    let text = std::fs::read_to_string(&file).unwrap() + own;
    std::fs::write(file, text).unwrap();
    place
}

#[test]
fn rows_of_the_county_are_listed_as_such_beside_ours_and_explained() {
    let place = county(COUNTY);
    let config = ["--config", "county/gateway.toml"];
    let list = [&["labels", "list", "--system", "hmis"][..], &config].concat();
    let listed = tandem_in(place.path(), &[&list[..], &["--json"]].concat());
    assert_eq!(listed.code, 0, "{}", listed.told);
    let rows = listed.json();
    let rows = rows.as_array().unwrap();
    let own: Vec<_> = rows
        .iter()
        .filter(|row| row["county_file"].is_string())
        .collect();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0]["row"], "county:hmis:chronic");
    assert_eq!(own[0]["county_file"], "labels/hmis.csv");
    assert!(rows.len() > 20, "ours are all there");
    let text = tandem_in(place.path(), &list).out;
    let line = text
        .lines()
        .find(|line| line.starts_with("county:hmis:chronic"));
    assert!(line.unwrap().contains("county labels/hmis.csv"), "{text}");
    let explain = ["labels", "explain", "--source", "org-hmis", "hmis|1.3:7"];
    let explained = tandem_in(place.path(), &[&explain[..], &config].concat());
    assert!(
        explained.out.contains("county:hmis:chronic"),
        "{}",
        explained.out
    );
    let checked = tandem_in(
        place.path(),
        &[&["check", "--deny-warnings"][..], &config].concat(),
    );
    assert_eq!(checked.code, 0, "{}", checked.out);
}

#[test]
fn a_bad_row_of_the_county_is_found_with_file_line_and_column() {
    for (from, to, told) in [
        (",MH,", ",MHX,", "labels/hmis.csv:5: column `labels`"),
        (
            "HEALTH_GENERAL",
            "NO_SUCH",
            "labels/hmis.csv:5: column `category`",
        ),
        (
            "-> county:hmis:chronic",
            "-> county:hmis:acute",
            "labels/hmis.csv:3: example",
        ),
    ] {
        let place = county(&COUNTY.replacen(from, to, 1));
        for command in [&["check"][..], &["serve"], &["labels", "list"]] {
            let all = [command, &["--config", "county/gateway.toml"]].concat();
            let ended = tandem_in(place.path(), &all);
            assert_ne!(ended.code, 0, "{all:?}");
            let text = ended.out + &ended.told;
            assert!(text.contains(told), "{all:?}: {text}");
        }
    }
    let place = county(COUNTY);
    std::fs::remove_file(place.path().join("county/labels/hmis.csv")).unwrap();
    let gone = tandem_in(place.path(), &["check", "--config", "county/gateway.toml"]);
    assert!(gone.code != 0 && (gone.out + &gone.told).contains("hmis.csv"));
}
