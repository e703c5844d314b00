//! One question to the solver, and its answer.

use cedar_policy::{Policy, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::err::Error;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env, ResetMode};

use crate::scene::{Blank, Scene};
use crate::solver::Cvc5;

/// Why something is neither proven nor refuted. That is a failure, never a pass.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Undecided {
    pub(crate) reason: String,
}

impl Undecided {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

impl From<Error> for Undecided {
    fn from(error: Error) -> Self {
        match error {
            Error::SolverUnknown => Self::new("the solver answers unknown"),
            Error::SolverError(error) => Self::new(format!("the solver failed: {error}")),
            other => Self::new(other.to_string()),
        }
    }
}

/// A request that breaks a property, as small as it can be.
#[derive(Debug, Clone)]
pub struct Counterexample {
    /// The sentence for a person.
    pub sentence: String,
    /// The rules at fault.
    pub rules: Vec<String>,
    /// Every action for which it holds.
    pub actions: Vec<String>,
    /// What must hold besides, for it to happen.
    pub needs: Vec<String>,
    /// The request itself: recipient, item and context.
    pub scene: serde_json::Value,
}

/// Puts questions about one schema to the solver. Rules come nested to the right, see [`crate::rewrite::nested`].
pub(crate) struct Asker<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) blank: Option<Blank>,
    compiler: CedarSymCompiler<Cvc5>,
    runtime: tokio::runtime::Runtime,
    /// How many questions were put.
    pub(crate) asked: usize,
}

impl<'a> Asker<'a> {
    pub(crate) fn new(solver: Cvc5, schema: &'a Schema) -> Result<Self, Undecided> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Undecided::new(format!("cannot start a runtime: {error}")))?;
        Ok(Self {
            schema,
            blank: None,
            compiler: CedarSymCompiler::new(solver)?.with_reset_mode(ResetMode::Comment),
            runtime,
            asked: 0,
        })
    }

    /// Every kind of request that the schema knows, by action.
    pub(crate) fn environments(&self) -> Vec<RequestEnv> {
        let mut all: Vec<_> = self.schema.request_envs().collect();
        all.sort_by_key(|one| one.action().to_string());
        all
    }

    /// A request that the first set permits and the second does not.
    pub(crate) fn permitted_but_not(
        &mut self,
        permits: &PolicySet,
        allowed: &PolicySet,
        env: &RequestEnv,
    ) -> Result<Option<Scene>, Undecided> {
        let permits = CompiledPolicySet::compile(permits, env, self.schema)?;
        let allowed = CompiledPolicySet::compile(allowed, env, self.schema)?;
        self.ask(env, async |compiler| {
            compiler
                .check_implies_with_counterexample_opt(&permits, &allowed)
                .await
        })
    }

    /// A request that the set permits.
    pub(crate) fn permitted(
        &mut self,
        set: &PolicySet,
        env: &RequestEnv,
    ) -> Result<Option<Scene>, Undecided> {
        let set = CompiledPolicySet::compile(set, env, self.schema)?;
        self.ask(env, async |compiler| {
            compiler
                .check_always_denies_with_counterexample_opt(&set)
                .await
        })
    }

    /// A request that a rule, permitting or forbidding, speaks of.
    pub(crate) fn matched(
        &mut self,
        rule: &Policy,
        env: &RequestEnv,
    ) -> Result<Option<Scene>, Undecided> {
        let rule = CompiledPolicy::compile(rule, env, self.schema)?;
        self.ask(env, async |compiler| {
            compiler
                .check_never_matches_with_counterexample_opt(&rule)
                .await
        })
    }

    /// A request on which a rule cannot be evaluated.
    pub(crate) fn failing(
        &mut self,
        rule: &Policy,
        env: &RequestEnv,
    ) -> Result<Option<Scene>, Undecided> {
        let rule = CompiledPolicy::compile(rule, env, self.schema)?;
        self.ask(env, async |compiler| {
            compiler
                .check_never_errors_with_counterexample_opt(&rule)
                .await
        })
    }

    fn ask(
        &mut self,
        env: &RequestEnv,
        question: impl AsyncFnOnce(&mut CedarSymCompiler<Cvc5>) -> Result<Option<Env>, Error>,
    ) -> Result<Option<Scene>, Undecided> {
        self.asked += 1;
        let found = self.runtime.block_on(question(&mut self.compiler));
        self.compiler.solver_mut().forget_script();
        let Some(found) = found? else { return Ok(None) };
        Scene::read(&found, env, self.blank.as_ref()).map(Some)
    }
}
