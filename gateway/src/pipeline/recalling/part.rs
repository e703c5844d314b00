//! A part of what was told of a person: what one transaction looks at, so that others who write have their turn soon.

use jiff::Timestamp;
use tandem_mappings::model::id::{MessageId, PersonId};

use crate::pipeline::core::Core;
use crate::pipeline::recall::{self, Told};
use crate::state::disclosure::DisclosureDoc;
use crate::state::recalling::{Reached, RecallingDoc};
use crate::state::record::RecordDoc;
use crate::store::{Found, StoreError, Tx};

/// Messages that are decided again in one transaction.
pub(super) const PART: usize = 32;
/// Deliveries that are read for it: of what was recalled long ago there may be much.
const READ: usize = 512;

/// What a transaction may still look at.
#[derive(Debug)]
pub(super) struct Room {
    messages: usize,
    deliveries: usize,
}

impl Room {
    /// The room of one transaction.
    pub(super) const fn of_a_part() -> Self {
        Self {
            messages: PART,
            deliveries: READ,
        }
    }

    /// How many messages were decided again in it.
    pub(super) const fn looked_at(&self) -> usize {
        PART.saturating_sub(self.messages)
    }

    const fn is_used_up(&self) -> bool {
        self.messages == 0 || self.deliveries == 0
    }

    /// How many deliveries to read next: one is enough to know that there are more.
    fn page(&self) -> u32 {
        let most = self.messages.min(self.deliveries).max(1);
        u32::try_from(most).unwrap_or(1)
    }
}

/// What came of a part.
#[derive(Debug)]
pub(super) struct Part {
    /// The messages whose holders are told to stop, in the order in which they were told.
    pub(super) recalled: Vec<MessageId>,
    /// Whether nothing is left.
    pub(super) is_last: bool,
}

/// Decides again the next messages that were told of a person, as many as there is room for, and recalls what may not stay with
/// its holder. The document says afterwards how far that came.
///
/// # Errors
/// When the store fails.
pub(super) async fn look(
    core: &Core,
    tx: &mut Tx,
    document: &mut RecallingDoc,
    room: &mut Room,
    now: Timestamp,
) -> Result<Part, StoreError> {
    let (mut told, is_last) = next(tx, document, room).await?;
    told.sort_by_key(|one| one.row.position);
    let mut withheld = Vec::new();
    for one in told {
        if recall::is_withheld(core, tx, &one, now).await? {
            withheld.push(one);
        }
    }
    recall::everything_told(core, tx, &withheld, now).await?;
    Ok(Part {
        recalled: withheld.into_iter().map(|one| one.row.id).collect(),
        is_last,
    })
}

/// The next messages, and whether they are the last.
///
/// # Errors
/// When the store fails or a delivery does not open.
pub(super) async fn next(
    tx: &mut Tx,
    document: &mut RecallingDoc,
    room: &mut Room,
) -> Result<(Vec<Told>, bool), StoreError> {
    let records = tx
        .find::<RecordDoc>("record.person", &document.person.to_string())
        .await?;
    let mut told = Vec::new();
    for id in recall::ids_of(&records, document.person) {
        let is_passed = |reached: &Reached| id < reached.id;
        if document.reached.as_ref().is_some_and(is_passed) {
            continue;
        }
        loop {
            let found = page(tx, document, id, room).await?;
            let Some(last) = found.last() else { break };
            if room.is_used_up() {
                return Ok((told, false));
            }
            document.reached = Some(Reached {
                id,
                place: last.place.to_string(),
            });
            for one in found {
                room.deliveries = room.deliveries.saturating_sub(1);
                let disclosure: DisclosureDoc = one.document?;
                let is_known = told
                    .iter()
                    .any(|known: &Told| known.row.id == disclosure.message);
                if !is_known && let Some(one) = recall::of(tx, (&records, id), disclosure).await? {
                    room.messages = room.messages.saturating_sub(1);
                    told.push(one);
                }
            }
        }
    }
    Ok((told, true))
}

/// The deliveries under an id of the person that come next.
async fn page(
    tx: &mut Tx,
    document: &RecallingDoc,
    id: PersonId,
    room: &Room,
) -> Result<Vec<Found<DisclosureDoc>>, StoreError> {
    let reached = document.reached.as_ref().filter(|reached| reached.id == id);
    let after = match reached {
        Some(reached) => hex::decode(&reached.place).map_err(|_| StoreError::Shape {
            kind: "place of a delivery",
        })?,
        None => Vec::new(),
    };
    let id = id.to_string();
    let (found, _) = tx
        .find_page_each::<DisclosureDoc>("disclosure.person", &id, &after, room.page())
        .await?;
    Ok(found)
}
