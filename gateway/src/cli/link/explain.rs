//! The account of a pair as lines for people.

use tandem_matching::{FieldAccount, PairAccount};

use crate::cli::table::{TextTable, printable};

/// The account, an empty line after it.
pub(super) fn lines(account: &PairAccount) -> Vec<String> {
    let mut lines = vec![printable(&format!("{} and {}", account.a, account.b))];
    lines.extend(fields(account).lines("  "));
    lines.extend(verdict(account).into_iter().map(|line| format!("  {line}")));
    lines.extend(keys(account).into_iter().map(|line| format!("  {line}")));
    lines.push(String::new());
    lines
}

fn fields(account: &PairAccount) -> TextTable {
    let header = ["field", "level", "m", "u", "log2(m/u)", "frequency", "bits"];
    let mut table = TextTable::new(header);
    let lone = |name: &str, level: &str, bits: f64| {
        [name, level, "", "", "", ""]
            .map(str::to_owned)
            .into_iter()
            .chain([shown(bits)])
    };
    let prior = "before any comparison";
    table.row(lone("prior", prior, account.prior_bits));
    for field in &account.fields {
        table.row(field_row(field));
    }
    let household = "chance of a relative or a twin";
    table.row(lone("household", household, account.household_bits));
    table.row(lone("score", "", account.score_bits));
    table
}

fn field_row(field: &FieldAccount) -> [String; 7] {
    let name = field.field.replace('_', " ");
    let Some(level) = field.level else {
        let nothing = String::new;
        let level = "no evidence".to_owned();
        return [
            name,
            level,
            nothing(),
            nothing(),
            nothing(),
            nothing(),
            shown(0.0),
        ];
    };
    let share = |share: Option<f64>| share.map_or_else(String::new, probability);
    [
        name,
        level.replace('_', " "),
        share(field.m),
        share(field.u),
        shown(field.weight_bits),
        shown(field.frequency_bits),
        shown(field.total_bits),
    ]
}

fn verdict(account: &PairAccount) -> Vec<String> {
    let against = account.against_bits;
    let mut lines = vec![
        format!(
            "odds against strangers {}, relatives {}, twins {} bits; probability {:.6} if the model holds",
            shown(against.strangers),
            shown(against.relatives),
            shown(against.twins),
            account.probability_by_model
        ),
        format!(
            "decision: {}; {} (link from {:.3}, review from {:.3} bits)",
            account.decision.label(),
            account.decided_by.meaning(),
            account.link_bits,
            account.review_bits
        ),
    ];
    if let Some(decision) = account.decision_if_compared {
        lines.push(format!("had they been compared: {}", decision.label()));
    }
    let notes = account.notes.iter();
    lines.extend(notes.map(|note| format!("note: {}", note.meaning())));
    if let Some(rate) = account.false_match_rate {
        lines.push(format!(
            "of all pairs of this score and above {:.3} % are expected to be two people",
            rate * 100.0
        ));
    }
    let together = if account.is_same_cluster {
        "one cluster"
    } else {
        "two clusters"
    };
    lines.push(format!("the two records are in {together}"));
    lines
}

fn keys(account: &PairAccount) -> Vec<String> {
    if account.keys.is_empty() {
        return vec!["keys: the two share none".to_owned()];
    }
    let keys = account.keys.iter().map(|key| {
        format!(
            "key: {}; {} records have it; {}",
            key.key,
            key.records,
            key.outcome.label()
        )
    });
    // Two names or places can make two keys of one kind: one line says it.
    let mut lines: Vec<String> = keys.collect();
    lines.dedup();
    lines
}

fn shown(bits: f64) -> String {
    format!("{bits:+.3}")
}

fn probability(share: f64) -> String {
    if share >= 0.001 {
        format!("{share:.4}")
    } else {
        format!("{share:.2e}")
    }
}
