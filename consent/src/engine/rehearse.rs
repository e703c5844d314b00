//! One rule in one scene: whether its text applies there, whatever the rest of its regime says and
//! whatever the engine would have kept from it.

use cedar_policy::{Authorizer, Entities, PolicySet, Request as CedarRequest};
use jiff::Timestamp;
use tandem_mappings::model::directive::Directive;

use super::cedar::{self, CedarError, Stage};
use super::scene::Scene;
use crate::bundle::Bundle;
use crate::facts::Facts;
use crate::request::Request;

/// The questions of a scene about its first item, ready to be put to any text of a rule.
#[derive(Debug)]
pub(crate) struct Rehearsal {
    questions: Vec<CedarRequest>,
    entities: Entities,
}

/// What a scene holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Props<'a> {
    pub(crate) request: &'a Request,
    pub(crate) facts: &'a Facts,
    pub(crate) directives: &'a [Directive],
    /// The basis on which the regime permitted, for rules that add a duty.
    pub(crate) basis: Option<&'a str>,
    /// The instant as of which agreements and teams are looked up, when it is not that of the request:
    /// a rule must see for itself that they have ended.
    pub(crate) facts_at: Option<Timestamp>,
}

impl Rehearsal {
    /// Prepares a scene: with each directive in turn, else without one. Directives are shown to the
    /// rule even when they are revoked, ended or not active, which the engine would not do.
    pub(crate) fn new(props: Props<'_>, bundle: &Bundle) -> Option<Self> {
        Self::build(props, bundle).ok()
    }

    fn build(props: Props<'_>, bundle: &Bundle) -> Result<Self, CedarError> {
        let mut scene = Scene::new(props.request, props.facts, props.directives, bundle);
        // The rule is asked whether or not its regime covers the item.
        scene.regimes = bundle.regimes.keys().map(String::as_str).collect();
        let of_facts = Request {
            as_of: props.facts_at.unwrap_or(props.request.as_of),
            ..props.request.clone()
        };
        let stage = Stage::new(&Scene::new(&of_facts, props.facts, &[], bundle), None)?;
        let mut contexts = Vec::new();
        for view in &scene.views {
            let mut view = view.clone();
            if view.is_revoked {
                // Taken back as a whole, every category is taken back too. A rule tests both, so that
                // each test is seen to close without the other.
                view.revoked_categories.clear();
            }
            let directive = cedar::directive(&scene, &view)?;
            contexts.push(cedar::context(&scene, Some(directive), props.basis)?);
        }
        if contexts.is_empty() {
            contexts.push(cedar::context(&scene, None, props.basis)?);
        }
        let questions = contexts.iter().map(|context| stage.question(0, context));
        Ok(Self {
            questions: questions.collect::<Result<_, _>>()?,
            entities: stage.entities,
        })
    }

    /// Whether a rule applies. `None` when it cannot be evaluated.
    pub(crate) fn applies(&self, rule: &PolicySet) -> Option<bool> {
        let authorizer = Authorizer::new();
        let mut applies = false;
        for question in &self.questions {
            let response = authorizer.is_authorized(question, rule, &self.entities);
            if response.diagnostics().errors().next().is_some() {
                return None;
            }
            applies |= response.diagnostics().reason().next().is_some();
        }
        Some(applies)
    }
}
