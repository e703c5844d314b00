//! What one regime says about one item.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use cedar_policy::{Authorizer, Context, Decision as CedarDecision, PolicyId, PolicySet, Response};
use tandem_mappings::model::directive::{Capacity, Effect};

use super::answer::{Answer, Cited};
use super::cedar::{self, CedarError, Stage};
use super::missing::TEAM_KINDS;
use super::scene::Scene;
use crate::bundle::{Regime, Rule};
use crate::decision::Verdict;
use crate::directive::View;
use crate::request::Item;

/// Evaluates rule sets for one scene, each question once.
pub(super) struct Evaluator<'a, 's> {
    scene: &'s Scene<'a>,
    stage: Stage,
    authorizer: Authorizer,
    plain: Context,
    /// One context per view that permits, is in force and was not taken back.
    contexts: Vec<Option<Context>>,
    /// The situation with each permission that was taken back from the recipient, with its place
    /// among the views: asked for what a regime says of that, never for a permit.
    taken_back: Vec<(usize, Context)>,
    /// One context per basis on which duties were asked for.
    bases: RefCell<BTreeMap<String, Option<Context>>>,
    /// The entities as if source and recipient shared a team of every kind.
    all_teams: OnceCell<Option<Stage>>,
    /// The entities as if source and recipient shared no team.
    no_teams: OnceCell<Option<Stage>>,
}

impl<'a, 's> Evaluator<'a, 's> {
    pub(super) fn new(scene: &'s Scene<'a>) -> Result<Self, CedarError> {
        let usable = |view: &View<'_>| {
            view.effect == Effect::Permit
                && view.is_active
                && !view.is_revoked
                && view.is_running(scene.now)
                && view.reach.is_some()
        };
        let gone = |view: &View<'_>| {
            view.effect == Effect::Permit && view.is_revoked && view.reach.is_some()
        };
        let context = |view: &View<'a>| {
            let value = cedar::directive(scene, view)?;
            cedar::context(scene, Some(value), None)
        };
        let contexts = scene
            .views
            .iter()
            .map(|view| usable(view).then(|| context(view)).transpose());
        let taken_back = scene.views.iter().enumerate();
        let taken_back = taken_back
            .filter(|(_, view)| gone(view))
            .map(|(at, view)| Ok((at, context(view)?)));
        Ok(Self {
            scene,
            stage: Stage::new(scene, None)?,
            authorizer: Authorizer::new(),
            plain: cedar::context(scene, None, None)?,
            contexts: contexts.collect::<Result<_, _>>()?,
            taken_back: taken_back.collect::<Result<_, _>>()?,
            bases: RefCell::default(),
            all_teams: OnceCell::new(),
            no_teams: OnceCell::new(),
        })
    }

    /// The directives that might open an item, those that last longest first.
    pub(super) fn candidates(&self, index: usize, item: &Item) -> Vec<usize> {
        let Some(category) = self.scene.category(item) else {
            return Vec::new();
        };
        let purpose = self.scene.request.purpose.value();
        let mut candidates: Vec<usize> = (0..self.contexts.len())
            .filter(|at| {
                let Some(view) = self.scene.views.get(*at) else {
                    return false;
                };
                view.reach.is_some()
                    && view.categories.contains(&category)
                    && purpose.is_some_and(|one| view.directive.purposes.contains(&one))
                    && self
                        .scene
                        .matter(item)
                        .is_of(view.directive, Effect::Permit)
                    && self.may_sign(index, *at, view)
            })
            .collect();
        candidates.sort_by_key(|at| {
            (
                std::cmp::Reverse(self.scene.views.get(*at).map(|view| view.expires)),
                *at,
            )
        });
        candidates
    }

    /// Whether the signer could sign for the item, by the rules on minors and representatives.
    fn may_sign(&self, index: usize, at: usize, view: &View<'_>) -> bool {
        let Some(Some(context)) = self.contexts.get(at) else {
            return false;
        };
        let is_minor = self.scene.age.is_some_and(|age| age < 18);
        if view.directive.signer.capacity == Capacity::OwnSelf && !is_minor {
            return self.scene.signs_alone();
        }
        let minors = self
            .scene
            .bundle
            .regimes
            .get(&self.scene.bundle.coverage.minors);
        let rules = minors.and_then(|regime| regime.on(self.scene.today));
        rules.is_some_and(|rules| {
            self.ask(&rules.decisive, index, context)
                .is_some_and(|response| response.decision() == CedarDecision::Allow)
        })
    }

    /// Asks a rule set. `None` when Cedar met an error: an error never permits.
    fn ask(&self, rules: &PolicySet, index: usize, context: &Context) -> Option<Response> {
        self.ask_on(&self.stage, rules, index, context)
    }

    fn ask_on(
        &self,
        stage: &Stage,
        rules: &PolicySet,
        index: usize,
        context: &Context,
    ) -> Option<Response> {
        let question = stage.question(index, context).ok()?;
        let response = self
            .authorizer
            .is_authorized(&question, rules, &stage.entities);
        let failed = response.diagnostics().errors().next().is_some();
        (!failed).then_some(response)
    }

    /// Asks a regime: once without a directive, then once per candidate until one opens it.
    pub(super) fn answer(
        &self,
        regime: &'a Regime,
        index: usize,
        candidates: &[usize],
    ) -> Answer<'a> {
        let Some(rules) = regime.on(self.scene.today) else {
            return self.closed(regime, index, Vec::new());
        };
        let plain = self.ask(&rules.decisive, index, &self.plain);
        let mut human = None;
        match plain
            .as_ref()
            .and_then(|response| opened(regime, response, None))
        {
            Some(answer) if answer.needs_human => human = Some(answer),
            Some(answer) => return answer,
            None => {}
        }
        let mut forbidding = plain
            .map(|response| cited(regime, &response))
            .unwrap_or_default();
        for at in candidates {
            let Some(Some(context)) = self.contexts.get(*at) else {
                continue;
            };
            let Some(response) = self.ask(&rules.decisive, index, context) else {
                continue;
            };
            match opened(regime, &response, Some(*at)) {
                Some(answer) if !answer.needs_human => return answer,
                Some(_) => {}
                None if forbidding.is_empty() => forbidding = cited(regime, &response),
                None => {}
            }
        }
        if forbidding.is_empty() {
            forbidding = self.revocation(regime, index);
        }
        human.unwrap_or_else(|| self.closed(regime, index, forbidding))
    }

    /// Whether a rule of the regime that lifts the secrecy of others holds, without a directive or with a candidate: when
    /// none does, the whole regime need not be asked about it.
    pub(super) fn may_lift(&self, regime: &Regime, index: usize, candidates: &[usize]) -> bool {
        let Some(rules) = regime.on(self.scene.today) else {
            return false;
        };
        let given = candidates.iter().filter_map(|at| self.contexts.get(*at));
        let mut contexts = std::iter::once(&self.plain).chain(given.flatten());
        contexts.any(|context| {
            // An error of Cedar lifts nothing here, as in the whole regime.
            self.ask(&rules.lifting, index, context)
                .is_some_and(|response| response.decision() == CedarDecision::Allow)
        })
    }

    /// The rules by which a regime closes an item because its consent was taken back.
    fn revocation(&self, regime: &'a Regime, index: usize) -> Vec<Cited<'a>> {
        let item = self.scene.request.items.get(index);
        let category = item.and_then(|item| self.scene.category(item));
        let (Some(rules), Some(category)) = (regime.on(self.scene.today), category) else {
            return Vec::new();
        };
        let concerns = |at: &usize| {
            let view = self.scene.views.get(*at);
            view.is_some_and(|view| view.directive.categories.contains(&category))
        };
        let by_revocation = |one: &Cited<'_>| {
            one.rule()
                .is_some_and(|rule| rule.basis.as_deref() == Some("REVOCATION"))
        };
        let answers = self.taken_back.iter().filter(|(at, _)| concerns(at));
        answers
            .filter_map(|(_, context)| self.ask(&rules.decisive, index, context))
            .map(|response| cited(regime, &response))
            .find_map(|mut all| {
                all.retain(by_revocation);
                (!all.is_empty()).then_some(all)
            })
            .unwrap_or_default()
    }

    fn closed(&self, regime: &'a Regime, index: usize, forbidding: Vec<Cited<'a>>) -> Answer<'a> {
        let category = self
            .scene
            .request
            .items
            .get(index)
            .and_then(|item| self.scene.category(item));
        let by_default = forbidding.is_empty();
        let cited = if by_default {
            regime
                .default_rule(category)
                .map(Cited::Default)
                .into_iter()
                .collect()
        } else {
            forbidding
        };
        Answer {
            regime: &regime.name,
            verdict: Verdict::Deny,
            needs_human: false,
            by_default,
            cited,
            consent: None,
            basis: None,
        }
    }

    /// The duties of a regime that permitted on a basis.
    pub(super) fn duties(&self, regime: &'a Regime, index: usize, basis: &str) -> Vec<&'a Rule> {
        let Some(rules) = regime.on(self.scene.today) else {
            return Vec::new();
        };
        if rules.obligations.policies().next().is_none() {
            return Vec::new();
        }
        let mut bases = self.bases.borrow_mut();
        let context = bases
            .entry(basis.to_owned())
            .or_insert_with(|| cedar::context(self.scene, None, Some(basis)).ok());
        let response = context
            .as_ref()
            .and_then(|context| self.ask(&rules.obligations, index, context));
        let cited = response
            .map(|response| cited(regime, &response))
            .unwrap_or_default();
        cited.into_iter().filter_map(Cited::rule).collect()
    }

    /// Whether a regime would permit an item with this context, on the given stage.
    pub(super) fn would_permit(
        &self,
        stage: &Stage,
        regime: &Regime,
        index: usize,
        context: &Context,
    ) -> bool {
        let Some(rules) = regime.on(self.scene.today) else {
            return false;
        };
        self.ask_on(stage, &rules.decisive, index, context)
            .and_then(|response| opened(regime, &response, None))
            .is_some_and(|answer| !answer.needs_human)
    }

    /// The entities as they are.
    pub(super) const fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The entities as if source and recipient shared a team of every kind.
    pub(super) fn all_teams(&self) -> Option<&Stage> {
        let build = || Stage::new(self.scene, Some(&TEAM_KINDS)).ok();
        self.all_teams.get_or_init(build).as_ref()
    }

    /// Whether a permit of a regime would fall without the teams that source and recipient share: then no rule that
    /// gave it is left, or one closes that the team had kept silent.
    pub(super) fn rests_on_teams(&self, answer: &Answer<'_>, index: usize) -> bool {
        let regime = self.scene.bundle.regimes.get(answer.regime);
        let Some(rules) = regime.and_then(|regime| regime.on(self.scene.today)) else {
            return true;
        };
        let gave = answer.cited.iter().filter_map(|one| one.rule());
        let is_given_anyway = gave.into_iter().any(|rule| !rule.asks_about_teams());
        let action = self.scene.request.action.as_str();
        if is_given_anyway && !rules.a_team_may_silence(action) {
            return false;
        }
        let Some(about_teams) = rules.about_teams(action) else {
            return false;
        };
        let build = || Stage::new(self.scene, Some(&[])).ok();
        let Some(alone) = self.no_teams.get_or_init(build) else {
            return true;
        };
        let given = answer.consent.and_then(|at| self.contexts.get(at));
        let context = given.and_then(Option::as_ref).unwrap_or(&self.plain);
        let Some(response) = self.ask_on(alone, about_teams, index, context) else {
            return true;
        };
        match response.decision() {
            CedarDecision::Allow => false,
            // Cedar names the rules that forbid; when it names none, nothing permitted.
            CedarDecision::Deny => {
                !is_given_anyway || response.diagnostics().reason().next().is_some()
            }
        }
    }

    /// The context with a directive that permits, is in force and was not taken back.
    #[cfg(feature = "testing")]
    pub(super) fn with_directive(&self, at: usize) -> Option<&Context> {
        self.contexts.get(at)?.as_ref()
    }

    /// The context without a directive.
    pub(super) const fn plain(&self) -> &Context {
        &self.plain
    }
}

/// The rules that decided, by id.
fn cited<'a>(regime: &'a Regime, response: &Response) -> Vec<Cited<'a>> {
    let mut ids: Vec<&PolicyId> = response.diagnostics().reason().collect();
    ids.sort_unstable();
    ids.into_iter()
        .filter_map(|id| regime.rules.get(AsRef::<str>::as_ref(id)))
        .map(Cited::Rule)
        .collect()
}

fn opened<'a>(
    regime: &'a Regime,
    response: &Response,
    consent: Option<usize>,
) -> Option<Answer<'a>> {
    if response.decision() != CedarDecision::Allow {
        return None;
    }
    let all = cited(regime, response);
    let manual = |one: &Cited<'_>| one.rule().is_some_and(|rule| rule.is_manual);
    let needs_human = all.iter().all(manual);
    let cited: Vec<_> = all
        .into_iter()
        .filter(|one| needs_human || !manual(one))
        .collect();
    let stated = cited
        .iter()
        .find_map(|one| one.rule())
        .and_then(|rule| rule.basis.clone());
    let basis = match (stated, consent) {
        (Some(basis), Some(_)) if basis.contains("CONSENT") => Some(basis),
        (_, Some(_)) => Some("CONSENT".to_owned()),
        (basis, None) => basis,
    };
    Some(Answer {
        regime: &regime.name,
        verdict: if needs_human {
            Verdict::Deny
        } else {
            Verdict::Permit
        },
        needs_human,
        by_default: false,
        cited,
        consent,
        basis,
    })
}
