//! Who asks: the bearer token of the request, and the role that a route needs.
//!
//! A handler takes [`As`] with the set of roles that it serves, first among its arguments, so that nothing is read
//! for a caller who may not ask.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use tandem_mappings::model::id::SystemId;

use super::Api;
use super::problem::ApiError;
use crate::config::{Role, Token, Tokens};

/// The caller of a request, known by the token.
#[derive(Debug, Clone)]
pub struct Caller(Arc<Token>);

impl Caller {
    /// The caller whom the headers name; `None` without a valid token.
    pub(super) fn of(headers: &HeaderMap, tokens: &Tokens) -> Option<Self> {
        let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, presented) = text.split_once(' ')?;
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        let token = tokens.find(presented.trim()).filter(|_| is_bearer)?;
        Some(Self(Arc::new(token.clone())))
    }

    /// The token's name, as it stands in the audit.
    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    /// The role.
    pub(super) fn role(&self) -> Role {
        self.0.role
    }

    /// The token.
    pub(super) fn token(&self) -> &Token {
        &self.0
    }

    /// The system to which the token is bound.
    ///
    /// # Errors
    /// When it is bound to none.
    pub(super) fn system(&self) -> Result<&SystemId, ApiError> {
        self.0.system.as_ref().ok_or(ApiError::Forbidden)
    }
}

/// A set of roles.
pub trait Access: Send + Sync + 'static {
    /// The roles in the set.
    const ROLES: &'static [Role];
}

macro_rules! access {
    ($($(#[$doc:meta])* $name:ident = [$($role:ident),+];)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;
        impl Access for $name {
            const ROLES: &'static [Role] = &[$(Role::$role),+];
        }
    )+};
}

access! {
    /// Agency systems.
    Systems = [System];
    /// Data stewards.
    Stewards = [Steward];
    /// Whoever may see how records are linked.
    LinkReaders = [Steward, PrivacyOfficer, Auditor];
    /// Whoever may see by which model records are linked.
    ModelReaders = [Steward, PrivacyOfficer, Operator, Auditor, Administrator];
    /// Privacy officers.
    PrivacyOfficers = [PrivacyOfficer];
    /// Whoever may see decisions, plans and the audit.
    Overseers = [PrivacyOfficer, Auditor];
    /// Whoever may file a consent: a system for its own clients.
    ConsentFilers = [System, PrivacyOfficer];
    /// Operators.
    Operators = [Operator];
    /// Whoever may see how deliveries run.
    LaneReaders = [Operator, Auditor];
    /// Whoever may see one message's way.
    MessageReaders = [Operator, PrivacyOfficer, Auditor];
    /// Whoever may see what is past its term.
    RetentionReaders = [Operator, PrivacyOfficer, Auditor];
    /// Whoever may see referrals, each as far as the role reaches.
    ReferralReaders = [System, Operator, Auditor];
    /// Whoever may see plans, a system its own.
    PlanReaders = [System, PrivacyOfficer, Auditor];
    /// Whoever may see measures unmasked.
    MeasureReaders = [Operator, PrivacyOfficer, Auditor];
    /// Whoever may see the rules.
    PolicyReaders = [PrivacyOfficer, Auditor, Administrator];
    /// Administrators.
    Administrators = [Administrator];
    /// Whoever may read the gateway's own figures.
    Monitors = [Operator, Auditor, Administrator];
    /// Every role.
    Anyone = [System, Steward, PrivacyOfficer, Operator, Auditor, Administrator];
}

/// A caller in one of the roles of `A`.
#[derive(Debug)]
pub struct As<A: Access> {
    /// The caller.
    pub caller: Caller,
    _access: PhantomData<A>,
}

impl<A: Access> FromRequestParts<Api> for As<A> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &Api) -> Result<Self, ApiError> {
        let caller = parts
            .extensions
            .get::<Caller>()
            .ok_or(ApiError::Unauthenticated)?;
        if !A::ROLES.contains(&caller.role()) {
            return Err(ApiError::Forbidden);
        }
        Ok(Self {
            caller: caller.clone(),
            _access: PhantomData,
        })
    }
}
