//! What sources tell that ends a directive or holds it back: a programme left, a case closed, a death.

use std::collections::BTreeSet;

use tandem_mappings::model::directive::{DirectiveState, Effect, Expiry, Moment};
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{RecordKey, SourcePersonId};
use tandem_mappings::model::involvement::Program;

use super::ConsentError;
use super::moves::{covering, look_soon, suspend};
use crate::pipeline::core::Core;
use crate::pipeline::expiries;
use crate::state::directive::{Because, DirectiveDoc};
use crate::store::{StoreError, Tx};

/// The name of the event that ends a multidisciplinary team's window.
pub(super) const MDT_WINDOW: &str = "mdt_30_days";
/// Names under which forms say that a programme is left.
const EXITS: [&str; 4] = ["program_exit", "programme_exit", "exit", "end_of_program"];
/// Names under which forms say that a case closes.
const CLOSURES: [&str; 3] = ["case_closure", "case_closed", "case_closes"];
/// Names under which forms say that treatment ends.
const TREATMENT_ENDS: [&str; 3] = ["end_of_treatment", "treatment_end", "discharge"];

/// The name of an event of a form, however it was written: `Program exit` is `program_exit`.
pub(super) fn event_name(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("_")
}

/// Does what a source's event means for the directives of the people whom it names.
///
/// # Errors
/// When the store fails.
pub async fn heard(core: &Core, tx: &mut Tx, event: &Event) -> Result<(), StoreError> {
    let keys = meant(event);
    match &event.told.body {
        Body::RecordReceived(record) if record.person.death.is_some() => {
            died(core, tx, &keys).await
        }
        Body::EnrollmentEnded(stay) => {
            let ends = ended_by(&EXITS, stay.program);
            ended(core, tx, &keys, &ends).await
        }
        Body::CaseClosed(case) => {
            let ends = ended_by(&CLOSURES, case.program);
            ended(core, tx, &keys, &ends).await
        }
        _ => Ok(()),
    }
}

/// An event could not take effect: the consents of those whom it names are looked at soon, so that one that can't be read
/// is found and shown, with its id, to the privacy officer.
///
/// # Errors
/// When the store fails.
pub async fn in_vain(core: &Core, tx: &mut Tx, event: &Event) -> Result<(), StoreError> {
    for key in meant(event) {
        look_soon(tx, &key).await?;
    }
    core.wake_timers();
    Ok(())
}

/// The records of the people whom an event names.
fn meant(event: &Event) -> Vec<RecordKey> {
    let key = |person: &SourcePersonId| RecordKey {
        system: event.system.clone(),
        person: person.clone(),
    };
    match &event.told.body {
        Body::EnrollmentEnded(case) | Body::CaseClosed(case) => {
            case.people.iter().map(key).collect()
        }
        _ => event.told.source_person_id.iter().map(key).collect(),
    }
}

fn ended_by(names: &[&'static str], program: Program) -> BTreeSet<&'static str> {
    let treats = matches!(program, Program::Health | Program::BehavioralHealth);
    let treatment = TREATMENT_ENDS.into_iter().filter(|_| treats);
    names.iter().copied().chain(treatment).collect()
}

/// An event came about on which directives end.
async fn ended(
    core: &Core,
    tx: &mut Tx,
    keys: &[RecordKey],
    events: &BTreeSet<&'static str>,
) -> Result<(), StoreError> {
    let now = core.clock.now();
    for mut document in covering(tx, keys).await? {
        let is_open = document.directive.standing().is_open();
        if let Some(Expiry::Event { event, ended_at }) = &mut document.directive.expiry
            && is_open
            && ended_at.is_none()
            && events.contains(event_name(event).as_str())
        {
            *ended_at = Some(Moment::Instant(now));
            expiries::close(core, tx, document, DirectiveState::Expired, now).await?;
        }
    }
    Ok(())
}

/// A death was recorded. The right to decide passes on by law, so what the person or somebody in the person's name has
/// permitted is kept for review and opens nothing meanwhile; refusals stand (specs consent 8).
async fn died(core: &Core, tx: &mut Tx, keys: &[RecordKey]) -> Result<(), StoreError> {
    let now = core.clock.now();
    for document in covering(tx, keys).await? {
        if !is_held_by_death(&document) {
            continue;
        }
        let gateway = core.gateway.as_str();
        match suspend(core, tx, document, Because::Death, gateway, now).await {
            Ok(_) => {}
            Err(ConsentError::Store(error)) => return Err(error),
            // Nothing else can go wrong with a move that the table allows.
            Err(_) => {}
        }
    }
    Ok(())
}

/// A permission that still may count. One that somebody has reviewed since is left alone: it was confirmed.
fn is_held_by_death(document: &DirectiveDoc) -> bool {
    let directive = &document.directive;
    let was_held = document
        .history
        .iter()
        .any(|earlier| earlier.state == Some(DirectiveState::Suspended));
    directive.effect == Effect::Permit
        && directive.standing().may_become(DirectiveState::Suspended)
        && !was_held
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_one_name_however_a_form_writes_it() {
        for text in ["Program exit", "program-exit", " PROGRAM_EXIT. "] {
            assert_eq!(event_name(text), "program_exit");
        }
    }
}
