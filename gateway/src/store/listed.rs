//! Lists of messages for whoever looks after lanes: what stands in a state, the newest first, and what waits behind what was set aside.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use tandem_mappings::model::id::MessageId;
use uuid::Uuid;

use super::outbox::outbox_without_content;
use super::sql::{Row, query, query_scalar};
use super::{OutboxRow, OutboxState, StoreError, Tx};

/// Parked messages of a lane behind which it is counted what waits: whoever looks at the lanes waits for the count.
const COUNTED: i64 = 1_000;

/// Which messages are listed.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// Those of this lane; those of every lane when none is named.
    pub lane: Option<&'a str>,
    /// Those that stand so.
    pub state: OutboxState,
    /// Those before this position alone.
    pub before: Option<i64>,
    /// None of this kind.
    pub without: &'a str,
    /// At most so many.
    pub limit: i64,
}

/// A message in a list.
#[derive(Debug, Clone)]
pub struct ListedRow {
    /// The message, without what it tells.
    pub row: OutboxRow,
    /// Messages of its case that wait behind it.
    pub behind: i64,
}

impl Tx {
    /// The messages that a listing asks for, the newest first, also those of lanes that no system of the configuration has any more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn listed(&mut self, listing: &Listing<'_>) -> Result<Vec<ListedRow>, StoreError> {
        let lanes = match listing.lane {
            Some(lane) => vec![lane.to_owned()],
            None => self.lanes_with(listing.state).await?,
        };
        // Lanes are few, and a page of each goes by the index, whose order is within a lane.
        let mut all = Vec::new();
        for lane in lanes {
            all.append(&mut self.listed_in(&lane, listing).await?);
        }
        all.sort_by_key(|one| Reverse(one.row.position));
        all.truncate(usize::try_from(listing.limit).unwrap_or(usize::MAX));
        Ok(all)
    }

    /// The lanes of which a message stands so: each is looked up by the one before it.
    async fn lanes_with(&mut self, state: OutboxState) -> Result<Vec<String>, StoreError> {
        let mut lanes: Vec<String> = Vec::new();
        loop {
            let after = lanes.last().cloned().unwrap_or_default();
            let next: Option<String> = query_scalar(
                "SELECT lane FROM outbox WHERE jurisdiction = $1 AND state = $2 AND lane > $3 ORDER BY lane LIMIT 1",
            )
            .bind(self.jurisdiction())
            .bind(state.code())
            .bind(after)
            .fetch_optional(&mut self.inner)
            .await?;
            match next {
                Some(lane) => lanes.push(lane),
                None => return Ok(lanes),
            }
        }
    }

    async fn listed_in(
        &mut self,
        lane: &str,
        listing: &Listing<'_>,
    ) -> Result<Vec<ListedRow>, StoreError> {
        let rows = query(
            "SELECT id, position, lane, case_key, kind, state, attempts, due_at, created_at, changed_at, decision, file, fault, note, \
             handed, trace, (SELECT COUNT(*) FROM outbox b WHERE b.jurisdiction = $1 AND b.lane = $3 AND b.case_key = o.case_key \
                 AND b.position > o.position AND b.state IN ('queued', 'failed', 'parked')) AS behind \
             FROM outbox o WHERE jurisdiction = $1 AND state = $2 AND lane = $3 AND position < $4 AND kind <> $5 \
             ORDER BY position DESC LIMIT $6",
        )
        .bind(self.jurisdiction())
        .bind(listing.state.code())
        .bind(lane)
        .bind(listing.before.unwrap_or(i64::MAX))
        .bind(listing.without)
        .bind(listing.limit)
        .fetch_all(&mut self.inner)
        .await?;
        rows.iter().map(listed).collect()
    }

    /// How many messages of a lane wait behind a parked one of their case, of the first thousand that are parked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn blocked(&mut self, lane: &str) -> Result<i64, StoreError> {
        let rows = query(
            "SELECT case_key, (SELECT COUNT(*) FROM outbox b WHERE b.jurisdiction = $1 AND b.lane = $2 AND b.case_key = h.case_key \
                 AND b.position > h.position AND b.state IN ('queued', 'failed', 'parked') AND b.state <> 'parked') AS behind \
             FROM outbox h WHERE jurisdiction = $1 AND state = 'parked' AND lane = $2 ORDER BY position LIMIT $3",
        )
        .bind(self.jurisdiction())
        .bind(lane)
        .bind(COUNTED)
        .fetch_all(&mut self.inner)
        .await?;
        let (mut cases, mut blocked) = (BTreeSet::<Vec<u8>>::new(), 0_i64);
        for row in rows {
            // The first of a case holds back all that the others do.
            if cases.insert(row.get("case_key")) {
                blocked += row.get::<i64>("behind");
            }
        }
        Ok(blocked)
    }

    /// Whether a replay has put a message back into its lane.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn was_put_back(
        &mut self,
        replay: Uuid,
        message: MessageId,
    ) -> Result<bool, StoreError> {
        let count: i64 = query_scalar(
            "SELECT COUNT(*) FROM replay_message WHERE jurisdiction = $1 AND replay = $2 AND message = $3 AND skipped IS NULL",
        )
        .bind(self.jurisdiction())
        .bind(replay.as_bytes().as_slice())
        .bind(message.as_bytes().as_slice())
        .fetch_one(&mut self.inner)
        .await?;
        Ok(count > 0)
    }
}

fn listed(row: &Row) -> Result<ListedRow, StoreError> {
    Ok(ListedRow {
        row: outbox_without_content(row)?,
        behind: row.get("behind"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Place, contract, now, row};
    use super::*;

    const PARKED: Listing<'static> = Listing {
        lane: None,
        state: OutboxState::Parked,
        before: None,
        without: "canary",
        limit: 10,
    };

    /// A message that stands so.
    async fn put(tx: &mut Tx, lane: &str, case: &str, state: OutboxState) -> OutboxRow {
        let one = OutboxRow {
            lane: lane.to_owned(),
            ..row(tx, case)
        };
        tx.add_outbox(&one).await.unwrap();
        let moved = OutboxRow { state, ..one };
        tx.move_outbox(&moved, OutboxState::Queued, now())
            .await
            .unwrap();
        moved
    }

    async fn ids(tx: &mut Tx, listing: &Listing<'_>) -> Vec<MessageId> {
        let found = tx.listed(listing).await.unwrap();
        found.iter().map(|one| one.row.id).collect()
    }

    async fn what_stands_in_a_state_is_listed_newest_first_with_what_waits_behind_it(place: Place) {
        let mut tx = place.store.begin().await.unwrap();
        let first = put(&mut tx, "hmis-demo", "family-1", OutboxState::Parked).await;
        put(&mut tx, "hmis-demo", "family-1", OutboxState::Queued).await;
        put(&mut tx, "cws-demo", "family-1", OutboxState::Queued).await;
        let second = put(&mut tx, "cws-demo", "family-2", OutboxState::Parked).await;
        let canary = OutboxRow {
            kind: "canary".to_owned(),
            ..row(&tx, "canary")
        };
        tx.add_outbox(&canary).await.unwrap();
        let canary = OutboxRow {
            state: OutboxState::Parked,
            ..canary
        };
        tx.move_outbox(&canary, OutboxState::Queued, now())
            .await
            .unwrap();

        let found = tx.listed(&PARKED).await.unwrap();
        let told: Vec<_> = found.iter().map(|one| (one.row.id, one.behind)).collect();
        assert_eq!(told, [(second.id, 0), (first.id, 1)]);
        assert!(found.iter().all(|one| one.row.content.is_empty()));

        let page = Listing { limit: 1, ..PARKED };
        assert_eq!(ids(&mut tx, &page).await, [second.id]);
        let next = Listing {
            before: Some(found[0].row.position),
            ..page
        };
        assert_eq!(ids(&mut tx, &next).await, [first.id]);
        let of_lane = Listing {
            lane: Some("cws-demo"),
            ..PARKED
        };
        assert_eq!(ids(&mut tx, &of_lane).await, [second.id]);
        let queued = Listing {
            state: OutboxState::Queued,
            ..PARKED
        };
        assert_eq!(ids(&mut tx, &queued).await.len(), 2);
    }

    async fn what_waits_behind_a_parked_message_of_its_case_is_blocked_and_nothing_else(
        place: Place,
    ) {
        let mut tx = place.store.begin().await.unwrap();
        for (lane, case, state) in [
            ("hmis-demo", "family-1", OutboxState::Queued),
            ("hmis-demo", "family-2", OutboxState::Parked),
            ("hmis-demo", "family-2", OutboxState::Queued),
            ("hmis-demo", "family-2", OutboxState::Parked),
            ("hmis-demo", "family-2", OutboxState::Failed),
            ("hmis-demo", "family-3", OutboxState::Queued),
            ("hmis-demo", "family-3", OutboxState::Delivered),
            ("cws-demo", "family-2", OutboxState::Queued),
        ] {
            put(&mut tx, lane, case, state).await;
        }
        assert_eq!(tx.blocked("hmis-demo").await.unwrap(), 2);
        assert_eq!(tx.blocked("cws-demo").await.unwrap(), 0);
    }

    contract! {
        what_stands_in_a_state_is_listed_newest_first_with_what_waits_behind_it,
        what_waits_behind_a_parked_message_of_its_case_is_blocked_and_nothing_else,
    }
}
