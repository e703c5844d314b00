//! Every rule with one thing changed in its text is told from the rule by some example.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use tandem_consent::Bundle;
use tandem_consent::mutant::survey;

#[test]
fn every_mutant_of_a_rule_is_caught_by_an_example() {
    let bundle = Bundle::default_for("demo-county").unwrap();
    let (scores, survivors) = survey(&bundle);
    for (regime, score) in &scores {
        println!("{regime}: {} of {}", score.caught, score.mutants);
    }
    let names: Vec<_> = survivors
        .iter()
        .map(|mutant| format!("{}: {}", mutant.rule, mutant.change))
        .collect();
    assert!(
        names.is_empty(),
        "{} survive:\n{}",
        names.len(),
        names.join("\n")
    );
}
