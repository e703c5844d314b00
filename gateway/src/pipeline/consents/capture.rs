//! Capture and verification: one person records what was signed, a second one checks it against the form.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use tandem_mappings::model::directive::{Directive, DirectiveState, Effect, Expiry, Moment};
use tandem_mappings::model::event::{Body, ConsentTold};
use tandem_mappings::model::id::{DirectiveId, RecordKey, SystemId};

use super::heard::{MDT_WINDOW, event_name};
use super::{ConsentError, Narrowing, follow, persons_of, told};
use crate::pipeline::core::Core;
use crate::state::directive::DirectiveDoc;
use crate::store::Tx;

/// Days that a multidisciplinary team's window lasts (WIC 18964, 18986.46).
const MDT_DAYS: i64 = 30;

/// What is captured, and by whom.
#[derive(Debug)]
pub struct Captured<'a> {
    /// The directive as the form says it.
    pub directive: Directive,
    /// The people whom it covers.
    pub covers: Vec<RecordKey>,
    /// Who captures it.
    pub actor: &'a str,
    /// The FHIR consent of which it is a part.
    pub consent: Option<String>,
    /// The system that filed it.
    pub filed_by: Option<SystemId>,
}

/// Captures a directive for the people whom it covers. Unverified, it opens nothing sensitive.
///
/// # Errors
/// When the id is taken, nobody is covered, or the store fails.
pub async fn capture(
    core: &Core,
    tx: &mut Tx,
    captured: Captured<'_>,
) -> Result<DirectiveDoc, ConsentError> {
    let now = core.clock.now();
    let Captured {
        mut directive,
        covers,
        actor,
        consent,
        filed_by,
    } = captured;
    if let Some(known) = tx.get::<DirectiveDoc>(directive.id.as_str()).await? {
        return if known.directive == directive {
            Ok(known)
        } else {
            Err(ConsentError::Exists)
        };
    }
    if persons_of(tx, &covers).await?.is_empty() {
        return Err(ConsentError::NobodyCovered);
    }
    if on_later_form(core, &directive, now) {
        return Err(ConsentError::OtherForm);
    }
    // Who captures and who verifies is what the gateway saw, not what the form claims.
    directive.captured_by = Some(actor.to_owned());
    directive.captured_at = Some(Moment::Instant(now));
    (directive.verified_by, directive.verified_at) = (None, None);
    directive.state = Some(first_state(&directive));
    end_of_window(&mut directive, now);
    let waits_for_start = starts_later(core, &directive, now);
    let link_version = tx.last_position().await?;
    let document = DirectiveDoc {
        consent,
        filed_by,
        waits_for_start,
        ..DirectiveDoc::new(directive, covers, actor.to_owned(), now, link_version)
    };
    tx.put(&document, now).await?;
    let id = document.directive.id.as_str();
    tx.audit(now, actor, "consent.capture", id, "").await?;
    let body: fn(Box<ConsentTold>) -> Body = match document.directive.says() {
        Some(Effect::Deny) => Body::ConsentRefused,
        _ => Body::ConsentOffered,
    };
    told(core, tx, &document, BTreeSet::new(), body, now).await?;
    if !waits_for_start {
        follow(core, tx, None, &document, Narrowing::Revoked, now).await?;
    }
    Ok(document)
}

/// Whether a permit names the words of a broader form that came into use after it began to count: an older signature
/// carries the words under which it was given, and no others (specs consent 8).
fn on_later_form(core: &Core, directive: &Directive, now: Timestamp) -> bool {
    let bundle = core.judge.bundle();
    let zone = bundle.zone();
    let start = directive.valid_from.and_then(|start| start.start(zone));
    let counts_from = core.day(start.unwrap_or(now).min(now));
    let Some(form) = directive.form_template.as_ref() else {
        return false;
    };
    let mut forms = core.loaded.config.forms.iter();
    directive.effect == Effect::Permit && forms.any(|one| one.came_after(form, counts_from))
}

/// Where a directive begins: what was not signed yet is a draft, an offer or an answer; what was signed waits for a
/// second person, whatever the form claims. A refusal counts at once and is checked all the same.
fn first_state(directive: &Directive) -> DirectiveState {
    match directive.state {
        Some(
            state @ (DirectiveState::Draft | DirectiveState::Offered | DirectiveState::Refused),
        ) => state,
        _ => DirectiveState::SignedUnverified,
    }
}

/// A team's window ends by itself, so that its end is known from the start.
fn end_of_window(directive: &mut Directive, now: Timestamp) {
    if let Some(Expiry::Event { event, ended_at }) = &mut directive.expiry
        && ended_at.is_none()
        && event_name(event) == MDT_WINDOW
    {
        let days = SignedDuration::from_hours(MDT_DAYS * 24);
        *ended_at = now.checked_add(days).ok().map(Moment::Instant);
    }
}

pub(super) fn starts_later(core: &Core, directive: &Directive, now: Timestamp) -> bool {
    let bundle = core.judge.bundle();
    let zone = bundle.zone();
    let start = directive.valid_from.and_then(|start| start.start(zone));
    start.is_some_and(|start| start > now)
}

/// A second person verifies a directive: it takes effect.
///
/// # Errors
/// When it does not wait for verification, the verifier captured it, or the store fails.
pub async fn verify(
    core: &Core,
    tx: &mut Tx,
    id: &DirectiveId,
    actor: &str,
) -> Result<DirectiveDoc, ConsentError> {
    let now = core.clock.now();
    let mut document = tx
        .get::<DirectiveDoc>(id.as_str())
        .await?
        .ok_or(ConsentError::Unknown)?;
    let standing = document.directive.standing();
    if standing != DirectiveState::SignedUnverified {
        return Err(ConsentError::Standing(standing.code()));
    }
    if document.captured_by == actor {
        return Err(ConsentError::SamePerson);
    }
    let before = document.directive.says();
    document.directive.verified_by = Some(actor.to_owned());
    document.directive.verified_at = Some(Moment::Instant(now));
    document.directive.state = Some(DirectiveState::Active);
    document.waits_for_start = starts_later(core, &document.directive, now);
    tx.put(&document, now).await?;
    tx.audit(now, actor, "consent.verify", id.as_str(), "")
        .await?;
    let none = BTreeSet::new();
    told(core, tx, &document, none, Body::ConsentGranted, now).await?;
    if !document.waits_for_start {
        follow(core, tx, before, &document, Narrowing::Revoked, now).await?;
    }
    Ok(document)
}
