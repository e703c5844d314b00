//! The examples beside the rules: every rule does what its examples say.

use tandem_consent::{Bundle, test_bundle, test_rule};

#[test]
fn every_rule_does_what_its_examples_say() {
    for jurisdiction in ["somewhere", "demo-county"] {
        let bundle = Bundle::default_for(jurisdiction).unwrap();
        let report = test_bundle(&bundle);
        let failures: Vec<_> = report
            .failures
            .iter()
            .map(|one| format!("{}: {}: {}", one.rule, one.example, one.reason))
            .collect();
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
