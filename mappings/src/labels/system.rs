//! Code systems, by the names that senders give them.

use std::collections::BTreeMap;

use crate::tables::{Table, TableError};

const TEXT: &str = include_str!("../../tables/labels/code_systems.csv");
const HEADER: [&str; 3] = ["system", "name", "form"];

/// How the codes of a system are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeForm {
    /// By their first characters, dots aside.
    Icd,
    /// As they stand.
    Exact,
}

/// The code systems for which there are label tables.
#[derive(Debug, Clone)]
pub struct CodeSystems {
    table: Table,
    by_name: BTreeMap<String, String>,
    forms: BTreeMap<String, CodeForm>,
}

impl CodeSystems {
    /// The systems that come with Tandem.
    ///
    /// # Errors
    /// When the table is malformed; a test shows that it is not.
    pub fn shipped() -> Result<Self, TableError> {
        let table = Table::parse("code_systems.csv", TEXT, &HEADER)?.unique_by(&["name"])?;
        let (mut by_name, mut forms) = (BTreeMap::new(), BTreeMap::new());
        for row in table.rows() {
            let form = match row.get("form") {
                "icd" => CodeForm::Icd,
                "exact" => CodeForm::Exact,
                _ => return Err(row.refuse("form", "icd or exact")),
            };
            let system = row.required("system")?.to_owned();
            if forms
                .insert(system.clone(), form)
                .is_some_and(|other| other != form)
            {
                return Err(row.refuse("form", "one form for a system"));
            }
            by_name.insert(normal(row.required("name")?), system);
        }
        Ok(Self {
            table,
            by_name,
            forms,
        })
    }

    /// Our name of a system, by a sender's.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&str> {
        self.by_name.get(&normal(name)).map(String::as_str)
    }

    /// How the codes of a system, by our name, are compared.
    #[must_use]
    pub fn form(&self, system: &str) -> Option<CodeForm> {
        self.forms.get(system).copied()
    }

    /// The table.
    #[must_use]
    pub const fn table(&self) -> &Table {
        &self.table
    }
}

/// A name without what senders write in different ways: case, a version after `|`, a slash at the end.
fn normal(name: &str) -> String {
    let name = name.trim();
    let name = name.split('|').next().unwrap_or(name);
    let name = name.trim_end_matches('/').to_ascii_lowercase();
    name.strip_prefix("https://")
        .map_or(name.clone(), |rest| format!("http://{rest}"))
}
