//! Every rule with one thing changed in its text is told from the rule by some example. The score by
//! regime is published in docs/RULES.md; TANDEM_WRITE_DOCS=1 writes it.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use tandem_consent::Bundle;
use tandem_consent::mutant::{Score, survey};

/// Changes that no example can tell, since nothing in the world would be told or closed otherwise.
const EQUAL: &[(&str, &str, &str)] = &[
    (
        "DEMO-01",
        "dropped: context.directive.serves.contains(\"gateway\")",
        "the exchange asks of a document only what the other conditions test as well",
    ),
    (
        "DEMO-02",
        "dropped: context.directive.serves.contains(\"gateway\")",
        "the exchange asks of a document only what the other conditions test as well",
    ),
    (
        "GEN-03",
        "dropped: (context.emergency.reason != \"\")",
        "an emergency without a reason is none before any rule sees it",
    ),
    (
        "HIPAA-06",
        "IMMIGRATION added to a list",
        "the document opens these notes and nothing else, so that no other category passes",
    ),
    (
        "HIPAA-06",
        "PERSON_INDEX added to a list",
        "the document opens these notes and nothing else, so that no other category passes",
    ),
    (
        "HIPAA-06",
        "dropped: [1 words].contains(resource.category)",
        "the document opens these notes and nothing else, so that no other category passes",
    ),
    (
        "HIPAA-06",
        "dropped: context.directive.categories.contains(resource.category)",
        "the document opens these notes and nothing else, and a document for no category does not serve",
    ),
    (
        "P2-14",
        "IMMIGRATION added to a list",
        "the document opens these notes and nothing else, so that no other category passes",
    ),
    (
        "P2-14",
        "PERSON_INDEX added to a list",
        "the document opens these notes and nothing else, so that no other category passes",
    ),
    (
        "P2-14",
        "dropped: [1 words].contains(resource.category)",
        "the document opens these notes and nothing else, so that no other category passes",
    ),
    (
        "P2-14",
        "dropped: context.directive.categories.contains(resource.category)",
        "the document opens these notes and nothing else, and a document for no category does not serve",
    ),
    (
        "P2-15",
        "parent added to a list",
        "a parent is on the first list already",
    ),
];

const BEGIN: &str = "<!-- mutants: begin -->";
const END: &str = "<!-- mutants: end -->";

#[test]
fn every_mutant_of_a_rule_is_caught_by_an_example() {
    let bundle = Bundle::default_for("demo-county").unwrap();
    let (scores, survivors) = survey(&bundle);
    let equal: BTreeSet<(&str, &str)> = EQUAL
        .iter()
        .map(|(rule, change, _)| (*rule, *change))
        .collect();
    let found: BTreeSet<(&str, &str)> = survivors
        .iter()
        .map(|mutant| (mutant.rule.as_str(), mutant.change.as_str()))
        .collect();
    let survive: Vec<_> = found.difference(&equal).collect();
    assert!(
        survive.is_empty(),
        "{} survive: {survive:#?}",
        survive.len()
    );
    let caught: Vec<_> = equal.difference(&found).collect();
    assert!(
        caught.is_empty(),
        "said to be equal, and caught: {caught:#?}"
    );

    let mut table = String::from(
        "| regime | mutants | caught by examples | equal to the rule |\n|---|---|---|---|\n",
    );
    let mut line = |name: &str, score: &Score| {
        let equal = score.mutants - score.caught;
        let _ = writeln!(
            table,
            "| {name} | {} | {} | {equal} |",
            score.mutants, score.caught
        );
    };
    for (regime, score) in &scores {
        line(regime, score);
    }
    let all = Score {
        mutants: scores.values().map(|score| score.mutants).sum(),
        caught: scores.values().map(|score| score.caught).sum(),
    };
    line("all", &all);
    assert!(all.mutants > 4000, "{}", all.mutants);
    published(&table);
}

/// Compares the published table, or writes it.
fn published(table: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/RULES.md");
    let text = fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}\n{table}{END}{after}");
    if std::env::var_os("TANDEM_WRITE_DOCS").is_some() {
        fs::write(&file, &expected).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        expected,
        "run with TANDEM_WRITE_DOCS=1"
    );
}
