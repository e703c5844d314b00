//! What is proven: each property with its source, its rule sets, and its text in Cedar.
//!
//! A property's text forbids what must never be permitted; each of its rules says with `@although` what is then wrong.
//! Everything that a rule set permits must pass it.

use std::str::FromStr as _;

use cedar_policy::{Policy, PolicySet};
use jiff::civil::Date;
use tandem_mappings::model::purpose::Purpose;

use crate::question::Undecided;
use crate::rewrite::add;

/// How a property is asked of a rule set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Nothing that is permitted is forbidden by the text.
    Never(&'static str),
    /// Nothing that is permitted thanks to an optional field of the context alone is forbidden by the text. Asked of
    /// the permits without the bars beside them: each permit must hold by itself, a bar is the second line.
    NeverOnlyBy {
        /// The field, such as `directive`.
        field: &'static str,
        /// The text.
        text: &'static str,
    },
    /// Where the text does not forbid, an optional field of the context makes no difference for the better.
    NoHelpFrom {
        /// The field.
        field: &'static str,
        /// Which requests are meant.
        assume: &'static str,
        /// What is wrong otherwise.
        although: &'static str,
    },
    /// No rule can fail to be evaluated.
    NoError,
    /// Each rule can apply.
    Reachable,
    /// Nothing is permitted that an older bundle did not permit.
    NothingMore,
}

/// A property.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// Its id: S1 to S10 as the specification counts them, other letters for what follows from it.
    pub id: &'static str,
    /// What it says.
    pub title: &'static str,
    /// The regimes whose rule sets it speaks of; all when empty.
    pub regimes: &'static [&'static str],
    /// How it is asked.
    pub claim: Claim,
}

/// Every property, in the order in which they are told.
#[must_use]
pub const fn properties() -> &'static [Property] {
    &PROPERTIES
}

const fn never(
    id: &'static str,
    title: &'static str,
    regimes: &'static [&'static str],
    text: &'static str,
) -> Property {
    Property {
        id,
        title,
        regimes,
        claim: Claim::Never(text),
    }
}

const fn only_by(
    id: &'static str,
    title: &'static str,
    field: &'static str,
    text: &'static str,
) -> Property {
    Property {
        id,
        title,
        regimes: &[],
        claim: Claim::NeverOnlyBy { field, text },
    }
}

const fn whole(id: &'static str, title: &'static str, claim: Claim) -> Property {
    Property {
        id,
        title,
        regimes: &[],
        claim,
    }
}

const GATEWAY: &[&str] = &["gateway"];

static PROPERTIES: [Property; 20] = [
    never(
        "S1",
        "substance use records of a program open by a basis of Part 2 alone",
        &["part2"],
        include_str!("../properties/S1.cedar"),
    ),
    never(
        "S2",
        "what a victim service provider holds never opens",
        &["victim_services"],
        include_str!("../properties/S2.cedar"),
    ),
    never(
        "S3",
        "reporters, immigration status and sealed files never open",
        &["child_welfare", "gateway"],
        include_str!("../properties/S3.cedar"),
    ),
    never(
        "S4",
        "nothing for a recipient whose agreement is not in force",
        GATEWAY,
        include_str!("../properties/S4.cedar"),
    ),
    never(
        "S5",
        "a safety flag closes where the person can be found",
        GATEWAY,
        include_str!("../properties/S5.cedar"),
    ),
    only_by(
        "S6",
        "a revoked or ended consent is never the only basis",
        "directive",
        include_str!("../properties/S6.cedar"),
    ),
    whole("S7", "no rule can fail to be evaluated", Claim::NoError),
    whole("S8", "every rule can apply", Claim::Reachable),
    whole(
        "S9",
        "nothing more than the older bundle permits",
        Claim::NothingMore,
    ),
    never(
        "S10",
        "a purpose that does not exist opens nothing",
        GATEWAY,
        include_str!("../properties/S10.cedar"),
    ),
    only_by(
        "C1",
        "a consent opens only what it names",
        "directive",
        include_str!("../properties/C1.cedar"),
    ),
    only_by(
        "C2",
        "a consent opens a law only if it holds what that law asks",
        "directive",
        include_str!("../properties/C2.cedar"),
    ),
    whole(
        "C3",
        "a document that gives no consent opens nothing that was closed without it",
        Claim::NoHelpFrom {
            field: "directive",
            assume: include_str!("../properties/C3.assume.cedar"),
            although: "the document at hand gives no consent, and without it the same rules would close this",
        },
    ),
    only_by(
        "E1",
        "an emergency opens only with a second factor, and not everything",
        "emergency",
        include_str!("../properties/E1.cedar"),
    ),
    never(
        "E2",
        "no breaking of the glass without a stated emergency",
        GATEWAY,
        include_str!("../properties/E2.cedar"),
    ),
    never(
        "M1",
        "parents get nothing of what a minor may have treated alone",
        &["minors"],
        include_str!("../properties/M1.cedar"),
    ),
    never(
        "M2",
        "nobody signs for a person without the right to",
        &["minors"],
        include_str!("../properties/M2.cedar"),
    ),
    never(
        "R1",
        "Part 2 records are not passed on, and notes need their own consent",
        &["part2"],
        include_str!("../properties/R1.cedar"),
    ),
    never(
        "N1",
        "a therapist's own notes need their own authorization",
        &["hipaa"],
        include_str!("../properties/N1.cedar"),
    ),
    never(
        "G1",
        "that an agency knows a person is told to the operator or a team alone",
        GATEWAY,
        include_str!("../properties/G1.cedar"),
    ),
];

/// What must never match in all cases, as a requirement of the engine on every request.
pub(crate) const WORLD: &str = include_str!("../properties/world.cedar");

impl Property {
    /// Whether the property speaks of a regime.
    #[must_use]
    pub fn concerns(&self, regime: &str) -> bool {
        self.regimes.is_empty() || self.regimes.contains(&regime)
    }
}

/// A text as a set that permits all that the text does not forbid in a regime from a day on. Clauses may be limited to
/// regimes with `@regimes`, and with `@since` to rule sets from the day on which their law counts.
pub(crate) fn allowed_by(text: &str, regime: &str, from: Date) -> Result<PolicySet, Undecided> {
    let purposes: Vec<_> = Purpose::ALL
        .iter()
        .map(|one| format!("{:?}", one.as_str()))
        .collect();
    let text = text
        .replace("[PURPOSES]", &format!("[{}]", purposes.join(", ")))
        .replace("\"REGIME\"", &format!("{regime:?}"));
    let written = PolicySet::from_str(&text).map_err(|error| Undecided::new(error.to_string()))?;
    let mut allowed = PolicySet::new();
    for policy in written.policies() {
        let regimes = policy.annotation("regimes");
        let is_here = regimes.is_none_or(|list| list.split(',').any(|one| one.trim() == regime));
        if is_here && since(policy)?.is_none_or(|day| day <= from) {
            add(&mut allowed, policy.clone())?;
        }
    }
    add(&mut allowed, everything()?)?;
    Ok(allowed)
}

fn since(policy: &Policy) -> Result<Option<Date>, Undecided> {
    let day = policy.annotation("since").map(str::parse).transpose();
    day.map_err(|error| Undecided::new(format!("@since is not a day: {error}")))
}

/// The only rule of a text.
pub(crate) fn single(text: &str) -> Result<Policy, Undecided> {
    Policy::from_str(text).map_err(|error| Undecided::new(error.to_string()))
}

fn everything() -> Result<Policy, Undecided> {
    let text = "permit (principal, action, resource);";
    Policy::parse(Some(cedar_policy::PolicyId::new("everything")), text)
        .map_err(|error| Undecided::new(error.to_string()))
}
