//! The examples beside the rules: every rule does what its examples say, and a rule that does not is found.

use std::fs;
use std::path::Path;

use tandem_consent::{Bundle, ExampleReport, test_bundle, test_rule};

fn failures(report: &ExampleReport) -> Vec<String> {
    let failures = report.failures.iter();
    failures
        .map(|one| format!("{}: {}: {}", one.rule, one.example, one.reason))
        .collect()
}

#[test]
fn every_rule_does_what_its_examples_say() {
    for jurisdiction in ["somewhere", "demo-county"] {
        let bundle = Bundle::default_for(jurisdiction).unwrap();
        let report = test_bundle(&bundle);
        let failures = failures(&report);
        assert!(
            failures.is_empty(),
            "{jurisdiction}:\n{}",
            failures.join("\n")
        );
        assert!(report.rules > 120, "{}", report.rules);
        assert!(report.passed > 10 * report.rules, "{}", report.passed);
    }
}

#[test]
fn a_rule_is_tested_by_itself() {
    let bundle = Bundle::default_for("somewhere").unwrap();
    let report = test_rule(&bundle, "P2-02").unwrap();
    assert_eq!((report.rules, report.failures), (1, Vec::new()));
    assert!(test_rule(&bundle, "P2-99").is_none());
}

/// The demo county with the examples of its rule on match answers changed.
fn county_with_examples(change: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/overrides/demo-county");
    let folder = tempfile::tempdir().unwrap();
    let examples = folder.path().join("regimes/gateway/examples");
    fs::create_dir_all(&examples).unwrap();
    for file in ["county.toml", "regimes/gateway/DEMO-01.cedar"] {
        fs::copy(from.join(file), folder.path().join(file)).unwrap();
    }
    let file = "regimes/gateway/examples/DEMO-01.toml";
    if let Some(text) = change(&fs::read_to_string(from.join(file)).unwrap()) {
        fs::write(folder.path().join(file), text).unwrap();
    }
    let bundle = Bundle::load(folder.path()).unwrap();
    failures(&test_rule(&bundle, "DEMO-01").unwrap())
}

#[test]
fn a_countys_rule_needs_examples_of_both_kinds_that_hold() {
    assert_eq!(
        county_with_examples(|text| Some(text.to_owned())),
        Vec::<String>::new()
    );
    assert_eq!(
        county_with_examples(|_| None),
        ["DEMO-01: the file: the rule has no examples"]
    );
    let without = county_with_examples(|text| {
        let end = text.find("[[deny]]").unwrap();
        Some(text[..end].to_owned())
    });
    assert_eq!(without, ["DEMO-01: the file: the rule has no deny example"]);
    let wrong = county_with_examples(|text| {
        Some(text.replacen("consent = \"release\"", "consent = \"-\"", 1))
    });
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert_eq!(
        wrong[0],
        "DEMO-01: The person consented.: the rule should not apply, and does"
    );
}
