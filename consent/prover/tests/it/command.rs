//! The program as it is started.

use std::process::{Command, Output};

use serde_json::Value;

use crate::bundles::Copy;

fn prover(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tandem-prover"))
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn the_county_permits_nothing_that_the_law_under_it_does_not() {
    let output = prover(&[
        "prove",
        "--jurisdiction",
        "demo-county",
        "--property",
        "S9",
        "--regime",
        "hmis",
        "--json",
    ]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["holds"], true);
    assert!(told["against"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(told["findings"][0]["outcome"], "proven");
}

#[test]
fn a_failed_property_ends_with_1_and_a_sentence() {
    let copy = Copy::new().remove("gateway/GEN-14");
    let folder = copy.0.path().to_str().unwrap();
    let output = prover(&["prove", "--bundle", folder, "--property", "S5"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("S5 gateway (rules from 2020-01-01): FAILED"),
        "{text}"
    );
    assert!(
        text.contains("although the person has a safety flag"),
        "{text}"
    );
}

#[test]
fn what_is_missing_or_unknown_is_said() {
    let output = prover(&["prove", "--solver", "/nowhere/cvc5"]);
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("install the Debian package cvc5"), "{text}");
    assert_eq!(
        prover(&["prove", "--property", "S99"]).status.code(),
        Some(2)
    );
    assert_eq!(
        prover(&["prove", "--regime", "no-such"]).status.code(),
        Some(2)
    );
    assert_eq!(prover(&["diff", "built-in"]).status.code(), Some(2));
}

#[test]
fn a_difference_names_the_rule_that_opens_and_the_one_that_opened() {
    let copy = Copy::new().replace("calworks/CALW-03", "[\"CASH_AID\",", "[\"FOOD_AID\",");
    let folder = copy.0.path().to_str().unwrap();
    let output = prover(&["diff", "built-in", folder, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let changes = told["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{told:#}");
    let side = |name: &str| {
        changes[0][name]["counterexamples"][0]["sentence"]
            .as_str()
            .unwrap()
    };
    assert!(side("newly_permitted").contains("FOOD_AID"), "{told:#}");
    assert!(side("no_longer_permitted").contains("CASH_AID"), "{told:#}");
    assert_eq!(told["replay"], Value::Null);
}
