//! A county's own rows beside those that come with Tandem.
//!
//! They have the same form and pass the same checks. A row only ever calls for something, and whatever is called for only
//! raises: so a county can add to what ours say, and take nothing of it away.

use std::collections::BTreeSet;

use super::table::{LabelRow, LabelTable, LabelTables};
use crate::model::category::Category;
use crate::tables::TableError;

impl LabelTables {
    /// These tables with a county's rows for a code system, by our name or a sender's. `file` is how the county calls
    /// its table; the ids of its rows are `county:SYSTEM:ROW`.
    ///
    /// # Errors
    /// [`TableError`] naming file, line and column: a file that is no label table, a row of another table of the county
    /// under the same id, a label that no table of Tandem has, so that no rule would look at it, or a code system
    /// without a table.
    pub fn with_county(mut self, system: &str, file: &str, text: &str) -> Result<Self, TableError> {
        let Some(system) = self.systems().named(system).map(str::to_owned) else {
            return Err(TableError::Row {
                file: file.to_owned(),
                line: 1,
                expected: "a table of a code system that Tandem knows".to_owned(),
            });
        };
        let table = LabelTable::read(self.systems(), &system, (file, text), Some(file))?;
        let labels = self.labels();
        for (line, row) in table.lines() {
            if self.rows().any(|known| known.id == row.id) {
                let expected = "an id that no other table of the county has for this code system";
                return Err(line.refuse("row", expected));
            }
            if row
                .labels
                .iter()
                .any(|label| !labels.contains(label.as_str()))
            {
                let known: Vec<&str> = labels.iter().copied().collect();
                let expected = format!("labels that Tandem's tables have: {}", known.join(" "));
                return Err(line.refuse("labels", expected));
            }
        }
        self.add(table);
        Ok(self)
    }

    /// Every label that rows and categories of ours call for.
    fn labels(&self) -> BTreeSet<&str> {
        let ours = self.rows().filter(|row| row.county_file.is_none());
        let of_rows = ours.flat_map(|row| row.labels.iter().map(String::as_str));
        let of_categories = Category::ALL
            .iter()
            .filter_map(|category| self.strictness().stays_as(*category));
        of_rows.chain(of_categories).collect()
    }

    /// The row of an id.
    #[must_use]
    pub fn row(&self, id: &str) -> Option<&LabelRow> {
        self.rows().find(|row| row.id == id)
    }

    /// All tables as one text, by whose hash those who rely on them can name them: Tandem's and the county's.
    #[must_use]
    pub fn content(&self) -> String {
        let tables = self.tables().iter().map(|table| {
            serde_json::json!({
                "system": table.system, "county_file": table.county_file, "text": table.text,
            })
        });
        serde_json::Value::from_iter(tables).to_string()
    }
}
