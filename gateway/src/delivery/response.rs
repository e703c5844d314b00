//! How a destination answered an attempt, as a class: what an operator needs to know where to look.

use tandem_adapter_port::conversation::{Answer, TransportFailure};

/// A class of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Response {
    /// A file lies in the exchange folder.
    Stored,
    /// A status of HTTP.
    Status(u16),
    /// No answer came, or not the whole of one.
    Failed(&'static str),
}

impl Response {
    /// The class of an answer.
    pub(super) fn of(answer: &Answer) -> Self {
        match answer {
            Ok(answer) => Self::Status(answer.status().as_u16()),
            Err(TransportFailure::Connect) => Self::Failed("unreachable"),
            Err(TransportFailure::Refused) => Self::Failed("refused"),
            Err(TransportFailure::Tls) => Self::Failed("tls"),
            Err(TransportFailure::Timeout) => Self::TIMEOUT,
            Err(TransportFailure::TooLarge) => Self::Failed("too-large"),
            Err(_) => Self::Failed("cut"),
        }
    }

    /// Whether the destination has surely not taken what was handed over: it was not reached, or it refused.
    pub(super) const fn is_refusal(self) -> bool {
        match self {
            Self::Stored | Self::Status(408) => false,
            Self::Status(status) => matches!(status / 100, 3 | 4),
            // A connection that was never made carries nothing.
            Self::Failed(how) => matches!(how.as_bytes(), b"unreachable" | b"refused" | b"tls"),
        }
    }

    /// Nothing came in time.
    pub(super) const TIMEOUT: Self = Self::Failed("timeout");

    /// As text.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Failed(how) => how,
            Self::Status(status) => match status / 100 {
                1 => "1xx",
                2 => "2xx",
                3 => "3xx",
                4 => "4xx",
                _ => "5xx",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_by_its_class_and_a_failure_by_where_it_broke() {
        let status = |status: u16| {
            let answer = http::Response::builder().status(status).body(Vec::new());
            Response::of(&Ok(answer.unwrap())).code()
        };
        assert_eq!(
            [201, 302, 429, 503].map(status),
            ["2xx", "3xx", "4xx", "5xx"]
        );
        let failed = |failure| Response::of(&Err(failure)).code();
        assert_eq!(failed(TransportFailure::Tls), "tls");
        assert_eq!(failed(TransportFailure::Refused), "refused");
        assert_eq!(failed(TransportFailure::Timeout), "timeout");
        assert_eq!(failed(TransportFailure::Cut), "cut");
    }

    #[test]
    fn what_was_refused_or_never_sent_is_told_from_what_may_have_arrived() {
        for refusal in [
            Response::Status(409),
            Response::Status(429),
            Response::Failed("refused"),
        ] {
            assert!(refusal.is_refusal(), "{refusal:?}");
        }
        for open in [
            Response::Status(408),
            Response::Status(502),
            Response::Failed("cut"),
            Response::TIMEOUT,
        ] {
            assert!(!open.is_refusal(), "{open:?}");
        }
    }
}
