//! Writing: permitted views become the recipient's own format.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::{MessageId, OrganizationId, SystemId};

use crate::format::Format;
use crate::memory::{PartnerMemory, PartnerRow};
use crate::outbound::Outbound;

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The partner's.
    Partner,
    /// Ours.
    Ours,
    /// The network between us.
    Network,
}

/// Outcome of an attempt to deliver one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Delivery {
    /// The partner has it; its acknowledgement will follow.
    Delivered {
        /// The partner's id of what was made, when it told one.
        reference: Option<String>,
    },
    /// The partner has it and acknowledged it.
    Acknowledged {
        /// The partner's id of what was made, when it told one.
        reference: Option<String>,
    },
    /// Not delivered; worth another try.
    Retry {
        /// Whose fault.
        fault: Fault,
        /// Wait at least this long, when the partner said so.
        after: Option<Duration>,
        /// Text for the operator, without personal data.
        text: String,
    },
    /// Not delivered; trying again would not help.
    Park {
        /// Whose fault.
        fault: Fault,
        /// Text for the operator, without personal data, for example `no enrollment at target`.
        text: String,
    },
}

/// What a writer may know about its surroundings.
#[derive(Debug, Clone)]
pub struct WriteContext {
    /// The receiving system.
    pub system: SystemId,
    /// The organisation that runs it.
    pub organization: OrganizationId,
    /// Now.
    pub now: Timestamp,
    /// The jurisdiction's zone.
    pub zone: TimeZone,
    /// Number of this delivery to this destination, from 1: for file names and export ids.
    pub sequence: u64,
}

/// A file that a writer made.
#[derive(Clone, PartialEq, Eq)]
pub struct WrittenFile {
    /// File name for the partner, unique per destination.
    pub name: String,
    /// Media type, for HTTP.
    pub content_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The messages that it carries.
    pub messages: Vec<MessageId>,
}

impl std::fmt::Debug for WrittenFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "WrittenFile({}, {} bytes, {} messages)",
            self.name,
            self.bytes.len(),
            self.messages.len()
        )
    }
}

/// What a writer made of a batch. Every message of the batch is in exactly one file or in `not_written`.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// Files to hand over.
    pub files: Vec<WrittenFile>,
    /// Messages that could not be written, each with its outcome (`Park` or `Retry`).
    pub not_written: Vec<(MessageId, Delivery)>,
    /// What to remember once the files are handed over (for example the Event rows that are now ours there).
    pub memory: Vec<PartnerRow>,
}

/// A file or message format that can be written.
pub trait FormatWriter: Send + Sync {
    /// The format.
    fn format(&self) -> Format;

    /// The most messages that one delivery carries.
    fn batch_limit(&self) -> usize;

    /// Writes a batch. The same batch, memory and context give the same bytes. A view from which redaction took
    /// what the format requires is not written at all: it is parked.
    fn write(
        &self,
        batch: &[Outbound],
        memory: &dyn PartnerMemory,
        context: &WriteContext,
    ) -> Written;
}
