//! Those who have something of one kind to note at one time, attempts of a lane or inputs that come, share a turn of the store: what
//! it costs to take one, and to make it durable, is paid once for all of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};

use tokio::sync::{Mutex, oneshot};

use super::writers::Ahead;
use super::{Handed, Store, StoreError, Tx};

/// Entries that share a turn.
const TOGETHER: usize = 64;

/// Something that is noted with others or, when one of them can't be, once more by itself.
pub(crate) trait Entry: Send + Sync {
    /// Whether somebody waits for it outside: such entries go first.
    const IS_AWAITED: bool;
    /// What it needs to be noted.
    type By: Sync;
    /// What comes of it.
    type Noted: Send;

    /// Notes it in a transaction.
    fn note(
        &self,
        by: &Self::By,
        tx: &mut Tx,
    ) -> impl Future<Output = Result<Self::Noted, StoreError>> + Send;
}

/// Whoever notes what others have to say.
pub(crate) struct Scribe<E: Entry> {
    waiting: std::sync::Mutex<Vec<Waiting<E>>>,
    /// How many have waited so far.
    tickets: AtomicU64,
    /// Held by whoever notes for all that wait.
    pen: Mutex<()>,
}

struct Waiting<E: Entry> {
    entry: E,
    /// Which one it is.
    ticket: u64,
    /// Whoever writes behind others lets it go first, until it is noted.
    ahead: Option<Ahead>,
    told: oneshot::Sender<Result<(E, E::Noted), StoreError>>,
}

impl<E: Entry> Default for Scribe<E> {
    fn default() -> Self {
        Self {
            waiting: std::sync::Mutex::default(),
            tickets: AtomicU64::default(),
            pen: Mutex::default(),
        }
    }
}

impl<E: Entry> std::fmt::Debug for Scribe<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scribe")
    }
}

impl<E: Entry> Scribe<E> {
    /// Notes something, and gives it back with what came of it. When this returns, it is durable. Who is dropped meanwhile may take
    /// others with him, who are then told that nothing of theirs is known to be noted.
    ///
    /// # Errors
    /// When the store fails; then nothing of it was noted.
    pub(crate) async fn note(
        &self,
        store: &Store,
        by: &E::By,
        entry: E,
    ) -> Result<(E, E::Noted), StoreError> {
        let (told, mut noted) = oneshot::channel();
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting {
            entry,
            ticket,
            ahead: E::IS_AWAITED.then(|| store.ahead()),
            told,
        };
        self.waiting().push(waiting);
        loop {
            let pen = tokio::select! {
                biased;
                noted = &mut noted => return outcome(noted),
                pen = self.pen.lock() => pen,
            };
            if !self.waiting().iter().any(|one| one.ticket == ticket) {
                // Another one is noting it by now: those who came later see to theirs.
                drop(pen);
                return outcome(noted.await);
            }
            let begun = if E::IS_AWAITED {
                store.begin().await
            } else {
                store.begin_behind().await
            };
            let mut all = self.some(TOGETHER);
            match begun {
                Ok(tx) => {
                    let noted = self.together(by, tx, &mut all).await;
                    all.iter_mut().for_each(|one| one.ahead = None);
                    drop(pen);
                    told_all(store, by, all, noted).await;
                }
                Err(error) => refuse(all, error),
            }
        }
    }

    /// Notes all in one transaction. Where somebody waits for them, also those that come meanwhile; else others had to wait for ever more.
    async fn together(
        &self,
        by: &E::By,
        mut tx: Tx,
        all: &mut Vec<Waiting<E>>,
    ) -> Result<(Vec<E::Noted>, Handed), StoreError> {
        let mut noted = Vec::with_capacity(all.len());
        while noted.len() < all.len() {
            for one in all.iter().skip(noted.len()) {
                tx.forget_cause();
                noted.push(one.entry.note(by, &mut tx).await?);
            }
            if E::IS_AWAITED {
                all.extend(self.some(TOGETHER.saturating_sub(all.len())));
            }
        }
        tx.is_for(all.len());
        Ok((noted, tx.hand_in()?))
    }

    /// Those that wait longest, at most so many. Each of the others waits for the pen.
    fn some(&self, most: usize) -> Vec<Waiting<E>> {
        let mut waiting = self.waiting();
        let some = waiting.len().min(most);
        waiting.drain(..some).collect()
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting<E>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What whoever waits is told; one who is told nothing was given up with the one who wrote for him.
fn outcome<T>(
    told: Result<Result<T, StoreError>, oneshot::error::RecvError>,
) -> Result<T, StoreError> {
    told.map_err(|_| StoreError::Database(sqlx::Error::WorkerCrashed))?
}

/// Tells each what came of it. When one of them could not be noted, each is noted by itself: the others lose nothing by it.
async fn told_all<E: Entry>(
    store: &Store,
    by: &E::By,
    all: Vec<Waiting<E>>,
    noted: Result<(Vec<E::Noted>, Handed), StoreError>,
) {
    match noted {
        Ok((noted, handed)) => match handed.durable().await {
            Ok(()) => {
                for (one, noted) in all.into_iter().zip(noted) {
                    // Whoever does not wait any more reads it in the store.
                    let _gone = one.told.send(Ok((one.entry, noted)));
                }
            }
            Err(error) => refuse(all, error),
        },
        Err(error) => match <[Waiting<E>; 1]>::try_from(all) {
            // It was by itself, and gets its error as it is: what is done next may depend on which it was.
            Ok([one]) => {
                let _gone = one.told.send(Err(error));
            }
            Err(all) => {
                for one in all {
                    let noted = alone(store, by, &one.entry).await;
                    let _gone = one.told.send(noted.map(|noted| (one.entry, noted)));
                }
            }
        },
    }
}

async fn alone<E: Entry>(store: &Store, by: &E::By, entry: &E) -> Result<E::Noted, StoreError> {
    let mut tx = store.begin().await?;
    let noted = entry.note(by, &mut tx).await?;
    tx.commit().await?;
    Ok(noted)
}

fn refuse<E: Entry>(all: Vec<Waiting<E>>, error: StoreError) {
    let error = Arc::new(error);
    for one in all {
        let _gone = one.told.send(Err(StoreError::Shared(Arc::clone(&error))));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::super::tests::{Note, Place, contract, now};
    use super::super::{StoreError, Tx};
    use super::{Entry, Scribe, TOGETHER};

    /// A word, and how often it was noted.
    struct Word {
        text: &'static str,
        times: AtomicUsize,
    }

    impl Entry for Word {
        const IS_AWAITED: bool = false;
        /// The word that can't be noted.
        type By = &'static str;
        type Noted = ();

        async fn note(&self, unsaid: &&'static str, tx: &mut Tx) -> Result<(), StoreError> {
            self.times.fetch_add(1, Ordering::Relaxed);
            let note = Note {
                id: self.text.to_owned(),
                owner: "a scribe".to_owned(),
            };
            tx.put(&note, now()).await?;
            if self.text == *unsaid {
                return Err(StoreError::Shape { kind: "word" });
            }
            Ok(())
        }
    }

    const WORDS: [&str; 4] = ["to", "be", "or", "not"];

    /// Has the words noted at one time, while somebody else writes. Returns how often each was noted, if it could be.
    async fn noted(place: &Place, unsaid: &'static str) -> Vec<Option<usize>> {
        let scribe = Scribe::default();
        let writer = place.store.begin().await.unwrap();
        let words = WORDS.map(|text| {
            let times = AtomicUsize::new(0);
            scribe.note(&place.store, &unsaid, Word { text, times })
        });
        let (noted, ()) = futures::join!(join_all(words), async { drop(writer) });
        let times = |word: Word| word.times.load(Ordering::Relaxed);
        let noted = noted.into_iter();
        noted
            .map(|one| one.ok().map(|(word, ())| times(word)))
            .collect()
    }

    /// Two are noted in one turn, and while a third one waits for the next, both are told.
    async fn who_was_noted_waits_for_nobody_who_came_later(place: Place) {
        let (scribe, store) = (Scribe::default(), &place.store);
        let word = |text| {
            let times = AtomicUsize::new(0);
            Box::pin(scribe.note(store, &"nothing", Word { text, times }))
        };
        let writer = store.begin().await.unwrap();
        let (mut first, mut second) = (word("to"), word("be"));
        assert!(futures::poll!(&mut first).is_pending());
        assert!(futures::poll!(&mut second).is_pending());
        drop(writer);
        first.await.unwrap();
        let writer = store.begin().await.unwrap();
        let mut third = word("or");
        assert!(futures::poll!(&mut third).is_pending());
        second.await.unwrap();
        assert!(futures::poll!(&mut third).is_pending());
        drop(writer);
        third.await.unwrap();
    }

    async fn kept(place: &Place) -> usize {
        let mut tx = place.store.snapshot().await.unwrap();
        tx.find::<Note>("note.owner", "a scribe")
            .await
            .unwrap()
            .len()
    }

    async fn what_comes_at_one_time_is_noted_in_one_turn(place: Place) {
        assert_eq!(noted(&place, "nothing").await, [Some(1); 4]);
        assert_eq!(kept(&place).await, 4);
    }

    async fn however_many_come_at_one_time_all_are_noted(place: Place) {
        let scribe = Scribe::default();
        let writer = place.store.begin().await.unwrap();
        let words = (0..2 * TOGETHER + 7).map(|_| {
            let (text, times) = ("again", AtomicUsize::new(0));
            scribe.note(&place.store, &"nothing", Word { text, times })
        });
        let (noted, ()) = futures::join!(join_all(words), async { drop(writer) });
        assert!(noted.iter().all(Result::is_ok));
    }

    async fn what_can_not_be_noted_costs_the_others_nothing(place: Place) {
        let noted = noted(&place, "or").await;
        // Those before it once more, and the one after it had not been noted yet.
        assert_eq!(noted, [Some(2), Some(2), None, Some(1)]);
        assert_eq!(kept(&place).await, 3);
    }

    async fn what_can_not_be_noted_is_told_as_it_failed(place: Place) {
        let times = AtomicUsize::new(0);
        let word = Word { text: "or", times };
        let alone = Scribe::default().note(&place.store, &"or", word).await;
        let error = alone.err().unwrap();
        assert!(
            matches!(error, StoreError::Shape { kind: "word" }),
            "{error:?}"
        );
    }

    contract! {
        however_many_come_at_one_time_all_are_noted,
        what_can_not_be_noted_is_told_as_it_failed,
        what_comes_at_one_time_is_noted_in_one_turn,
        what_can_not_be_noted_costs_the_others_nothing,
        who_was_noted_waits_for_nobody_who_came_later,
    }
}
