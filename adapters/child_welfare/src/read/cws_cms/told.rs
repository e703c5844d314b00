//! Events from rows: ids that stay the same for the same row and change when the row changes.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::read::Sink;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::date::PartialDate;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{SourceEventId, SourcePersonId};

use super::extract::Halt;
use super::row::Row;
use super::row_id::RowId;

/// Label on events about a sensitive client: HL7 v3-Confidentiality "restricted".
const RESTRICTED: &str = "R";

/// An event of a row.
pub(crate) struct Told<'a> {
    /// Table of the row.
    pub(crate) table: &'a str,
    /// Id of the row.
    pub(crate) row_id: String,
    /// The row, for its time of change.
    pub(crate) row: &'a Row<'a>,
    /// When it happened; the time of change when absent.
    pub(crate) happened: Option<PartialDate>,
    /// Whom it is about.
    pub(crate) person: SourcePersonId,
    /// Whether that person is sensitive.
    pub(crate) is_sensitive: bool,
    /// What it is about, seen by the law.
    pub(crate) category: Category,
}

impl Told<'_> {
    /// The same, with the day when it happened.
    pub(crate) fn at(mut self, happened: Option<PartialDate>) -> Self {
        self.happened = happened;
        self
    }

    /// Gives the event to the sink.
    pub(crate) fn send(
        self,
        body: Body,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        match self.event(context, body) {
            Some(event) => Ok(sink.event(event)?),
            None => Ok(()),
        }
    }

    /// The event. Its id holds the row's time of change and a keyed digest of what it tells, so that
    /// the same row gives the same id and a changed row a new one. `None` when no id can be made.
    fn event(self, context: &ReadContext, body: Body) -> Option<NewEvent> {
        let changed = self.row.timestamp("LST_UPD_TS", &context.zone);
        let occurred = self
            .happened
            .and_then(|date| start_of_day(date, &context.zone));
        let occurred = occurred.or(changed).unwrap_or(context.received_at);
        let content = serde_json::to_string(&body).ok()?;
        let digest = context.keyed_id(&[self.table, &content]);
        let changed = changed.map_or_else(String::new, |moment| moment.to_string());
        let id = format!("{}:{}:{changed}:{digest}", self.table, self.row_id);
        let mut event = NewEvent::new(occurred, SourceEventId::new(id).ok()?, body)
            .about(self.person)
            .under(self.category);
        if self.is_sensitive {
            event.labels.push(RESTRICTED.to_owned());
        }
        Some(event)
    }
}

fn start_of_day(date: PartialDate, zone: &TimeZone) -> Option<Timestamp> {
    Some(date.full()?.to_zoned(zone.clone()).ok()?.timestamp())
}

/// A client's id for the outside: the ten-character key, or whatever the extract uses.
pub(crate) fn person_id(client: &RowId) -> Option<SourcePersonId> {
    SourcePersonId::new(client.to_string()).ok()
}
