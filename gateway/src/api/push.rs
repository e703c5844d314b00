//! Inputs that are pushed: accepted like files, under a name that the sender gives.
//!
//! Protocol: `Idempotency-Key` (or `Tandem-Message-Id`) names the input. The same name with the same content is accepted
//! again without effect; with other content it is refused with 409. Without a name the content's hash names it. The
//! name is kept as a keyed hash only. The answer follows the commit.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use sha2::{Digest as _, Sha256};
use tandem_adapter_port::read::FormatReader;
use tandem_adapter_port::report::Report;
use tandem_mappings::model::event::NewEvent;
use tandem_mappings::model::id::{InputId, SystemId};
use tokio::sync::Mutex;
use utoipa::ToSchema;

use super::Api;
use super::problem::ApiError;
use crate::figures;
use crate::pipeline::accept::Accepted;
use crate::pipeline::accept::gate::{self, Gate};
use crate::pipeline::core::Core;
use crate::state::large::LargeDoc;
use crate::store::EventState;

/// How long an answer waits for the effects of what it accepted.
const EFFECT_LIMIT: Duration = Duration::from_secs(20);
/// Longest name of an input.
const LONGEST_KEY: usize = 200;

/// Pushes of one name take turns, so that two at once cannot both be the first.
#[derive(Debug)]
pub(super) struct Turns([Mutex<()>; 64]);

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl Turns {
    /// The turn of whatever has this name.
    pub(super) fn of(&self, system: &SystemId, name: &str) -> &Mutex<()> {
        let mut hasher = DefaultHasher::new();
        (system, name).hash(&mut hasher);
        let [first, ..] = &self.0;
        let place = usize::try_from(hasher.finish() % 64).unwrap_or(0);
        self.0.get(place).unwrap_or(first)
    }
}

/// The name that the sender gives to what it pushes.
///
/// # Errors
/// When the name is empty, too long or no text.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers
        .get("idempotency-key")
        .or_else(|| headers.get("tandem-message-id"))
    else {
        return Ok(None);
    };
    let text = value.to_str().map(str::trim).unwrap_or_default();
    if text.is_empty() || text.chars().count() > LONGEST_KEY {
        let text = format!("Idempotency-Key: expected 1 to {LONGEST_KEY} visible ASCII characters");
        return Err(ApiError::Malformed(text));
    }
    Ok(Some(text.to_owned()))
}

/// Nothing of a victim service provider enters, whatever it is.
///
/// # Errors
/// 403 for such a system.
pub(super) fn may_enter(core: &Core, system: &SystemId) -> Result<(), ApiError> {
    if gate::refuses_sender(core, system) {
        return Err(ApiError::Forbidden);
    }
    Ok(())
}

/// Refuses one event about a record that must never enter.
///
/// # Errors
/// 422 for such an event, else when the store fails.
pub(super) async fn enters(
    core: &Core,
    system: &SystemId,
    event: &NewEvent,
) -> Result<(), ApiError> {
    let mut tx = core.store.snapshot().await?;
    let gate = Gate::learn(core, &mut tx, system, std::iter::once(event)).await?;
    if gate.refuses(event) {
        let text = "it tells of a record that must never enter; nothing was stored";
        return Err(ApiError::Invalid(text.to_owned()));
    }
    Ok(())
}

/// Accepts pushed bytes of a system. When this returns, they are durable.
///
/// # Errors
/// 403 for a system of which nothing may enter, 409 when the name was used with other content, 503 when too much waits, else
/// when the store fails.
pub(super) async fn accept(
    api: &Api,
    system: &SystemId,
    reader: Arc<dyn FormatReader>,
    key: Option<&str>,
    bytes: Vec<u8>,
) -> Result<Accepted, ApiError> {
    let core = api.core();
    may_enter(core, system)?;
    if !core.has_room().await? {
        return Err(ApiError::Unavailable);
    }
    let organization = core.organization_of(system).ok_or(ApiError::NotFound)?;
    let content_hash: [u8; 32] = Sha256::digest(&bytes).into();
    let kind = reader.format().name();
    let given = key.map_or_else(|| hex::encode(content_hash), str::to_owned);
    let mut context = api
        .intake
        .context(system, &organization, "", core.clock.now())?;
    // A sender may put anything into a key: reports and places show a keyed hash of it.
    context.input_name = format!("push-{}", context.keyed_id(&["push", kind, &given]));
    let _turn = api.turns.of(system, &context.input_name).lock().await;
    // A name that is made of the content has no other.
    if key.is_some() {
        let mut tx = core.store.snapshot().await?;
        let name = &context.input_name;
        if tx.has_other_content(system, name, &content_hash).await? {
            let text = "the idempotency key was used with other content".to_owned();
            let reason = Some("key-reused");
            return Err(ApiError::Conflict { text, reason });
        }
    }
    let acceptor = &api.intake.acceptor;
    let accepted = acceptor.accept(reader, context, Arc::new(bytes)).await?;
    figures::received(system.as_str(), kind, 1);
    core.wake_processor();
    Ok(accepted)
}

/// How an accepted input came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// Its events took effect.
    Applied,
    /// A rule refused one of them.
    Refused(String),
    /// One of them waits for replay.
    Parked(String),
    /// They wait in the processor.
    Waiting,
}

/// Waits until the events of an input took effect, were refused or parked; for a bounded time.
///
/// # Errors
/// When the store fails.
pub(super) async fn effect(api: &Api, input: InputId) -> Result<Effect, ApiError> {
    let mut changed = api.core().changed.subscribe();
    let settled = async {
        loop {
            let effect = standing(api, input).await?;
            if effect != Effect::Waiting || changed.changed().await.is_err() {
                return Ok(effect);
            }
        }
    };
    tokio::time::timeout(EFFECT_LIMIT, settled)
        .await
        .unwrap_or(Ok(Effect::Waiting))
}

async fn standing(api: &Api, input: InputId) -> Result<Effect, ApiError> {
    let mut tx = api.core().store.snapshot().await?;
    let events = tx.input_events(input).await?;
    let large = tx.get::<LargeDoc>(&input.to_string()).await?;
    if large.is_some_and(|doc| doc.is_in_work()) {
        return Ok(Effect::Waiting);
    }
    let with = |state: EventState| events.iter().find(|(_, found, _)| found == state.code());
    if with(EventState::Waiting)
        .or(with(EventState::Staged))
        .is_some()
    {
        return Ok(Effect::Waiting);
    }
    if let Some((_, _, note)) = with(EventState::Refused).or(with(EventState::GivenUp)) {
        return Ok(Effect::Refused(note.clone()));
    }
    Ok(with(EventState::Parked)
        .map_or(Effect::Applied, |(_, _, note)| Effect::Parked(note.clone())))
}

/// What became of an input: the report, without personal data.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(super) struct Receipt {
    /// The input's id.
    pub input: String,
    /// Whether it had been accepted before: nothing was done.
    pub duplicate: bool,
    /// The report: format, version, records, persons, events, refused, deviations, outcome.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub report: Report,
}

impl From<Accepted> for Receipt {
    fn from(accepted: Accepted) -> Self {
        Self {
            input: accepted.input.to_string(),
            duplicate: accepted.is_duplicate,
            report: accepted.report,
        }
    }
}
