//! `tandem labels`: what privacy staff see of codes, categories and rows.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::path::Path;

use serde_json::json;

use crate::cli_program::tandem;

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
