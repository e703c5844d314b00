//! A checked row: the values of one record by column, in the specification's forms.

use jiff::civil::Date;

use crate::tables::FileLayout;

/// One row of one file. Values are blank where the file's could not be used.
#[derive(Clone)]
pub(crate) struct Row<'a> {
    pub(crate) layout: &'a FileLayout,
    pub(crate) line: u64,
    pub(crate) values: Vec<String>,
    /// What stood in the file where checking took or changed a value, by column index.
    pub(crate) originals: Vec<(usize, String)>,
}

impl std::fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values are personal data.
        write!(f, "Row({}, line {})", self.layout.name, self.line)
    }
}

impl Row<'_> {
    /// The value of a column; blank when the layout has no such column.
    pub(crate) fn get(&self, column: &str) -> &str {
        self.layout
            .position(column)
            .and_then(|index| self.values.get(index))
            .map_or("", String::as_str)
    }

    /// The value of a column, unless blank.
    pub(crate) fn filled(&self, column: &str) -> Option<&str> {
        Some(self.get(column)).filter(|value| !value.is_empty())
    }

    /// A date column; checked rows hold dates in the specification's form only.
    pub(crate) fn date(&self, column: &str) -> Option<Date> {
        self.get(column)
            .get(..10)
            .and_then(|text| text.parse().ok())
    }

    /// Puts a value in a column's place and remembers what stood there.
    pub(crate) fn replace(&mut self, index: usize, value: &str) {
        if let Some(slot) = self.values.get_mut(index) {
            let original = std::mem::replace(slot, value.to_owned());
            self.originals.push((index, original));
        }
    }

    /// The file's own key.
    pub(crate) fn key(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    pub(crate) fn is_deleted(&self) -> bool {
        !self.get("DateDeleted").is_empty()
    }

    /// The values as the partner wrote them, so that a copy of the row changes nothing of the partner's.
    pub(crate) fn as_written(&self) -> Vec<String> {
        let mut values = self.values.clone();
        // The first original of a column is the oldest.
        for (index, original) in self.originals.iter().rev() {
            if let Some(slot) = values.get_mut(*index) {
                slot.clone_from(original);
            }
        }
        values
    }
}
