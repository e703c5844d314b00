//! What a run gives beside its tables.

use std::fmt;
use std::io::Write;

use jiff::civil::Date;

use crate::progress::Audience;

use super::error::LinkTablesError;
use super::link::TableInput;
use super::reference::ReferencePair;

/// Opens the tables once more, in any order.
pub type Reopen<'a> = dyn Fn() -> Result<Vec<TableInput<'static>>, LinkTablesError> + 'a;

/// What a run gives beside its tables; by default nothing.
#[derive(Default)]
pub struct LinkExtras<'a> {
    /// Pairs to be accounted for, each record as `SYSTEM:ID`, or by its id alone where one table holds it.
    pub explain: Vec<ReferencePair>,
    /// A report to be read in a browser: one file of HTML.
    pub page: Option<&'a mut dyn Write>,
    /// The tables once more: with them the report shows the values of its example pairs, numbers excepted.
    pub values: Option<&'a Reopen<'a>>,
    /// Ages are those at this date; without it nothing is told by age and no households are found.
    pub as_of: Option<Date>,
    /// How each group is served, as a table.
    pub fairness: Option<&'a mut dyn Write>,
    /// The households across systems, as a table; the report then counts people and families.
    pub households: Option<&'a mut dyn Write>,
    /// Who hears how far the run has come.
    pub progress: Audience<'a>,
}

impl fmt::Debug for LinkExtras<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LinkExtras")
            .field("explain", &self.explain)
            .finish_non_exhaustive()
    }
}
