//! `GET /public/measures`: the community's measures, masked, as a page, as CSV and as FHIR MeasureReport.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_coordination::masking::{PublicRow, measure_reports, write_csv};
use tandem_coordination::period::Period;

use super::publication::Published;
use super::quarter;
use crate::api::Api;
use crate::api::body::{Path, Query};
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};

const STYLE: &str = include_str!("../../templates/public.css");

pub(super) fn routes(routes: Routes) -> Routes {
    let page = Doc::get(
        "/public/measures",
        "The masked measures of an ended quarter as a page without scripts",
    )
    .query(
        "from",
        "First day of a calendar quarter that has ended; the last one when absent",
    )
    .query("to", "Its last day")
    .gives_raw(200, "text/html", "The page")
    .refuses(503, "Nothing can be published that protects everybody");
    let csv = Doc::get(
        "/public/measures.csv",
        "The same rows as CSV (RFC 4180); masked numbers are empty",
    )
    .query("from", "As for the page")
    .query("to", "As for the page")
    .gives_raw(200, "text/csv", "The rows");
    let report = Doc::get(
        "/public/measures/{id}/report",
        "One indicator of this jurisdiction as FHIR MeasureReport",
    )
    .query("from", "As for the page")
    .query("to", "As for the page")
    .gives_raw(
        200,
        "application/fhir+json",
        "A MeasureReport; a Bundle of them when there are several periods",
    )
    .refuses(404, "No rows of this indicator are published");
    let style = Doc::get("/public/style.css", "The page's style sheet")
        .gives_raw(200, "text/css", "Styles");
    routes
        .add(page, show_page)
        .add(csv, show_csv)
        .add(report, show_report)
        .add(style, show_style)
}

#[derive(Debug, Deserialize)]
struct Asked {
    from: Option<Date>,
    to: Option<Date>,
}

impl Asked {
    /// The published period that is asked for.
    fn period(&self, today: Date) -> Result<Period, ApiError> {
        let found = match (self.from, self.to) {
            (Some(from), Some(to)) => quarter::published(from, to, today),
            (None, None) => quarter::last_ended(today),
            _ => None,
        };
        found.ok_or(ApiError::NotFound)
    }
}

async fn published(api: &Api, asked: &Asked) -> Result<Arc<Published>, ApiError> {
    let core = api.core();
    let period = asked.period(core.day(core.clock.now()))?;
    api.publication().of(core, period).await
}

#[derive(Template)]
#[template(path = "measures.html")]
struct Page {
    jurisdiction: String,
    made: String,
    period: String,
    query: String,
    others: Vec<(String, String)>,
    largest_masked: u64,
    dropped: Vec<String>,
    tables: Vec<Table>,
}

/// The rows of one indicator.
struct Table {
    id: String,
    name: String,
    rows: Vec<Row>,
}

struct Row {
    area: String,
    group: String,
    period: String,
    numerator: String,
    denominator: String,
    value: String,
    is_masked: bool,
}

impl Row {
    fn of(row: &PublicRow) -> Self {
        let count = |number: Option<u64>, is_masked: bool| match (number, is_masked) {
            (_, true) => "masked".to_owned(),
            (Some(number), false) => number.to_string(),
            (None, false) => "–".to_owned(),
        };
        let is_masked = row.numerator_is_masked || row.denominator_is_masked;
        let group = row
            .stratum
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect::<Vec<_>>()
            .join(", ");
        Self {
            area: row.jurisdiction.to_string(),
            group: if group.is_empty() {
                "all".to_owned()
            } else {
                group
            },
            period: written(row.period),
            numerator: count(row.numerator, row.numerator_is_masked),
            denominator: count(row.denominator, row.denominator_is_masked),
            value: row.value.map_or_else(
                || {
                    if is_masked {
                        "masked".to_owned()
                    } else {
                        "–".to_owned()
                    }
                },
                shown,
            ),
            is_masked,
        }
    }
}

/// A value with at most two decimals.
fn shown(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn tables(published: &Published) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for row in &published.rows {
        let shown = Row::of(row);
        match tables.iter_mut().find(|table| table.id == row.indicator) {
            Some(table) => table.rows.push(shown),
            None => {
                let name = published
                    .indicators
                    .get(&row.indicator)
                    .map(|indicator| indicator.name.clone());
                tables.push(Table {
                    id: row.indicator.clone(),
                    name: name.unwrap_or_default(),
                    rows: vec![shown],
                });
            }
        }
    }
    tables.sort_by(|a, b| a.id.cmp(&b.id));
    tables
}

fn written(period: Period) -> String {
    format!("{} to {}", period.start(), period.end())
}

fn query(period: Period) -> String {
    format!("?from={}&to={}", period.start(), period.end())
}

async fn show_page(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let core = api.core();
    let today = core.day(core.clock.now());
    let period = asked.period(today)?;
    let published = api.publication().of(core, period).await?;
    let config = &core.loaded.config;
    let page = Page {
        jurisdiction: config.jurisdiction.to_string(),
        made: core.day(published.at).to_string(),
        period: written(period),
        query: query(period),
        others: quarter::ended(today)
            .into_iter()
            .map(|one| (written(one), query(one)))
            .collect(),
        largest_masked: config.masking.threshold.saturating_sub(1),
        dropped: published.dropped.clone(),
        tables: tables(&published),
    };
    let html = page
        .render()
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(typed("text/html; charset=utf-8", html))
}

async fn show_csv(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let published = published(&api, &asked).await?;
    let mut text = Vec::new();
    write_csv(
        &mut text,
        &published.rows,
        &published.snapshot,
        published.method,
        published.at,
    )
    .map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(typed("text/csv; charset=utf-8", text))
}

async fn show_report(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let core = api.core();
    let published = published(&api, &asked).await?;
    let config = &core.loaded.config;
    let is_asked =
        |row: &&PublicRow| row.indicator == id && row.jurisdiction == config.jurisdiction;
    let rows: Vec<PublicRow> = published.rows.iter().filter(is_asked).cloned().collect();
    let base = config.public_url.as_str().trim_end_matches('/');
    let mut reports = measure_reports(
        &rows,
        &published.indicators,
        base,
        config.jurisdiction.as_str(),
    );
    let answer: Value = match reports.len() {
        0 => return Err(ApiError::NotFound),
        1 => reports.remove(0),
        _ => {
            let entries: Vec<Value> = reports
                .into_iter()
                .map(|report| json!({"resource": report}))
                .collect();
            json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
        }
    };
    let mut response = Json(answer).into_response();
    let kind = HeaderValue::from_static("application/fhir+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

async fn show_style() -> Response {
    typed("text/css; charset=utf-8", STYLE)
}

fn typed(kind: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
