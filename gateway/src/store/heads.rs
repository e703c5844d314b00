//! The heads of the cases of a lane: what may be tried next, and when.

use jiff::Timestamp;

use super::outbox::outbox_without_content;
use super::sql::{query, query_scalar};
use super::tx::{micros, timestamp};
use super::{OutboxRow, StoreError, Tx};

/// Which messages of a lane are looked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The lane.
    pub lane: &'a str,
    /// Due at this time.
    pub now: Timestamp,
    /// Up to this position: of a lane that is drained, what was written before.
    pub up_to: i64,
    /// At most so many.
    pub limit: usize,
    /// How often the lane has looked before: where there are too few places to share, first attempts and others have them in turn.
    pub turn: u64,
}

/// Messages that may be tried.
#[derive(Debug, Default)]
pub struct Heads {
    /// In order.
    pub rows: Vec<OutboxRow>,
    /// Those whose content does not open, without it.
    pub unreadable: Vec<(OutboxRow, StoreError)>,
}

impl Wanted<'_> {
    /// Places for those that are tried again, at least: a quarter of them.
    fn places_for_others(&self) -> usize {
        let over = u64::try_from(self.limit % 4).unwrap_or(0);
        self.limit / 4 + usize::from(self.turn % 4 < over)
    }
}

impl Tx {
    /// The next messages of a lane that may be tried: due, and the head of their case (a parked or not yet due
    /// message holds its case), and not under way. Those that were never tried are due since they were written and come first; a quarter
    /// of the places is left to those that are tried again, so that neither starves the other.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due_outbox(&mut self, wanted: &Wanted<'_>) -> Result<Heads, StoreError> {
        let limit = i64::try_from(wanted.limit).unwrap_or(i64::MAX);
        let mut first = query(
            "SELECT * FROM outbox o WHERE jurisdiction = $1 AND lane = $2 AND state = 'queued' AND handed = 0 AND position <= $4 \
             AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.jurisdiction = $1 AND e.lane = $2 \
                 AND e.case_key = o.case_key AND e.position < o.position \
                 AND e.state IN ('queued', 'failed', 'parked')) \
             ORDER BY position LIMIT $3",
        )
        .bind(self.jurisdiction())
        .bind(wanted.lane)
        .bind(limit)
        .bind(wanted.up_to)
        .fetch_all(&mut self.inner)
        .await?;
        let mut again = query(
            "SELECT * FROM outbox o WHERE jurisdiction = $1 AND lane = $2 AND state = 'failed' AND handed = 0 \
             AND due_at <= $3 AND position <= $5 \
             AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.jurisdiction = $1 AND e.lane = $2 \
                 AND e.case_key = o.case_key AND e.position < o.position \
                 AND e.state IN ('queued', 'failed', 'parked')) \
             ORDER BY due_at LIMIT $4",
        )
        .bind(self.jurisdiction())
        .bind(wanted.lane)
        .bind(micros(wanted.now))
        .bind(limit)
        .bind(wanted.up_to)
        .fetch_all(&mut self.inner)
        .await?;
        let free = wanted.limit.saturating_sub(first.len());
        again.truncate(free.max(wanted.places_for_others()));
        first.truncate(wanted.limit.saturating_sub(again.len()));
        first.append(&mut again);
        let mut heads = Heads::default();
        for row in &first {
            match self.outbox_row(row) {
                Ok(message) => heads.rows.push(message),
                Err(error) => heads.unreadable.push((outbox_without_content(row)?, error)),
            }
        }
        heads.rows.sort_by_key(|row| row.position);
        Ok(heads)
    }

    /// When the next message of a lane that is the head of its case is tried again, if any waits for that. What a head holds back is
    /// left out: it may be due long before its head.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next_due(
        &mut self,
        lane: &str,
        up_to: i64,
    ) -> Result<Option<Timestamp>, StoreError> {
        // By the order of the times, not of the positions: all that failed would be sorted for the first of them.
        let next: Option<i64> = query_scalar(
            "SELECT due_at FROM outbox o WHERE jurisdiction = $1 AND lane = $2 AND state = 'failed' AND handed = 0 AND +position <= $3 \
             AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.jurisdiction = $1 AND e.lane = $2 \
                 AND e.case_key = o.case_key AND e.position < o.position \
                 AND e.state IN ('queued', 'failed', 'parked')) \
             ORDER BY due_at LIMIT 1",
        )
        .bind(self.jurisdiction())
        .bind(lane)
        .bind(up_to)
        .fetch_optional(&mut self.inner)
        .await?;
        next.map(timestamp).transpose()
    }

    /// When the last message of a lane that is to be tried again falls due.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn last_due(&mut self, lane: &str) -> Result<Option<Timestamp>, StoreError> {
        let due: Option<i64> = query_scalar(
            "SELECT due_at FROM outbox WHERE jurisdiction = $1 AND lane = $2 AND state = 'failed' ORDER BY due_at DESC LIMIT 1",
        )
        .bind(self.jurisdiction())
        .bind(lane)
        .fetch_optional(&mut self.inner)
        .await?;
        due.map(timestamp).transpose()
    }

    /// Lets the messages of a lane be due now that would be tried again only after a time. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due_now(
        &mut self,
        lane: &str,
        after: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let done = query(
            "UPDATE outbox SET due_at = $4 WHERE jurisdiction = $1 AND lane = $2 AND state = 'failed' AND due_at > $3",
        )
        .bind(self.jurisdiction())
        .bind(lane)
        .bind(micros(after))
        .bind(micros(now))
        .execute(&mut self.inner)
        .await?;
        self.tells = true;
        self.lanes.insert(lane.to_owned());
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Place, contract, now, row};
    use super::super::{OutboxRow, OutboxState, Tx};
    use super::*;

    fn wanted(limit: usize, turn: u64) -> Wanted<'static> {
        Wanted {
            lane: "hmis-demo",
            now: now(),
            up_to: i64::MAX,
            limit,
            turn,
        }
    }

    async fn failed(tx: &mut Tx, case: &str, due_at: Timestamp) -> OutboxRow {
        let one = row(tx, case);
        tx.add_outbox(&one).await.unwrap();
        let failed = OutboxRow {
            state: OutboxState::Failed,
            due_at,
            ..one
        };
        tx.move_outbox(&failed, OutboxState::Queued, now())
            .await
            .unwrap();
        failed
    }

    async fn with_a_single_place_neither_first_attempts_nor_others_starve(place: Place) {
        let mut tx = place.store.begin().await.unwrap();
        let again = failed(&mut tx, "family-1", now()).await;
        let first = row(&tx, "family-2");
        tx.add_outbox(&first).await.unwrap();
        let mut tried = Vec::new();
        for turn in 0..8 {
            let heads = tx.due_outbox(&wanted(1, turn)).await.unwrap();
            tried.push(heads.rows[0].id);
        }
        let times = |id| tried.iter().filter(|tried| **tried == id).count();
        assert_eq!((times(first.id), times(again.id)), (6, 2));
    }

    async fn a_message_that_does_not_open_holds_up_no_other_case(place: Place) {
        let mut tx = place.store.begin().await.unwrap();
        let (broken, other) = (row(&tx, "family-1"), row(&tx, "family-2"));
        for one in [&broken, &other] {
            tx.add_outbox(one).await.unwrap();
        }
        query("UPDATE outbox SET sealed = $3 WHERE jurisdiction = $1 AND id = $2")
            .bind("demo-county")
            .bind(broken.id.as_bytes().as_slice())
            .bind([7; 64].as_slice())
            .execute(&mut tx.inner)
            .await
            .unwrap();
        let heads = tx.due_outbox(&wanted(10, 0)).await.unwrap();
        assert_eq!(heads.rows[0].id, other.id);
        let unreadable: Vec<_> = heads.unreadable.iter().map(|(row, _)| row.id).collect();
        assert_eq!((heads.rows.len(), unreadable), (1, vec![broken.id]));
    }

    async fn what_an_attempt_hands_over_is_not_tried_at_the_same_time(place: Place) {
        let mut tx = place.store.begin().await.unwrap();
        let one = row(&tx, "family-1");
        tx.add_outbox(&one).await.unwrap();
        tx.hand_over(one.id, None, now()).await.unwrap();
        assert!(tx.due_outbox(&wanted(10, 0)).await.unwrap().rows.is_empty());
        assert_eq!(tx.untried_state(one.id).await.unwrap(), None);
        assert_eq!(tx.next_due("hmis-demo", i64::MAX).await.unwrap(), None);
    }

    /// A clock that was ahead for a while: what was tried then would wait as long as it was ahead.
    async fn what_is_due_later_than_any_wait_can_be_brought_forward(place: Place) {
        let mut tx = place.store.begin().await.unwrap();
        let hours = |hours: i64| now() + jiff::SignedDuration::from_hours(hours);
        let soon = failed(&mut tx, "family-1", hours(2)).await;
        let late = failed(&mut tx, "family-2", hours(8_760)).await;
        assert_eq!(tx.last_due("hmis-demo").await.unwrap(), Some(late.due_at));
        assert_eq!(tx.due_now("hmis-demo", hours(25), now()).await.unwrap(), 1);
        assert_eq!(tx.last_due("hmis-demo").await.unwrap(), Some(soon.due_at));
        let heads = tx.due_outbox(&wanted(10, 0)).await.unwrap();
        assert_eq!(heads.rows[0].id, late.id);
    }

    contract! {
        with_a_single_place_neither_first_attempts_nor_others_starve,
        a_message_that_does_not_open_holds_up_no_other_case,
        what_an_attempt_hands_over_is_not_tried_at_the_same_time,
        what_is_due_later_than_any_wait_can_be_brought_forward,
    }
}
