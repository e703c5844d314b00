//! What the measuring examples tell a gateway, and how they wait until it took effect.

use std::time::Duration;

use serde_json::Value;
use tandem::clock::Clock;
use tandem::demo::directives;
use tandem::demo::office::Office;
use tandem::pipeline::core::Core;
use tandem::store::EventState;

use crate::messages;

/// The mother of a family signs for a year.
pub(crate) async fn consents(office: &Office, family: usize) {
    let (id, system, person) = messages::consent(family);
    let mut directive = directives::coordination(&id, "self");
    let year = jiff::SignedDuration::from_hours(365 * 24);
    let until = Clock::System.now().checked_add(year).unwrap();
    let until = until.to_zoned(jiff::tz::TimeZone::UTC).date();
    directive["expiry"] = serde_json::json!({ "date": until });
    office.consent(&directive, system, &person).await.unwrap();
}

/// A system pushes events.
pub(crate) async fn tell(office: &Office, who: &str, events: &Value) {
    office.post(who, "/v1/events", events).await.unwrap();
}

/// Waits until every accepted event took effect.
pub(crate) async fn applied(core: &Core) {
    until(core, async || {
        let mut tx = core.store.snapshot().await.unwrap();
        tx.count_events(EventState::Waiting).await.unwrap() == 0
    })
    .await;
}

/// Waits until something holds; it is looked at again whenever the gateway did something.
pub(crate) async fn until(core: &Core, holds: impl AsyncFn() -> bool) {
    let mut changed = core.changed.subscribe();
    loop {
        changed.borrow_and_update();
        if holds().await {
            return;
        }
        let _more = tokio::time::timeout(Duration::from_millis(100), changed.changed()).await;
    }
}
