//! The gateway's own figures for Prometheus.
//!
//! They need a token: the number of waiting pairs tells an agency that sends one record whether somebody else knows the
//! person.

use std::fmt::Write as _;
use std::sync::OnceLock;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use jiff::Timestamp;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::Api;
use super::caller::{As, Monitors};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::state::link::{LinkDoc, LinkStanding};
use crate::store::{LaneCount, OutboxState};

/// The process has one recorder, however many gateways run in it (tests).
static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Installs the recorder, once.
pub(super) fn install() {
    RECORDER.get_or_init(|| {
        PrometheusBuilder::new()
            .install_recorder()
            .inspect_err(|error| tracing::warn!(%error, "counters are not collected"))
            .ok()
    });
}

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/metrics",
        "Counters and gauges in Prometheus text form; no personal data",
    )
    .allow::<Monitors>()
    .gives_raw(200, "text/plain; version=0.0.4", "The figures");
    routes.add(doc, figures)
}

async fn figures(_as: As<Monitors>, State(api): State<Api>) -> Result<impl IntoResponse, ApiError> {
    let core = api.core();
    let mut text = String::new();
    if let Some(recorder) = RECORDER.get().and_then(Option::as_ref) {
        recorder.run_upkeep();
        text.push_str(&recorder.render());
    }
    let mut tx = core.store.snapshot().await?;
    let counts = tx.lane_counts().await?;
    let pending = tx
        .count::<LinkDoc>("link.standing", LinkStanding::Candidate.code())
        .await?;
    let doubted = tx.count::<LinkDoc>(LinkDoc::DOUBTED, "yes").await?;
    lanes(&mut text, &counts, core.clock.now());
    gauge(
        &mut text,
        "tandem_match_review_pending",
        "Doubtful pairs, and links in doubt, that wait for a steward.",
        [(None, pending + doubted)],
    );
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}

fn lanes(text: &mut String, counts: &[LaneCount], now: Timestamp) {
    let mut names: Vec<&str> = counts.iter().map(|count| count.lane.as_str()).collect();
    names.dedup();
    let is_waiting =
        |count: &&LaneCount| matches!(count.state, OutboxState::Queued | OutboxState::Failed);
    let total = |name: &str, wanted: &dyn Fn(&&LaneCount) -> bool| -> i64 {
        counts
            .iter()
            .filter(|count| count.lane == name)
            .filter(wanted)
            .map(|count| count.count)
            .sum()
    };
    let due = names
        .iter()
        .map(|name| (Some(*name), total(name, &is_waiting)));
    gauge(
        text,
        "tandem_lane_due",
        "Messages that wait for an attempt.",
        due,
    );
    let parked = names.iter().map(|name| {
        (
            Some(*name),
            total(name, &|count| count.state == OutboxState::Parked),
        )
    });
    gauge(
        text,
        "tandem_lane_parked",
        "Messages set aside until somebody replays or skips them.",
        parked,
    );
    let age = names.iter().map(|name| {
        let waiting = counts
            .iter()
            .filter(|count| count.lane == **name)
            .filter(is_waiting);
        let oldest = waiting.map(|count| count.oldest).min();
        (
            Some(*name),
            oldest.map_or(0, |oldest| now.duration_since(oldest).as_secs().max(0)),
        )
    });
    gauge(
        text,
        "tandem_lane_oldest_age_seconds",
        "Age of the oldest message that waits for an attempt.",
        age,
    );
}

/// One gauge as Prometheus text. It is made at each scrape, so that a lane that is gone leaves no stale value.
fn gauge<'a>(
    text: &mut String,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = (Option<&'a str>, i64)>,
) {
    let _infallible = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (lane, value) in values {
        let labels = lane
            .map(|lane| format!("{{lane=\"{}\"}}", escaped(lane)))
            .unwrap_or_default();
        let _infallible = writeln!(text, "{name}{labels} {value}");
    }
}

fn escaped(label: &str) -> String {
    label
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
