//! `GET /v1/persons/{id}`: a person is a set of linked source records.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use tandem_mappings::model::id::PersonId;
use tandem_mappings::model::person::PersonRecord;
use utoipa::ToSchema;

use super::Api;
use super::body::Path;
use super::caller::{As, Caller, LinkReaders};
use super::link_view::LinkSummary;
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::config::Role;
use crate::pipeline::family;
use crate::state::link::LinkDoc;
use crate::state::record::{RecordDoc, Standing};
use crate::store::Tx;

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/v1/persons/{id}",
        "A person's source records and the links between them; audited",
    )
    .allow::<LinkReaders>()
    .gives::<PersonView>(
        200,
        "Names and birth dates for stewards alone, who need them to judge a pair",
    )
    .refuses(404, "No records stand under this id");
    routes.add(doc, show)
}

/// A person as stewards, privacy officers and auditors see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PersonView {
    /// The gateway's id.
    pub id: String,
    /// The source records that count.
    pub records: Vec<RecordView>,
    /// The links between them, and doubtful pairs that name one of them.
    pub links: Vec<LinkSummary>,
}

/// One source record.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecordView {
    /// The system that holds it.
    pub system: String,
    /// Its id there.
    pub source_person_id: String,
    /// Kind of record in the source's words.
    pub record_kind: String,
    /// The person to whom it belongs now.
    pub person: String,
    /// Whether it counts.
    pub standing: &'static str,
    /// Whether it may stand in the match index.
    pub may_match: bool,
    /// Last arrival.
    pub received_at: String,
    /// What it says, as far as the caller may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
}

/// What a steward compares.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Shown {
    /// Names, the official one first.
    pub names: Vec<String>,
    /// Birth date as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<String>,
    /// Sex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sex: Option<String>,
    /// Last four digits of the Social Security number, when they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssn_last_four: Option<String>,
}

impl Shown {
    fn of(person: &PersonRecord) -> Self {
        let names = person.names.iter().map(|name| {
            let parts = [&name.given, &name.middle, &name.family, &name.suffix];
            parts
                .into_iter()
                .filter(|part| !part.is_empty())
                .cloned()
                .collect::<Vec<_>>()
                .join(" ")
        });
        Self {
            names: names.collect(),
            birth_date: person.birth.map(|birth| birth.date.to_string()),
            sex: person.sex.map(|sex| sex.code().to_owned()),
            ssn_last_four: person
                .ssn
                .as_ref()
                .and_then(|value| value.ssn.last_four())
                .map(str::to_owned),
        }
    }
}

impl RecordView {
    /// A record as the caller may see it.
    pub(super) fn of(record: &RecordDoc, caller: &Caller) -> Self {
        let standing = match record.standing {
            Standing::Active => "active",
            Standing::Withdrawn => "withdrawn",
            Standing::Sealed => "sealed",
        };
        Self {
            system: record.key.system.to_string(),
            source_person_id: record.key.person.to_string(),
            record_kind: record.record_kind.clone(),
            person: record.person_id.to_string(),
            standing,
            may_match: record.may_match,
            received_at: record.received_at.to_string(),
            shown: (caller.role() == Role::Steward).then(|| Shown::of(&record.person)),
        }
    }
}

async fn show(
    by: As<LinkReaders>,
    State(api): State<Api>,
    Path(id): Path<PersonId>,
) -> Result<Json<PersonView>, ApiError> {
    let core = api.core();
    let mut tx = core.store.begin().await?;
    let records = family::records_of(&mut tx, id).await?;
    looked_at(
        &mut tx,
        core.clock.now(),
        &by.caller,
        "person.read",
        &id.to_string(),
    )
    .await?;
    let mut links: Vec<LinkSummary> = Vec::new();
    for record in &records {
        for link in tx
            .find::<LinkDoc>("link.record", &RecordDoc::key_of(&record.key))
            .await?
        {
            let summary = LinkSummary::of(&link);
            if !links.iter().any(|known| known.id == summary.id) {
                links.push(summary);
            }
        }
    }
    tx.commit().await?;
    if records.is_empty() {
        return Err(ApiError::NotFound);
    }
    let records = records
        .iter()
        .map(|record| RecordView::of(record, &by.caller))
        .collect();
    Ok(Json(PersonView {
        id: id.to_string(),
        records,
        links,
    }))
}

/// Notes in the audit that somebody looked at a person's data.
pub(super) async fn looked_at(
    tx: &mut Tx,
    now: Timestamp,
    caller: &Caller,
    action: &str,
    object: &str,
) -> Result<(), ApiError> {
    Ok(tx.audit(now, caller.name(), action, object, "").await?)
}
