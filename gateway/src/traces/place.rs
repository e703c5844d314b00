//! A place in a trace, as it is kept with what was written there.

use std::fmt;

use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};

/// A place in a trace, in the text form of W3C's `traceparent`: `00-TRACE-SPAN-FLAGS`. It names nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(SpanContext);

impl Place {
    /// The place of the step that is being taken here; `None` where nothing is traced.
    #[must_use]
    pub fn here() -> Option<Self> {
        let context = Context::current();
        let place = context.span().span_context().clone();
        place.is_valid().then_some(Self(place))
    }

    /// The place as it was kept; `None` for what is none, with which a trace of its own begins.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut next = |length: usize| {
            let part = parts.next()?;
            let is_hex = part.bytes().all(|byte| byte.is_ascii_hexdigit());
            (part.len() == length && is_hex).then_some(part)
        };
        let (version, trace, span, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
        if version != "00" || parts.next().is_some() {
            return None;
        }
        let place = SpanContext::new(
            TraceId::from_hex(trace).ok()?,
            SpanId::from_hex(span).ok()?,
            TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
            true,
            TraceState::NONE,
        );
        place.is_valid().then_some(Self(place))
    }

    /// What stands under this place.
    pub(super) fn as_parent(&self) -> Context {
        Context::new().with_remote_span_context(self.0.clone())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace, span) = (self.0.trace_id(), self.0.span_id());
        write!(f, "00-{trace}-{span}-{:02x}", self.0.trace_flags())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_place_is_kept_word_for_word() {
        assert_eq!(Place::parse(TEXT).unwrap().to_string(), TEXT);
        let unsampled = TEXT.replace("-01", "-00");
        assert_eq!(Place::parse(&unsampled).unwrap().to_string(), unsampled);
    }

    #[test]
    fn what_is_no_place_is_none() {
        let zero = format!("00-{}-b7ad6b7169203331-01", "0".repeat(32));
        let others = [
            "",
            "00",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0af7651916cd43dd8448eb211c8031-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            &zero,
        ];
        for text in others {
            assert_eq!(Place::parse(text), None, "{text}");
        }
    }

    #[test]
    fn where_nothing_is_traced_there_is_no_place() {
        assert_eq!(Place::here(), None);
    }
}
