//! May this be told.
