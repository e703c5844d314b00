//! What gave the items of a decision their category and labels, for privacy staff.

use serde::Serialize;
use tandem_consent::Request;
use tandem_mappings::labels::fact;
use utoipa::ToSchema;

use crate::config::{Labels, TABLES};
use crate::pipeline::weighed::LabelledBy;
use crate::store::DecisionRow;

/// An item of a decision with what labelled it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct ItemLabels {
    /// The item's id in the decision.
    pub item: String,
    /// Its category.
    pub category: String,
    /// Its sensitivity labels.
    pub labels: Vec<String>,
    /// The table rows and facts that called for them.
    pub rows: Vec<LabelReason>,
    /// Hashes of the tables that held the rows.
    pub tables: Vec<String>,
}

/// A table row or a fact about the source.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct LabelReason {
    /// Its id, such as `icd10cm:F11`, `county:hmis:7` or `source:part2_program`.
    pub row: String,
    /// What it means; absent when the tables in force are not those that held the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// Standard, version and section of a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The county's file of a county's row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub county_file: Option<String>,
}

impl ItemLabels {
    /// The labelled items of a recorded decision; none when what its items are is what their systems send by default.
    pub(super) fn of(row: &DecisionRow, request: &Request, labels: &Labels) -> Vec<Self> {
        let cited = row.record.get("labelled_by").cloned().unwrap_or_default();
        let cited: LabelledBy = serde_json::from_value(cited).unwrap_or_default();
        let items = request.items.iter().filter_map(|item| {
            let why = cited.get(&item.id)?;
            let tables: Vec<String> = why
                .iter()
                .filter_map(|one| one.strip_prefix(TABLES).map(str::to_owned))
                .collect();
            let are_in_force = tables.contains(&labels.hash);
            let rows = why.iter().filter(|one| !one.starts_with(TABLES));
            Some(Self {
                item: item.id.clone(),
                category: item
                    .category
                    .as_ref()
                    .and_then(tandem_consent::Coded::value)
                    .map(|category| category.to_string())
                    .unwrap_or_default(),
                labels: item.labels.iter().cloned().collect(),
                rows: rows.map(|id| reason(id, labels, are_in_force)).collect(),
                tables,
            })
        });
        items.collect()
    }

    /// In one line for people.
    pub(super) fn line(&self) -> String {
        let rows = self.rows.iter().map(|row| match &row.meaning {
            Some(meaning) => format!("{} ({meaning})", row.row),
            None => row.row.clone(),
        });
        let rows: Vec<String> = rows.collect();
        let labels = match self.labels.as_slice() {
            [] => "without labels".to_owned(),
            labels => labels.join(" "),
        };
        let (item, category) = (&self.item, &self.category);
        format!("{item}: {category} {labels} by {}", rows.join(", "))
    }
}

fn reason(id: &str, labels: &Labels, are_in_force: bool) -> LabelReason {
    let row = labels.tables.row(id).filter(|_| are_in_force);
    let meaning = row.map(|row| row.meaning.as_str()).or_else(|| fact(id));
    LabelReason {
        row: id.to_owned(),
        meaning: meaning.map(str::to_owned),
        source: row.map(|row| row.source.clone()),
        county_file: row.and_then(|row| row.county_file.clone()),
    }
}
