//! Rules in force: whether what was told before they counted has been decided again by them.

use jiff::{SignedDuration, Timestamp};

use super::examination::{Examination, Finding};
use crate::state::reconsidering::ReconsideringDoc;
use crate::store::{Store, StoreError};

/// After so long a gateway has looked at a million records.
const LONGEST: SignedDuration = SignedDuration::from_hours(4);

/// Looks whether everybody was reached.
pub(super) async fn examine(
    examination: &mut Examination,
    store: &Store,
    now: Timestamp,
) -> Result<(), StoreError> {
    let document = store
        .snapshot()
        .await?
        .get::<ReconsideringDoc>(ReconsideringDoc::NAME)
        .await?;
    examination.add(found(document.as_ref(), now));
    Ok(())
}

fn found(document: Option<&ReconsideringDoc>, now: Timestamp) -> Finding {
    let check = "rules";
    let Some(document) = document else {
        return Finding::ok(
            check,
            "all that was told has been decided by the rules in force",
        );
    };
    let (since, percent, failed) = (document.since, document.percent(), document.failed);
    let found = format!(
        "what was told before {since} is decided again by the rules in force: {percent} %, {failed} records failed"
    );
    if failed == 0 && now.duration_since(since) < LONGEST {
        return Finding::ok(check, found);
    }
    let help = "is the gateway running? else its log says what fails (`decided again by the rules in force`); it is tried again by itself";
    Finding::warning(check, found, "all of it within hours", help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_well_and_what_fails_or_does_not_end_warns() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let before = |hours| now.checked_sub(SignedDuration::from_hours(hours)).unwrap();
        let begun = |hours| ReconsideringDoc::new("rules".to_owned(), before(hours));
        let said = |document: Option<&ReconsideringDoc>| format!("{:?}", found(document, now));
        assert!(said(None).contains("Ok"));
        assert!(said(Some(&begun(1))).contains("Ok"));
        assert!(said(Some(&begun(4))).contains("Warning"));
        let mut failing = begun(1);
        failing.failed = 1;
        assert!(said(Some(&failing)).contains("Warning"));
    }
}
