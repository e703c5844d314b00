//! The reasons of a referral: in which states they may be given, by whom, and what they mean
//! in HMIS, in CalAIM closed-loop referral and in findhelp.

use std::collections::BTreeMap;

use super::{ExampleFailure, Row, Table, TableError};
use crate::model::referral::{ReasonCode, ReferralRole, ReferralStatus};

const TEXT: &str = include_str!("../../tables/coordination/referral_reasons.csv");
const HEADER: &[&str] = &["code", "states", "by", "hmis_result", "calaim", "findhelp"];

/// HMIS 4.20.D, result of a referral (HMIS data standards FY2026).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HmisResult {
    /// 1: successful referral, client accepted.
    ClientAccepted,
    /// 2: unsuccessful referral, client rejected.
    ClientRejected,
    /// 3: unsuccessful referral, provider rejected.
    ProviderRejected,
}

impl HmisResult {
    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::ClientAccepted => 1,
            Self::ClientRejected => 2,
            Self::ProviderRejected => 3,
        }
    }
}

/// What the table says about one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonRule {
    states: Vec<ReferralStatus>,
    by: Option<ReferralRole>,
    hmis_result: Option<HmisResult>,
    calaim: Option<String>,
    findhelp: Option<String>,
}

impl ReasonRule {
    /// Whether the reason may be given when a referral moves to `state`.
    #[must_use]
    pub fn fits(&self, state: ReferralStatus) -> bool {
        self.states.contains(&state)
    }

    /// The only side that may give the reason; `None` when any side that may make the move.
    #[must_use]
    pub fn only_by(&self) -> Option<ReferralRole> {
        self.by
    }
}

/// The table of all reasons; every [`ReasonCode`] has exactly one row.
#[derive(Debug, Clone)]
pub struct ReasonTable {
    rules: BTreeMap<ReasonCode, ReasonRule>,
    table: Table,
}

impl ReasonTable {
    /// The table that ships with Tandem.
    ///
    /// # Errors
    /// [`TableError`] when the file is malformed; a test shows that it is not.
    pub fn shipped() -> Result<Self, TableError> {
        Self::new(&Table::parse("referral_reasons.csv", TEXT, HEADER)?)
    }

    /// Builds the table from a file.
    ///
    /// # Errors
    /// [`TableError`] with file and line when a row names an unknown reason, state, side or result,
    /// or when a reason has no row.
    pub fn new(table: &Table) -> Result<Self, TableError> {
        let mut rules = BTreeMap::new();
        for row in table.rows() {
            let code = ReasonCode::from_code(row.get("code"))
                .ok_or_else(|| row.refuse("code", "a reason code"))?;
            if rules.insert(code, read_rule(row)?).is_some() {
                return Err(row.refuse("code", "one row per reason"));
            }
        }
        match ReasonCode::ALL
            .iter()
            .find(|code| !rules.contains_key(code))
        {
            Some(missing) => Err(TableError::Row {
                file: table.name().to_owned(),
                line: table.rows().last().map_or(1, Row::line),
                expected: format!("a row for reason {missing}"),
            }),
            None => Ok(Self {
                rules,
                table: table.clone(),
            }),
        }
    }

    /// Runs the example pairs, written `# example: state|reason -> HMIS result`.
    #[must_use]
    pub fn failed_examples(&self) -> Vec<ExampleFailure> {
        self.table.failed_examples(|input| {
            let (state, reason) = input.split_once('|')?;
            let state = ReferralStatus::from_code(state.trim())?;
            let reason = ReasonCode::from_code(reason.trim())?;
            self.hmis_result(state, reason)
                .map(|result| result.code().to_string())
        })
    }

    /// What the table says about a reason.
    #[must_use]
    pub fn rule(&self, reason: ReasonCode) -> Option<&ReasonRule> {
        self.rules.get(&reason)
    }

    /// HMIS result of a referral that reached `state` with `reason`; none while it is on hold and
    /// for reasons that say nothing about the outcome.
    #[must_use]
    pub fn hmis_result(&self, state: ReferralStatus, reason: ReasonCode) -> Option<HmisResult> {
        self.closing(state, reason)?.hmis_result
    }

    /// CalAIM reason for loop closure of a referral that reached `state` with `reason`.
    #[must_use]
    pub fn calaim(&self, state: ReferralStatus, reason: ReasonCode) -> Option<&str> {
        self.closing(state, reason)?.calaim.as_deref()
    }

    /// findhelp status of a reason.
    #[must_use]
    pub fn findhelp(&self, reason: ReasonCode) -> Option<&str> {
        self.rule(reason)?.findhelp.as_deref()
    }

    fn closing(&self, state: ReferralStatus, reason: ReasonCode) -> Option<&ReasonRule> {
        (state != ReferralStatus::OnHold)
            .then(|| self.rule(reason))
            .flatten()
    }
}

fn read_rule(row: &Row) -> Result<ReasonRule, TableError> {
    let states = row.required("states")?.split('|').map(|state| {
        ReferralStatus::from_code(state).ok_or_else(|| row.refuse("states", "referral states"))
    });
    let states = states.collect::<Result<_, _>>()?;
    let by = match row.get("by") {
        "" => None,
        side => Some(
            ReferralRole::from_code(side)
                .ok_or_else(|| row.refuse("by", "source, target, gateway or blank"))?,
        ),
    };
    let hmis_result = match row.get("hmis_result") {
        "" => None,
        "1" => Some(HmisResult::ClientAccepted),
        "2" => Some(HmisResult::ClientRejected),
        "3" => Some(HmisResult::ProviderRejected),
        _ => return Err(row.refuse("hmis_result", "1, 2, 3 or blank")),
    };
    let text = |column| Some(row.get(column).to_owned()).filter(|text| !text.is_empty());
    Ok(ReasonRule {
        states,
        by,
        hmis_result,
        calaim: text("calaim"),
        findhelp: text("findhelp"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_row() {
        let table = ReasonTable::shipped().unwrap();
        assert!(
            ReasonCode::ALL
                .iter()
                .all(|&reason| table.rule(reason).is_some())
        );
        let missing = "# source: x\n# version: 1\ncode,states,by,hmis_result,calaim,findhelp\nduplicate,cancelled,,,,\n";
        let error = ReasonTable::new(&Table::parse("r.csv", missing, HEADER).unwrap()).unwrap_err();
        assert!(error.to_string().starts_with("r.csv:4:"), "{error}");
    }

    #[test]
    fn a_missing_information_hold_has_no_hmis_result_but_a_rejection_has() {
        let table = ReasonTable::shipped().unwrap();
        let result = |state| table.hmis_result(state, ReasonCode::MissingInformation);
        assert_eq!(result(ReferralStatus::OnHold), None);
        assert_eq!(
            result(ReferralStatus::Rejected),
            Some(HmisResult::ProviderRejected)
        );
    }

    #[test]
    fn the_examples_of_the_shipped_table_come_true() {
        let table = ReasonTable::shipped().unwrap();
        assert_eq!(table.failed_examples(), []);
        assert!(!table.table.examples().is_empty());
    }

    #[test]
    fn a_received_service_is_hmis_result_one_and_got_help() {
        let table = ReasonTable::shipped().unwrap();
        let (state, reason) = (ReferralStatus::Completed, ReasonCode::ServiceReceived);
        assert_eq!(
            table.hmis_result(state, reason).map(HmisResult::code),
            Some(1)
        );
        assert_eq!(table.calaim(state, reason), Some("Services received"));
        assert_eq!(table.findhelp(reason), Some("Got help"));
    }
}
