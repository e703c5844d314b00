//! What must never enter: sealed files, what belongs to them, and abuse reports.
//!
//! CWS/CMS marks a client (`SENSTV_IND`, `SOC158_IND`) or a case (`LMT_ACSSCD`) as sealed. A sealed
//! record gives nothing to the gateway but file, line and count, whichever county sealed it, and so
//! do all rows that name it. A mark that cannot be understood counts as sealed. Rows whose client is
//! not in the extract's own client table are refused as well, since nobody can say how they are
//! marked. Abuse reports (`REFERL_T` and what hangs on it) are counted and refused as a whole.

use std::collections::{HashMap, HashSet};

use crate::key::CmsKey;
use crate::read::cws_cms::row::Row;
use crate::read::cws_cms::row_id::RowId;

/// Tables that tell of abuse reports, allegations and reporters: counted, never used
/// (CAPTA; Penal Code 11167; WIC 827; linkages_elements, group `never`).
const REPORT_TABLES: [&str; 5] = ["REFERL_T", "ALLGTN_T", "REPTR_T", "REFR_CLT", "SPRJ_RFT"];

/// Columns that name the client to whom a row belongs.
const OWNERS: [(&str, &[&str]); 10] = [
    ("OCL_NM_T", &["FKCLIENT_T"]),
    ("ST_ID_T", &["FKCLIENT_T"]),
    ("NCWSNO_T", &["FKCLIENT_T"]),
    ("CHLD_CLT", &["FKCLIENT_T"]),
    ("CASE_T", &["FKCHLD_CLT"]),
    ("CLN_RELT", &["FKCLIENT_T", "FKCLIENT_0"]),
    ("CL_ADDRT", &["FKCLIENT_T"]),
    ("PLC_EPST", &["FKCLIENT_T"]),
    ("O_HM_PLT", &["FKPLC_EPST"]),
    ("CSRVPR_T", &["FKCLIENT_T"]),
];

/// Tables that tell what a case did with a child without naming the case, and their child column.
const CASE_WORK: [(&str, &str); 3] = [
    ("PLC_EPST", "FKCLIENT_T"),
    ("O_HM_PLT", "FKPLC_EPST"),
    ("CSRVPR_T", "FKCLIENT_T"),
];

/// How a client or case is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Marking {
    /// Not marked.
    Open,
    /// Sensitive: enters, and is answered like no match.
    Sensitive,
    /// Sealed: never enters.
    Sealed,
    /// Marked in a way that nobody understands: handled as sealed.
    Unknown,
}

impl Marking {
    /// Reads `SENSTV_IND` or `LMT_ACSSCD`: N none, S sensitive, R sealed.
    #[must_use]
    pub fn of_code(code: &str) -> Self {
        match code {
            "N" | "n" => Self::Open,
            "S" | "s" => Self::Sensitive,
            "R" | "r" => Self::Sealed,
            _ => Self::Unknown,
        }
    }

    /// Whether the record never enters.
    #[must_use]
    pub fn is_refused(self) -> bool {
        matches!(self, Self::Sealed | Self::Unknown)
    }

    /// How a client row is marked. Without the mark the client counts as sensitive.
    pub(crate) fn of_client(row: &Row<'_>) -> Self {
        let own = row
            .text("SENSTV_IND")
            .map_or(Self::Sensitive, Self::of_code);
        let soc158 = match row.text("SOC158_IND") {
            Some("Y" | "y") => Self::Sealed,
            _ => Self::Open,
        };
        let confidential = match row.text("CONF_EFIND") {
            Some("Y" | "y") => Self::Sensitive,
            _ => Self::Open,
        };
        own.max(soc158).max(confidential)
    }

    /// How a case row is marked.
    pub(crate) fn of_case(row: &Row<'_>) -> Self {
        row.text("LMT_ACSSCD").map_or(Self::Open, Self::of_code)
    }
}

/// Why a row is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is sealed, or names something sealed.
    Sealed,
    /// It tells of an abuse report.
    Report,
    /// It is an address at which nobody lives who may enter.
    Address,
    /// Its client is not in the client table.
    ClientUnknown,
}

/// A set of row ids that is looked up by text without copying it.
#[derive(Debug, Default)]
pub(crate) struct IdSet {
    keys: HashSet<CmsKey>,
    others: HashSet<Box<str>>,
}

impl IdSet {
    pub(crate) fn insert(&mut self, id: RowId) {
        match id {
            RowId::Key(key) => self.keys.insert(key),
            RowId::Other(text) => self.others.insert(text),
        };
    }

    pub(crate) fn contains(&self, id: &RowId) -> bool {
        match id {
            RowId::Key(key) => self.keys.contains(key),
            RowId::Other(text) => self.others.contains(text),
        }
    }

    fn holds_text(&self, text: &str) -> bool {
        let is_key = !self.keys.is_empty()
            && CmsKey::parse_any(text).is_ok_and(|key| self.keys.contains(&key));
        is_key || (!self.others.is_empty() && self.others.contains(text))
    }
}

/// What is known of a client that may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Place in the order of the client table, from 0.
    pub(crate) ordinal: u32,
    /// Whether the client is marked sensitive.
    pub(crate) is_sensitive: bool,
}

/// What the first pass learned: who may enter and what is sealed.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    pub(crate) clients: HashMap<RowId, Standing>,
    pub(crate) cases: HashMap<RowId, RowId>,
    pub(crate) addresses: IdSet,
    sealed: IdSet,
    children_of_sealed_cases: IdSet,
}

impl Gate {
    /// Remembers the child of a sealed case: what the case did with the child is sealed with it.
    pub(crate) fn seal_case_of(&mut self, child: RowId) {
        self.children_of_sealed_cases.insert(child);
    }

    /// Whether an id is sealed.
    pub(crate) fn is_sealed(&self, id: &RowId) -> bool {
        self.sealed.contains(id)
    }

    /// Seals a client or case; what was known of it is forgotten.
    pub(crate) fn seal(&mut self, id: RowId) {
        self.clients.remove(&id);
        self.cases.remove(&id);
        self.sealed.insert(id);
    }

    /// Whether a client that may enter is sensitive; a client that is not known counts as such.
    pub(crate) fn is_sensitive(&self, client: &RowId) -> bool {
        self.clients
            .get(client)
            .is_none_or(|standing| standing.is_sensitive)
    }

    /// Why a row of a table may not enter; `None` when it may.
    pub(crate) fn refusal(&self, table: &str, row: &Row<'_>) -> Option<Refusal> {
        if REPORT_TABLES.contains(&table) || is_report_assignment(table, row) {
            return Some(Refusal::Report);
        }
        if row
            .record
            .cells
            .iter()
            .any(|cell| self.sealed.holds_text(cell.trim()))
        {
            return Some(Refusal::Sealed);
        }
        let is_of_sealed_case = |column| {
            row.id(column)
                .is_some_and(|child| self.children_of_sealed_cases.contains(&child))
        };
        let mut case_columns = CASE_WORK.iter().filter(|(name, _)| *name == table);
        if case_columns.any(|(_, column)| is_of_sealed_case(*column)) {
            return Some(Refusal::Sealed);
        }
        if table == "ADDRS_T"
            && row
                .id("IDENTIFIER")
                .is_none_or(|id| !self.addresses.contains(&id))
        {
            return Some(Refusal::Address);
        }
        if table == "ASGNM_T"
            && row
                .id("ESTBLSH_ID")
                .is_none_or(|id| !self.cases.contains_key(&id))
        {
            return Some(Refusal::ClientUnknown);
        }
        let owners = OWNERS
            .iter()
            .find(|(name, _)| *name == table)
            .map(|(_, columns)| *columns);
        let is_unknown = |column: &&str| {
            row.id(column)
                .is_none_or(|client| !self.clients.contains_key(&client))
        };
        owners
            .unwrap_or_default()
            .iter()
            .any(is_unknown)
            .then_some(Refusal::ClientUnknown)
    }
}

/// Whether a row assigns a worker to an abuse report (`ESTBLSH_CD` = R) and not to a case.
fn is_report_assignment(table: &str, row: &Row<'_>) -> bool {
    table == "ASGNM_T" && row.text("ESTBLSH_CD") == Some("R")
}

/// Whether a table holds abuse reports.
#[must_use]
pub fn is_report_table(table: &str) -> bool {
    REPORT_TABLES.contains(&table)
}
