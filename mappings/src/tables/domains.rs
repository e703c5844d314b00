//! The shipped crosswalk of the canonical domains.

use super::{Crosswalk, CrosswalkColumns, Openness, Table, TableError};
use crate::model::domain::Domain;

const TEXT: &str = include_str!("../../tables/coordination/domain_crosswalk.csv");

/// Columns of the crosswalk of domains, for a county's override.
pub const DOMAIN_CROSSWALK_HEADER: &[&str] = &[
    "domain_code",
    "domain_name",
    "domain_group",
    "target_system",
    "target_code",
    "target_label",
    "match",
];

/// The crosswalk between canonical domains and other code systems (`hmis-2024`, `gravity-sdohcc`,
/// `linkages-resource`, `ssm-az`, ...), with a county's rows over it where given. An unknown code
/// becomes `other` and keeps its original.
///
/// # Errors
/// [`TableError`] when a table is malformed or names a domain that does not exist.
pub fn domain_crosswalk(county: Option<Table>) -> Result<Crosswalk, TableError> {
    let mut table = Table::parse("domain_crosswalk.csv", TEXT, DOMAIN_CROSSWALK_HEADER)?;
    if let Some(county) = county {
        table = table.overridden_by(county, &["domain_code", "target_system", "target_code"]);
    }
    let columns = CrosswalkColumns {
        system: Some("target_system"),
        code: "target_code",
        canonical: "domain_code",
        match_kind: Some("match"),
    };
    let openness = Openness::Open {
        fallback: Domain::Other.code().to_owned(),
    };
    let crosswalk = Crosswalk::new(table, columns, openness)?;
    crosswalk.check_canonical(|code| Domain::from_code(code).is_some())?;
    Ok(crosswalk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_crosswalk_names_real_domains_only_and_its_examples_come_true() {
        let crosswalk = domain_crosswalk(None).unwrap();
        assert_eq!(crosswalk.failed_examples(), []);
        assert!(crosswalk.table().examples().len() >= 5);
    }

    #[test]
    fn a_county_maps_its_own_code_without_a_rebuild() {
        let header = DOMAIN_CROSSWALK_HEADER.join(",");
        let text =
            format!("# source: memo\n# version: 1\n{header}\nfood,,,county-list,F1,,exact\n");
        let county = Table::parse("county.csv", &text, DOMAIN_CROSSWALK_HEADER).unwrap();
        let crosswalk = domain_crosswalk(Some(county)).unwrap();
        assert_eq!(
            crosswalk.canonical("county-list", "F1").unwrap().canonical,
            "food"
        );
        let codes: Vec<_> = crosswalk.codes("ssm-az", "mental-health").collect();
        assert_eq!(codes[0].0, "15");
    }
}
