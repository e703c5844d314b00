//! California's county and aid codes.

use tandem_mappings::tables::{Table, TableError};

const COUNTIES: &str = include_str!("../../../../mappings/tables/calworks/ca_counties.csv");
const AID_CODES: &str = include_str!("../../../../mappings/tables/calworks/calworks_aid_codes.csv");

/// The 58 counties by MEDS county code.
#[derive(Debug, Clone)]
pub struct CountyCodes(Vec<(String, String)>);

impl CountyCodes {
    /// Loads the table.
    ///
    /// # Errors
    /// When the table is not sound.
    pub fn load() -> Result<Self, TableError> {
        let columns = ["county_code", "county", "fips3", "fips5", "calworks_region"];
        let table = Table::parse("ca_counties.csv", COUNTIES, &columns)?;
        let pairs = table.rows().iter().map(|row| {
            (
                row.get("county_code").to_owned(),
                row.get("county").to_owned(),
            )
        });
        Ok(Self(pairs.collect()))
    }

    /// Whether a two-digit MEDS county code exists (01 to 58).
    #[must_use]
    pub fn contains(&self, code: &str) -> bool {
        self.0.iter().any(|(known, _)| known == code)
    }
}

/// The aid codes that stand for CalWORKs cash aid.
#[derive(Debug, Clone)]
pub struct AidCodes(Vec<String>);

impl AidCodes {
    /// Loads the table.
    ///
    /// # Errors
    /// When the table is not sound.
    pub fn load() -> Result<Self, TableError> {
        let columns = [
            "aid_code",
            "working_name",
            "funding",
            "ticks_tanf_clock",
            "ticks_calworks_clock",
            "confidence",
            "note",
        ];
        let table = Table::parse("calworks_aid_codes.csv", AID_CODES, &columns)?;
        Ok(Self(
            table
                .rows()
                .iter()
                .map(|row| row.get("aid_code").to_owned())
                .collect(),
        ))
    }

    /// Whether the code is a known CalWORKs aid code.
    #[must_use]
    pub fn contains(&self, code: &str) -> bool {
        self.0.iter().any(|known| known == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn california_has_58_counties() {
        let counties = CountyCodes::load().unwrap();
        assert!(counties.contains("01") && counties.contains("58"));
        assert!(!counties.contains("00") && !counties.contains("59"));
    }

    #[test]
    fn foster_care_codes_are_not_calworks_cash() {
        let codes = AidCodes::load().unwrap();
        assert!(codes.contains("30") && codes.contains("K1"));
        assert!(!codes.contains("42"));
    }
}
