//! Recalls: whether what was told is looked at, where less may be told than before.

use jiff::{SignedDuration, Timestamp};

use super::examination::{Examination, Finding};
use crate::state::recalling::RecallingDoc;
use crate::store::{Store, StoreError};

/// After so long a look that goes on would have ended.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);

/// Looks at what is still to be looked at.
pub(super) async fn examine(
    examination: &mut Examination,
    store: &Store,
    now: Timestamp,
) -> Result<(), StoreError> {
    let docs: Vec<RecallingDoc> = store.snapshot().await?.all().await?;
    let oldest = docs.iter().map(|doc| doc.since).min();
    examination.add(found(docs.len(), oldest, now));
    Ok(())
}

fn found(count: usize, oldest: Option<Timestamp>, now: Timestamp) -> Finding {
    let check = "recalls";
    let Some(oldest) = oldest else {
        return Finding::ok(
            check,
            "all that was told and may be told no longer is recalled",
        );
    };
    let found =
        format!("what was told of {count} people is looked at, since {oldest} at the latest");
    if now.duration_since(oldest) < LONGEST {
        return Finding::ok(check, found);
    }
    let help = "is the gateway running? else its log says what fails (`looked at for what must be recalled`); it is tried again by itself";
    Finding::warning(check, found, "a look that ends within minutes", help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_does_not_end_warns_and_one_that_was_just_begun_does_not() {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let before = |minutes| now.checked_sub(SignedDuration::from_mins(minutes)).ok();
        let since = |oldest| format!("{:?}", found(2, oldest, now));
        assert!(since(None).contains("Ok"));
        assert!(since(before(1)).contains("Ok"));
        assert!(since(before(15)).contains("Warning"));
    }
}
