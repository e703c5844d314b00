//! Rows of a custom file (HUD's template, Appendix C): everything that the 24 files have no place for.
//!
//! One row for each fact. The key is made of the message's effect key, the group and the question, so that a later
//! telling replaces the earlier one; what it no longer says is deleted at the partner by a row with DateDeleted and
//! without the answer.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use tandem_adapter_port::memory::PartnerRow;
use tandem_adapter_port::outbound::{Outbound, OutboundBody};
use tandem_adapter_port::write::WriteContext;
use tandem_mappings::model::id::MessageId;

use super::csv_text::clean;
use super::draft::Draft;
use super::event::local;
use super::facts::{Fact, Facts};
use super::parked::Parked;
use super::partner::{Partner, StayOf};
use crate::config::WriteConfig;
use crate::describe::base32;
use crate::kept::KeptRow;
use crate::tables::{FileLayout, custom_layout};
use crate::value::instant_text;

/// Edition under which custom rows are remembered: the template is the same in every year.
pub(crate) const EDITION: &str = "custom";
/// Most characters of an answer; longer text goes on in further rows.
const ANSWER_LENGTH: usize = 250;

/// Writes custom rows for one batch.
pub(crate) struct CustomWriter<'a> {
    pub(crate) config: &'a WriteConfig,
    pub(crate) context: &'a WriteContext,
    pub(crate) partner: &'a Partner<'a>,
    pub(crate) export_id: String,
}

impl CustomWriter<'_> {
    /// The rows of a message, those that delete earlier ones included, by key.
    /// `written` are the rows that the batch already wrote under the message's effect key.
    pub(crate) fn rows<'r>(
        &self,
        message: &Outbound,
        written: impl Iterator<Item = &'r Draft>,
    ) -> Result<Vec<Draft>, Parked> {
        let layout = custom_layout().map_err(|_| Parked::Tables)?;
        let (kind, facts) = Facts::of(message, &self.context.zone);
        if facts.is_empty() {
            return Err(Parked::NothingLeft);
        }
        let recalled = self.recalled(message, layout);
        let stay = self.anchor(message, &recalled)?;
        if ["EnrollmentID", "PersonalID"]
            .iter()
            .any(|id| stay.get(id).chars().count() > 32)
        {
            return Err(Parked::TooLong);
        }
        let mut standing: BTreeMap<String, Draft> = self
            .partner
            .custom_rows(layout, &effect_index(message))
            .into_iter()
            .chain(recalled)
            .chain(written.cloned())
            .map(|row| (row.key().to_owned(), row))
            .collect();
        let mut rows = Vec::new();
        for (index, piece) in pieces(kind, &facts).into_iter().enumerate() {
            let key = row_key(message, &piece);
            let held = standing.remove(&key);
            let mut row = self.row(layout, piece, &stay, held.as_ref());
            row.set("CustomQuestionID", key);
            row.set("CustomQuestionOrder", (index + 1).to_string());
            rows.push(row);
        }
        let gone = standing
            .into_values()
            .filter(|row| row.get("DateDeleted").is_empty());
        rows.extend(gone.map(|row| self.deleted(row)));
        Ok(rows)
    }

    /// A row without its key and order; what stood under its key keeps the day of its making.
    fn row(
        &self,
        layout: &'static FileLayout,
        piece: Piece,
        stay: &Draft,
        held: Option<&Draft>,
    ) -> Draft {
        let now = self.now();
        let mut row = Draft::blank(layout);
        row.set("EnrollmentID", stay.get("EnrollmentID"));
        row.set("PersonalID", stay.get("PersonalID"));
        row.set("CustomQuestionGroup", piece.group);
        row.set("CustomQuestion", piece.question);
        row.set("CustomAnswer", piece.answer);
        row.set("CustomDetailAnswer", piece.detail);
        let created = held.map(|held| held.get("DateCreated").to_owned());
        row.set("DateCreated", created.unwrap_or_else(|| now.clone()));
        row.set("DateUpdated", now);
        row.set(
            "UserID",
            self.config.user_id.as_deref().unwrap_or(stay.get("UserID")),
        );
        row.set("ExportID", self.export_id.as_str());
        row
    }

    /// The row that deletes an earlier one without saying again what it said.
    fn deleted(&self, mut row: Draft) -> Draft {
        row.set("CustomAnswer", "");
        row.set("CustomDetailAnswer", "");
        row.set("DateUpdated", self.now());
        row.set("DateDeleted", self.now());
        row.set("ExportID", self.export_id.as_str());
        row
    }

    fn now(&self) -> String {
        instant_text(local(self.context.now, &self.context.zone))
    }

    /// The rows that a recall takes back.
    fn recalled(&self, message: &Outbound, layout: &'static FileLayout) -> Vec<Draft> {
        let OutboundBody::Recall(view) = &message.body else {
            return Vec::new();
        };
        let indexes = view.messages.iter().map(message_index);
        indexes
            .flat_map(|index| self.partner.custom_rows(layout, &index))
            .collect()
    }

    /// The row whose stay, person and user the message's rows take: for a recall that of what it takes back, since it
    /// must arrive after the stay has ended, too; for a reminder that of a message of which it speaks.
    fn anchor(&self, message: &Outbound, recalled: &[Draft]) -> Result<Draft, Parked> {
        if let Some(row) = recalled.first() {
            return Ok(row.clone());
        }
        let (earlier, layout) = match &message.body {
            OutboundBody::Recall(view) => (&view.messages, None),
            OutboundBody::ConsentReminder(view) => (&view.messages, custom_layout().ok()),
            _ => return self.partner.stay(&message.people, StayOf::Person),
        };
        for index in earlier.iter().map(message_index) {
            let told = layout.map(|layout| self.partner.custom_rows(layout, &index));
            let rows = self.partner.event_rows(&index).into_iter();
            if let Some(row) = rows.chain(told.into_iter().flatten()).next() {
                return Ok(row);
            }
        }
        self.partner.stay(&message.people, StayOf::Person)
    }

    /// What is remembered of a row: where it stands, and nothing of what it says.
    pub(crate) fn memory(&self, message: &Outbound, row: &Draft) -> Option<PartnerRow> {
        let mut kept = row.clone();
        kept.set("CustomAnswer", "");
        kept.set("CustomDetailAnswer", "");
        let key = row.key().to_owned();
        KeptRow {
            edition: EDITION.to_owned(),
            values: kept.values,
        }
        .to_partner_row(
            "Custom",
            &key,
            vec![effect_index(message), message_index(&message.id)],
        )
    }
}

/// One row's worth of a message.
struct Piece {
    group: String,
    question: String,
    answer: String,
    detail: String,
}

/// The facts cut into rows: long answers go on in further rows, in order.
fn pieces(kind: &str, facts: &[Fact]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for fact in facts {
        let group = match fact.part.as_str() {
            "" => kind.to_owned(),
            part => clean(&format!("{kind}: {part}")),
        };
        let answer: Vec<char> = clean(&fact.answer).chars().collect();
        let parts: Vec<String> = answer
            .chunks(ANSWER_LENGTH)
            .map(|part| part.iter().collect())
            .collect();
        let count = parts.len();
        for (index, answer) in parts.into_iter().enumerate() {
            let detail = match count {
                1 => String::new(),
                _ => format!("part {} of {count}", index + 1),
            };
            let (group, question) = (group.clone(), fact.question.to_owned());
            pieces.push(Piece {
                group,
                question,
                answer,
                detail,
            });
        }
    }
    pieces
}

/// The key of a row: the same for the same thing told again.
fn row_key(message: &Outbound, piece: &Piece) -> String {
    let part = piece.detail.split(" of ").next().unwrap_or_default();
    let mut hasher = Sha256::new();
    for text in [
        message.effect_key.as_str(),
        &piece.group,
        &piece.question,
        part,
    ] {
        hasher.update(text.len().to_be_bytes());
        hasher.update(text.as_bytes());
    }
    let digest = hasher.finalize();
    let first = digest
        .iter()
        .take(16)
        .fold(0_u128, |value, byte| (value << 8) | u128::from(*byte));
    format!("TDC-{}", base32(first))
}

/// Index of the rows that tell one thing.
pub(crate) fn effect_index(message: &Outbound) -> String {
    format!("effect:{}", message.effect_key)
}

/// Index of the rows that one message wrote.
pub(crate) fn message_index(message: &MessageId) -> String {
    format!("message:{message}")
}
