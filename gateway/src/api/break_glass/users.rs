//! `/v1/break-glass/users`: enrols people at agencies who may break the glass, each with a second factor.

use std::fmt;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::SystemId;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::body::JsonBody;
use crate::api::caller::{Administrators, As};
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::pipeline::break_glass::factor::{self, Enrolment};
use crate::state::second_factor::SecondFactorDoc;

/// Longest text of an enrolment, in bytes.
const TEXT_LIMIT: usize = 200;

pub(super) fn routes(routes: Routes) -> Routes {
    let enrol = Doc::post(
        "/v1/break-glass/users",
        "Enrol a person at an agency with a fresh second factor, in the place of an earlier one; audited",
    )
    .allow::<Administrators>()
    .takes::<NewUser>()
    .gives::<Enrolled>(200, "The secret, given this once: hand it to the person alone")
    .refuses(422, "No such system or role, or a text is empty or too long");
    let withdraw = Doc::post(
        "/v1/break-glass/users/withdraw",
        "Withdraw a person's second factor: what was opened with it is closed; audited",
    )
    .allow::<Administrators>()
    .takes::<OldUser>()
    .gives::<Withdrawn>(200, "Withdrawn")
    .refuses(404, "Nobody is enrolled so");
    routes.add(enrol, enrol_user).add(withdraw, withdraw_user)
}

/// A person to enrol.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    /// The system through which the person asks.
    #[schema(value_type = String)]
    pub system: SystemId,
    /// The person as that system knows him or her.
    pub user: String,
    /// Name and affiliation, as they stand in the record of an emergency (42 CFR 2.51(c)).
    pub name: String,
    /// The role, as the configuration names it.
    pub role: String,
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewUser({}, [redacted])", self.system)
    }
}

/// A fresh second factor. `Debug` shows nothing of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Enrolled {
    /// The secret in base 32, as authenticators take it.
    pub secret: String,
    /// The same as an address that authenticators read.
    pub uri: String,
}

impl fmt::Debug for Enrolled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrolled([redacted])")
    }
}

/// A person whose factor is withdrawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OldUser {
    /// The system.
    #[schema(value_type = String)]
    pub system: SystemId,
    /// The person as that system knows him or her.
    pub user: String,
}

/// A withdrawn factor.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Withdrawn {
    /// The system.
    pub system: String,
}

async fn enrol_user(
    by: As<Administrators>,
    State(api): State<Api>,
    JsonBody(new): JsonBody<NewUser>,
) -> Result<Json<Enrolled>, ApiError> {
    let core = api.core();
    let invalid = |text: &str| Err(ApiError::Invalid(text.to_owned()));
    let is_text = |text: &str| !text.trim().is_empty() && text.len() <= TEXT_LIMIT;
    if core.system(&new.system).is_none() {
        return invalid("system: no system is called so");
    }
    if !core.loaded.config.break_glass.roles.contains_key(&new.role) {
        return invalid("role: expected a role of break_glass.roles in the configuration");
    }
    if !is_text(&new.user) || !is_text(&new.name) {
        return invalid("user and name: expected 1 to 200 bytes");
    }
    let user = new.user.clone();
    let (now, object) = (core.clock.now(), new.system.to_string());
    let mut tx = core.store.begin().await?;
    let enrolment = Enrolment {
        system: new.system,
        user: new.user,
        name: new.name,
        role: new.role,
    };
    let secret = factor::enrol(&mut tx, enrolment, now).await?;
    let (actor, action) = (by.caller.name(), "break-glass.enrol");
    tx.audit(now, actor, action, &object, "").await?;
    tx.commit().await?;
    Ok(Json(Enrolled {
        uri: uri(&user, &secret)?,
        secret: secret.to_string(),
    }))
}

/// The address that authenticators read from a square code.
fn uri(user: &str, secret: &str) -> Result<String, ApiError> {
    let unmade = |_| ApiError::Internal("no address of a second factor".to_owned());
    let mut uri = url::Url::parse("otpauth://totp/").map_err(unmade)?;
    uri.set_path(&format!("Tandem:{user}"));
    uri.query_pairs_mut()
        .append_pair("secret", secret)
        .append_pair("issuer", "Tandem");
    Ok(uri.to_string())
}

async fn withdraw_user(
    by: As<Administrators>,
    State(api): State<Api>,
    JsonBody(old): JsonBody<OldUser>,
) -> Result<Json<Withdrawn>, ApiError> {
    let core = api.core();
    let key = SecondFactorDoc::key_of(&old.system, &old.user);
    let mut tx = core.store.begin().await?;
    let known = tx.get::<SecondFactorDoc>(&key).await?;
    let system = known.ok_or(ApiError::NotFound)?.system.to_string();
    tx.remove::<SecondFactorDoc>(&key).await?;
    let (now, actor) = (core.clock.now(), by.caller.name());
    tx.audit(now, actor, "break-glass.withdraw", &system, "")
        .await?;
    tx.commit().await?;
    Ok(Json(Withdrawn { system }))
}
