//! Where the gateway keeps its rows.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// Where the rows are: in a file of SQLite in the data folder, or in a database of PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// Address of a database of PostgreSQL, without a password: `postgres://tandem@db.county.example/tandem?sslmode=verify-full`.
    pub postgres: Option<url::Url>,
    /// File that holds the password of the database's user and nothing else.
    pub password_file: Option<PathBuf>,
    /// Who brings the schema of an older store up to date.
    pub schema: SchemaChange,
}

/// Who brings the schema of a store up to date that an older program made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchemaChange {
    /// The gateway, when it starts.
    #[default]
    AtStart,
    /// `tandem migrate`; until then the gateway does not start.
    ByCommand,
}

impl StoreConfig {
    /// The password from its file, without the end of its line.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn password(&self) -> std::io::Result<Option<String>> {
        let file = self.password_file.as_ref();
        let text = file.map(fs::read_to_string).transpose()?;
        Ok(text.map(|text| text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// What is wrong with it.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let Some(address) = &self.postgres else {
            if self.password_file.is_some() {
                problems.push("store.password_file: only a database of PostgreSQL has one".into());
            }
            return problems;
        };
        if !matches!(address.scheme(), "postgres" | "postgresql") {
            problems.push("store.postgres: expected postgres://USER@HOST/DATABASE".to_owned());
        }
        let query = |name: &str| {
            let mut pairs = address.query_pairs();
            pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
        };
        if address.password().is_some() || query("password").is_some() {
            let problem = "store.postgres: holds a password, which belongs into password_file";
            problems.push(problem.to_owned());
        }
        let host = query("host").or_else(|| address.host_str().map(str::to_owned));
        let mode = query("sslmode").unwrap_or_default();
        if !host.is_none_or(|host| is_here(&host))
            && !matches!(mode.as_str(), "verify-full" | "verify-ca")
        {
            problems.push(
                "store.postgres: a database on another machine needs sslmode=verify-full (or verify-ca)"
                    .to_owned(),
            );
        }
        problems
    }
}

/// Whether a host is this machine: a folder of sockets, or loopback.
pub(super) fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.is_empty()
        || host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|one| one.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> String {
        let config: StoreConfig = toml::from_str(text).unwrap();
        config.problems().join("\n")
    }

    #[test]
    fn a_password_stands_in_a_file_of_its_own() {
        for address in ["postgres://t:x@localhost/t", "postgres:///t?password=x"] {
            let said = problems(&format!("postgres = \"{address}\""));
            assert!(said.contains("password_file"), "{said}");
            assert!(!said.contains(":x@") && !said.contains("=x"), "{said}");
        }
        let alone = problems("password_file = \"pw\"");
        assert!(alone.contains("password_file"), "{alone}");
    }

    #[test]
    fn a_database_elsewhere_shows_who_it_is() {
        for address in [
            "postgres://tandem@db.county.example/tandem",
            "postgres://tandem@db.county.example/tandem?sslmode=require",
            "postgres:///tandem?host=10.0.0.7",
        ] {
            let said = problems(&format!("postgres = \"{address}\""));
            assert!(said.contains("verify-full"), "{address}: {said}");
        }
        for address in [
            "postgres://tandem@db.county.example/tandem?sslmode=verify-full",
            "postgres:///tandem?host=/run/postgresql",
            "postgres://tandem@127.0.0.1/tandem",
            "postgres://tandem@[::1]/tandem",
        ] {
            let said = problems(&format!("postgres = \"{address}\""));
            assert_eq!(said, "", "{address}");
        }
    }
}
