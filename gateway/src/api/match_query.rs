//! `POST /v1/match`: is this person known elsewhere? The answer is a disclosure.
//!
//! Denied and unknown look the same: the same body and headers, the same steps (a decision and an audit entry are
//! written whatever comes out), and the answer leaves on a fixed quantum of time. Doubtful pairs are never answered: a
//! steward decides them first.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tandem_consent::Action;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::id::{PersonId, RecordKey, SourcePersonId, SystemId};
use tandem_mappings::model::person::PersonRecord;
use tandem_mappings::model::purpose::Purpose;
use tandem_matching::{Decision, Record};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::Api;
use super::body::JsonBody;
use super::caller::{As, Caller, Systems};
use super::own_match::{self, OwnFound};
use super::problem::ApiError;
use super::push;
use super::route::{Doc, Routes};
use crate::pipeline::core::Core;
use crate::pipeline::family;
use crate::pipeline::judge::{Ask, AskedItem, Judged, Weighed};
use crate::state::record::RecordDoc;
use crate::store::{AuditEntry, RecordError, Recording, Stage, StoreError, Tx};

const INDEX: &str = "person-index";
const SERVED: &str = "served";

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::post("/v1/match", "Is a person known to another agency's system? Decided, audited and answered on a fixed quantum. Or, with scope own, to the asker's own: answered at once")
        .allow::<Systems>()
        .takes::<MatchQuery>()
        .gives::<MatchAnswer>(200, "What may be told; denied and unknown are the same empty list");
    routes.add(doc, ask)
}

/// About whom is asked, and what for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MatchQuery {
    /// What the asker knows of the person, in the form of `record.received`: names, birth, ssn, identifiers, ...
    #[schema(value_type = Object)]
    pub person: PersonRecord,
    /// Whose records are asked about: those of other systems when absent.
    #[serde(default)]
    pub scope: Scope,
    /// Purpose code; coordination of care (`COC`) when absent.
    #[serde(default = "coordination")]
    #[schema(value_type = Option<String>, example = "COC")]
    pub purpose: Purpose,
}

const fn coordination() -> Purpose {
    Purpose::CoordinationOfCare
}

/// Whose records are asked about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Scope {
    /// Those of other systems: a disclosure, decided and audited.
    #[default]
    Others,
    /// The asker's own alone: no disclosure, answered at once. The asker's system must be set up for it.
    Own,
}

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MatchAnswer {
    /// Who knows the person, as far as it may be told.
    pub matches: Vec<Found>,
    /// The asker's own records that may be of the person, best first; only when they were asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own: Option<Vec<OwnFound>>,
}

/// A system that knows the person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Found {
    /// The system.
    pub system: String,
    /// Its organisation.
    pub organization: String,
    /// The person's id in that system.
    pub source_person_id: String,
    /// The decision under which this is told.
    pub decision: String,
    /// What the recipient must not do with it.
    pub refrains: BTreeSet<String>,
}

async fn ask(
    by: As<Systems>,
    State(api): State<Api>,
    JsonBody(query): JsonBody<MatchQuery>,
) -> Result<Json<MatchAnswer>, ApiError> {
    // A victim service provider's people are not even asked about.
    push::may_enter(api.core(), by.caller.system()?)?;
    if query.scope == Scope::Own {
        let own = own_match::answer(api.core(), by.caller.system()?, &query.person).await?;
        return Ok(Json(MatchAnswer {
            matches: Vec::new(),
            own: Some(own),
        }));
    }
    let started = Instant::now();
    let answer = answer(&api, &by.caller, &query).await;
    let quantum = Duration::from_millis(api.core().loaded.config.limits.match_quantum_ms);
    api.pace().leave(started, quantum).await;
    answer.map(Json)
}

/// How often an answer is decided anew because consent changed meanwhile.
const TRIES: u32 = 5;

/// Decided in one snapshot of the store; the answer is known when what was decided is durable, and consent is still as it
/// was: what was taken back meanwhile is not told.
async fn answer(api: &Api, caller: &Caller, query: &MatchQuery) -> Result<MatchAnswer, ApiError> {
    let core = api.core();
    for _ in 1..TRIES {
        let (matches, recording) = decide(core, caller, query).await?;
        match core.recorder.record(recording).await {
            Err(RecordError::Stale) => {}
            recorded => {
                recorded?;
                return Ok(MatchAnswer { matches, own: None });
            }
        }
    }
    Err(ApiError::Unavailable)
}

async fn decide(
    core: &Core,
    caller: &Caller,
    query: &MatchQuery,
) -> Result<(Vec<Found>, Recording), ApiError> {
    let asker = caller.system()?;
    let records = candidates(core, asker, &query.person).await?;
    // What was decided held at this time, whatever others commit before it is recorded.
    let at = core.clock.now();
    let mut tx = core.store.snapshot().await?;
    let consents = tx.consent_revision().await?;
    let mut matches = Vec::new();
    let mut decided = Vec::new();
    let others = others(&mut tx, asker, &records).await?;
    // A question that meets nobody is decided and recorded like one that meets somebody.
    if others.is_empty() {
        decided.push(judge(core, &mut tx, caller, query.purpose, None).await?);
    }
    for (record, serves) in others {
        let about = Some((&record, serves));
        let weighed = judge(core, &mut tx, caller, query.purpose, about).await?;
        if weighed.judged.permits(INDEX) && weighed.judged.permits(SERVED) {
            matches.push(found(core, &record, &weighed.judged));
        }
        decided.push(weighed);
    }
    drop(tx);
    let rows = decided.iter().map(|one| one.row(Stage::Query, at));
    let recording = Recording {
        decisions: rows.collect::<Result<_, _>>()?,
        audit: AuditEntry {
            position: 0,
            at,
            actor: caller.name().to_owned(),
            action: "match.query".to_owned(),
            object: asker.to_string(),
            detail: query.purpose.as_str().to_owned(),
        },
        consents,
    };
    Ok((matches, recording))
}

/// The person asked about as a record under a key that no source has.
pub(super) fn asked(asker: &SystemId, person: &PersonRecord) -> Result<Record, ApiError> {
    let key = RecordKey {
        system: asker.clone(),
        person: SourcePersonId::new(format!("query:{}", uuid::Uuid::new_v4()))
            .map_err(|error| ApiError::Internal(error.to_string()))?,
    };
    Ok(Record::from_person(&key, person))
}

/// The records that the engine would link to the person asked about.
pub(super) async fn candidates(
    core: &Core,
    asker: &SystemId,
    person: &PersonRecord,
) -> Result<Vec<RecordKey>, ApiError> {
    let record = asked(asker, person)?;
    core.catch_up().await?;
    let found = core.matcher.lock().await.candidates(&record);
    let linked = found
        .into_iter()
        .filter(|candidate| candidate.decision == Decision::Link);
    Ok(linked
        .filter_map(|candidate| {
            let (system, person) = (
                candidate.key.system.parse().ok()?,
                candidate.key.id.parse().ok()?,
            );
            Some(RecordKey { system, person })
        })
        .collect())
}

/// The records of the same persons in systems other than the asker's, each with whether the asker serves the person.
async fn others(
    tx: &mut Tx,
    asker: &SystemId,
    found: &[RecordKey],
) -> Result<Vec<(RecordDoc, bool)>, StoreError> {
    let mut persons: BTreeSet<PersonId> = BTreeSet::new();
    for key in found {
        persons.extend(
            family::record(tx, &key.system, &key.person)
                .await?
                .map(|record| record.person_id),
        );
    }
    let mut others = Vec::new();
    for person in persons {
        let records = family::records_of(tx, person).await?;
        let serves = records.iter().any(|record| record.key.system == *asker);
        let elsewhere = records
            .into_iter()
            .filter(|record| record.key.system != *asker && record.may_match);
        others.extend(elsewhere.map(|record| (record, serves)));
    }
    Ok(others)
}

async fn judge(
    core: &Core,
    tx: &mut Tx,
    caller: &Caller,
    purpose: Purpose,
    about: Option<(&RecordDoc, bool)>,
) -> Result<Weighed, StoreError> {
    let organization = &caller.token().organization;
    let holder = about.map(|(record, _)| &record.key.system);
    let source = holder
        .and_then(|system| core.organization_of(system))
        .unwrap_or_else(|| core.gateway_organization());
    let item = |id: &str, category: Category| AskedItem {
        id: id.to_owned(),
        category,
        labels: BTreeSet::new(),
        labelled_by: BTreeSet::new(),
        source: source.clone(),
        authored: None,
    };
    let mut items = vec![item(INDEX, Category::PersonIndex)];
    items.extend(holder.map(|system| item(SERVED, core.default_category(system))));
    let ask = Ask {
        action: Action::Match,
        purpose,
        requester: organization,
        recipient: organization,
        person: about.map(|(record, _)| record.person_id),
        items,
        holds_copy: false,
        serves_subject: about.is_some_and(|(_, serves)| serves),
    };
    core.judge.weigh(tx, ask, core.clock.now()).await
}

fn found(core: &Core, record: &RecordDoc, judged: &Judged) -> Found {
    Found {
        system: record.key.system.to_string(),
        organization: core
            .organization_of(&record.key.system)
            .map(String::from)
            .unwrap_or_default(),
        source_person_id: record.key.person.to_string(),
        decision: judged.id.to_string(),
        refrains: judged.decision.refrains.clone(),
    }
}
