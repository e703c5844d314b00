//! Writes packages for an HMIS: Event rows in a delta, everything else in a custom file.
//!
//! A batch becomes at most two zips. `tandem-hmis-event-N.zip` is a delta package (ExportDirective 1): Event rows and
//! unchanged copies of the rows to which they refer, since a blank in a newer row overwrites a value at the receiver.
//! `tandem-hmis-custom-N.zip` holds one custom file and no other, since an official export has none. Notices that
//! must travel with Event rows, which have no place for them, stand in a text file beside the zip.

mod csv_text;
mod custom;
mod delta;
mod draft;
mod event;
mod facts;
mod parked;
mod partner;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Write as _};
use std::sync::Arc;

use tandem_adapter_port::format::Format;
use tandem_adapter_port::memory::{PartnerMemory, PartnerRow};
use tandem_adapter_port::outbound::Outbound;
use tandem_adapter_port::write::{
    Delivery, Fault, FormatWriter, WriteContext, Written, WrittenFile,
};
use tandem_mappings::model::id::MessageId;
use tandem_mappings::tables::Table;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use self::csv_text::file_text;
use self::custom::{CustomWriter, effect_index, message_index};
use self::delta::{Delta, OurRows};
use self::draft::Draft;
use self::event::{EventWriter, local};
use self::parked::Parked;
use self::partner::Partner;
use crate::config::{ConfigError, WriteConfig};
use crate::kept::{KeptRow, person_index};
use crate::tables::{EventTypes, custom_layout};

const ZIP: &str = "application/zip";
/// Most messages in one delivery.
const BATCH_LIMIT: usize = 500;

/// Writes packages for an HMIS.
#[derive(Debug, Clone)]
pub struct HmisWriter {
    config: WriteConfig,
    types: Arc<EventTypes>,
}

impl HmisWriter {
    /// A writer with settings. `event_types` are a county's rows over `event_types.csv`, if it has any.
    ///
    /// # Errors
    /// When a setting does not fit its column, or a row of the county's table names no domain or event.
    pub fn new(config: WriteConfig, event_types: Option<Table>) -> Result<Self, ConfigError> {
        config.check()?;
        let types = Arc::new(EventTypes::new(event_types)?);
        Ok(Self { config, types })
    }
}

impl FormatWriter for HmisWriter {
    fn format(&self) -> Format {
        Format::HmisCsv
    }

    fn batch_limit(&self) -> usize {
        BATCH_LIMIT
    }

    fn write(
        &self,
        batch: &[Outbound],
        memory: &dyn PartnerMemory,
        context: &WriteContext,
    ) -> Written {
        let partner = match Partner::new(memory) {
            Ok(partner) => partner,
            Err(parked) => return all_parked(batch, parked),
        };
        let today = local(context.now, &context.zone).date();
        let first = batch
            .iter()
            .map(|message| local(message.created_at, &context.zone).date());
        let ours = OurRows {
            config: &self.config,
            context,
            from: first.min().unwrap_or(today),
        };
        let mut making = Making::new(&partner, ours, &self.types);
        for message in batch {
            if let Err(parked) = making.message(message) {
                making.written.not_written.push((message.id, parked.into()));
            }
        }
        making.finish()
    }
}

/// A batch in the making.
struct Making<'a> {
    partner: &'a Partner<'a>,
    types: &'a EventTypes,
    ours: OurRows<'a>,
    delta: Delta,
    delta_messages: Vec<MessageId>,
    /// EventID of the row that each message wrote.
    event_messages: Vec<(String, MessageId)>,
    notices: BTreeSet<(String, String)>,
    custom: BTreeMap<String, Draft>,
    custom_memory: BTreeMap<String, PartnerRow>,
    custom_messages: Vec<MessageId>,
    written: Written,
}

impl<'a> Making<'a> {
    fn new(partner: &'a Partner<'a>, ours: OurRows<'a>, types: &'a EventTypes) -> Self {
        Self {
            partner,
            types,
            ours,
            delta: Delta::default(),
            delta_messages: Vec::new(),
            event_messages: Vec::new(),
            notices: BTreeSet::new(),
            custom: BTreeMap::new(),
            custom_memory: BTreeMap::new(),
            custom_messages: Vec::new(),
            written: Written::default(),
        }
    }

    fn message(&mut self, message: &Outbound) -> Result<(), Parked> {
        let events = EventWriter {
            config: self.ours.config,
            context: self.ours.context,
            partner: self.partner,
            types: self.types,
        };
        match events.row(message, &self.delta) {
            Some(row) => {
                let row = row?;
                let id = row.key().to_owned();
                self.delta.add_event(row, self.partner, &self.ours)?;
                self.event_messages.push((id, message.id));
                self.delta_messages.push(message.id);
                for notice in &message.notices {
                    self.notices
                        .insert((notice.code.clone(), notice.text.clone()));
                }
            }
            None => {
                let custom = CustomWriter {
                    config: self.ours.config,
                    context: self.ours.context,
                    partner: self.partner,
                    // Two packages of one turn are two exports: a strict HMIS refuses an ExportID it has seen.
                    export_id: format!("{}-C", self.ours.export_id()),
                };
                let effect = effect_index(message);
                let is_same = |key: &String| {
                    self.custom_memory
                        .get(key)
                        .is_some_and(|kept| kept.index.contains(&effect))
                };
                let written = self.custom.iter().filter(|(key, _)| is_same(key));
                let rows = custom.rows(message, written.map(|(_, row)| row))?;
                for row in rows {
                    if let Some(kept) = custom.memory(message, &row) {
                        self.custom_memory.insert(row.key().to_owned(), kept);
                    }
                    self.custom.insert(row.key().to_owned(), row);
                }
                self.custom_messages.push(message.id);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Written {
        if !self.delta.is_empty() {
            match self.delta_files() {
                Ok(files) => {
                    self.written.files.extend(files);
                    let memory = self.event_memory();
                    self.written.memory.extend(memory);
                }
                Err(delivery) => park(&mut self.written, &self.delta_messages, &delivery),
            }
        }
        if !self.custom.is_empty() {
            match self.custom_file() {
                Ok(file) => {
                    self.written.files.push(file);
                    self.written
                        .memory
                        .extend(std::mem::take(&mut self.custom_memory).into_values());
                }
                Err(delivery) => park(&mut self.written, &self.custom_messages, &delivery),
            }
        }
        self.written
    }

    /// The Event rows as they now stand at the partner.
    fn event_memory(&self) -> Vec<PartnerRow> {
        let edition = self.partner.tables.edition.name().to_owned();
        let kept = self.delta.events().filter_map(|row| {
            let (edition, values) = (edition.clone(), row.values.clone());
            KeptRow { edition, values }.to_partner_row("Event", row.key(), self.event_indexes(row))
        });
        kept.collect()
    }

    fn event_indexes(&self, row: &Draft) -> Vec<String> {
        let by_message = self
            .event_messages
            .iter()
            .filter(|(id, _)| id == row.key())
            .map(|(_, message)| message_index(message));
        std::iter::once(person_index(row.get("PersonalID")))
            .chain(by_message)
            .collect()
    }

    fn delta_files(&self) -> Result<Vec<WrittenFile>, Delivery> {
        let all_files = self.ours.config.all_files;
        let entries = self.delta.files(self.partner, &self.ours, all_files)?;
        let stem = format!("tandem-hmis-event-{:06}", self.ours.context.sequence);
        let mut files = vec![WrittenFile {
            name: format!("{stem}.zip"),
            content_type: ZIP,
            bytes: zip_of(&entries)?,
            messages: self.delta_messages.clone(),
        }];
        if !self.notices.is_empty() {
            let text: String = self
                .notices
                .iter()
                .map(|(code, text)| format!("{code}\n{text}\n\n"))
                .collect();
            files.push(WrittenFile {
                name: format!("{stem}-notices.txt"),
                content_type: "text/plain; charset=utf-8",
                bytes: text.into_bytes(),
                messages: Vec::new(),
            });
        }
        Ok(files)
    }

    fn custom_file(&self) -> Result<WrittenFile, Delivery> {
        let layout = custom_layout().map_err(|_| Parked::Tables)?;
        let mut rows: Vec<&Draft> = self.custom.values().collect();
        rows.sort_by_key(|row| {
            let order: u32 = row.get("CustomQuestionOrder").parse().unwrap_or(u32::MAX);
            (row.get("CustomQuestionGroup").to_owned(), order)
        });
        let text = file_text(layout, rows.into_iter().map(|row| row.values.as_slice()));
        let entry = (format!("{}.csv", self.ours.config.custom_file), text);
        Ok(WrittenFile {
            name: format!("tandem-hmis-custom-{:06}.zip", self.ours.context.sequence),
            content_type: ZIP,
            bytes: zip_of(&[entry])?,
            messages: self.custom_messages.clone(),
        })
    }
}

fn all_parked(batch: &[Outbound], parked: Parked) -> Written {
    let not_written = batch
        .iter()
        .map(|message| (message.id, parked.into()))
        .collect();
    Written {
        not_written,
        ..Written::default()
    }
}

fn park(written: &mut Written, messages: &[MessageId], delivery: &Delivery) {
    written
        .not_written
        .extend(messages.iter().map(|message| (*message, delivery.clone())));
}

/// A flat zip without times, so that the same entries give the same bytes.
fn zip_of(entries: &[(String, String)]) -> Result<Vec<u8>, Delivery> {
    let failed = |error: &dyn std::fmt::Display| Delivery::Park {
        fault: Fault::Ours,
        text: format!("the zip could not be written: {error}"),
    };
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in entries {
        writer
            .start_file(name.as_str(), options)
            .map_err(|error| failed(&error))?;
        writer
            .write_all(text.as_bytes())
            .map_err(|error| failed(&error))?;
    }
    Ok(writer
        .finish()
        .map_err(|error| failed(&error))?
        .into_inner())
}
