//! Conversations: a state machine that yields HTTP requests and takes responses. The gateway sends them, bounded in
//! time, size and number.

use std::time::Duration;

use jiff::Timestamp;
use tandem_mappings::model::event::NewEvent;

use crate::deviation::Deviation;
use crate::memory::PartnerRow;
use crate::write::Delivery;

/// No response came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportFailure {
    /// The host can't be found or reached.
    #[error("cannot connect")]
    Connect,
    /// The host answered that nobody listens there.
    #[error("connection refused")]
    Refused,
    /// No secure connection came about: a certificate is not trusted or has ended, or no protocol is common to both.
    #[error("no secure connection")]
    Tls,
    /// Nothing came in time. The request may have taken effect.
    #[error("timed out")]
    Timeout,
    /// The connection was cut. The request may have taken effect.
    #[error("connection cut")]
    Cut,
    /// The answer is larger than allowed.
    #[error("answer too large")]
    TooLarge,
}

/// What a conversation got for its request.
pub type Answer = Result<http::Response<Vec<u8>>, TransportFailure>;

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Send this, with an absolute URI, and give back the answer. Authorisation is added by the transport.
    Send(Box<http::Request<Vec<u8>>>),
    /// It is over.
    Done(Box<Conclusion>),
}

/// What came of a conversation.
#[derive(Debug, Default)]
pub struct Conclusion {
    /// Events read on the way.
    pub events: Vec<NewEvent>,
    /// What was wrong with what was read.
    pub deviations: Vec<Deviation>,
    /// What to remember about the partner.
    pub memory: Vec<PartnerRow>,
    /// Outcome of a delivery; `None` for a pull that went well.
    pub delivery: Option<Delivery>,
    /// The partner asks to wait this long before the next conversation.
    pub wait: Option<Duration>,
}

/// A conversation with one partner.
pub trait Conversation: Send {
    /// What to do next. `answer` belongs to the request of the last step and is `None` only at the start.
    fn step(&mut self, answer: Option<Answer>, now: Timestamp) -> Step;
}
