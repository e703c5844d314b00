//! Whether the rules write out the laws: every row of the table has its rule or a reason why not,
//! and every rule its row.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tandem_mappings::model::purpose::Purpose;

use crate::bundle::{Bundle, LawRow, Rule, RuleKind};

/// What became of one row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// A rule says it.
    Rule {
        /// Its file.
        file: String,
    },
    /// A rule says it, which does not count here.
    Off {
        /// Its file.
        file: String,
        /// The switch or the county's reason.
        reason: String,
    },
    /// It has no rule on purpose.
    Unwritten {
        /// Why not.
        reason: String,
    },
    /// Its kind needs no rule text of its own: secrecy by default, background, not used.
    Background,
    /// Nobody says anything about it.
    Gap,
}

/// A row of the table of laws with its standing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LawLine {
    /// The row.
    #[serde(flatten)]
    pub row: LawRow,
    /// What became of it.
    pub standing: Standing,
    /// In what its rule differs on purpose, and why.
    pub differs: BTreeMap<String, String>,
}

/// The table with the standing of every row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LawCoverage {
    /// The rows in their order.
    pub lines: Vec<LawLine>,
    /// The product's own rules, and why each is there.
    pub own: BTreeMap<String, String>,
    /// What is missing or disagrees. Empty when the rules cover the table.
    pub gaps: Vec<String>,
}

/// Compares the rules of a bundle with its table of laws.
#[must_use]
pub fn law_coverage(bundle: &Bundle) -> LawCoverage {
    let laws = &bundle.laws;
    let rules: BTreeMap<&str, &Rule> = bundle
        .all_rules()
        .map(|rule| (rule.id.as_str(), rule))
        .collect();
    let mut gaps = Vec::new();
    if laws.rows.is_empty() {
        gaps.push("the bundle has no table of laws".to_owned());
    }
    let mut lines = Vec::new();
    for row in &laws.rows {
        let differs: BTreeMap<String, String> = laws
            .differs
            .iter()
            .filter(|one| one.row == row.rule_id)
            .map(|one| (one.field.clone(), one.reason.clone()))
            .collect();
        let rule = rules.get(row.rule_id.as_str()).copied();
        gaps.extend(
            rule.into_iter()
                .flat_map(|rule| disagreements(row, rule, &differs)),
        );
        let standing = standing(bundle, row, rule);
        if standing == Standing::Gap {
            gaps.push(format!("{}: neither a rule nor a reason", row.rule_id));
        }
        if rule.is_some() && laws.unwritten.contains_key(&row.rule_id) {
            gaps.push(format!(
                "{}: a rule, and a reason why there is none",
                row.rule_id
            ));
        }
        lines.push(LawLine {
            row: row.clone(),
            standing,
            differs,
        });
    }
    gaps.extend(strangers(bundle, &rules));
    LawCoverage {
        lines,
        own: laws.own.clone(),
        gaps,
    }
}

fn standing(bundle: &Bundle, row: &LawRow, rule: Option<&Rule>) -> Standing {
    if let Some(rule) = rule {
        let file = format!("{}/{}.cedar", rule.regime, rule.id);
        let off = bundle.off.iter().find(|off| off.rule.id == rule.id);
        return match off {
            Some(off) => Standing::Off {
                file,
                reason: off.reason.clone(),
            },
            None => Standing::Rule { file },
        };
    }
    if let Some(reason) = bundle.laws.unwritten.get(&row.rule_id) {
        return Standing::Unwritten {
            reason: reason.clone(),
        };
    }
    match row.kind.as_str() {
        "permit" | "bar" | "condition" | "require" | "obligation" => Standing::Gap,
        _ => Standing::Background,
    }
}

/// Rules without a row, and notes about rows and rules that are not there.
fn strangers(bundle: &Bundle, rules: &BTreeMap<&str, &Rule>) -> Vec<String> {
    let laws = &bundle.laws;
    let rows: BTreeSet<&str> = laws.rows.iter().map(|row| row.rule_id.as_str()).collect();
    let is_county = |rule: &Rule| Some(rule.jurisdiction.as_str()) == bundle.jurisdiction();
    let nameless = rules
        .values()
        .filter(|rule| !rows.contains(rule.id.as_str()))
        .filter(|rule| !laws.own.contains_key(&rule.id) && !is_county(rule))
        .map(|rule| format!("{}: a rule of no row, and not the product's own", rule.id));
    let both = laws.own.keys().filter(|id| rows.contains(id.as_str()));
    let both = both.map(|id| format!("{id}: a row, and the product's own"));
    let gone = laws
        .own
        .keys()
        .filter(|id| !rules.contains_key(id.as_str()));
    let gone = gone.map(|id| format!("{id}: the product's own, and there is no such rule"));
    let noted = laws
        .unwritten
        .keys()
        .chain(laws.differs.iter().map(|one| &one.row));
    let unknown = noted.filter(|id| !rows.contains(id.as_str()));
    let unknown = unknown.map(|id| format!("{id}: a note about a row that is not there"));
    nameless.chain(both).chain(gone).chain(unknown).collect()
}

/// In which fields a rule disagrees with its row without saying why, and which of its reasons are
/// about nothing.
fn disagreements(row: &LawRow, rule: &Rule, differs: &BTreeMap<String, String>) -> Vec<String> {
    let found: BTreeMap<&str, String> = fields(row, rule)
        .into_iter()
        .filter(|(_, law, own)| law != own)
        .map(|(field, law, own)| (field, format!("the law says {law:?}, the rule {own:?}")))
        .collect();
    let silent = found
        .iter()
        .filter(|(field, _)| !differs.contains_key(**field))
        .map(|(field, words)| format!("{}: {field}: {words}", row.rule_id));
    let idle = differs
        .keys()
        .filter(|field| !found.contains_key(field.as_str()))
        .map(|field| {
            format!(
                "{}: {field}: a reason for a difference that is none",
                row.rule_id
            )
        });
    silent.chain(idle).collect()
}

/// The fields that must agree: what the law says, and what the rule says.
fn fields(row: &LawRow, rule: &Rule) -> Vec<(&'static str, String, String)> {
    let opens = matches!(rule.kind, RuleKind::Permit | RuleKind::Require);
    let mut fields = vec![
        ("regime", row.regime.clone(), rule.regime.clone()),
        ("kind", row.kind.clone(), rule.kind.as_str().to_owned()),
        ("citation", row.citation.clone(), rule.citation.clone()),
        (
            "confidence",
            row.confidence.clone(),
            rule.confidence.clone(),
        ),
    ];
    if let Some(code) = row.effect.strip_prefix("obligation:") {
        let own = rule.obligation.clone().unwrap_or_default();
        fields.push(("effect", code.to_owned(), own));
    }
    if !opens {
        return fields;
    }
    let one_of = |law: &str, own: &str| {
        // Where the law offers several, the rule says which.
        if law.split('|').any(|one| one == own) {
            law.to_owned()
        } else {
            own.to_owned()
        }
    };
    let basis = rule.basis.as_deref().unwrap_or_default();
    fields.push(("basis", row.basis.clone(), one_of(&row.basis, basis)));
    let notice = rule.notice.as_deref().unwrap_or("N_NONE");
    let law = &row.redisclosure_notice;
    fields.push(("notice", law.clone(), one_of(law, notice)));
    let purposes = codes(&row.purpose, is_purpose);
    if !purposes.is_empty() {
        let own = quoted(&rule.text).filter(|one| is_purpose(one)).collect();
        fields.push(("purpose", list(&purposes), list(&own)));
    }
    for (name, law) in [
        ("recipient", &row.recipient),
        ("category", &row.data_category),
    ] {
        let asked = codes(law, |one| !NOT_IN_TEXT.contains(&one));
        let own: BTreeSet<&str> = quoted(&rule.text).collect();
        let told = asked.intersection(&own).copied().collect();
        fields.push((name, list(&asked), list(&told)));
    }
    fields
}

/// Values of the table that say how something is found, and so stand in no rule's text.
const NOT_IN_TEXT: [&str; 5] = ["ANY", "NAMED_IN_CONSENT", "TANF", "CWS", "HMIS"];

fn is_purpose(text: &str) -> bool {
    text.parse::<Purpose>().is_ok()
}

/// The codes of a cell: its words in capitals.
fn codes(cell: &str, counts: impl Fn(&str) -> bool) -> BTreeSet<&str> {
    let is_code = |one: &&str| {
        one.len() > 2
            && one
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    cell.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(is_code)
        .filter(|one| counts(one))
        .collect()
}

/// The quoted words of a rule's text behind its annotations.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let body = text
        .find("(\n")
        .and_then(|at| text.get(at..))
        .unwrap_or(text);
    body.split('"').skip(1).step_by(2)
}

fn list(codes: &BTreeSet<&str>) -> String {
    codes.iter().copied().collect::<Vec<_>>().join("|")
}
