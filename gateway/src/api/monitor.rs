//! The gateway's own figures for Prometheus.
//!
//! They need a token: the number of waiting pairs tells an agency that sends one record whether somebody else knows the
//! person.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use jiff::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use super::Api;
use super::caller::{As, Monitors};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::config::{Config, RowKind};
use crate::figures;
use crate::pipeline::core::Core;
use crate::state::large::LargeDoc;
use crate::state::link::{LinkDoc, LinkStanding};
use crate::state::recalling::RecallingDoc;
use crate::state::reconsidering::ReconsideringDoc;
use crate::state::retention::{Counts, KindCounts, LastRunDoc};
use crate::store::{EventState, LaneCount, OutboxState, RootKeyRow};
use crate::transport::certificate::Certificate;

/// How often samples are taken in.
const TAKEN_IN_EVERY: Duration = Duration::from_secs(5);
/// The process has one recorder, however many gateways run in it (tests).
static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Installs the recorder, once, and shows what a configuration will count.
pub(super) fn install(config: &Config) {
    RECORDER.get_or_init(|| {
        let recorder = figures::recorder().and_then(|builder| builder.install_recorder());
        let installed = recorder
            .inspect_err(|error| tracing::warn!(%error, "counters are not collected"))
            .ok();
        figures::describe();
        installed
    });
    figures::begin(config);
}

/// What was installed, if it could be.
fn recorder() -> Option<&'static PrometheusHandle> {
    RECORDER.get().and_then(Option::as_ref)
}

/// Takes in what was counted since, until cancelled. Each sample of a distribution waits in memory for that, whether anybody reads the
/// figures or not.
pub(super) async fn take_in(stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TAKEN_IN_EVERY) => {}
        }
        if let Some(recorder) = recorder() {
            recorder.run_upkeep();
        }
    }
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
    if let Some(recorder) = recorder() {
        recorder.run_upkeep();
        text.push_str(&recorder.render());
    }
    let mut tx = core.store.snapshot().await?;
    let counts = tx.lane_counts().await?;
    let pending = tx
        .count::<LinkDoc>("link.standing", LinkStanding::Candidate.code())
        .await?;
    let doubted = tx.count::<LinkDoc>(LinkDoc::DOUBTED, "yes").await?;
    waiting(&mut text, &counts, &core.loaded.config, core.clock.now());
    served(&mut text, core);
    gauge(
        &mut text,
        "tandem_config_loaded_timestamp_seconds",
        "When the configuration in force was read.",
        [(Vec::new(), core.loaded_at.as_second())],
    );
    certificates(&mut text, &api.certificates);
    let last = tx.get::<LastRunDoc>(LastRunDoc::KEY).await?;
    retained(&mut text, last.as_ref(), core.clock.now());
    gauge(
        &mut text,
        "tandem_match_review_pending",
        "Doubtful pairs, and links in doubt, that wait for a steward.",
        [(Vec::new(), pending + doubted)],
    );
    recalls(
        &mut text,
        &tx.all::<RecallingDoc>().await?,
        core.clock.now(),
    );
    let reconsidering = tx.get::<ReconsideringDoc>(ReconsideringDoc::NAME).await?;
    let since = reconsidering.map(|one| one.since);
    gauge(
        &mut text,
        "tandem_rules_oldest_age_seconds",
        "Since when rules are in force by which not all that was told before has been decided again; 0 when all has.",
        [(
            Vec::new(),
            since.map_or(0, |since| age(since, core.clock.now())),
        )],
    );
    gauge(
        &mut text,
        "tandem_events_parked",
        "Events set aside, since they could not take effect, until somebody replays them or gives them up.",
        [(Vec::new(), tx.count_events(EventState::Parked).await?)],
    );
    keys(&mut text, &tx.root_keys().await?, core.clock.now());
    large_files(&mut text, &tx.all::<LargeDoc>().await?);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}

/// What of each lane waits in the store: of every destination of the configuration, and of one that is no longer in it.
fn waiting(text: &mut String, counts: &[LaneCount], config: &Config, now: Timestamp) {
    let destinations = config
        .systems
        .iter()
        .filter(|(_, system)| system.output.is_some());
    let mut names: BTreeSet<&str> = destinations.map(|(id, _)| id.as_str()).collect();
    names.extend(counts.iter().map(|count| count.lane.as_str()));
    let is_due =
        |count: &&LaneCount| matches!(count.state, OutboxState::Queued | OutboxState::Failed);
    let is_parked = |count: &&LaneCount| count.state == OutboxState::Parked;
    let of = |name: &str, is_wanted: &dyn Fn(&&LaneCount) -> bool| -> (i64, Option<Timestamp>) {
        let own = counts.iter().filter(|count| count.lane == name);
        let wanted: Vec<&LaneCount> = own.filter(is_wanted).collect();
        let total = wanted.iter().map(|count| count.count).sum();
        (total, wanted.iter().map(|count| count.oldest).min())
    };
    let lane = |name: &&str| vec![("lane", (*name).to_owned())];
    gauge(
        text,
        "tandem_lane_due",
        "Messages that wait for an attempt.",
        names.iter().map(|name| (lane(name), of(name, &is_due).0)),
    );
    gauge(
        text,
        "tandem_lane_parked",
        "Messages set aside until somebody replays or skips them.",
        names
            .iter()
            .map(|name| (lane(name), of(name, &is_parked).0)),
    );
    gauge(
        text,
        "tandem_lane_oldest_age_seconds",
        "Age of the oldest message that waits for an attempt.",
        names.iter().map(|name| {
            (
                lane(name),
                of(name, &is_due).1.map_or(0, |oldest| age(oldest, now)),
            )
        }),
    );
}

/// What of the lanes only the gateway knows that serves them.
fn served(text: &mut String, core: &Core) {
    let lanes = core.lanes.lanes();
    gauge(
        text,
        "tandem_lane_in_flight",
        "Messages whose attempt has begun and not ended, of the lanes that this gateway serves.",
        lanes
            .iter()
            .map(|lane| (vec![("lane", lane.lane.clone())], lane.in_flight)),
    );
    gauge(
        text,
        "tandem_breaker_state",
        "Circuit breaker of a destination whose lane this gateway serves: 0 closed, 1 half open, 2 open.",
        lanes.iter().map(|lane| {
            (
                vec![("destination", lane.lane.clone())],
                lane.breaker.level(),
            )
        }),
    );
}

fn certificates(text: &mut String, certificates: &[Certificate]) {
    gauge(
        text,
        "tandem_certificate_expiry_timestamp_seconds",
        "When the first certificate of a file ends, as it was read with the configuration.",
        certificates.iter().map(|one| {
            let labels = vec![
                ("use", one.used.code().to_owned()),
                ("name", one.name.clone()),
            ];
            (labels, one.ends.as_second())
        }),
    );
}

/// What older root keys still seal, as it was counted and sealed anew since; and the age of the key that seals.
fn keys(text: &mut String, keys: &[RootKeyRow], now: Timestamp) {
    let there = keys.iter().filter(|key| key.retired_at.is_none());
    let (older, sealing) = match there.collect::<Vec<_>>().split_last() {
        Some((sealing, older)) => (older.to_vec(), Some(*sealing)),
        None => (Vec::new(), None),
    };
    let of = |key: &RootKeyRow| vec![("key", key.number.to_string())];
    let left = older
        .iter()
        .filter_map(|key| Some((of(key), key.rows_left?)));
    let none = sealing.map(|key| (of(key), 0));
    gauge(
        text,
        "tandem_keys_rows_left",
        "Values that a root key still seals and that are to be sealed anew; 0 of the one that seals.",
        left.chain(none),
    );
    gauge(
        text,
        "tandem_keys_age_seconds",
        "Age of the root key that seals.",
        sealing.and_then(|key| {
            let age = now.duration_since(key.made_at?).as_secs().max(0);
            Some((of(key), age))
        }),
    );
}

/// Large files that are on their way into the store, or do not go on.
fn large_files(text: &mut String, docs: &[LargeDoc]) {
    let in_work = docs.iter().filter(|doc| doc.is_in_work());
    let parked = docs.iter().filter(|doc| doc.problem.is_some());
    let left = in_work.clone().map(LargeDoc::bytes_left).sum();
    let figures: [(&str, &str, u64); 3] = [
        (
            "tandem_files_in_work",
            "Large files on their way into the store; later files of their systems wait.",
            in_work.count() as u64,
        ),
        (
            "tandem_files_left_bytes",
            "Bytes of findings of large files that are still to be read.",
            left,
        ),
        (
            "tandem_files_parked",
            "Large files that were set aside, since their blob is missing or damaged.",
            parked.count() as u64,
        ),
    ];
    for (name, help, value) in figures {
        gauge(text, name, help, [(Vec::new(), count(value))]);
    }
}

/// What was told and is still looked at for what must be recalled: most looks end in the transaction that begins them.
fn recalls(text: &mut String, docs: &[RecallingDoc], now: Timestamp) {
    let oldest = docs.iter().map(|doc| doc.since).min();
    gauge(
        text,
        "tandem_recalls_pending",
        "People of whom less may be told than before, and of whom much was told, while it is looked at for what must be recalled.",
        [(Vec::new(), count(docs.len() as u64))],
    );
    gauge(
        text,
        "tandem_recalls_oldest_age_seconds",
        "Since when the first of them waits; 0 when none does.",
        [(Vec::new(), oldest.map_or(0, |oldest| age(oldest, now)))],
    );
}

/// A figure of what was found of a kind, at an instant.
type Figure = fn(&KindCounts, Timestamp) -> i64;

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn age(oldest: Timestamp, now: Timestamp) -> i64 {
    now.duration_since(oldest).as_secs().max(0)
}

/// What the last run of the disposal found: to count anew at each scrape would read every row.
fn retained(text: &mut String, last: Option<&LastRunDoc>, now: Timestamp) {
    let none = Counts::new();
    let counts = last.map_or(&none, |last| &last.counts);
    let figures: [(&str, &str, Figure); 4] = [
        (
            "tandem_retention_rows",
            "Rows that stood at the end of the last run, by kind.",
            |found, _| count(found.rows),
        ),
        (
            "tandem_retention_due",
            "Rows past their term that nothing keeps and that the last run left.",
            |found, _| count(found.due),
        ),
        (
            "tandem_retention_held",
            "Rows past their term that a legal hold keeps.",
            |found, _| count(found.held),
        ),
        (
            "tandem_retention_oldest_age_seconds",
            "Age of the oldest row of a kind, from when its term is counted.",
            |found, now| found.oldest.map_or(0, |oldest| age(oldest, now)),
        ),
    ];
    for (name, help, value) in figures {
        gauge(
            text,
            name,
            help,
            RowKind::ALL.iter().map(|kind| {
                let found = counts.get(kind).cloned().unwrap_or_default();
                (vec![("kind", kind.code().to_owned())], value(&found, now))
            }),
        );
    }
    gauge(
        text,
        "tandem_retention_last_run_timestamp_seconds",
        "When the last run of the disposal ended; 0 before the first.",
        [(Vec::new(), last.map_or(0, |last| last.at.as_second()))],
    );
    let waits = last.is_some_and(|last| last.waits_since.is_some());
    gauge(
        text,
        "tandem_retention_waits",
        "Whether the daily run disposes of nothing until a privacy officer has confirmed one.",
        [(Vec::new(), i64::from(waits))],
    );
}

/// One gauge as Prometheus text. It is made at each scrape, so that a lane that is gone leaves no stale value.
fn gauge(
    text: &mut String,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = (Vec<(&'static str, String)>, i64)>,
) {
    let _infallible = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (labels, value) in values {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
            .collect();
        let labels = match labels.as_slice() {
            [] => String::new(),
            some => format!("{{{}}}", some.join(",")),
        };
        let _infallible = writeln!(text, "{name}{labels} {value}");
    }
}

fn escaped(label: &str) -> String {
    label
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
