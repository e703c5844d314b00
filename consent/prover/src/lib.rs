//! Proves of the legal rules what they must never permit.
//!
//! Every rule set of a bundle is compiled to logic by `cedar-policy-symcc` and put to cvc5 together with the
//! properties of `properties/`: "is there any request at all, of any recipient, item, time and consent, that these
//! rules permit and this property forbids?" No means proven; yes comes with the request, told as a sentence.

mod cli;
mod diff;
mod fact;
mod minimise;
mod mutant;
mod property;
mod prove;
mod question;
mod report;
mod rewrite;
mod rule_set;
mod scene;
mod solver;
mod tell;
mod work;

pub use self::cli::{Cli, run};
pub use self::diff::{Change, Diff, diff};
pub use self::mutant::{Mutant, mutants};
pub use self::property::{Claim, Property, properties};
pub use self::prove::{Against, Finding, Outcome, Proof, Wanted, prove};
pub use self::question::Counterexample;
pub use self::rule_set::{RuleSet, rule_sets};
pub use self::solver::{Cvc5, MissingSolver};
