//! Rules that came into force: how far what was told, asked for or withheld before has been decided again by them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::{Document, Place, StoreError};

/// What is still to be decided again. It is written with the rules that come into force, and goes when nothing is left.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReconsideringDoc {
    /// Hash of the rules.
    pub rules: String,
    /// Since when they count, or others that came before them and had not reached everything.
    pub since: Timestamp,
    /// The place of the last record that was looked at, in hexadecimal; from the beginning when absent.
    #[serde(default)]
    pub reached: Option<String>,
    /// How many records there were whose people could not be looked at: the gateway begins anew for them.
    #[serde(default)]
    pub failed: u32,
}

impl ReconsideringDoc {
    /// The one key: the last rules are the only ones by which anything is decided.
    pub const NAME: &'static str = "rules";

    /// Nothing has been looked at yet by these rules.
    #[must_use]
    pub const fn new(rules: String, since: Timestamp) -> Self {
        Self {
            rules,
            since,
            reached: None,
            failed: 0,
        }
    }

    /// The place after which the next records stand.
    ///
    /// # Errors
    /// When what was kept is no place.
    pub fn after(&self) -> Result<Vec<u8>, StoreError> {
        let reached = self.reached.as_deref().unwrap_or_default();
        hex::decode(reached).map_err(|_| StoreError::Shape {
            kind: "place of a record",
        })
    }

    /// Goes on after a record.
    pub fn reach(&mut self, place: &Place) {
        self.reached = Some(place.to_string());
    }

    /// How much of it is done, in hundredths: places are keyed hashes, so that records lie evenly between the first and the
    /// last of them.
    #[must_use]
    pub fn percent(&self) -> u32 {
        let first = self.reached.as_deref().and_then(|place| place.get(..4));
        let first = first.and_then(|first| u32::from_str_radix(first, 16).ok());
        first.unwrap_or_default() * 100 / 0x1_0000
    }
}

impl Document for ReconsideringDoc {
    const KIND: &'static str = "reconsidering";

    fn key(&self) -> String {
        Self::NAME.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_much_is_done_is_read_from_the_place_that_was_reached() {
        let mut document = ReconsideringDoc::new("r".to_owned(), Timestamp::UNIX_EPOCH);
        assert_eq!(document.percent(), 0);
        document.reached = Some("80ff".repeat(16));
        assert_eq!(document.percent(), 50);
        document.reached = Some("ffff".repeat(16));
        assert_eq!(document.percent(), 99);
    }
}
