//! The root keys: whether the store has those that it needs, whether a rotation stands unfinished, and how old the key
//! is.

use jiff::Timestamp;

use super::examination::{Examination, Finding};
use crate::keys::{KeyReport, KeyState, KeysReport};
use crate::store::{Store, StoreError};

/// A key is to seal for two years at most (NIST SP 800-57 part 1 rev. 5, 5.3.6: keys that encrypt data).
const OLDEST_DAYS: i64 = 730;

/// Looks at the keys.
pub(super) async fn examine(
    examination: &mut Examination,
    store: &Store,
    now: Timestamp,
) -> Result<(), StoreError> {
    store.has_its_keys().await?;
    let report = KeysReport::of(store, None).await?;
    examination.add(rotation(&report));
    let sealing = report.keys.iter().rfind(|key| key.state == KeyState::Seals);
    if let Some(key) = sealing {
        examination.add(age(key, now));
    }
    Ok(())
}

fn rotation(report: &KeysReport) -> Finding {
    let (check, expected) = ("keys", "one key that seals everything");
    let older = report
        .keys
        .iter()
        .filter(|key| key.state == KeyState::Opens);
    let left = older
        .filter(|key| key.rows != Some(0))
        .map(|key| match key.rows {
            Some(rows) => format!("key {} seals {rows} values", key.number),
            None => format!("what key {} seals is not counted yet", key.number),
        });
    let left = left.collect::<Vec<_>>().join(", ");
    if report.is_unfinished() {
        let found = format!("a rotation stands unfinished: {left}");
        let help = "a gateway that serves goes on by itself; without one, tandem keys reseal --config FILE does";
        return Finding::warning(check, found, expected, help);
    }
    if !left.is_empty() {
        let found = format!("after the last rotation {left}");
        let help = "the gateway's log names the values that do not open; when they can be opened, tandem keys reseal";
        return Finding::warning(check, found, expected, help);
    }
    if let Some(key) = report.keys.iter().find(|key| key.state == KeyState::Waits) {
        let found = format!(
            "key {} stands in the key file and seals nothing",
            key.number
        );
        let help = "tandem keys rotate lets it seal, once every gateway of the store holds it";
        return Finding::warning(check, found, expected, help);
    }
    let may_go = report.keys.iter().find(|key| key.state == KeyState::Opens);
    let found = match may_go {
        Some(key) => format!(
            "no older key seals anything; key {} may be retired",
            key.number
        ),
        None => "one key seals everything".to_owned(),
    };
    Finding::ok(check, found)
}

fn age(key: &KeyReport, now: Timestamp) -> Finding {
    let check = "key-age";
    let number = key.number;
    let made_at = key.made_at.as_ref().and_then(|at| at.parse().ok());
    let Some(made_at) = made_at else {
        let why = format!("nobody knows when key {number} was made");
        return Finding::not_applicable(check, why);
    };
    let made_at: Timestamp = made_at;
    let days = now.duration_since(made_at).as_hours() / 24;
    let found = format!("key {number} seals and is {days} days old");
    if days < OLDEST_DAYS {
        return Finding::ok(check, found);
    }
    let expected = format!("a key that is younger than {OLDEST_DAYS} days");
    Finding::warning(
        check,
        found,
        &expected,
        "tandem keys rotate makes a new one",
    )
}
