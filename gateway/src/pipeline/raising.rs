//! A fact that hangs on a stay told before calls for more care than the stay was told with. It only raises: the stay's
//! category and labels, and the safety mark of its people and of whoever shared their household then.

use std::collections::BTreeSet;

use tandem_mappings::model::event::Event;
use tandem_mappings::model::id::{RecordKey, SourceHouseholdId};
use tandem_mappings::model::involvement::SensitiveStay;
use tandem_mappings::model::person::{PersonFlag, PersonRecord};

use super::core::Core;
use super::processor::Applied;
use crate::state::involvement::InvolvementDoc;
use crate::state::record::RecordDoc;
use crate::state::sensitivity::Sensitivity;
use crate::store::{StoreError, Tx};

/// Raises a stay. One that is told by its id alone is known when this is called (`deletion::is_known`).
///
/// # Errors
/// When the store fails.
pub async fn raise(
    core: &Core,
    tx: &mut Tx,
    event: &Event,
    told: &SensitiveStay,
) -> Result<Applied, StoreError> {
    let key = InvolvementDoc::key_of(&event.system, told.case.as_str());
    let Some(mut stay) = tx.get::<InvolvementDoc>(&key).await? else {
        return Ok(Applied::Parked(
            "the enrolment is not known from this system yet".to_owned(),
        ));
    };
    let now = core.clock.now();
    let usual = core.default_category(&event.system);
    stay.sensitivity = stay.sensitivity.raised_by(Sensitivity::of(event), usual);
    tx.put(&stay, now).await?;
    if told.safety {
        for mut record in household_of(tx, &stay).await? {
            mark(&mut record.person);
            tx.put(&record, now).await?;
        }
    }
    Ok(Applied::Done)
}

/// The records of a stay's people and of whoever entered their household on the same day.
async fn household_of(tx: &mut Tx, stay: &InvolvementDoc) -> Result<Vec<RecordDoc>, StoreError> {
    let mut found: Vec<RecordDoc> = Vec::new();
    for person in &stay.told.people {
        let key = RecordKey {
            system: stay.system.clone(),
            person: person.clone(),
        };
        found.extend(tx.get::<RecordDoc>(&RecordDoc::key_of(&key)).await?);
    }
    let households: BTreeSet<SourceHouseholdId> = found
        .iter()
        .flat_map(|record| &record.memberships)
        .filter(|member| member.from == stay.told.from)
        .filter_map(|member| member.household.clone())
        .collect();
    for household in households {
        let index = format!("{}\u{1f}{household}", stay.system);
        let members = tx.find::<RecordDoc>("record.household", &index).await?;
        for member in members {
            if !found.iter().any(|known| known.key == member.key) {
                found.push(member);
            }
        }
    }
    Ok(found)
}

/// Keeps the safety mark of a record that is told again without it: no message takes it away.
pub fn keep_mark(known: &PersonRecord, told: &mut PersonRecord) {
    if known.flags.contains(&PersonFlag::Safety) {
        mark(told);
    }
}

fn mark(person: &mut PersonRecord) {
    if !person.flags.contains(&PersonFlag::Safety) {
        person.flags.push(PersonFlag::Safety);
    }
}
