//! Relationships between clients: a code is read "primary client / secondary client".

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::read::Sink;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::person::{HouseholdMembership, Relation};

use super::client::Reporter;
use super::extract::{Extract, Halt, Met};
use super::row::Row;
use super::told::{Told, person_id};
use crate::gates::Gate;
use crate::tables::Tables;

/// Tells every relationship whose two clients may enter.
pub(crate) fn tell(
    extract: &mut Extract<'_>,
    gate: &Gate,
    tables: &Tables,
    context: &ReadContext,
    sink: &mut dyn Sink,
) -> Result<(), Halt> {
    extract.walk("CLN_RELT", sink, &mut |met, file, sink| {
        let Met::Row(row) = met else { return Ok(()) };
        if gate.refusal("CLN_RELT", row).is_some() {
            return Ok(());
        }
        let (Some(primary), Some(secondary)) = (row.id("FKCLIENT_T"), row.id("FKCLIENT_0")) else {
            return Ok(());
        };
        let (Some(person), Some(relative)) = (person_id(&primary), person_id(&secondary)) else {
            return Ok(());
        };
        let mut report = Reporter {
            file,
            line: row.record.line,
            sink,
        };
        let code = report.code(row, "CLNTRELC");
        let from = report.date(row, "START_DT");
        let to = report.date(row, "END_DT");
        let body = Body::HouseholdMembership(Box::new(HouseholdMembership {
            person: person.clone(),
            household: None,
            relation: relation(code, row, tables, file, sink),
            relative: Some(relative),
            from,
            to,
            original: code.map(|code| Coding::new("cws-cms:CLNTRELC", code.to_string())),
        }));
        let told = Told {
            table: "CLN_RELT",
            row_id: row
                .id("IDENTIFIER")
                .as_ref()
                .unwrap_or(&primary)
                .to_string(),
            row,
            happened: from,
            person,
            // A relationship tells of both clients: one sensitive client makes it sensitive.
            is_sensitive: gate.is_sensitive(&primary) || gate.is_sensitive(&secondary),
            category: Category::CwCase,
        };
        told.send(body, context, sink)
    })
}

fn relation(
    code: Option<u32>,
    row: &Row<'_>,
    tables: &Tables,
    file: &str,
    sink: &mut dyn Sink,
) -> Relation {
    let Some(code) = code else {
        return Relation::Unknown;
    };
    tables.relation(code).unwrap_or_else(|| {
        let place = Place::line(file, row.record.line).field("CLNTRELC");
        sink.deviation(Deviation::value_error(
            "code-unknown",
            place,
            "a code of list CLNTRELC",
        ));
        Relation::Unknown
    })
}
