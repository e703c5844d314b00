//! The first pass: who may enter. Nothing is told of a row before all of it is known.

use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::read::Sink;

use super::csv::Record;
use super::extract::{Extract, Halt, Met};
use super::place::{malformed, refuse};
use super::row::{Header, Row};
use crate::gates::{Gate, Marking, Refusal, Standing};
use crate::tables::Tables;

/// What a survey needs to know.
pub(crate) struct Survey<'a> {
    /// The fact tables.
    pub(crate) tables: &'a Tables,
    /// Called with each sealed client, so that an earlier copy can be recalled.
    pub(crate) on_sealed: &'a mut dyn FnMut(&Row<'_>, &mut dyn Sink) -> Result<(), Halt>,
}

impl Survey<'_> {
    /// Reads every table once: learns who may enter, counts rows, refuses those that may not.
    pub(crate) fn run(
        &mut self,
        extract: &mut Extract<'_>,
        sink: &mut dyn Sink,
    ) -> Result<Gate, Halt> {
        let mut gate = Gate::default();
        find_sealed(&mut gate, extract, sink)?;
        self.clients(&mut gate, extract, sink)?;
        self.cases(&mut gate, extract, sink)?;
        let mut tables = extract.tables();
        // Links to addresses come before the addresses, which are judged by them.
        tables.sort_by_key(|table| table == "ADDRS_T");
        for table in tables
            .iter()
            .filter(|table| !["CLIENT_T", "CASE_T"].contains(&table.as_str()))
        {
            self.others(table, &mut gate, extract, sink)?;
        }
        Ok(gate)
    }

    fn clients(
        &mut self,
        gate: &mut Gate,
        extract: &mut Extract<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        let mut ordinal = 0;
        let mut has_header = false;
        extract.walk("CLIENT_T", sink, &mut |met, file, sink| {
            let row = match met {
                Met::Header(header, record) => {
                    has_header = true;
                    self.header("CLIENT_T", header, record, file, sink);
                    return require_gate_columns(header, file, sink);
                }
                Met::Malformed(line) => {
                    sink.record("CLIENT_T");
                    malformed(sink, file, line);
                    return Ok(());
                }
                Met::Row(row) => row,
            };
            sink.record("CLIENT_T");
            let marking = Marking::of_client(row);
            let Some(id) = row.id("IDENTIFIER") else {
                refuse(sink, file, row.record, Refusal::ClientUnknown);
                return Ok(());
            };
            if gate.is_sealed(&id) {
                refuse(sink, file, row.record, Refusal::Sealed);
                warn_of_unknown_marking(marking, row, file, sink);
                return (self.on_sealed)(row, sink);
            }
            if gate.refusal("CLIENT_T", row).is_some() {
                refuse(sink, file, row.record, Refusal::Sealed);
                return Ok(());
            }
            if gate.clients.contains_key(&id) {
                let place = Place::line(file, row.record.line).field("IDENTIFIER");
                sink.deviation(Deviation::record_error(
                    "client-twice",
                    place,
                    "each client once",
                ));
                return Ok(());
            }
            let is_sensitive = marking == Marking::Sensitive;
            gate.clients.insert(
                id,
                Standing {
                    ordinal,
                    is_sensitive,
                },
            );
            ordinal += 1;
            Ok(())
        })?;
        match has_header {
            true => Ok(()),
            false => Err(empty(extract, sink)),
        }
    }

    fn cases(
        &mut self,
        gate: &mut Gate,
        extract: &mut Extract<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        extract.walk("CASE_T", sink, &mut |met, file, sink| {
            let row = match met {
                Met::Row(row) => row,
                other => return self.other("CASE_T", &other, file, sink),
            };
            sink.record("CASE_T");
            let marking = Marking::of_case(row);
            warn_of_unknown_marking(marking, row, file, sink);
            let child = row.id("FKCHLD_CLT");
            // A limited case says something about its child: the child is then sensitive too.
            if marking != Marking::Open
                && let Some(standing) = child.as_ref().and_then(|child| gate.clients.get_mut(child))
            {
                standing.is_sensitive = true;
            }
            match (gate.refusal("CASE_T", row), row.id("IDENTIFIER"), child) {
                (Some(refusal), ..) => refuse(sink, file, row.record, refusal),
                (None, Some(case), Some(_)) if gate.cases.contains_key(&case) => {
                    let place = Place::line(file, row.record.line).field("IDENTIFIER");
                    let expected = "each case once";
                    sink.deviation(Deviation::record_error("case-twice", place, expected));
                }
                (None, Some(case), Some(child)) => {
                    gate.cases.insert(case, child);
                }
                (None, ..) => refuse(sink, file, row.record, Refusal::ClientUnknown),
            }
            Ok(())
        })
    }

    fn others(
        &mut self,
        table: &str,
        gate: &mut Gate,
        extract: &mut Extract<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        extract.walk(table, sink, &mut |met, file, sink| {
            let row = match met {
                Met::Row(row) => row,
                other => return self.other(table, &other, file, sink),
            };
            sink.record(table);
            if row.record.is_windows_1252 {
                let place = Place::line(file, row.record.line);
                sink.deviation(Deviation::warning("not-utf-8", place, "utf-8 text"));
            }
            match gate.refusal(table, row) {
                Some(refusal) => refuse(sink, file, row.record, refusal),
                None if table == "CL_ADDRT" => {
                    if let Some(address) = row.id("FKADDRS_T") {
                        gate.addresses.insert(address);
                    }
                }
                None => {}
            }
            Ok(())
        })
    }

    fn other(
        &self,
        table: &str,
        met: &Met<'_>,
        file: &str,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        match met {
            Met::Header(header, record) => self.header(table, header, record, file, sink),
            Met::Malformed(line) => {
                sink.record(table);
                malformed(sink, file, *line);
            }
            Met::Row(_) => {}
        }
        Ok(())
    }

    fn header(
        &self,
        table: &str,
        header: &Header,
        record: &Record,
        file: &str,
        sink: &mut dyn Sink,
    ) {
        if !self.tables.is_table(table) {
            return;
        }
        for name in record
            .cells
            .iter()
            .map(|name| name.trim().to_ascii_uppercase())
        {
            if !self.tables.is_column(table, &name) {
                // The name is left out: a file without a header would show a person here.
                let place = Place::line(file, record.line);
                sink.deviation(Deviation::info(
                    "column-unknown",
                    place,
                    "a column of the table",
                ));
            }
        }
        let is_known = |name: &String| {
            let name = name.trim().to_ascii_uppercase();
            header.has(&name) && self.tables.is_column(table, &name)
        };
        if !record.cells.iter().any(is_known) {
            let place = Place::line(file, record.line);
            let expected = "the table's column names";
            sink.deviation(Deviation::record_error("header-unknown", place, expected));
        }
    }
}

/// Learns all sealed ids before anything is told: a later row may seal an earlier one.
fn find_sealed(
    gate: &mut Gate,
    extract: &mut Extract<'_>,
    sink: &mut dyn Sink,
) -> Result<(), Halt> {
    for table in ["CLIENT_T", "CASE_T"] {
        extract.walk(table, sink, &mut |met, _, _| {
            let Met::Row(row) = met else { return Ok(()) };
            let is_sealed = match table {
                "CLIENT_T" => Marking::of_client(row).is_refused(),
                _ => {
                    let child = row.id("FKCHLD_CLT");
                    Marking::of_case(row).is_refused()
                        || child.is_some_and(|child| gate.is_sealed(&child))
                }
            };
            if is_sealed && let Some(id) = row.id("IDENTIFIER") {
                gate.seal(id);
            }
            if is_sealed
                && table == "CASE_T"
                && let Some(child) = row.id("FKCHLD_CLT")
            {
                gate.seal_case_of(child);
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// A client table of no bytes: a transfer that broke off, and no county without clients. Read as
/// one, a full extract would withdraw everybody.
fn empty(extract: &Extract<'_>, sink: &mut dyn Sink) -> Halt {
    let place = Place::file(extract.entry("CLIENT_T").unwrap_or("CLIENT_T"));
    let expected = "the table's column names, even when it has no rows";
    sink.deviation(Deviation::input_error("table-empty", place, expected));
    Halt::Package
}

fn require_gate_columns(header: &Header, file: &str, sink: &mut dyn Sink) -> Result<(), Halt> {
    if !header.has("IDENTIFIER") {
        let place = Place::file(file).field("IDENTIFIER");
        sink.deviation(Deviation::input_error(
            "column-missing",
            place,
            "the client's key",
        ));
        return Err(Halt::Package);
    }
    if !header.has("SENSTV_IND") {
        let place = Place::file(file).field("SENSTV_IND");
        sink.deviation(Deviation::warning(
            "column-missing",
            place,
            "the sensitivity mark; without it every client is handled as sensitive",
        ));
    }
    Ok(())
}

fn warn_of_unknown_marking(marking: Marking, row: &Row<'_>, file: &str, sink: &mut dyn Sink) {
    if marking == Marking::Unknown {
        let place = Place::line(file, row.record.line);
        let expected = "N, S or R; the row is handled as sealed";
        sink.deviation(Deviation::warning("marking-unknown", place, expected));
    }
}
