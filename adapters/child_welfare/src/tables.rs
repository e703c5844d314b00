//! The fact tables of the adapter, embedded, and the questions that it asks of them.

use std::collections::{BTreeMap, BTreeSet};

use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::person::Relation;
use tandem_mappings::tables::{
    Crosswalk, CrosswalkColumns, ExampleFailure, Openness, Table, TableError,
};

macro_rules! table_text {
    ($name:literal) => {
        include_str!(concat!("../../../mappings/tables/child_welfare/", $name))
    };
}

/// The code list of the service categories in the crosswalk.
pub(crate) const SERVICE_CATEGORY: &str = "hs:ServiceCategoryCode";

/// A path of the two messages and how often the profile wants it.
#[derive(Debug, Clone)]
pub(crate) struct MessagePath {
    /// Prefixed names below the root, joined by `/`.
    pub(crate) path: String,
    /// `referral`, `case_plan_update`, `both`, or `none` for content that is refused.
    pub(crate) message: String,
    /// At least one.
    pub(crate) is_required: bool,
    /// At most one.
    pub(crate) is_single: bool,
}

/// Every fact table of the adapter, checked when built.
#[derive(Debug, Clone)]
pub struct Tables {
    columns: BTreeSet<(String, String)>,
    names: BTreeSet<String>,
    codes: BTreeMap<(String, u32), String>,
    relations: Crosswalk,
    categories: Crosswalk,
    goals: Crosswalk,
    statuses: Crosswalk,
    closed_lists: BTreeSet<(String, String)>,
    elements: BTreeSet<String>,
    refused_elements: BTreeSet<String>,
    paths: Vec<MessagePath>,
}

impl Tables {
    /// Reads and checks the embedded tables.
    ///
    /// # Errors
    /// [`TableError`] with file and line of the first thing that is wrong.
    pub fn embedded() -> Result<Self, TableError> {
        let (columns, names) = columns()?;
        let paths = paths()?;
        let (elements, refused_elements) = elements(&paths);
        Ok(Self {
            columns,
            names,
            codes: codes()?,
            relations: relations()?,
            categories: categories()?,
            goals: goals()?,
            statuses: statuses()?,
            closed_lists: closed_lists()?,
            elements,
            refused_elements,
            paths,
        })
    }

    /// Whether CWS/CMS has such a table.
    #[must_use]
    pub fn is_table(&self, table: &str) -> bool {
        self.names.contains(table)
    }

    /// Whether a table of CWS/CMS has such a column.
    #[must_use]
    pub fn is_column(&self, table: &str, column: &str) -> bool {
        self.columns
            .contains(&(table.to_owned(), column.to_owned()))
    }

    /// The short description of a system code, when the list has it.
    #[must_use]
    pub fn description(&self, list: &str, code: u32) -> Option<&str> {
        self.codes.get(&(list.to_owned(), code)).map(|texts| {
            texts
                .split_once('|')
                .map_or(texts.as_str(), |(description, _)| description)
        })
    }

    /// The logical id of a system code: the letters that people use, such as `FM`.
    #[must_use]
    pub fn logical_id(&self, list: &str, code: u32) -> Option<&str> {
        self.codes
            .get(&(list.to_owned(), code))?
            .split_once('|')
            .map(|(_, logical)| logical)
    }

    /// How the first client of a relationship code stands to the second.
    #[must_use]
    pub fn relation(&self, code: u32) -> Option<Relation> {
        let coded = self.relations.canonical("", &code.to_string()).ok()?;
        Relation::from_code(&coded.canonical)
    }

    /// The canonical domain of a NIEM service category; `None` for a code outside the list.
    #[must_use]
    pub fn domain(&self, category: &str) -> Option<Domain> {
        let coded = self.categories.canonical(SERVICE_CATEGORY, category).ok()?;
        Domain::from_code(&coded.canonical)
    }

    /// The NIEM service category of a canonical domain.
    #[must_use]
    pub fn category(&self, domain: Domain) -> Option<&str> {
        let mut codes = self.categories.codes(SERVICE_CATEGORY, domain.code());
        codes.next().map(|(code, _)| code)
    }

    /// The canonical permanency goal of a NIEM goal code.
    #[must_use]
    pub fn permanency_goal(&self, code: &str) -> Option<String> {
        self.goals
            .canonical("", code)
            .ok()
            .map(|coded| coded.canonical)
    }

    /// The canonical code of a status text; `list` says what it is the status of. Capitals do not matter.
    #[must_use]
    pub fn status(&self, list: &str, text: &str) -> Option<String> {
        let text = text.trim().to_ascii_lowercase();
        self.statuses
            .canonical(list, &text)
            .ok()
            .map(|coded| coded.canonical)
    }

    /// Whether a closed NIEM code list has the code.
    #[must_use]
    pub fn has_code(&self, list: &str, code: &str) -> bool {
        self.closed_lists
            .contains(&(list.to_owned(), code.to_owned()))
    }

    /// Whether the messages use an element of this prefixed name.
    #[must_use]
    pub fn is_element(&self, name: &str) -> bool {
        self.elements.contains(name)
    }

    /// Whether an element must never be part of a message (allegations).
    #[must_use]
    pub fn is_refused_element(&self, name: &str) -> bool {
        self.refused_elements.contains(name)
    }

    /// The paths of the two messages below their roots.
    pub(crate) fn paths(&self) -> &[MessagePath] {
        &self.paths
    }

    /// The example pairs of the crosswalks that do not come true.
    #[must_use]
    pub fn failed_examples(&self) -> Vec<ExampleFailure> {
        [
            &self.relations,
            &self.categories,
            &self.goals,
            &self.statuses,
        ]
        .into_iter()
        .flat_map(Crosswalk::failed_examples)
        .collect()
    }
}

type Columns = (BTreeSet<(String, String)>, BTreeSet<String>);

fn columns() -> Result<Columns, TableError> {
    let table = Table::parse(
        "cws_cms_columns.csv",
        table_text!("cws_cms_columns.csv"),
        &["table", "column", "meaning", "type", "note"],
    )?
    .unique_by(&["table", "column"])?;
    let pairs = table
        .rows()
        .iter()
        .map(|row| (row.get("table").to_owned(), row.get("column").to_owned()));
    let columns: BTreeSet<_> = pairs.collect();
    let names = columns.iter().map(|(table, _)| table.clone()).collect();
    Ok((columns, names))
}

fn codes() -> Result<BTreeMap<(String, u32), String>, TableError> {
    let table = Table::parse(
        "cws_cms_codes.csv",
        table_text!("cws_cms_codes.csv"),
        &[
            "meta",
            "sys_id",
            "short_description",
            "logical_id",
            "inactive",
            "other_code",
            "long_description",
        ],
    )?
    .unique_by(&["meta", "sys_id"])?;
    table
        .rows()
        .iter()
        .map(|row| {
            let code = row.parsed("sys_id", "a number")?;
            let texts = format!("{}|{}", row.get("short_description"), row.get("logical_id"));
            Ok(((row.get("meta").to_owned(), code), texts))
        })
        .collect()
}

fn relations() -> Result<Crosswalk, TableError> {
    let table = Table::parse(
        "cws_cms_relationships.csv",
        table_text!("cws_cms_relationships.csv"),
        &["code", "label", "inverse", "relation"],
    )?;
    let columns = CrosswalkColumns {
        system: None,
        code: "code",
        canonical: "relation",
        match_kind: None,
    };
    let crosswalk = Crosswalk::new(table, columns, Openness::Closed)?;
    crosswalk.check_canonical(|code| Relation::from_code(code).is_some())?;
    Ok(crosswalk)
}

fn categories() -> Result<Crosswalk, TableError> {
    let table = Table::parse(
        "niem_service_categories.csv",
        table_text!("niem_service_categories.csv"),
        &["canonical", "system", "code", "match"],
    )?;
    let columns = CrosswalkColumns {
        system: Some("system"),
        code: "code",
        canonical: "canonical",
        match_kind: Some("match"),
    };
    let crosswalk = Crosswalk::new(table, columns, Openness::Closed)?;
    crosswalk.check_canonical(|code| Domain::from_code(code).is_some())?;
    Ok(crosswalk)
}

fn goals() -> Result<Crosswalk, TableError> {
    let table = Table::parse(
        "niem_permanency_goals.csv",
        table_text!("niem_permanency_goals.csv"),
        &["canonical", "niem", "match"],
    )?;
    let columns = CrosswalkColumns {
        system: None,
        code: "niem",
        canonical: "canonical",
        match_kind: Some("match"),
    };
    Crosswalk::new(table, columns, Openness::Closed)
}

fn statuses() -> Result<Crosswalk, TableError> {
    let table = Table::parse(
        "niem_statuses.csv",
        table_text!("niem_statuses.csv"),
        &["list", "code", "canonical"],
    )?;
    let columns = CrosswalkColumns {
        system: Some("list"),
        code: "code",
        canonical: "canonical",
        match_kind: None,
    };
    Crosswalk::new(table, columns, Openness::Closed)
}

fn closed_lists() -> Result<BTreeSet<(String, String)>, TableError> {
    let table = Table::parse(
        "niem_codes.csv",
        table_text!("niem_codes.csv"),
        &["type", "value"],
    )?;
    let pairs = table
        .rows()
        .iter()
        .map(|row| (row.get("type").to_owned(), row.get("value").to_owned()));
    Ok(pairs.collect())
}

fn paths() -> Result<Vec<MessagePath>, TableError> {
    let table = Table::parse(
        "niem_paths.csv",
        table_text!("niem_paths.csv"),
        &["path", "message", "cardinality", "field"],
    )?;
    let rows = table.rows().iter().map(|row| {
        let cardinality = row.required("cardinality")?;
        Ok(MessagePath {
            path: row.required("path")?.to_owned(),
            message: row.get("message").to_owned(),
            is_required: cardinality.starts_with("1.."),
            is_single: cardinality.ends_with("..1"),
        })
    });
    rows.collect()
}

/// The elements that the messages use, and those that must never be part of one.
fn elements(paths: &[MessagePath]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut known, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for one in paths {
        let names = one.path.split('/').map(str::to_owned);
        match one.message.as_str() {
            "none" => refused.extend(names),
            _ => known.extend(names),
        }
    }
    (known, refused)
}
