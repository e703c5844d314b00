//! `GET /v1/consents`: directives by record, state, recipient, category and end.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::DirectiveState;
use tandem_mappings::model::id::{PersonId, RecordKey};
use utoipa::ToSchema;

use super::ConsentView;
use super::unreadable::{self, NotRead, Unreadable};
use crate::api::Api;
use crate::api::body::{JsonBody, Query, limit};
use crate::api::caller::{As, Caller, PrivacyOfficers};
use crate::api::persons::looked_at;
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::pipeline::family;
use crate::state::directive::{BY_STATE, DirectiveDoc};
use crate::state::record::RecordDoc;
use crate::store::{Place, Tx};

/// Directives that are looked at together.
const PAGE: u32 = 500;
/// Pages of the store that one page of an answer goes through at most: some 10,000 directives.
const MOST_PAGES: u32 = 20;

pub(super) fn routes(routes: Routes) -> Routes {
    let list = Doc::get(
        "/v1/consents",
        "Consents; those of a page newest first; audited",
    )
    .allow::<PrivacyOfficers>()
    .query("system", "With `person`: only those that cover this record")
    .query("person", "With `system`: the system's own id of the person")
    .query("state", "Only those that stand so")
    .query("recipient", "Only those that name this recipient")
    .query("category", "Only those about this category")
    .query("expiring_before", "Only those that end before this instant")
    .query("limit", "Most entries")
    .query("after", "From here on; `next` of the page before gives it")
    .gives::<Consents>(
        200,
        "The directives as they stand, and where the next page begins",
    );
    let search = Doc::post(
        "/v1/consents/search",
        "The same by a record of the person: an agency's id of a person stands in no address; audited",
    )
    .allow::<PrivacyOfficers>()
    .takes::<Wanted>()
    .gives::<Consents>(200, "The directives as they stand, and where the next page begins");
    routes.add(list, list_consents).add(search, search_consents)
}

/// Consents.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Consents {
    /// The entries.
    pub consents: Vec<ConsentView>,
    /// Consents of this page that can't be read: whatever was looked for, they may be among it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What is looked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    /// A record of the person.
    #[schema(value_type = Option<Object>)]
    record: Option<RecordKey>,
    /// The person, by the gateway's id.
    #[schema(value_type = Option<String>)]
    person: Option<PersonId>,
    /// Where they stand.
    state: Option<String>,
    /// A recipient whom they name.
    recipient: Option<String>,
    /// A category that they are about.
    #[schema(value_type = Option<String>)]
    category: Option<Category>,
    /// They end before this instant.
    #[schema(value_type = Option<String>)]
    expiring_before: Option<Timestamp>,
    /// Most entries.
    limit: Option<i64>,
    /// From here on.
    after: Option<String>,
}

impl Wanted {
    fn fits(&self, api: &Api, document: &DirectiveDoc) -> bool {
        let directive = &document.directive;
        let by_state = self
            .state
            .as_deref()
            .is_none_or(|state| directive.standing().code() == state);
        let by_recipient = self
            .recipient
            .as_ref()
            .is_none_or(|id| directive.recipients.named.contains(id));
        let by_category = self
            .category
            .is_none_or(|category| directive.categories.contains(&category));
        let by_end = self.expiring_before.is_none_or(|before| {
            let end = tandem_consent::ends_at(directive, &api.core().judge.bundle());
            directive.standing().is_open() && end.is_some_and(|end| end < before)
        });
        by_state && by_recipient && by_category && by_end
    }
}

async fn search_consents(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    JsonBody(wanted): JsonBody<Wanted>,
) -> Result<Json<Consents>, ApiError> {
    find(&by.caller, &api, &wanted).await
}

async fn list_consents(
    by: As<PrivacyOfficers>,
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Consents>, ApiError> {
    find(&by.caller, &api, &wanted).await
}

async fn find(caller: &Caller, api: &Api, wanted: &Wanted) -> Result<Json<Consents>, ApiError> {
    let state = match &wanted.state {
        None => None,
        Some(code) => Some(
            DirectiveState::from_code(code)
                .ok_or_else(|| ApiError::Malformed("the query: no such state".to_owned()))?,
        ),
    };
    let core = api.core();
    let mut tx = core.store.begin().await?;
    looked_at(&mut tx, core.clock.now(), caller, "consent.search", "").await?;
    tx.commit().await?;
    // Nobody who writes waits for the search.
    let mut tx = core.store.snapshot().await?;
    let (mut found, unreadable, next) = match (&wanted.record, wanted.person) {
        (None, None) => page(api, &mut tx, wanted, state).await?,
        (record, person) => {
            let mut keys: Vec<RecordKey> = record.iter().cloned().collect();
            if let Some(person) = person {
                let records = family::records_of(&mut tx, person).await?;
                keys.extend(records.into_iter().map(|record| record.key));
            }
            let (mut found, unreadable) = covering(&mut tx, &keys).await?;
            found.retain(|document| wanted.fits(api, document));
            (found, unreadable, None)
        }
    };
    found.sort_by_key(|document| std::cmp::Reverse(document.captured_at));
    Ok(Json(Consents {
        consents: found.iter().map(ConsentView::from).collect(),
        unreadable: unreadable::views(&mut tx, unreadable).await?,
        next,
    }))
}

/// A page: what was found, the places of what can't be read, and where the next one begins.
type Page = (Vec<DirectiveDoc>, Vec<NotRead>, Option<String>);

/// Every directive that covers one of the records, and those of them that can't be read.
async fn covering(
    tx: &mut Tx,
    keys: &[RecordKey],
) -> Result<(Vec<DirectiveDoc>, Vec<NotRead>), ApiError> {
    let mut all = BTreeMap::new();
    for key in keys {
        let key = RecordDoc::key_of(key);
        let found = tx.find_each::<DirectiveDoc>("directive.record", &key);
        all.extend(
            found
                .await?
                .into_iter()
                .map(|one| (one.place, one.document)),
        );
    }
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for (place, document) in all {
        match document {
            Ok(document) => found.push(document),
            Err(error) => unreadable.push((place, error)),
        }
    }
    Ok((found, unreadable))
}

/// One page, and where the next one begins. Where little of what is stored is wanted, a page ends before it is full.
async fn page(
    api: &Api,
    tx: &mut Tx,
    wanted: &Wanted,
    state: Option<DirectiveState>,
) -> Result<Page, ApiError> {
    let most = usize::try_from(limit(wanted.limit)).unwrap_or(100);
    let malformed = || ApiError::Malformed("the query: `after` names no page".to_owned());
    let mut place = match &wanted.after {
        Some(after) => hex::decode(after).map_err(|_| malformed())?,
        None => Vec::new(),
    };
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    // The page goes on after the last entry that was given.
    let mut given: Option<Place> = None;
    for _ in 0..MOST_PAGES {
        let (documents, last) = match state {
            Some(state) => {
                tx.find_page_each::<DirectiveDoc>(BY_STATE, state.code(), &place, PAGE)
                    .await?
            }
            None => tx.page_each::<DirectiveDoc>(&place, PAGE).await?,
        };
        if documents.is_empty() {
            return Ok((found, unreadable, None));
        }
        for one in documents {
            let document = match one.document {
                Ok(document) if !wanted.fits(api, &document) => continue,
                document => document,
            };
            if found.len() + unreadable.len() == most {
                return Ok((found, unreadable, given.map(|place| place.to_string())));
            }
            given = Some(one.place.clone());
            match document {
                Ok(document) => found.push(document),
                Err(error) => unreadable.push((one.place, error)),
            }
        }
        place = last;
    }
    Ok((found, unreadable, Some(hex::encode(place))))
}
