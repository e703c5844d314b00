//! Traces: which steps a message went through and how long each took, for an OpenTelemetry collector of the operator.
//!
//! A trace begins where something is received. Its place is kept with the input, the events and the messages that follow, so
//! that an attempt hours later, by another gateway, belongs to it. It stays in here: nothing of it is told to a partner, and what
//! a partner sends of its own is not read (`docs/adr/0024-traces-stay-inside.md`).
//!
//! Only what [`Step`] and [`Field`] name can stand in a span: ids of ours, systems, codes and counts.

mod export;
mod place;

use std::fmt::Display;

use opentelemetry::context::WithContext;
use opentelemetry::trace::{FutureExt as _, SpanBuilder, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;

pub(crate) use self::export::start;
pub use self::place::Place;

/// A step of a message's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A request to the API that asks for something to be done.
    Request,
    /// An input is read and made durable.
    Accept,
    /// An event takes effect.
    Apply,
    /// A record is compared with those of others.
    Match,
    /// It is decided what may be told.
    Decide,
    /// What may be told is written in the recipient's form.
    Compose,
    /// A message is decided again, written and handed over.
    Attempt,
    /// What the recipient answered returns to state and sender.
    Acknowledge,
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Accept => "accept",
            Self::Apply => "apply",
            Self::Match => "match",
            Self::Decide => "decide",
            Self::Compose => "compose",
            Self::Attempt => "attempt",
            Self::Acknowledge => "acknowledge",
        }
    }
}

/// What a span may say. Values are ids of ours, names of the configuration, codes and counts, never a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// A message of the outbox.
    Message,
    /// An input.
    Input,
    /// An event.
    Event,
    /// A system.
    System,
    /// The destination of a lane.
    Lane,
    /// A kind of event or message, or a format.
    Kind,
    /// How it came out.
    Outcome,
    /// How the destination answered, as a class.
    Response,
    /// Which attempt it is.
    Number,
    /// A route of the API, without its values.
    Route,
    /// The status of an answer.
    Status,
}

impl Field {
    const fn name(self) -> &'static str {
        match self {
            Self::Message => "tandem.message",
            Self::Input => "tandem.input",
            Self::Event => "tandem.event",
            Self::System => "tandem.system",
            Self::Lane => "tandem.lane",
            Self::Kind => "tandem.kind",
            Self::Outcome => "tandem.outcome",
            Self::Response => "tandem.response",
            Self::Number => "tandem.attempt",
            Self::Route => "http.route",
            Self::Status => "http.response.status_code",
        }
    }
}

/// Makes spans; none where no collector is configured.
#[derive(Debug, Clone, Default)]
pub struct Traces(Option<SdkTracer>);

/// A step that is being taken. It ends when this is dropped.
#[derive(Debug)]
pub struct Open(Context);

impl Traces {
    /// Begins a step: under a place that was kept, else under the step that is being taken here, else a trace of its own.
    #[must_use]
    pub fn begin(&self, step: Step, under: Option<&Place>) -> Open {
        let Some(tracer) = &self.0 else {
            return Open(Context::new());
        };
        let parent = under.map_or_else(Context::current, Place::as_parent);
        let span = tracer.build_with_context(SpanBuilder::from_name(step.name()), &parent);
        Open(Context::new().with_span(span))
    }
}

impl Open {
    /// The step that is being taken here.
    #[must_use]
    pub fn here() -> Self {
        Self(Context::current())
    }

    /// Says something of the step.
    pub fn note(&self, field: Field, value: impl Display) {
        let span = self.0.span();
        if span.is_recording() {
            span.set_attribute(KeyValue::new(field.name(), value.to_string()));
        }
    }

    /// Does work as a part of the step: what begins within it stands under it, and what it writes keeps its place.
    pub fn around<F>(&self, work: F) -> WithContext<F> {
        work.with_context(self.0.clone())
    }

    /// A step within this one.
    #[must_use]
    pub fn within(&self, traces: &Traces, step: Step) -> Open {
        let _under_this = self.0.clone().attach();
        traces.begin(step, None)
    }
}
