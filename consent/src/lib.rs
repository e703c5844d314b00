//! May this be told.
//!
//! [`decide`] is a pure function of a request, facts about organisations, consent directives and a
//! bundle of rules. One Cedar rule set per legal regime is evaluated on its own; every regime that
//! covers an item must permit it. Time is a field of the request.

mod bundle;
mod canonical;
mod coded;
mod decision;
mod directive;
mod engine;
mod example;
mod facts;
mod law;
#[cfg(feature = "testing")]
pub mod mutant;
mod request;
mod stricter;

pub use self::bundle::{Bundle, BundleError, LawRow, Rule, RuleKind, Switch};
pub use self::canonical::{canonical_json, sha256};
pub use self::coded::Coded;
pub use self::decision::{
    Decision, Evidence, Explanation, ItemDecision, LocalInstant, Missing, Needs, Obligation,
    Outcome, RegimeDecision, Verdict,
};
pub use self::directive::{Element, FormCheck, check_form, ends_at, suspended_at};
#[cfg(feature = "testing")]
pub use self::engine::Floor;
pub use self::engine::{Closed, Opening, decide, smallest_consent, steady_until};
pub use self::example::{ExampleFailure, ExampleReport, test_bundle, test_rule};
pub use self::facts::{Facts, FactsError, OrganizationRecord, TeamMembership};
pub use self::law::{LawCoverage, LawLine, Standing, law_coverage};
pub use self::request::{
    Action, Authored, ChainLink, Emergency, Item, Origin, Recipient, Request, Requester, Subject,
};

/// The organisation id of the gateway's operator: the recipient of intake decisions and the other
/// party of agreements.
pub const GATEWAY: &str = "gateway";
