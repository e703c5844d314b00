//! The gateway's own figures, each declared once: its name, its help, and for a distribution its buckets.
//!
//! Tests hold that everything which `/metrics` shows says what it is, and that the dashboard and the alerts of `config/`
//! ask for nothing else.

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder};

use crate::config::{Config, RowKind};
use crate::delivery::OUTCOMES;
use crate::pipeline::{canary, timers};
use crate::store::Stage;

/// Counters.
const COUNTERS: [(&str, &str); 13] = [
    (
        "tandem_messages_received_total",
        "Inputs taken from a system; for pulls from a FHIR server, events.",
    ),
    (
        "tandem_inputs_rejected_total",
        "Inputs of which nothing could be used, and files that were not read.",
    ),
    (
        "tandem_messages_delivered_total",
        "Attempts to deliver a message that ended, by outcome.",
    ),
    (
        "tandem_events_applied_total",
        "Events that the processor settled, by how they came out.",
    ),
    (
        "tandem_consent_denied_total",
        "Decisions that permit nothing, by the point of a message's way at which they were made.",
    ),
    ("tandem_http_requests_total", "Requests to the API."),
    (
        "tandem_referral_timers_expired_total",
        "Deadlines of open referrals that passed.",
    ),
    (
        "tandem_break_glass_total",
        "Times that the glass was broken, or was not.",
    ),
    (
        "tandem_canary_probes_total",
        "Questions about the canary, of whom nothing may ever be told.",
    ),
    (
        "tandem_audit_checkpoints_failed_total",
        "Checkpoints of the audit log that could not be signed.",
    ),
    (
        "tandem_retention_disposed_total",
        "Rows that were disposed of when their term was over.",
    ),
    (
        "tandem_config_reloads_total",
        "Times that the configuration was read anew: applied, unchanged or refused.",
    ),
    (
        "tandem_trace_spans_total",
        "Spans: exported to the collector, failed there, or dropped because too many waited.",
    ),
];
/// Distributions, with the upper ends of their buckets.
const DISTRIBUTIONS: [(&str, &str, &[f64]); 3] = [
    (
        ATTEMPT_SECONDS,
        "How long an attempt to deliver took, from the first byte sent to the answer.",
        &[0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0],
    ),
    (
        COMMIT_SECONDS,
        "How long the store took to make a transaction durable.",
        &[
            0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
        ],
    ),
    (
        COMMIT_BATCH,
        "How many transactions that were written at one time shared a commit.",
        &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0],
    ),
];
const ATTEMPT_SECONDS: &str = "tandem_delivery_attempt_duration_seconds";
const COMMIT_SECONDS: &str = "tandem_commit_duration_seconds";
const COMMIT_BATCH: &str = "tandem_commit_batch_size";
const DENIED: &str = "tandem_consent_denied_total";

/// A recorder with the buckets of the distributions.
///
/// # Errors
/// When a distribution has no buckets.
pub(crate) fn recorder() -> Result<PrometheusBuilder, BuildError> {
    let builder = PrometheusBuilder::new();
    DISTRIBUTIONS
        .iter()
        .try_fold(builder, |builder, (name, _, ends)| {
            builder.set_buckets_for_metric(Matcher::Full((*name).to_owned()), ends)
        })
}

/// Says what each figure is.
pub(crate) fn describe() {
    for (name, help) in COUNTERS {
        metrics::describe_counter!(name, help);
    }
    for (name, help, _) in DISTRIBUTIONS {
        metrics::describe_histogram!(name, help);
    }
    metrics::describe_gauge!("tandem_duties_held", "Duties that this gateway has.");
    metrics::describe_counter!(
        "tandem_duties_failed_total",
        "Duties that ended abnormally and were begun again."
    );
}

/// Shows at nothing what a configuration will count, so that the first failure is an increase and not a new series.
pub(crate) fn begin(config: &Config) {
    for (system, settings) in &config.systems {
        let system = system.as_str();
        rejected(system, 0);
        for input in settings.folder.iter().flat_map(|folder| &folder.inputs) {
            received(system, &input.format, 0);
        }
        if settings.fhir.is_some() {
            received(system, "fhir/pull", 0);
        }
        if settings.output.is_some() {
            for outcome in OUTCOMES {
                delivered(system, outcome, 0);
            }
        }
    }
    for stage in Stage::ALL {
        denied(stage.code(), 0);
    }
    for path in canary::PATHS {
        probed(path, "permitted", 0);
    }
    for timer in timers::NAMES {
        timer_expired(timer, 0);
    }
    unsigned(0);
    for outcome in ["applied", "unchanged", "refused"] {
        reloaded(outcome, 0);
    }
    for outcome in ["exported", "failed", "dropped"] {
        spans(outcome, 0);
    }
    for kind in RowKind::ALL {
        disposed(kind, 0);
    }
}

/// Counts readings of the configuration while the gateway serves.
pub(crate) fn reloaded(outcome: &'static str, count: u64) {
    metrics::counter!("tandem_config_reloads_total", "outcome" => outcome).increment(count);
}

/// Counts spans that were sent to the collector, or not.
pub(crate) fn spans(outcome: &'static str, count: usize) {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    metrics::counter!("tandem_trace_spans_total", "outcome" => outcome).increment(count);
}

/// Counts rows that were disposed of.
pub(crate) fn disposed(kind: RowKind, count: u64) {
    metrics::counter!("tandem_retention_disposed_total", "kind" => kind.code()).increment(count);
}

/// Counts deadlines of open referrals that passed.
pub(crate) fn timer_expired(timer: &'static str, count: u64) {
    metrics::counter!("tandem_referral_timers_expired_total", "timer" => timer).increment(count);
}

/// Counts questions about the canary.
pub(crate) fn probed(path: &'static str, outcome: &'static str, count: u64) {
    metrics::counter!("tandem_canary_probes_total", "path" => path, "outcome" => outcome)
        .increment(count);
}

/// Counts checkpoints that could not be signed.
pub(crate) fn unsigned(count: u64) {
    metrics::counter!("tandem_audit_checkpoints_failed_total").increment(count);
}

/// Counts what came from a system.
pub(crate) fn received(source: &str, kind: &str, count: u64) {
    metrics::counter!("tandem_messages_received_total", "source" => source.to_owned(), "kind" => kind.to_owned())
        .increment(count);
}

/// Counts inputs of a system of which nothing could be used.
pub(crate) fn rejected(source: &str, count: u64) {
    metrics::counter!("tandem_inputs_rejected_total", "source" => source.to_owned())
        .increment(count);
}

/// Counts attempts that ended.
pub(crate) fn delivered(destination: &str, outcome: &'static str, count: u64) {
    metrics::counter!("tandem_messages_delivered_total", "destination" => destination.to_owned(), "outcome" => outcome)
        .increment(count);
}

/// Counts decisions that permit nothing.
pub(crate) fn denied(stage: &'static str, count: u64) {
    metrics::counter!(DENIED, "stage" => stage).increment(count);
}

/// Notes how long an attempt took.
pub(crate) fn attempt_took(destination: &str, took: Duration) {
    metrics::histogram!(ATTEMPT_SECONDS, "destination" => destination.to_owned()).record(took);
}

/// Notes a commit: how long it took, and how many pieces of work shared it.
pub(crate) fn committed(took: Duration, pieces: usize) {
    metrics::histogram!(COMMIT_SECONDS).record(took);
    metrics::histogram!(COMMIT_BATCH).record(pieces as f64);
}
