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
}
