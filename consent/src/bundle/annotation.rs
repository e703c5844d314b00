//! What the annotations of a rule may say.

use super::rule::{Rule, RuleKind};

/// How sure the reading of the law is.
const CONFIDENCES: [&str; 4] = ["verified", "high", "medium", "low"];

/// Obligation codes: HL7 v3-ObligationPolicy, and the duties of the table of laws that HL7 has no code for.
const OBLIGATIONS: [&str; 18] = [
    "AOD",
    "AUDIT",
    "BREACH",
    "CONSENT_COPY",
    "CPLYCD",
    "DELAU",
    "ENCRYPT",
    "HUAPRV",
    "LABEL",
    "LIST_RECIPIENTS",
    "MINEC",
    "NOTICE",
    "PERSISTLABEL",
    "PRIVMARK",
    "RECONSENT",
    "REDACT",
    "RETAIN",
    "REVIEW",
];

/// Refrain codes: HL7 v3-RefrainPolicy.
const REFRAINS: [&str; 8] = [
    "NOINTEGRATE",
    "NOLIST",
    "NOMOU",
    "NOPERSISTP",
    "NORDSCLCD",
    "NORDSCLW",
    "NOREUSE",
    "ORCON",
];

/// Says what is wrong with the annotations of a rule.
pub(super) fn check(rule: &Rule) -> Result<(), String> {
    let one_of = |name: &str, value: &str, known: &[&str]| {
        if known.contains(&value) {
            return Ok(());
        }
        Err(format!(
            "@{name} is one of {}, not {value:?}",
            known.join(", ")
        ))
    };
    one_of("confidence", &rule.confidence, &CONFIDENCES)?;
    if let Some(code) = &rule.obligation {
        one_of("obligation", code, &OBLIGATIONS)?;
    }
    for code in &rule.refrains {
        one_of("refrains", code, &REFRAINS)?;
    }
    if rule
        .notice
        .as_ref()
        .is_some_and(|code| !code.starts_with("N_"))
    {
        return Err("@notice is no code of a notice".to_owned());
    }
    if rule
        .effective_to
        .is_some_and(|last| last < rule.effective_from)
    {
        return Err("@effective_to is before @effective_from".to_owned());
    }
    if rule.kind == RuleKind::Obligation && rule.obligation.is_none() {
        return Err("no annotation @obligation".to_owned());
    }
    if rule.kind != RuleKind::Obligation && rule.years.is_some() {
        return Err("@years is for obligations".to_owned());
    }
    if rule.reviewed_by.is_some() != rule.reviewed_on.is_some() {
        return Err("@reviewed_by and @reviewed_on come together".to_owned());
    }
    if rule.kind.closes() && (rule.is_manual || !rule.lifts.is_empty()) {
        return Err("a rule that closes neither lifts nor waits for a person".to_owned());
    }
    Ok(())
}
