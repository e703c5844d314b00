//! `GET /v1/privacy/inbox`: what waits for a privacy officer, and what to do next about each.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tandem_mappings::model::directive::{DirectiveState, Effect};
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::body::{Query, limit};
use crate::api::caller::{As, PrivacyOfficers};
use crate::api::problem::ApiError;
use crate::api::route::{Doc, Routes};
use crate::state::break_glass::BreakGlassDoc;
use crate::state::directive::{BY_FORM, BY_STATE, Because, DirectiveDoc, form_key};
use crate::state::stuck::StuckDoc;
use crate::store::{DecisionRow, Tx};

/// Directives that are looked at together.
const PAGE: u32 = 500;
/// From how long before its end on a consent is announced (specs consent 8).
const EXPIRING: SignedDuration = SignedDuration::from_hours(60 * 24);

pub(super) fn routes(routes: Routes) -> Routes {
    let inbox = Doc::get(
        "/v1/privacy/inbox",
        "What waits for a privacy officer: the most urgent first, each with what to do next",
    )
    .allow::<PrivacyOfficers>()
    .query("kind", "Only entries of this kind")
    .query("limit", "Most entries")
    .gives::<Inbox>(
        200,
        "Ids and dates; what they are about is read with the consent or decision",
    );
    routes.add(inbox, show_inbox)
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Somebody broke the glass: the review is due.
    BreakGlassReview,
    /// It can't be read, or what is due for it can't be done.
    Stuck,
    /// A decision only a person can take.
    NeedsCounsel,
    /// A child for whom somebody else signed came of age.
    CameOfAge,
    /// Held back until somebody has reviewed it.
    Suspended,
    /// Captured and not verified.
    Unverified,
    /// Its end is near.
    Expiring,
    /// It was signed on a form whose words have become broader: it keeps its own until it is signed anew.
    NewForm,
}

impl Kind {
    const fn next(self) -> &'static str {
        match self {
            Self::BreakGlassReview => "read why the glass was broken and record the outcome",
            Self::Stuck => {
                "find out with an operator why it cannot be looked after; what is due for it waits, and it is tried again"
            }
            Self::NeedsCounsel => {
                "read the decision with counsel; if it should be told, record the basis"
            }
            Self::CameOfAge => {
                "invite the young adult to sign; nothing is told on the old signature"
            }
            Self::Suspended => {
                "review it: make it active again, supersede it or take it for an error"
            }
            Self::Unverified => {
                "compare the record with the form and verify it; whoever captured it cannot"
            }
            Self::NewForm => {
                "ask the person whether to sign the new form; until then the old words hold"
            }
            Self::Expiring => {
                "ask the person whether to sign again, if that is safe; there is no grace"
            }
        }
    }
}

/// An entry.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Entry {
    /// What waits.
    pub kind: Kind,
    /// The consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    /// The decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// The emergency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<String>,
    /// Why it is held back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
    /// Why it can't be looked after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Since when it waits.
    pub since: String,
    /// Until when something should be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Whether a review should have been done by now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_overdue: bool,
    /// What to do next.
    pub next: &'static str,
}

/// The inbox.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Inbox {
    /// The entries.
    pub entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    kind: Option<Kind>,
    limit: Option<i64>,
}

async fn show_inbox(
    _as: As<PrivacyOfficers>,
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Inbox>, ApiError> {
    let most = limit(wanted.limit);
    let mut tx = api.core().store.snapshot().await?;
    let mut entries = directives(&api, &mut tx).await?;
    let stuck = tx.all::<StuckDoc>().await?;
    entries.extend(stuck.iter().map(of_stuck));
    let waiting = tx.waiting_decisions(most).await?;
    entries.extend(waiting.iter().map(of_decision));
    let now = api.core().clock.now();
    let field = BreakGlassDoc::STANDING;
    let broken = tx.find::<BreakGlassDoc>(field, "waiting").await?;
    entries.extend(broken.iter().map(|document| of_emergency(document, now)));
    entries.retain(|entry| wanted.kind.is_none_or(|kind| entry.kind == kind));
    // The most urgent kind first, within it what is due first, then what waits longest.
    entries.sort_by(|one, other| {
        let key = |entry: &Entry| {
            (
                entry.kind,
                entry.due.is_none(),
                entry.due.clone(),
                entry.since.clone(),
            )
        };
        key(one).cmp(&key(other))
    });
    entries.truncate(usize::try_from(most).unwrap_or(100));
    Ok(Json(Inbox { entries }))
}

/// Consents that wait for somebody stand in one of these states.
const WAITING: [DirectiveState; 3] = [
    DirectiveState::SignedUnverified,
    DirectiveState::Suspended,
    DirectiveState::Expiring,
];

async fn directives(api: &Api, tx: &mut Tx) -> Result<Vec<Entry>, ApiError> {
    let mut found = Vec::new();
    for state in WAITING {
        found.extend(found_by(api, tx, BY_STATE, state.code()).await?);
    }
    for form in older_forms(api) {
        let on_form = found_by(api, tx, BY_FORM, &form).await?;
        found.extend(on_form.into_iter().filter(|one| one.kind == Kind::NewForm));
    }
    Ok(found)
}

/// What waits among the directives under an index value.
async fn found_by(
    api: &Api,
    tx: &mut Tx,
    field: &'static str,
    value: &str,
) -> Result<Vec<Entry>, ApiError> {
    let (mut found, mut place) = (Vec::new(), Vec::new());
    loop {
        let (page, last) = tx
            .find_page_each::<DirectiveDoc>(field, value, &place, PAGE)
            .await?;
        if page.is_empty() {
            return Ok(found);
        }
        // What can't be read is there as such, once it was due.
        let readable = page.iter().filter_map(|one| one.document.as_ref().ok());
        found.extend(readable.filter_map(|document| of_directive(api, document)));
        place = last;
    }
}

/// The versions of forms that a broader one has replaced by today.
fn older_forms(api: &Api) -> BTreeSet<String> {
    let core = api.core();
    let today = core.day(core.clock.now());
    let forms = core.loaded.config.forms.iter();
    forms
        .filter(|form| form.is_broader && form.from <= today)
        .flat_map(|form| form.replaces.iter().map(|old| form_key(&form.id, old)))
        .collect()
}

fn of_directive(api: &Api, document: &DirectiveDoc) -> Option<Entry> {
    let core = api.core();
    let now = core.clock.now();
    let end = tandem_consent::ends_at(&document.directive, &core.judge.bundle());
    let is_near = |end: &Timestamp| end.duration_since(now) <= EXPIRING;
    let kind = match (document.directive.standing(), document.because) {
        (DirectiveState::SignedUnverified, _) => Kind::Unverified,
        (DirectiveState::Suspended, Some(Because::CameOfAge)) => Kind::CameOfAge,
        (DirectiveState::Suspended, _) => Kind::Suspended,
        _ if document.directive.says() == Some(Effect::Permit)
            && end.as_ref().is_some_and(is_near) =>
        {
            Kind::Expiring
        }
        _ if document.directive.says() == Some(Effect::Permit)
            && is_on_older_form(api, document) =>
        {
            Kind::NewForm
        }
        _ => return None,
    };
    Some(Entry {
        kind,
        consent: Some(document.directive.id.to_string()),
        decision: None,
        break_glass: None,
        because: document.because,
        error: None,
        since: document.captured_at.to_string(),
        due: end.map(|end| end.to_string()),
        is_overdue: false,
        next: kind.next(),
    })
}

fn is_on_older_form(api: &Api, document: &DirectiveDoc) -> bool {
    let form = document.directive.form_template.as_ref();
    form.is_some_and(|form| older_forms(api).contains(&form_key(&form.id, &form.version)))
}

fn of_stuck(document: &StuckDoc) -> Entry {
    Entry {
        kind: Kind::Stuck,
        consent: Some(document.name()),
        decision: None,
        break_glass: None,
        because: None,
        error: Some(document.error.clone()),
        since: document.since.to_string(),
        due: Some(document.next.to_string()),
        is_overdue: false,
        next: Kind::Stuck.next(),
    }
}

fn of_decision(row: &DecisionRow) -> Entry {
    Entry {
        kind: Kind::NeedsCounsel,
        consent: None,
        decision: Some(row.id.to_string()),
        break_glass: None,
        because: None,
        error: None,
        since: row.decided_at.to_string(),
        due: None,
        is_overdue: false,
        next: Kind::NeedsCounsel.next(),
    }
}

fn of_emergency(document: &BreakGlassDoc, now: Timestamp) -> Entry {
    let grant = document.grant.as_ref();
    Entry {
        kind: Kind::BreakGlassReview,
        consent: None,
        decision: Some(document.decision.to_string()),
        break_glass: Some(document.id.to_string()),
        because: None,
        error: None,
        since: document.at.to_string(),
        due: grant.map(|grant| grant.review_due.to_string()),
        is_overdue: document.is_overdue(now),
        next: Kind::BreakGlassReview.next(),
    }
}
