//! Cases, their workers, and removals from home.

use std::collections::{HashMap, HashSet};

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::read::Sink;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::date::PartialDate;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::SourceCaseId;
use tandem_mappings::model::involvement::{
    Involvement, Placement, PlacementChange, Program, WorkerChange,
};
use tandem_mappings::model::worker::WorkerContact;

use super::client::Reporter;
use super::extract::{Extract, Halt, Met};
use super::row::Row;
use super::row_id::RowId;
use super::told::{Told, person_id};
use crate::gates::Gate;
use crate::tables::Tables;

/// Service component "family reunification": the child is out of home and a plan to return exists.
const COMPONENT_REUNIFICATION: u32 = 1694;

/// Service component "emergency response": the investigation of an abuse report.
const COMPONENT_EMERGENCY: u32 = 1692;

/// What the reader of cases, workers and removals needs to know.
pub(crate) struct Cases<'a> {
    pub(crate) gate: &'a Gate,
    pub(crate) tables: &'a Tables,
    pub(crate) context: &'a ReadContext,
    /// Workers by staff id.
    pub(crate) staff: HashMap<String, WorkerContact>,
    /// The staff id of each open case.
    workers: HashMap<RowId, String>,
    /// Children with an open reunification case.
    reunification: HashSet<RowId>,
}

impl<'a> Cases<'a> {
    /// Starts with the workers of `STFPERST`.
    pub(crate) fn new(
        gate: &'a Gate,
        tables: &'a Tables,
        context: &'a ReadContext,
        extract: &mut Extract<'_>,
        sink: &mut dyn Sink,
    ) -> Result<Self, Halt> {
        let mut staff = HashMap::new();
        extract.walk("STFPERST", sink, &mut |met, _, _| {
            let Met::Row(row) = met else { return Ok(()) };
            if gate.refusal("STFPERST", row).is_none()
                && let Some(id) = row.text("IDENTIFIER")
            {
                staff.insert(id.to_owned(), worker(id, row));
            }
            Ok(())
        })?;
        let (workers, reunification) = (HashMap::new(), HashSet::new());
        Ok(Self {
            gate,
            tables,
            context,
            staff,
            workers,
            reunification,
        })
    }

    /// Tells each case as opened or closed.
    pub(crate) fn tell(
        &mut self,
        extract: &mut Extract<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        let mut told: HashSet<RowId> = HashSet::new();
        extract.walk("CASE_T", sink, &mut |met, file, sink| {
            let Met::Row(row) = met else { return Ok(()) };
            if self.gate.refusal("CASE_T", row).is_some() {
                return Ok(());
            }
            let (Some(id), Some(child)) = (row.id("IDENTIFIER"), row.id("FKCHLD_CLT")) else {
                return Ok(());
            };
            // The first row of a case counts, as the first row of a client does.
            if !told.insert(id.clone()) {
                return Ok(());
            }
            let mut report = Reporter {
                file,
                line: row.record.line,
                sink,
            };
            self.tell_case(row, &id, &child, &mut report)
        })
    }

    fn tell_case(
        &mut self,
        row: &Row<'_>,
        id: &RowId,
        child: &RowId,
        report: &mut Reporter<'_>,
    ) -> Result<(), Halt> {
        let (Some(person), Ok(case)) = (person_id(child), SourceCaseId::new(id.to_string())) else {
            return Ok(());
        };
        let dates = CaseDates::read(row, report);
        let component = report.code(row, "SRV_CMPC");
        if dates.is_open {
            self.remember(row, id, child, component);
        }
        let letters = component.and_then(|code| self.tables.logical_id("SRV_CMPC", code));
        let fallback = if dates.is_open { "open" } else { "closed" };
        let staff = row.text("FKSTFPERST");
        let involvement = Box::new(Involvement {
            program: Program::ChildWelfare,
            case,
            people: vec![person],
            status: Some(letters.unwrap_or(fallback).to_owned()),
            from: dates.from,
            to: dates.to,
            worker: staff.and_then(|staff| self.staff.get(staff)).cloned(),
            project: (row.text("SPRJ_CST_B") == Some("Y")).then(|| "special-project".to_owned()),
            original: component.map(|code| Coding::new("cws-cms:SRV_CMPC", code.to_string())),
        });
        let body = match dates.is_open {
            true => Body::CaseOpened(involvement),
            false => Body::CaseClosed(involvement),
        };
        // An investigation is guarded like the report that it follows.
        let category = match component {
            Some(COMPONENT_EMERGENCY) => Category::CwReferral,
            _ => Category::CwCase,
        };
        let told = self.told(row, "CASE_T", id, child);
        let told = told.map(|told| Told {
            category,
            ..told.at(dates.happened())
        });
        self.send(told, body, report.sink)
    }

    /// Remembers of an open case what workers and removals are told with.
    fn remember(&mut self, row: &Row<'_>, id: &RowId, child: &RowId, component: Option<u32>) {
        if component == Some(COMPONENT_REUNIFICATION) {
            self.reunification.insert(child.clone());
        }
        if let Some(staff) = row.text("FKSTFPERST") {
            self.workers.insert(id.clone(), staff.to_owned());
        }
    }

    /// Tells who is in charge of each open case: the current primary assignments.
    pub(crate) fn tell_workers(
        &self,
        extract: &mut Extract<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        extract.walk("ASGNM_T", sink, &mut |met, file, sink| {
            let Met::Row(row) = met else { return Ok(()) };
            let is_current = row.text("ASGNMNT_CD") == Some("P") && row.date("END_DT") == Ok(None);
            if self.gate.refusal("ASGNM_T", row).is_some() || !is_current {
                return Ok(());
            }
            let Some(case) = row.id("ESTBLSH_ID") else {
                return Ok(());
            };
            let Some(child) = self.gate.cases.get(&case) else {
                return Ok(());
            };
            let Some(worker) = self
                .workers
                .get(&case)
                .and_then(|staff| self.staff.get(staff))
            else {
                return Ok(());
            };
            let (Some(person), Ok(case_id)) =
                (person_id(child), SourceCaseId::new(case.to_string()))
            else {
                return Ok(());
            };
            let from = Reporter {
                file,
                line: row.record.line,
                sink,
            }
            .date(row, "START_DT");
            let body = Body::WorkerChanged(Box::new(WorkerChange {
                case: case_id,
                people: vec![person],
                worker: worker.clone(),
                from,
            }));
            let id = row.id("IDENTIFIER").unwrap_or(case);
            let told = self
                .told(row, "ASGNM_T", &id, child)
                .map(|told| told.at(from));
            self.send(told, body, sink)
        })
    }

    /// Tells each removal whose episode has not ended. Why the child was removed is not told.
    pub(crate) fn tell_removals(
        &self,
        extract: &mut Extract<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        extract.walk("PLC_EPST", sink, &mut |met, file, sink| {
            let Met::Row(row) = met else { return Ok(()) };
            if self.gate.refusal("PLC_EPST", row).is_some() {
                return Ok(());
            }
            let mut report = Reporter {
                file,
                line: row.record.line,
                sink,
            };
            let date = report.date(row, "REMOVAL_DT");
            let has_ended =
                report.code(row, "TERM_TY_C").is_some() || row.text("TERM_RS_CD").is_some();
            let Some(child) = row.id("FKCLIENT_T").filter(|_| !has_ended) else {
                return Ok(());
            };
            let Some(person) = person_id(&child) else {
                return Ok(());
            };
            let body = Body::PlacementChanged(Box::new(Placement {
                person,
                change: PlacementChange::Removed,
                date,
                reunification_plan: self.reunification.contains(&child).then_some(true),
                original: None,
            }));
            let id = row.id("THIRD_ID").unwrap_or_else(|| child.clone());
            let told = self
                .told(row, "PLC_EPST", &id, &child)
                .map(|told| told.at(date));
            self.send(told, body, sink)
        })
    }

    fn told<'r>(
        &self,
        row: &'r Row<'r>,
        table: &'static str,
        id: &RowId,
        child: &RowId,
    ) -> Option<Told<'r>> {
        Some(Told {
            table,
            row_id: id.to_string(),
            row,
            happened: None,
            person: person_id(child)?,
            is_sensitive: self.gate.is_sensitive(child),
            category: Category::CwCase,
        })
    }

    fn send(&self, told: Option<Told<'_>>, body: Body, sink: &mut dyn Sink) -> Result<(), Halt> {
        told.map_or(Ok(()), |told| told.send(body, self.context, sink))
    }
}

/// The dates of a case.
struct CaseDates {
    from: Option<PartialDate>,
    to: Option<PartialDate>,
    component_since: Option<PartialDate>,
    /// Without an end date. An end date that can't be read still ends the case.
    is_open: bool,
}

impl CaseDates {
    fn read(row: &Row<'_>, report: &mut Reporter<'_>) -> Self {
        Self {
            from: report.date(row, "START_DT"),
            to: report.date(row, "END_DT"),
            component_since: report.date(row, "SRV_CMPDT"),
            is_open: row.date("END_DT") == Ok(None),
        }
    }

    /// The day of the last move: into the present component, or to the end.
    fn happened(&self) -> Option<PartialDate> {
        if self.is_open {
            self.component_since.max(self.from)
        } else {
            self.to
        }
    }
}

fn worker(id: &str, row: &Row<'_>) -> WorkerContact {
    let parts = [row.text("FIRST_NM"), row.text("LAST_NM")];
    let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let extension = row.text("TEL_EXT_NO").filter(|extension| *extension != "0");
    let phone = row.phone("PHONE_NO").map(|phone| match extension {
        Some(extension) => format!("{phone} x{extension}"),
        None => phone,
    });
    WorkerContact {
        id: Some(id.to_owned()),
        name: (!name.is_empty()).then_some(name),
        phone,
        email: row.text("EMAIL_ADDR").map(str::to_owned),
        role: None,
    }
}
