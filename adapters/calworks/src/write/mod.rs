//! The writer of `calworks/linkages`: permitted views become Linkages messages, in a CSV batch or as JSON.
//!
//! The same batch and context give the same bytes. A view from which redaction took what a message needs is not written
//! at all: it is parked.

mod form;
mod referral;
mod render;
mod situation;

use tandem_adapter_port::format::Format;
use tandem_adapter_port::memory::PartnerMemory;
use tandem_adapter_port::outbound::Outbound;
use tandem_adapter_port::write::{
    Delivery, Fault, FormatWriter, WriteContext, Written, WrittenFile,
};
use tandem_mappings::tables::TableError;

use crate::tables::LinkagesFields;

/// The form in which a partner takes Linkages messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkagesForm {
    /// One CSV batch.
    #[default]
    Csv,
    /// JSON.
    Json,
}

/// The most messages of one batch: a worker can still open it in a spreadsheet.
const BATCH_LIMIT: usize = 500;

/// The writer of `calworks/linkages`.
#[derive(Debug)]
pub struct LinkagesWriter {
    fields: LinkagesFields,
    form: LinkagesForm,
}

impl LinkagesWriter {
    /// A writer by the shipped field table.
    ///
    /// # Errors
    /// When the table is not sound.
    pub fn new(form: LinkagesForm) -> Result<Self, TableError> {
        Ok(Self {
            fields: LinkagesFields::load()?,
            form,
        })
    }
}

impl FormatWriter for LinkagesWriter {
    fn format(&self) -> Format {
        Format::Linkages
    }

    fn batch_limit(&self) -> usize {
        BATCH_LIMIT
    }

    fn write(
        &self,
        batch: &[Outbound],
        _memory: &dyn PartnerMemory,
        context: &WriteContext,
    ) -> Written {
        let mut written = Written::default();
        let mut messages = Vec::new();
        let mut ids = Vec::new();
        for outbound in batch {
            let message = render::message(outbound, context);
            match form::check(&self.fields, &message) {
                Ok(()) => {
                    ids.push(outbound.id);
                    messages.push(message);
                }
                Err(missing) => {
                    let text =
                        format!("the permitted view lacks what the message needs: {missing}");
                    written.not_written.push((
                        outbound.id,
                        Delivery::Park {
                            fault: Fault::Ours,
                            text,
                        },
                    ));
                }
            }
        }
        if messages.is_empty() {
            return written;
        }
        let (ending, content_type, bytes) = match self.form {
            LinkagesForm::Csv => ("csv", "text/csv", form::csv(&self.fields, &messages)),
            LinkagesForm::Json => (
                "json",
                "application/json",
                form::json(&self.fields, &messages),
            ),
        };
        let name = format!("linkages-{:08}.{ending}", context.sequence);
        written.files.push(WrittenFile {
            name,
            content_type,
            bytes,
            messages: ids,
        });
        written
    }
}
