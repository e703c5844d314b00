//! What was found, for people and as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::diff::{Change, Diff};
use crate::mutant::Mutant;
use crate::prove::{Finding, Outcome, Proof};
use crate::question::Counterexample;

impl Outcome {
    /// The outcome as a code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Failed(_) => "failed",
            Self::NotDecided(_) => "not_decided",
        }
    }

    const fn cell(&self) -> &'static str {
        match self {
            Self::Proven => "ok",
            Self::Failed(_) => "FAIL",
            Self::NotDecided(_) => "?",
        }
    }

    fn examples(&self) -> &[Counterexample] {
        match self {
            Self::Failed(examples) => examples,
            Self::Proven | Self::NotDecided(_) => &[],
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::NotDecided(reason) => Some(reason),
            Self::Proven | Self::Failed(_) => None,
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Proven => 0,
            Self::NotDecided(_) => 1,
            Self::Failed(_) => 2,
        }
    }
}

fn example_json(one: &Counterexample) -> Value {
    json!({ "sentence": one.sentence, "rules": one.rules, "actions": one.actions, "needs": one.needs, "request": one.scene })
}

fn outcome_json(outcome: &Outcome) -> Value {
    json!({
        "outcome": outcome.code(),
        "reason": outcome.reason(),
        "counterexamples": outcome.examples().iter().map(example_json).collect::<Vec<_>>(),
    })
}

/// A proof as JSON.
pub(crate) fn proof_json(proof: &Proof) -> Value {
    let findings = proof.findings.iter().map(|one| {
        let mut told = outcome_json(&one.outcome);
        let place = json!({
            "property": one.property.id, "title": one.property.title, "regime": one.regime, "from": one.from,
            "questions": one.questions, "milliseconds": whole_millis(one.time),
        });
        if let (Some(told), Value::Object(place)) = (told.as_object_mut(), place) {
            told.extend(place);
        }
        told
    });
    json!({
        "bundle": proof.bundle,
        "against": proof.against,
        "holds": proof.holds(),
        "counts": counts(proof),
        "milliseconds": whole_millis(proof.time),
        "findings": findings.collect::<Vec<_>>(),
    })
}

fn whole_millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn counts(proof: &Proof) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::from([("proven", 0), ("failed", 0), ("not_decided", 0)]);
    for one in &proof.findings {
        *counts.entry(one.outcome.code()).or_default() += 1;
    }
    counts
}

/// A proof for people: a table of regimes and properties, then what did not hold.
pub(crate) fn proof_text(proof: &Proof) -> String {
    let mut text = table(proof);
    let mut told = BTreeSet::new();
    for one in &proof.findings {
        if told.insert(one.property.id) {
            let _ = writeln!(text, "{:<4} {}", one.property.id, one.property.title);
        }
    }
    if proof.against.is_none() {
        let _ = writeln!(text, "S9   not asked: it needs an older bundle (--against)");
    }
    for one in proof
        .findings
        .iter()
        .filter(|one| !matches!(one.outcome, Outcome::Proven))
    {
        text.push('\n');
        text.push_str(&finding_text(one));
    }
    let counts = counts(proof);
    let count = |name: &str| counts.get(name).copied().unwrap_or(0);
    let questions: usize = proof.findings.iter().map(|one| one.questions).sum();
    let _ = write!(
        text,
        "\n{} proven, {} failed, {} not decided; {questions} questions in {:.1} s\nrules {}",
        count("proven"),
        count("failed"),
        count("not_decided"),
        proof.time.as_secs_f64(),
        proof.bundle
    );
    text
}

/// One row a regime, one column a property; the worst of a regime's rule sets counts.
fn table(proof: &Proof) -> String {
    let mut properties: Vec<&str> = Vec::new();
    let mut cells: BTreeMap<(&str, &str), &Outcome> = BTreeMap::new();
    let mut seconds: BTreeMap<&str, f64> = BTreeMap::new();
    for one in &proof.findings {
        if !properties.contains(&one.property.id) {
            properties.push(one.property.id);
        }
        *seconds.entry(&one.regime).or_default() += one.time.as_secs_f64();
        let cell = cells
            .entry((&one.regime, one.property.id))
            .or_insert(&one.outcome);
        if one.outcome.rank() > cell.rank() {
            *cell = &one.outcome;
        }
    }
    let mut text = format!("{:<16}", "regime");
    for property in &properties {
        let _ = write!(text, "{property:>5}");
    }
    text.push_str("  seconds\n");
    for (regime, seconds) in &seconds {
        let _ = write!(text, "{regime:<16}");
        for property in &properties {
            let cell = cells
                .get(&(*regime, *property))
                .map_or("-", |one| one.cell());
            let _ = write!(text, "{cell:>5}");
        }
        let _ = writeln!(text, "{seconds:>9.1}");
    }
    text.push('\n');
    text
}

fn finding_text(one: &Finding) -> String {
    let head = format!(
        "{} {} (rules from {})",
        one.property.id, one.regime, one.from
    );
    match &one.outcome {
        Outcome::Proven => format!("{head}: proven\n"),
        Outcome::NotDecided(reason) => format!("{head}: not decided: {reason}\n"),
        Outcome::Failed(examples) => {
            let told: String = examples.iter().map(example_text).collect();
            format!("{head}: FAILED\n{told}")
        }
    }
}

fn example_text(one: &Counterexample) -> String {
    let mut text = format!("  {}\n", one.sentence);
    if !one.needs.is_empty() {
        let _ = writeln!(text, "    It happens when {}.", one.needs.join("; "));
    }
    if let Some((_, others)) = one
        .actions
        .split_first()
        .filter(|(_, others)| !others.is_empty())
    {
        let _ = writeln!(text, "    The same for: {}.", others.join(", "));
    }
    text
}

/// A difference as JSON. `replay` is the place of what recorded decisions say, which the gateway fills in.
pub(crate) fn diff_json(diff: &Diff) -> Value {
    let changes = diff.changes.iter().filter(|one| !one.is_none()).map(|one| {
        json!({
            "regime": one.regime, "from": one.from,
            "newly_permitted": outcome_json(&one.newly_permitted),
            "no_longer_permitted": outcome_json(&one.no_longer_permitted),
        })
    });
    json!({ "old": diff.old, "new": diff.new, "changes": changes.collect::<Vec<_>>(), "replay": null })
}

/// A difference for people.
pub(crate) fn diff_text(diff: &Diff) -> String {
    let mut text = String::new();
    for one in diff.changes.iter().filter(|one| !one.is_none()) {
        let _ = writeln!(text, "{} (rules from {})", one.regime, one.from);
        text.push_str(&side_text("newly permitted", &one.newly_permitted));
        text.push_str(&side_text("no longer permitted", &one.no_longer_permitted));
    }
    if text.is_empty() {
        text.push_str("both permit the same\n");
    }
    let _ = write!(text, "old {}\nnew {}", diff.old, diff.new);
    text
}

fn side_text(name: &str, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Proven => format!(" {name}: nothing\n"),
        Outcome::NotDecided(reason) => format!(" {name}: not decided: {reason}\n"),
        Outcome::Failed(examples) => {
            let told: String = examples.iter().map(example_text).collect();
            format!(" {name}:\n{told}")
        }
    }
}

/// Whether a difference was decided everywhere.
pub(crate) fn is_decided(change: &Change) -> bool {
    let sides = [&change.newly_permitted, &change.no_longer_permitted];
    sides
        .iter()
        .all(|one| !matches!(one, Outcome::NotDecided(_)))
}

/// The score of mutants by regime: how many that widen, and how many of them were noticed.
fn score(mutants: &[Mutant]) -> BTreeMap<&str, (usize, usize)> {
    let mut score: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for one in mutants.iter().filter(|one| one.widens) {
        let own = score.entry(&one.regime).or_default();
        own.0 += 1;
        own.1 += usize::from(one.noticed_by.is_some());
    }
    score
}

/// Mutants as JSON.
pub(crate) fn mutants_json(mutants: &[Mutant]) -> Value {
    let score: BTreeMap<_, _> = score(mutants)
        .into_iter()
        .map(|(regime, (widening, noticed))| {
            (regime, json!({ "widening": widening, "noticed": noticed }))
        })
        .collect();
    let all = mutants.iter().map(|one| {
        json!({ "regime": one.regime, "rule": one.rule, "left_out": one.left_out, "widens": one.widens,
            "noticed_by": one.noticed_by, "undecided": one.undecided })
    });
    json!({ "score": score, "mutants": all.collect::<Vec<_>>() })
}

/// Mutants for people.
pub(crate) fn mutants_text(mutants: &[Mutant]) -> String {
    let mut text = format!("{:<16}{:>9}{:>9}\n", "regime", "widening", "noticed");
    for (regime, (widening, noticed)) in score(mutants) {
        let _ = writeln!(text, "{regime:<16}{widening:>9}{noticed:>9}");
    }
    text.push_str("\nnot noticed by a property (S9 against the approved bundle notices them):\n");
    for one in mutants
        .iter()
        .filter(|one| one.widens && one.noticed_by.is_none())
    {
        let why = one
            .undecided
            .as_deref()
            .map(|why| format!(" (not decided: {why})"));
        let _ = writeln!(
            text,
            "  {} without {}{}",
            one.rule,
            one.left_out,
            why.unwrap_or_default()
        );
    }
    text
}
