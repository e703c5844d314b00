//! The example deployment of the demo county, compiled in: what `tandem init` writes and what offline decisions use
//! when there is no configuration. These are the files of `config/` in the repository, and a test loads them.

/// Every file with its path below the deployment's folder.
pub const FILES: &[(&str, &str)] = &[
    ("gateway.toml", include_str!("../../../config/gateway.toml")),
    (
        "matching.toml",
        include_str!("../../../config/matching.toml"),
    ),
    (
        "registry/organizations.toml",
        include_str!("../../../config/registry/organizations.toml"),
    ),
    (
        "registry/services.toml",
        include_str!("../../../config/registry/services.toml"),
    ),
    (
        "registry/systems.toml",
        include_str!("../../../config/registry/systems.toml"),
    ),
    (
        "registry/teams.toml",
        include_str!("../../../config/registry/teams.toml"),
    ),
    (
        "registry/workers.toml",
        include_str!("../../../config/registry/workers.toml"),
    ),
    (
        "overrides/demo-county/county.toml",
        include_str!("../../../config/overrides/demo-county/county.toml"),
    ),
    (
        "overrides/demo-county/regimes/gateway/DEMO-01.cedar",
        include_str!("../../../config/overrides/demo-county/regimes/gateway/DEMO-01.cedar"),
    ),
    (
        "overrides/demo-county/regimes/gateway/DEMO-02.cedar",
        include_str!("../../../config/overrides/demo-county/regimes/gateway/DEMO-02.cedar"),
    ),
    (
        "overrides/demo-county/regimes/gateway/examples/DEMO-01.toml",
        include_str!("../../../config/overrides/demo-county/regimes/gateway/examples/DEMO-01.toml"),
    ),
    (
        "overrides/demo-county/regimes/gateway/examples/DEMO-02.toml",
        include_str!("../../../config/overrides/demo-county/regimes/gateway/examples/DEMO-02.toml"),
    ),
    (
        "tables/calworks/caseload_csv.csv",
        include_str!("../../../config/tables/calworks/caseload_csv.csv"),
    ),
    (
        "tables/calworks/caseload_fixed.csv",
        include_str!("../../../config/tables/calworks/caseload_fixed.csv"),
    ),
    (
        "tables/fhir/service_codes.csv",
        include_str!("../../../config/tables/fhir/service_codes.csv"),
    ),
];

/// The commented configuration file.
pub const GATEWAY_TOML: &str = include_str!("../../../config/gateway.toml");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::config::{Config, Tokens};

    fn files_below(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files_below(&path, root, found);
            } else {
                found.insert(
                    path.strip_prefix(root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
    }

    #[test]
    fn every_file_that_the_example_names_is_compiled_in() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
        let mut on_disk = BTreeSet::new();
        for part in ["registry", "overrides", "tables"] {
            files_below(&root.join(part), &root, &mut on_disk);
        }
        on_disk.extend(["gateway.toml".to_owned(), "matching.toml".to_owned()]);
        let compiled: BTreeSet<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(compiled, on_disk);
    }

    #[test]
    fn the_commented_configuration_and_token_files_parse() {
        let config: Config = toml::from_str(GATEWAY_TOML).unwrap();
        assert_eq!(config.systems.len(), 5);
        let tokens: Tokens = toml::from_str(include_str!("../../../config/tokens.toml")).unwrap();
        assert!(!tokens.tokens.is_empty());
    }

    fn keys(table: &toml::Table, found: &mut BTreeSet<String>) {
        for (name, value) in table {
            found.insert(name.clone());
            let inner = value.as_array().into_iter().flatten().chain([value]);
            inner
                .filter_map(toml::Value::as_table)
                .for_each(|table| keys(table, found));
        }
    }

    #[test]
    fn the_reference_of_the_configuration_names_every_key() {
        let text = include_str!("../../../docs/CONFIGURATION.md");
        let mut found = BTreeSet::new();
        keys(&GATEWAY_TOML.parse().unwrap(), &mut found);
        let words: BTreeSet<&str> = text
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .collect();
        let is_system = |key: &&String| key.ends_with("-demo");
        let missing: Vec<_> = found
            .iter()
            .filter(|key| !is_system(key) && !words.contains(key.as_str()))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
