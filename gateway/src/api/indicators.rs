//! `POST /v1/indicators`: numbers that a data owner supplies, such as a school district, the police or the state.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tandem_coordination::indicators::Indicators;
use tandem_coordination::period::Period;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::message::IndicatorReported;
use utoipa::ToSchema;

use super::Api;
use super::body::JsonBody;
use super::caller::{Administrators, As};
use super::problem::ApiError;
use super::route::{Doc, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::post("/v1/indicators", "A data owner's numbers, entered by the administrator; a stratum `county=NAME` names another area")
        .allow::<Administrators>()
        .takes::<Reported>()
        .gives::<Recorded>(201, "Recorded; they stand in the measures of their period")
        .refuses(422, "No such indicator, or the numbers do not hold together");
    routes.add(doc, report)
}

/// Reported numbers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reported {
    /// The indicator, for example `UN-2`.
    pub indicator: String,
    /// Numerator.
    pub numerator: u64,
    /// Denominator, where the indicator has one.
    #[serde(default)]
    pub denominator: Option<u64>,
    /// First day of the period.
    #[schema(value_type = String, example = "2026-01-01")]
    pub from: jiff::civil::Date,
    /// Last day of the period.
    #[schema(value_type = String, example = "2026-03-31")]
    pub to: jiff::civil::Date,
    /// Strata, `name=value`.
    #[serde(default)]
    pub strata: Vec<String>,
    /// Where the numbers come from.
    pub source: String,
    /// Note.
    #[serde(default)]
    pub note: Option<String>,
}

/// Recorded numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Recorded {
    /// The indicator.
    pub indicator: String,
}

async fn report(
    by: As<Administrators>,
    State(api): State<Api>,
    JsonBody(told): JsonBody<Reported>,
) -> Result<(StatusCode, Json<Recorded>), ApiError> {
    let core = api.core();
    check(&told)?;
    let indicator = told.indicator.clone();
    let body = Body::IndicatorReported(Box::new(IndicatorReported {
        indicator: told.indicator,
        numerator: told.numerator,
        denominator: told.denominator,
        from: told.from,
        to: told.to,
        strata: told.strata,
        source: told.source,
        note: told.note,
    }));
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    core.record(&mut tx, body, now).await?;
    tx.audit(now, by.caller.name(), "indicator.report", &indicator, "")
        .await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(Recorded { indicator })))
}

fn check(told: &Reported) -> Result<(), ApiError> {
    let invalid = |text: &str| ApiError::Invalid(text.to_owned());
    let indicators =
        Indicators::shipped(None).map_err(|error| ApiError::Internal(error.to_string()))?;
    indicators
        .get(&told.indicator)
        .ok_or_else(|| invalid("indicator: no indicator has this id"))?;
    Period::new(told.from, told.to).map_err(|_| invalid("to: lies before from"))?;
    if told.strata.iter().any(|stratum| {
        stratum
            .split_once('=')
            .is_none_or(|(name, value)| name.is_empty() || value.is_empty())
    }) {
        return Err(invalid("strata: expected name=value"));
    }
    Ok(())
}
