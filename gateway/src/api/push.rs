//! Inputs that are pushed: accepted like files, under a name that the sender gives.
//!
//! Protocol: `Idempotency-Key` (or `Tandem-Message-Id`) names the input. The same name with the same content is accepted
//! again without effect; with other content it is refused with 409. Without a name the content's hash names it. The
//! content is what was sent, whatever of it is kept. The name is kept as a keyed hash only. The answer follows the commit.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use axum::http::HeaderMap;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::FormatReader;
use tandem_adapter_port::report::Outcome;
use tandem_adapter_port::report::Report;
use tandem_mappings::model::event::NewEvent;
use tandem_mappings::model::id::{InputId, SystemId};
use tokio::sync::{Mutex, OwnedMutexGuard};
use utoipa::ToSchema;

use super::Api;
use super::problem::ApiError;
use crate::figures;
use crate::pipeline::accept::gate::{self, Gate};
use crate::pipeline::accept::{AcceptError, Accepted, Sent};
use crate::pipeline::core::Core;
use crate::state::large::LargeDoc;
use crate::store::EventState;

/// How long an answer waits for the effects of what it accepted.
const EFFECT_LIMIT: Duration = Duration::from_secs(20);
/// Longest name of an input.
const LONGEST_KEY: usize = 200;

/// Bytes up to which a body is worked on where it is: more would hold up what others ask meanwhile.
const AT_ONCE: usize = 64 * 1_024;

/// Whoever does something under one name takes turns, so that a repeat finds what came of the first. Those under other
/// names do not wait.
#[derive(Debug, Default)]
pub(super) struct Turns(std::sync::Mutex<HashMap<Name, Weak<Mutex<()>>>>);

/// What a system calls an input.
type Name = (SystemId, String);

impl Turns {
    /// The turn of whatever has this name.
    pub(super) fn of(&self, system: &SystemId, name: &str) -> Turn {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What nobody holds or waits for any more is forgotten.
        names.retain(|_, turn| turn.strong_count() > 0);
        let place = names.entry((system.clone(), name.to_owned())).or_default();
        let turn = place.upgrade().unwrap_or_default();
        *place = Arc::downgrade(&turn);
        Turn(turn)
    }
}

/// A turn that is not taken yet.
#[derive(Debug)]
pub(super) struct Turn(Arc<Mutex<()>>);

impl Turn {
    /// Takes it, once those before are through.
    pub(super) async fn lock(self) -> OwnedMutexGuard<()> {
        self.0.lock_owned().await
    }
}

/// Works on a body, on a thread of its own when it is long.
///
/// # Errors
/// When the work ends abnormally.
pub(super) async fn work_on<T: Send + 'static>(
    body: &Bytes,
    work: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Result<T, ApiError> {
    if body.len() <= AT_ONCE {
        return Ok(work(body));
    }
    let body = body.clone();
    let worked = tokio::task::spawn_blocking(move || work(&body)).await;
    worked.map_err(|_| ApiError::Internal("work on a body ended abnormally".to_owned()))
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

/// Something that a system pushes, while it has the turn of its name.
pub(super) struct Push<'a> {
    api: &'a Api,
    format: Format,
    context: ReadContext,
    sent: Sent,
    _turn: OwnedMutexGuard<()>,
}

/// Begins a push, by the body as it was sent.
///
/// # Errors
/// 403 for a system of which nothing may enter, 503 when too much waits, else when the store fails.
pub(super) async fn begin<'a>(
    api: &'a Api,
    system: &SystemId,
    format: Format,
    key: Option<&str>,
    body: &Bytes,
) -> Result<Push<'a>, ApiError> {
    let core = api.core();
    may_enter(core, system)?;
    if !core.has_room().await? {
        return Err(ApiError::Unavailable);
    }
    let organization = core.organization_of(system).ok_or(ApiError::NotFound)?;
    let content_hash: [u8; 32] = work_on(body, |body| Sha256::digest(body).into()).await?;
    let given = key.map_or_else(|| hex::encode(content_hash), str::to_owned);
    let mut context = api
        .intake
        .context(system, &organization, "", core.clock.now())?;
    // A sender may put anything into a key: reports and places show a keyed hash of it.
    let id = context.keyed_id(&["push", format.name(), &given]);
    context.input_name = format!("push-{id}");
    let turn = api.turns.of(system, &context.input_name).lock().await;
    let sent = Sent {
        content_hash,
        is_named: key.is_some(),
        kept_as: None,
    };
    Ok(Push {
        api,
        format,
        context,
        sent,
        _turn: turn,
    })
}

impl Push<'_> {
    /// The same, kept under the name of a form that no reader of files reads.
    pub(super) fn kept_as(mut self, form: &'static str) -> Self {
        self.sent.kept_as = Some(form);
        self
    }

    /// What came of the same when it was accepted before.
    ///
    /// # Errors
    /// 409 when the name was used with other content, else when the store fails.
    pub(super) async fn came_before(&self) -> Result<Option<Accepted>, ApiError> {
        let acceptor = &self.api.intake.acceptor;
        let before = acceptor.came_before(self.format, &self.context, &self.sent);
        let before = before.await.map_err(refused)?;
        if before.is_some() {
            self.count();
        }
        Ok(before)
    }

    /// Accepts what may be kept of it. When this returns, it is durable.
    ///
    /// # Errors
    /// 409 when the name was used with other content meanwhile, else when the store fails.
    pub(super) async fn accept(
        self,
        reader: Arc<dyn FormatReader>,
        bytes: Vec<u8>,
    ) -> Result<Accepted, ApiError> {
        let (acceptor, context) = (&self.api.intake.acceptor, self.context.clone());
        let accepted = acceptor.accept_sent(reader, context, Arc::new(bytes), self.sent);
        let accepted = accepted.await.map_err(refused)?;
        self.count();
        self.api.core().has_taken(&accepted.report);
        if accepted.report.outcome == Outcome::Rejected && !accepted.is_duplicate {
            figures::rejected(self.context.system.as_str(), 1);
        }
        self.api.core().wake_processor();
        Ok(accepted)
    }

    fn count(&self) {
        figures::received(self.context.system.as_str(), self.format.name(), 1);
    }
}

fn refused(error: AcceptError) -> ApiError {
    match error {
        AcceptError::NameTaken => ApiError::Conflict {
            text: "the idempotency key was used with other content".to_owned(),
            reason: Some("key-reused"),
        },
        other => other.into(),
    }
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
    let body = Bytes::from(bytes);
    let push = begin(api, system, reader.format(), key, &body).await?;
    // A name that is made of the content has no other; a repeat of that is found when it is written.
    if key.is_some()
        && let Some(before) = push.came_before().await?
    {
        return Ok(before);
    }
    push.accept(reader, body.into()).await
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

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn only_those_of_one_name_wait_for_each_other() {
        let (turns, system) = (Turns::default(), "calworks-demo".parse().unwrap());
        let take = |number: u32| turns.of(&system, &format!("push-{number}")).lock();
        let held: Vec<_> = (0..100)
            .map(|number| take(number).now_or_never().unwrap())
            .collect();
        let mut again = Box::pin(take(7));
        assert!(futures::poll!(&mut again).is_pending());
        drop(held);
        drop(again.await);
        // Whatever nobody holds is forgotten when the next one comes.
        let _one = take(7).await;
        assert_eq!(turns.0.lock().unwrap().len(), 1);
    }
}
