//! `GET /v1/messages`: which messages stand in a state, so that whoever looks after a lane knows their ids.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::SystemId;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::body::{Query, limit};
use crate::api::caller::{As, MessageReaders};
use crate::api::messages::MessageHead;
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::pipeline::canary;
use crate::store::{ListedRow, Listing, OutboxState};

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/v1/messages",
        "The messages that stand in a state, newest first: which, in which lane, why, and how many wait behind each; never their content",
    )
    .allow::<MessageReaders>()
    .query("lane", "Only those to this destination")
    .query(
        "state",
        "`parked` (unless it says else), `queued`, `failed`, `delivered`, `acknowledged`, `withdrawn` or `skipped`",
    )
    .query("after", "From here on; `next` of the page before gives it")
    .query("limit", "Most entries")
    .gives::<Messages>(200, "A page of them")
    .refuses(404, "No such lane");
    routes.add(doc, list)
}

/// Which messages are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    lane: Option<SystemId>,
    state: Option<String>,
    after: Option<i64>,
    limit: Option<i64>,
}

/// Messages.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Messages {
    /// The entries.
    pub messages: Vec<ListedMessage>,
    /// Where the next page begins; absent after the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// A message in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ListedMessage {
    /// What it is and where it stands.
    #[serde(flatten)]
    pub head: MessageHead,
    /// How many messages of its case wait behind it, while it is parked or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind: Option<i64>,
}

impl From<ListedRow> for ListedMessage {
    fn from(listed: ListedRow) -> Self {
        let ListedRow { row, behind } = listed;
        let holds_others = matches!(row.state, OutboxState::Parked | OutboxState::Failed);
        Self {
            head: (&row).into(),
            behind: holds_others.then_some(behind),
        }
    }
}

async fn list(
    _as: As<MessageReaders>,
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Messages>, ApiError> {
    let core = api.core();
    let listing = Listing {
        lane: wanted.lane.as_ref().map(SystemId::as_str),
        state: state(wanted.state.as_deref())?,
        before: wanted.after,
        without: canary::KIND,
        limit: limit(wanted.limit),
    };
    let rows = core.store.snapshot().await?.listed(&listing).await?;
    // Of a system that is not told anything any more messages may be left.
    let is_told = |lane| {
        core.system(lane)
            .is_some_and(|system| system.output.is_some())
    };
    if rows.is_empty() && wanted.lane.as_ref().is_some_and(|lane| !is_told(lane)) {
        return Err(ApiError::NotFound);
    }
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count >= listing.limit);
    let last = rows.last().filter(|_| is_full);
    Ok(Json(Messages {
        next: last.map(|last| last.row.position),
        messages: rows.into_iter().map(ListedMessage::from).collect(),
    }))
}

/// The state that is meant.
fn state(text: Option<&str>) -> Result<OutboxState, ApiError> {
    let text = text.unwrap_or(OutboxState::Parked.code());
    let mut states = OutboxState::ALL.into_iter();
    states.find(|state| state.code() == text).ok_or_else(|| {
        let names = OutboxState::ALL.map(OutboxState::code).join(", ");
        ApiError::Malformed(format!("state: expected one of {names}"))
    })
}
