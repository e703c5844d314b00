//! Rows of Disabilities and HealthAndDV about a stay that is not in the package: a delta may bring them without their
//! unchanged Enrollment row.
//!
//! The stay was told before, without what the row calls for. It is named by its id alone, as deletions are
//! (`deletions.rs`): whoever knows the id raises it, and of an id that was never seen nothing is kept.

use jiff::Timestamp;
use tandem_adapter_port::read::Stopped;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{SourceCaseId, SourceEventId};
use tandem_mappings::model::involvement::SensitiveStay;

use super::header::Header;
use super::marks::Answers;
use super::record::Record;
use super::row::Row;
use super::session::Session;
use crate::gates::Verdict;
use crate::tables::FileLayout;

impl Session<'_> {
    /// A checked row: nothing when its stay is in the package, for then the stay's own events carry what it says.
    pub(crate) fn raise_stay(&mut self, row: &Row<'_>) -> Result<(), Stopped> {
        if self.prepass.gates.enrollment(row.get("EnrollmentID")) != Verdict::Unknown {
            return Ok(());
        }
        // What was no code of its list stands in the row as blank: it counts all the same.
        let written = row.as_written();
        let column = |name: &str| text_of(row.layout.position(name), &written);
        self.raise(&row.layout.name, self.changed_at(row), column)
    }

    /// A row that the gate refuses because nobody can tell from the package who ran the project.
    pub(crate) fn raise_refused(
        &mut self,
        header: &Header,
        layout: &FileLayout,
        record: &Record,
    ) -> Result<(), Stopped> {
        let column = |name: &str| text_of(header.field_index(layout, name), &record.fields);
        self.raise(&layout.name, self.context.received_at, column)
    }

    fn raise<'a>(
        &mut self,
        file: &str,
        at: Timestamp,
        column: impl Fn(&str) -> &'a str,
    ) -> Result<(), Stopped> {
        let answers = Answers::of(&column);
        let key = column(&format!("{file}ID"));
        let ids = SourceCaseId::new(column("EnrollmentID"))
            .ok()
            .zip(SourceEventId::new(format!("{file}:{key}")).ok());
        let Some((case, id)) = ids.filter(|_| !answers.is_empty() && !key.is_empty()) else {
            return Ok(());
        };
        let told = SensitiveStay {
            case,
            safety: answers.is_of_violence(),
        };
        let mut event = NewEvent::new(at, id, Body::EnrollmentSensitive(Box::new(told)));
        event.codes = answers.codes().collect();
        self.sink.event(event)
    }
}

fn text_of(index: Option<usize>, values: &[String]) -> &str {
    let text = index.and_then(|index| values.get(index));
    text.map_or("", |text| text.trim())
}
