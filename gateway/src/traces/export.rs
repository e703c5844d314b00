//! Sends spans to the collector. A span that ends is put into a bounded queue, or dropped and counted when it is full: the
//! pipeline never waits. A collector that is slow or away costs spans and nothing else.

use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    SdkTracerProvider, Span, SpanData, SpanExporter as _, SpanProcessor,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::Traces;
use crate::config::TelemetryConfig;
use crate::figures;

/// Spans that may wait to be sent.
const WAITING: usize = 8_192;
/// Spans that are sent at one time.
const TOGETHER: usize = 512;
/// How long the first of them waits for others.
const LINGER: Duration = Duration::from_secs(1);
/// How long the collector has for its answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// How long a stop waits until what was left is sent.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// Spans on their way to the collector.
#[derive(Debug)]
pub(crate) struct Exporting {
    spans: mpsc::Receiver<SpanData>,
    exporter: SpanExporter,
    /// Those that are sent next.
    batch: Vec<SpanData>,
    /// How many the collector was sent and has not answered.
    under_way: usize,
    /// Whether the collector took what it was sent last.
    is_taken: bool,
}

/// Puts what has ended into the queue.
#[derive(Debug)]
struct Queue(mpsc::Sender<SpanData>);

impl SpanProcessor for Queue {
    fn on_start(&self, _span: &mut Span, _under: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.0.try_send(span).is_err() {
            figures::spans("dropped", 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _limit: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// The traces that a configuration asks for, and the work of sending them; nothing where no collector is named.
///
/// # Errors
/// When no client can be made for the collector.
pub(crate) fn start(config: &TelemetryConfig) -> anyhow::Result<(Traces, Option<Exporting>)> {
    let Some(collector) = &config.otlp else {
        return Ok((Traces::default(), None));
    };
    let client = reqwest::Client::builder()
        .timeout(ANSWER_LIMIT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .context("telemetry.otlp: making a client")?;
    let place = format!("{}/v1/traces", collector.as_str().trim_end_matches('/'));
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(place)
        .with_timeout(ANSWER_LIMIT)
        .build()
        .context("telemetry.otlp: making an exporter")?;
    // Not the detectors of the library: they would add what stands in the environment.
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", "tandem"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .build();
    exporter.set_resource(&resource);
    let (queue, spans) = mpsc::channel(WAITING);
    let provider = SdkTracerProvider::builder()
        .with_span_processor(Queue(queue))
        .with_resource(resource)
        .build();
    let exporting = Exporting {
        spans,
        exporter,
        batch: Vec::new(),
        under_way: 0,
        is_taken: true,
    };
    Ok((Traces(Some(provider.tracer("tandem"))), Some(exporting)))
}

impl Exporting {
    /// Sends spans until the gateway stops, and then what is left, for a bounded time.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let late = async {
            stop.cancelled().await;
            tokio::time::sleep(FLUSH_LIMIT).await;
        };
        tokio::select! {
            () = self.work(&stop) => return,
            () = late => {}
        }
        let left = self.batch.len() + self.under_way + self.spans.len();
        tracing::warn!(
            left,
            "the collector did not take the last spans in time; they are lost"
        );
        figures::spans("failed", left);
    }

    async fn work(&mut self, stop: &CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    while self.batch.len() < TOGETHER && let Ok(span) = self.spans.try_recv() {
                        self.batch.push(span);
                    }
                    if self.batch.is_empty() {
                        return;
                    }
                }
                () = gather(&mut self.spans, &mut self.batch) => {}
            }
            self.send().await;
        }
    }

    async fn send(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        self.under_way = batch.len();
        let sent = self.exporter.export(batch).await;
        let count = std::mem::take(&mut self.under_way);
        figures::spans(if sent.is_ok() { "exported" } else { "failed" }, count);
        match &sent {
            Err(error) if self.is_taken => {
                tracing::warn!(%error, "the collector does not take spans; they are lost until it does");
            }
            Ok(()) if !self.is_taken => tracing::info!("the collector takes spans again"),
            _ => {}
        }
        self.is_taken = sent.is_ok();
    }
}

/// Takes what waits, and what comes within a moment.
async fn gather(spans: &mut mpsc::Receiver<SpanData>, batch: &mut Vec<SpanData>) {
    let Some(first) = spans.recv().await else {
        return std::future::pending().await;
    };
    batch.push(first);
    let until = Instant::now() + LINGER;
    while batch.len() < TOGETHER {
        let most = TOGETHER - batch.len();
        match timeout_at(until, spans.recv_many(batch, most)).await {
            Ok(count) if count > 0 => {}
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::Tracer as _;

    use super::*;

    #[test]
    fn a_span_that_finds_no_room_is_dropped_at_once_and_counted() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let (queue, mut spans) = mpsc::channel(2);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Queue(queue))
            .build();
        let tracer = provider.tracer("tandem");
        metrics::with_local_recorder(&recorder, || {
            for _ in 0..5 {
                drop(tracer.start("apply"));
            }
        });
        let shown = recorder.handle().render();
        let dropped = "tandem_trace_spans_total{outcome=\"dropped\"} 3";
        assert!(shown.contains(dropped), "{shown}");
        assert!(spans.try_recv().is_ok() && spans.try_recv().is_ok());
        assert!(spans.try_recv().is_err());
    }
}
