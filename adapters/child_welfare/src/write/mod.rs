//! Writers: permitted views as the two NIEM 6.0 messages.
//!
//! A referral and how it stands travel as `lk:CoordinatedReferralMessage`, everything else as
//! `lk:CasePlanUpdateMessage`; `nc:DocumentCategoryText` names the kind. One message, one file. The
//! effect key of the format is the message id in `nc:DocumentIdentification`.

mod message;
mod notice;
pub(crate) mod party;
pub(crate) mod plan;
pub(crate) mod referral;
mod time;
mod xml;

use tandem_adapter_port::format::Format;
use tandem_adapter_port::memory::PartnerMemory;
use tandem_adapter_port::outbound::{Outbound, OutboundBody};
use tandem_adapter_port::write::{
    Delivery, Fault, FormatWriter, WriteContext, Written, WrittenFile,
};
use tandem_mappings::tables::TableError;

use self::message::{Parts, message};
use crate::config::Config;
use crate::tables::Tables;

/// Why a view is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Unwritable {
    #[error("no rule is named on which the disclosure rests")]
    NoBasis,
    #[error("nobody may be named, and the message requires a person")]
    NobodyNamed,
    #[error("the message names no rating that may be told")]
    NothingTold,
    #[error("the message could not be put into xml")]
    Xml,
}

/// Writes the two NIEM messages.
#[derive(Debug, Clone)]
pub struct NiemWriter {
    tables: Tables,
    config: Config,
}

impl NiemWriter {
    /// A writer for a deployment.
    ///
    /// # Errors
    /// When an embedded table is wrong.
    pub fn new(config: Config) -> Result<Self, TableError> {
        Ok(Self {
            tables: Tables::embedded()?,
            config,
        })
    }

    fn parts(&self, outbound: &Outbound, context: &WriteContext) -> Parts {
        match &outbound.body {
            OutboundBody::MutualClient(view) => notice::mutual_client(view),
            OutboundBody::Referral(view) => {
                referral::referral(outbound, view, &self.tables, context)
            }
            OutboundBody::ReferralStatus(view) => {
                referral::status(outbound, view, &self.tables, context)
            }
            OutboundBody::Plan(view) => plan::plan(view, &self.tables, context),
            OutboundBody::Participation(view) => plan::participation(outbound, view, context),
            OutboundBody::Comanagement(view) => notice::comanagement(outbound, view, context),
            OutboundBody::Meeting(view) => notice::meeting(view, context),
            OutboundBody::Assessment(view) => notice::assessment(view),
            OutboundBody::Conflict(view) => notice::conflict(view, context),
            OutboundBody::Change(view) => notice::change(outbound, view),
            OutboundBody::Recall(view) => notice::recall(view),
            OutboundBody::ConsentReminder(view) => notice::consent_reminder(view),
        }
    }

    fn file(&self, outbound: &Outbound, context: &WriteContext) -> Result<WrittenFile, Unwritable> {
        require(outbound)?;
        let root = message(outbound, self.parts(outbound, context), context);
        let bytes = xml::document(root, &self.config.linkages_namespace);
        Ok(WrittenFile {
            name: format!("tandem-{:08}-{}.xml", context.sequence, outbound.id),
            content_type: "application/xml",
            bytes: bytes.map_err(|_| Unwritable::Xml)?,
            messages: vec![outbound.id],
        })
    }
}

/// What the profile requires and redaction may have taken.
fn require(outbound: &Outbound) -> Result<(), Unwritable> {
    let is_recall = matches!(outbound.body, OutboundBody::Recall(_));
    if outbound.basis.iter().all(|rule| rule.trim().is_empty()) && !is_recall {
        return Err(Unwritable::NoBasis);
    }
    let nobody = !outbound.people.iter().any(party::is_named);
    match &outbound.body {
        OutboundBody::Referral(view) if nobody && !view.is_withdrawn => {
            Err(Unwritable::NobodyNamed)
        }
        OutboundBody::MutualClient(_) if nobody => Err(Unwritable::NobodyNamed),
        OutboundBody::Assessment(view) if view.ratings.is_empty() => Err(Unwritable::NothingTold),
        _ => Ok(()),
    }
}

impl FormatWriter for NiemWriter {
    fn format(&self) -> Format {
        Format::Niem
    }

    fn batch_limit(&self) -> usize {
        1
    }

    fn write(
        &self,
        batch: &[Outbound],
        _memory: &dyn PartnerMemory,
        context: &WriteContext,
    ) -> Written {
        let mut written = Written::default();
        for outbound in batch {
            match self.file(outbound, context) {
                Ok(file) => written.files.push(file),
                Err(reason) => {
                    let park = Delivery::Park {
                        fault: Fault::Ours,
                        text: reason.to_string(),
                    };
                    written.not_written.push((outbound.id, park));
                }
            }
        }
        written
    }
}
