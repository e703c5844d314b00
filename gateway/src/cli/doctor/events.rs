//! Events: whether any is set aside that could not take effect.

use super::examination::{Examination, Finding};
use crate::store::{EventState, Store, StoreError};

/// Looks for events that are parked.
pub(super) async fn examine(
    examination: &mut Examination,
    store: &Store,
) -> Result<(), StoreError> {
    let mut tx = store.snapshot().await?;
    examination.add(found(tx.count_events(EventState::Parked).await?));
    Ok(())
}

fn found(parked: i64) -> Finding {
    let check = "events";
    if parked == 0 {
        return Finding::ok(check, "none is set aside");
    }
    let found = format!("{parked} could not take effect and are set aside");
    let help = "`tandem events` says why; `tandem replay events` lets them try again, `tandem event give-up` is for those that never can";
    Finding::warning(check, found, "none that is set aside", help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_is_set_aside_warns() {
        assert!(format!("{:?}", found(0)).contains("Ok"));
        assert!(format!("{:?}", found(2)).contains("Warning"));
    }
}
