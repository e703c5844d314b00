//! What SQLite refuses, told as any database of the store tells it.

use std::borrow::Cow;
use std::error::Error;

use rusqlite::ffi;
use sqlx::error::{DatabaseError, ErrorKind};

/// An error of SQLite: its extended result code (<https://sqlite.org/rescode.html>) and text, which names tables and columns and
/// holds no values.
#[derive(Debug, thiserror::Error)]
#[error("(code: {code}) {message}")]
pub(in crate::store) struct Fault {
    code: i32,
    message: String,
}

impl Fault {
    /// The primary result code.
    pub(in crate::store) const fn primary(&self) -> i32 {
        self.code & 0xff
    }

    /// What went wrong in a call.
    pub(super) fn of(error: rusqlite::Error) -> sqlx::Error {
        let (code, message) = match error {
            rusqlite::Error::SqliteFailure(error, message) => {
                let message = message.unwrap_or_else(|| error.to_string());
                (error.extended_code, message)
            }
            rusqlite::Error::SqlInputError { error, msg, .. } => (error.extended_code, msg),
            other => return sqlx::Error::Protocol(other.to_string()),
        };
        sqlx::Error::database(Self { code, message })
    }
}

impl DatabaseError for Fault {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.code.to_string().into())
    }

    fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        match self.code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                ErrorKind::UniqueViolation
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => ErrorKind::ForeignKeyViolation,
            ffi::SQLITE_CONSTRAINT_NOTNULL => ErrorKind::NotNullViolation,
            ffi::SQLITE_CONSTRAINT_CHECK => ErrorKind::CheckViolation,
            _ => ErrorKind::Other,
        }
    }
}
