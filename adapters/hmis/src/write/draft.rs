//! A row that is being written: values by column.

use crate::tables::FileLayout;

/// A row of a file in the layout's order.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) layout: &'static FileLayout,
    pub(crate) values: Vec<String>,
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Draft({}, [redacted])", self.layout.name)
    }
}

impl Draft {
    /// A blank row.
    pub(crate) fn blank(layout: &'static FileLayout) -> Self {
        Self {
            layout,
            values: vec![String::new(); layout.columns.len()],
        }
    }

    pub(crate) fn get(&self, column: &str) -> &str {
        self.layout
            .position(column)
            .and_then(|index| self.values.get(index))
            .map_or("", String::as_str)
    }

    pub(crate) fn set(&mut self, column: &str, value: impl Into<String>) {
        if let Some(slot) = self
            .layout
            .position(column)
            .and_then(|index| self.values.get_mut(index))
        {
            *slot = value.into();
        }
    }

    pub(crate) fn key(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }
}
