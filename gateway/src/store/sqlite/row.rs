//! A row of SQLite, taken out of the statement that found it.

use std::sync::Arc;

use rusqlite::Statement;
use rusqlite::types::ValueRef;

use super::super::sql::Cell;

/// The names of the columns of a statement.
pub(super) type Names = Arc<[Box<str>]>;

/// A row.
pub(in crate::store) struct SqliteRow {
    names: Names,
    cells: Vec<Option<Cell>>,
}

impl SqliteRow {
    pub(super) fn names(statement: &Statement<'_>) -> Names {
        statement
            .column_names()
            .into_iter()
            .map(Box::from)
            .collect()
    }

    pub(super) fn of(names: &Names, row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let cell = |place| Ok(Cell::of(row.get_ref(place)?));
        Ok(Self {
            names: Arc::clone(names),
            cells: (0..names.len())
                .map(cell)
                .collect::<rusqlite::Result<_>>()?,
        })
    }

    /// A column by its name.
    pub(in crate::store) fn try_get<'r, T: FromCell<'r>>(
        &'r self,
        column: &str,
    ) -> Result<T, sqlx::Error> {
        let place = self.names.iter().position(|name| **name == *column);
        let place = place.ok_or_else(|| sqlx::Error::ColumnNotFound(column.to_owned()))?;
        self.at(place)
    }

    /// A column by its place, from nought.
    pub(in crate::store) fn at<'r, T: FromCell<'r>>(
        &'r self,
        place: usize,
    ) -> Result<T, sqlx::Error> {
        let cell = self.cells.get(place);
        let cell = cell.ok_or(sqlx::Error::ColumnIndexOutOfBounds {
            index: place,
            len: self.cells.len(),
        })?;
        T::from_cell(cell.as_ref()).ok_or_else(|| {
            let name = self.names.get(place).map(ToString::to_string);
            sqlx::Error::ColumnDecode {
                index: name.unwrap_or_default(),
                source: format!("not a {}", std::any::type_name::<T>()).into(),
            }
        })
    }

    /// The values that the row holds, by the names of their columns.
    pub(in crate::store) fn into_cells(self) -> Vec<(String, Cell)> {
        let named = self.names.iter().zip(self.cells);
        named
            .filter_map(|(name, cell)| Some((name.to_string(), cell?)))
            .collect()
    }
}

impl Cell {
    fn of(value: ValueRef<'_>) -> Option<Self> {
        Some(match value {
            ValueRef::Null => return None,
            ValueRef::Integer(value) => Self::Integer(value),
            // No column of these tables is of this type; one that is was put there by somebody else.
            ValueRef::Real(value) => Self::Bytes(value.to_be_bytes().to_vec()),
            // Text that is none was put there by somebody else: its bytes are compared like any others.
            ValueRef::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => Self::Text(text.to_owned()),
                Err(_) => Self::Bytes(text.to_vec()),
            },
            ValueRef::Blob(bytes) => Self::Bytes(bytes.to_vec()),
        })
    }
}

/// What a value of SQLite may be read as.
pub(in crate::store) trait FromCell<'r>: Sized {
    /// The value; `None` when it is of another type.
    fn from_cell(cell: Option<&'r Cell>) -> Option<Self>;
}

macro_rules! from_cell {
    ($($type:ty: $kind:ident($value:ident) => $into:expr;)+) => {$(
        impl<'r> FromCell<'r> for $type {
            fn from_cell(cell: Option<&'r Cell>) -> Option<Self> {
                match cell? {
                    Cell::$kind($value) => $into,
                    _ => None,
                }
            }
        }
    )+};
}

from_cell! {
    i64: Integer(value) => Some(*value);
    i32: Integer(value) => (*value).try_into().ok();
    bool: Integer(value) => Some(*value != 0);
    String: Text(value) => Some(value.clone());
    &'r str: Text(value) => Some(value);
    Vec<u8>: Bytes(value) => Some(value.clone());
    &'r [u8]: Bytes(value) => Some(value);
}

impl<'r, T: FromCell<'r>> FromCell<'r> for Option<T> {
    fn from_cell(cell: Option<&'r Cell>) -> Option<Self> {
        match cell {
            None => Some(None),
            some => T::from_cell(some).map(Some),
        }
    }
}
