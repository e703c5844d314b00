//! Lanes: whether one is held since the store was restored. Nothing else tells of it but `tandem lanes`.

use super::examination::{Examination, Finding};
use crate::store::{HoldRow, Store, StoreError};

/// Looks for lanes that are held.
pub(super) async fn examine(
    examination: &mut Examination,
    store: &Store,
) -> Result<(), StoreError> {
    let mut holds = store.snapshot().await?.holds().await?;
    holds.retain(|hold| hold.released.is_none());
    examination.add(found(&holds));
    Ok(())
}

fn found(held: &[HoldRow]) -> Finding {
    let check = "lanes";
    let Some(first) = held.first() else {
        return Finding::ok(check, "none is held since a restoration");
    };
    let names: Vec<&str> = held.iter().map(|hold| hold.lane.as_str()).collect();
    let found = format!(
        "{} held since the store was restored at {}: nothing is delivered there",
        names.join(", "),
        first.restored_at
    );
    let help = format!(
        "`tandem restore status` says what is in doubt; when that is looked at, `tandem lane resume {} --reconciled`, for each of them",
        first.lane
    );
    Finding::warning(check, found, "lanes that deliver", help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_that_are_held_warn_by_name_with_the_command_that_lets_them_go_on() {
        let hold = |lane: &str| HoldRow {
            lane: lane.to_owned(),
            restored_at: "2026-02-02T09:00:00Z".parse().unwrap(),
            taken_at: "2026-02-01T09:00:00Z".parse().unwrap(),
            released: None,
        };
        assert!(format!("{:?}", found(&[])).contains("Ok"));
        let said = format!("{:?}", found(&[hold("clinic-demo"), hold("cws-demo")]));
        assert!(said.contains("Warning"), "{said}");
        assert!(said.contains("clinic-demo, cws-demo held since"), "{said}");
        assert!(
            said.contains("tandem lane resume clinic-demo --reconciled"),
            "{said}"
        );
    }
}
