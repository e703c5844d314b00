//! Links between source records: doubtful pairs wait here for a steward.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tandem_mappings::model::id::LinkId;
use utoipa::ToSchema;

use super::Api;
use super::body::{JsonBody, Path, Query, limit};
use super::caller::{As, Caller, LinkReaders, Stewards};
use super::link_view::{LinkSummary, LinkView, Links, MemberView, RecordBeside, UndoneView};
use super::persons::{RecordView, looked_at};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::pipeline::queue;
use crate::pipeline::steward;
use crate::state::link::{LinkDoc, LinkStanding};
use crate::state::record::RecordDoc;
use crate::store::Tx;

pub(super) fn routes(routes: Routes) -> Routes {
    let list = Doc::get(
        "/v1/links",
        "Links, newest first; pairs that wait, those first whose decision says most",
    )
    .allow::<LinkReaders>()
    .query(
        "standing",
        "linked, candidate, rejected or undone; candidate when absent, which includes links that stand but are in doubt",
    )
    .query(
        "order",
        "information (of pairs that wait alone) or newest; information when absent",
    )
    .query("limit", "Most entries")
    .gives::<Links>(200, "Without any value of a person");
    let show = Doc::get(
        "/v1/links/{id}",
        "A pair with the evidence: weights per field, both records, their households; audited",
    )
    .allow::<LinkReaders>()
    .gives::<LinkView>(200, "Names and birth dates for stewards alone")
    .refuses(404, "No such link");
    let verdict = |path, summary| {
        Doc::post(path, summary)
            .allow::<Stewards>()
            .takes::<Verdict>()
            .refuses(404, "No such link")
            .refuses(409, "The link does not stand where the decision needs it")
    };
    let confirm = verdict(
        "/v1/links/{id}/confirm",
        "One person: the pair is linked, or the link that was in doubt stands",
    )
    .gives::<LinkSummary>(200, "The link");
    let reject = verdict(
        "/v1/links/{id}/reject",
        "Two people: the pair is never offered again",
    )
    .gives::<LinkSummary>(200, "The link");
    let undo = verdict(
        "/v1/links/{id}/undo",
        "The link is undone; whoever was told under it is told to stop",
    )
    .gives::<UndoneView>(
        200,
        "The link, and the messages that were delivered under it",
    );
    routes
        .add(list, list_links)
        .add(show, show_link)
        .add(confirm, confirm_link)
        .add(reject, reject_link)
        .add(undo, undo_link)
}

#[derive(Debug, Deserialize)]
struct Filter {
    standing: Option<String>,
    order: Option<String>,
    limit: Option<i64>,
}

async fn list_links(
    _as: As<LinkReaders>,
    State(api): State<Api>,
    Query(filter): Query<Filter>,
) -> Result<Json<Links>, ApiError> {
    let all = [
        LinkStanding::Candidate,
        LinkStanding::Linked,
        LinkStanding::Rejected,
        LinkStanding::Undone,
    ];
    let standing = match filter.standing.as_deref() {
        None => LinkStanding::Candidate,
        Some(text) => all
            .into_iter()
            .find(|one| one.code() == text)
            .ok_or_else(|| {
                ApiError::Invalid(
                    "standing: expected linked, candidate, rejected or undone".to_owned(),
                )
            })?,
    };
    let by_information = match filter.order.as_deref() {
        None => standing == LinkStanding::Candidate,
        Some("newest") => false,
        Some("information") if standing == LinkStanding::Candidate => true,
        Some(_) => {
            return Err(ApiError::Invalid(
                "order: expected newest, or information for pairs that wait".to_owned(),
            ));
        }
    };
    let mut tx = api.core().store.snapshot().await?;
    let mut links = tx.find::<LinkDoc>("link.standing", standing.code()).await?;
    if standing == LinkStanding::Candidate {
        links.extend(tx.find::<LinkDoc>(LinkDoc::DOUBTED, "yes").await?);
    }
    let most = usize::try_from(limit(filter.limit)).unwrap_or(100);
    if by_information {
        let waiting = queue::ordered(&mut tx, links).await?;
        let links = waiting.iter().take(most).map(LinkSummary::waiting);
        return Ok(Json(Links {
            links: links.collect(),
        }));
    }
    links.sort_by_key(|link| std::cmp::Reverse((link.created_at, link.id)));
    links.truncate(most);
    Ok(Json(Links {
        links: links.iter().map(LinkSummary::of).collect(),
    }))
}

async fn show_link(
    by: As<LinkReaders>,
    State(api): State<Api>,
    Path(id): Path<LinkId>,
) -> Result<Json<LinkView>, ApiError> {
    let core = api.core();
    let mut tx = core.begin().await?;
    let link = tx
        .find::<LinkDoc>("link.id", &id.to_string())
        .await?
        .pop()
        .ok_or(ApiError::NotFound)?;
    looked_at(
        &mut tx,
        core.clock.now(),
        &by.caller,
        "link.read",
        &id.to_string(),
    )
    .await?;
    let mut records = Vec::new();
    for key in [&link.a, &link.b] {
        if let Some(record) = tx.get::<RecordDoc>(&RecordDoc::key_of(key)).await? {
            let household = household(&mut tx, &record, &by.caller).await?;
            records.push(RecordBeside {
                record: RecordView::of(&record, &by.caller),
                household,
            });
        }
    }
    tx.commit().await?;
    Ok(Json(LinkView {
        link: LinkSummary::of(&link),
        explanation: link.explanation,
        records,
    }))
}

async fn household(
    tx: &mut Tx,
    record: &RecordDoc,
    caller: &Caller,
) -> Result<Vec<MemberView>, ApiError> {
    let mut members: Vec<MemberView> = Vec::new();
    for household in record
        .memberships
        .iter()
        .filter_map(|member| member.household.as_ref())
    {
        let key = format!("{}\u{1f}{household}", record.key.system);
        for other in tx.find::<RecordDoc>("record.household", &key).await? {
            let is_new = !members
                .iter()
                .any(|known| known.record.source_person_id == other.key.person.as_str());
            if other.key != record.key && other.is_active() && is_new {
                let membership = other
                    .memberships
                    .iter()
                    .find(|member| member.household.as_ref() == Some(household));
                let relation = membership
                    .map_or("unknown", |member| member.relation.code())
                    .to_owned();
                members.push(MemberView {
                    relation,
                    record: RecordView::of(&other, caller),
                });
            }
        }
    }
    Ok(members)
}

/// Why a steward decides so.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Verdict {
    /// In words; never a person's data.
    pub reason: String,
}

impl Verdict {
    fn reason(&self) -> Result<&str, ApiError> {
        let reason = self.reason.trim();
        if reason.is_empty() || reason.chars().count() > 500 {
            return Err(ApiError::Invalid(
                "reason: expected 1 to 500 characters".to_owned(),
            ));
        }
        Ok(reason)
    }
}

async fn confirm_link(
    by: As<Stewards>,
    State(api): State<Api>,
    Path(id): Path<LinkId>,
    JsonBody(verdict): JsonBody<Verdict>,
) -> Result<Json<LinkSummary>, ApiError> {
    let core = api.core();
    let mut tx = core.begin().await?;
    let link = steward::confirm(core, &mut tx, id, by.caller.name(), verdict.reason()?).await?;
    tx.commit().await?;
    core.wake();
    Ok(Json(LinkSummary::of(&link)))
}

async fn reject_link(
    by: As<Stewards>,
    State(api): State<Api>,
    Path(id): Path<LinkId>,
    JsonBody(verdict): JsonBody<Verdict>,
) -> Result<Json<LinkSummary>, ApiError> {
    let core = api.core();
    let mut tx = core.begin().await?;
    let link = steward::reject(core, &mut tx, id, by.caller.name(), verdict.reason()?).await?;
    tx.commit().await?;
    core.wake();
    Ok(Json(LinkSummary::of(&link)))
}

async fn undo_link(
    by: As<Stewards>,
    State(api): State<Api>,
    Path(id): Path<LinkId>,
    JsonBody(verdict): JsonBody<Verdict>,
) -> Result<Json<UndoneView>, ApiError> {
    let core = api.core();
    let mut tx = core.begin().await?;
    let undone = steward::undo(core, &mut tx, id, by.caller.name(), verdict.reason()?).await?;
    tx.commit().await?;
    core.wake();
    Ok(Json(UndoneView {
        link: LinkSummary::of(&undone.link),
        disclosed: undone.disclosed,
    }))
}
