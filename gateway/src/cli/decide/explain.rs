//! A decision as a person reads it.

use serde_json::Value;
use tandem_consent::{Decision, ItemDecision, Verdict};

use super::super::table::{TextTable, printable};

/// The decision as text.
pub(super) fn for_people(decision: &Decision) -> String {
    let mut lines = vec![
        format!("outcome: {}", code(&decision.outcome)),
        String::new(),
    ];
    for item in &decision.items {
        lines.extend(of_item(item));
    }
    if !decision.obligations.is_empty() {
        lines.push("duties that come along".to_owned());
        for duty in &decision.obligations {
            let params = duty
                .params
                .iter()
                .map(|(name, value)| format!(" {name}={value}"));
            let params: String = params.collect();
            lines.push(format!(
                "  {}{params} ({})",
                duty.code,
                duty.rules.join(", ")
            ));
        }
    }
    if !decision.refrains.is_empty() {
        let refrains = decision
            .refrains
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>();
        lines.push(format!("must not be done: {}", refrains.join(", ")));
    }
    if !decision.missing.is_empty() {
        lines.push("what would open it".to_owned());
        for missing in &decision.missing {
            let elements = missing.elements.join(", ");
            let (item, regime) = (&missing.item, &missing.regime);
            lines.push(format!(
                "  {item}, {regime}: {} ({elements})",
                code(&missing.needs)
            ));
        }
    }
    if let Some(until) = &decision.valid_until {
        lines.push(format!("valid until {}", String::from(*until)));
    }
    lines.push(format!("rules {}", decision.bundle));
    lines.push(String::new());
    lines.push(decision.explanation.en.clone());
    lines
        .iter()
        .map(|line| printable_lines(line))
        .collect::<Vec<_>>()
        .join("\n")
}

fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

fn of_item(item: &ItemDecision) -> Vec<String> {
    let mut lines = vec![format!(
        "{} ({}): {}",
        item.id,
        item.category,
        verdict(item.outcome)
    )];
    let mut table = TextTable::default();
    for regime in &item.regimes {
        let consent = regime
            .consent
            .as_ref()
            .map_or(String::new(), |id| format!("consent {id}"));
        table.row([
            regime.regime.clone(),
            verdict(regime.outcome).to_owned(),
            regime.rules.join(", "),
            regime.citations.join("; "),
            consent,
        ]);
    }
    lines.extend(table.lines("  "));
    lines.push(String::new());
    lines
}

const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Permit => "permit",
        Verdict::Deny => "deny",
    }
}

/// The name of a code on the wire.
fn code(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        _ => String::new(),
    }
}
