//! An input of which something could not be used is read once more, from the original that was kept, by the readers and tables of today.
//!
//! What it told had its place in the order when it came. What the system has told since must not be taken back by it: where a later
//! input took effect, only that gets in of which nothing is known, and an input that speaks for all records of its system is left
//! alone. So is any when the system has sealed or withdrawn something since of which nothing was known: it might stand in there.

use std::sync::Arc;

use jiff::Timestamp;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::read::{Coverage, FormatReader};
use tandem_adapter_port::report::Report;
use tandem_mappings::model::id::{InputId, SystemId};
use uuid::Uuid;

use super::admit::Takes;
use super::{AcceptError, Accepted, Acceptor, Intake};
use crate::state::forgotten::ForgottenDoc;
use crate::store::{StoreError, Tx};

/// Why a full refresh is left as it is.
const SUPERSEDED: &str = "a-later-input-took-effect";
/// Why an input is left as it is while nobody can say what is known.
const OTHERS_WAIT: &str = "other-events-wait";
/// Why an input is left as it is in which something may stand that must not enter any more.
const SEALED_SINCE: &str = "something-was-sealed-since";

/// The replay in which an input is read once more.
#[derive(Debug, Clone, Copy)]
pub struct Replay {
    /// Its id.
    pub id: Uuid,
    /// When the input came.
    pub came_at: Timestamp,
    /// Whether something of it took effect: a reading by which nothing can be used any more does not change that.
    pub took_effect: bool,
}

impl Acceptor {
    /// Reads an input once more. What comes of it is kept with the input and the replay in one transaction; what got in before is not
    /// let in again. The context says when the input came, and the events are recorded now.
    ///
    /// # Errors
    /// When the store or the reader fails, or a large input of the system is on its way; then nothing has changed.
    pub async fn replay(
        &self,
        reader: Arc<dyn FormatReader>,
        context: ReadContext,
        input: InputId,
        original: Vec<u8>,
        (replay, now): (Replay, Timestamp),
    ) -> Result<Accepted, AcceptError> {
        let _turn = self.releases.lock().await;
        self.refuse_while_in_work(&context.system).await?;
        let mut intake = Intake::new(&self.store, &context.system, &context.input_name, now);
        (intake.id, intake.replay) = (input, Some(replay));
        reader.format().name().clone_into(&mut intake.format);
        intake.refresh = Some(self.refresh);
        self.run(intake, reader, &context, Arc::new(original)).await
    }

    pub(super) async fn refuse_while_in_work(&self, system: &SystemId) -> Result<(), AcceptError> {
        match &self.files {
            Some(files) if files.has_in_work(&self.store, system).await? => {
                Err(AcceptError::Busy(system.clone()))
            }
            _ => Ok(()),
        }
    }
}

/// What becomes of an input that is read once more.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    /// So much of it takes effect.
    Takes(Takes),
    /// It is left as it is, for a reason, or since nothing of it can be used any more.
    LeftAlone(Option<&'static str>),
}

impl Fate {
    /// Why the replay leaves it as it is.
    pub(super) const fn obstacle(self) -> Option<&'static str> {
        match self {
            Self::Takes(_) => None,
            Self::LeftAlone(why) => why,
        }
    }
}

impl Replay {
    /// What becomes of the input.
    pub(super) async fn fate(
        &self,
        intake: &Intake,
        tx: &mut Tx,
        coverage: &Coverage,
        is_rejected: bool,
    ) -> Result<Fate, StoreError> {
        let system = &intake.system;
        let takes = match tx.is_superseded(intake.id).await? {
            false => Takes::All,
            true if *coverage != Coverage::Partial => return Ok(Fate::LeftAlone(Some(SUPERSEDED))),
            true if tx.has_waiting_of(system).await? => {
                return Ok(Fate::LeftAlone(Some(OTHERS_WAIT)));
            }
            true if ForgottenDoc::since(tx, system, self.came_at).await? => {
                return Ok(Fate::LeftAlone(Some(SEALED_SINCE)));
            }
            true => Takes::NeverTold,
        };
        Ok(if is_rejected && self.took_effect {
            Fate::LeftAlone(None)
        } else {
            Fate::Takes(takes)
        })
    }
}

impl Intake {
    /// The input, of which nothing was changed.
    pub(super) fn as_it_was(&self, report: Report) -> Accepted {
        Accepted {
            input: self.id,
            report,
            is_duplicate: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use tandem_adapter_port::deviation::{Deviation, Place};
    use tandem_adapter_port::format::Format;
    use tandem_adapter_port::read::{Input, Sink, Stopped};
    use tandem_mappings::model::event::{Body, NewEvent};
    use tandem_mappings::model::id::SourceEventId;
    use tandem_mappings::model::person::{PersonRecord, RecordGone, RecordReceived};

    use super::super::tests::{Bench, context};
    use super::*;
    use crate::state::large::LargeDoc;
    use crate::store::{BlobPart, BlobRow, EventState, InputRow, Of, ReplayRow};

    /// Tells records of these ids, each of a kind that stands for what is said of it; or can make nothing of the input.
    struct Told {
        ids: &'static [&'static str],
        kind: &'static str,
        understands: bool,
        seals: bool,
        coverage: Coverage,
    }

    impl Told {
        fn body(&self) -> Body {
            if self.seals {
                return Body::RecordSealed(Box::new(RecordGone {
                    record_kind: self.kind.into(),
                    reason: "sealed".to_owned(),
                }));
            }
            Body::RecordReceived(Box::new(RecordReceived {
                record_kind: self.kind.into(),
                person: PersonRecord::default(),
            }))
        }
    }

    impl FormatReader for Told {
        fn format(&self) -> Format {
            Format::Caseload
        }

        fn read(
            &self,
            _input: Input<'_>,
            context: &ReadContext,
            sink: &mut dyn Sink,
        ) -> Result<(), Stopped> {
            if !self.understands {
                let place = Place::file("f");
                sink.deviation(Deviation::input_error("no-layout", place, "a known layout"));
                return Ok(());
            }
            sink.coverage(self.coverage.clone());
            for id in self.ids {
                sink.record("person");
                let key = SourceEventId::new(format!("person:{id}")).unwrap();
                let event = NewEvent::new(context.received_at, key, self.body());
                sink.event(event.about(id.parse().unwrap()))?;
            }
            Ok(())
        }
    }

    fn told(ids: &'static [&'static str], kind: &'static str) -> Told {
        Told {
            ids,
            kind,
            understands: true,
            seals: false,
            coverage: Coverage::Partial,
        }
    }

    fn not_understood(told: &Told) -> Told {
        Told {
            understands: false,
            coverage: told.coverage.clone(),
            ..*told
        }
    }

    async fn accepted(bench: &Bench, name: &str, reader: Told) -> Accepted {
        accepted_as(bench, name, name, reader).await
    }

    /// So much that it goes by a blob.
    async fn accepted_large(bench: &Bench, name: &str, reader: Told) -> Accepted {
        accepted_as(bench, name, &name.repeat(2_000), reader).await
    }

    async fn accepted_as(bench: &Bench, name: &str, content: &str, reader: Told) -> Accepted {
        let bytes = Arc::new(content.as_bytes().to_vec());
        let acceptor = bench.acceptor();
        let accepted = acceptor.accept(Arc::new(reader), context(name), bytes);
        let accepted = accepted.await.unwrap();
        bench.work_off().await;
        accepted
    }

    /// Lets everything that waits take effect.
    async fn settle(bench: &Bench) {
        let mut tx = bench.store.begin().await.unwrap();
        for one in tx.waiting_events(100).await.unwrap() {
            let settled = tx.settle_event(one.position, EventState::Applied, None);
            settled.await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// A replay of its own for an input.
    async fn replay_of(bench: &Bench, input: &Accepted) -> Replay {
        let replay = Replay {
            id: Uuid::now_v7(),
            came_at: context("").received_at,
            took_effect: state_of(bench, input).await.state != "rejected",
        };
        let row = ReplayRow {
            id: replay.id,
            started_at: replay.came_at,
            started_by: "operator".to_owned(),
            conditions: "{}".to_owned(),
            up_to: 0,
            at_lane: String::new(),
            at_position: 0,
            is_done: false,
        };
        let mut tx = bench.store.begin().await.unwrap();
        tx.put_replay(&row).await.unwrap();
        tx.commit().await.unwrap();
        replay
    }

    /// Whether the one input that a replay has chosen was left as it was.
    async fn is_left(bench: &Bench, replay: Replay) -> bool {
        let mut tx = bench.store.snapshot().await.unwrap();
        let (tried, skipped) = tx.replayed(replay.id, Of::Inputs).await.unwrap();
        let (tried, skipped): (i64, i64) = (tried.values().sum(), skipped.values().sum());
        assert_eq!(tried + skipped, 1);
        skipped == 1
    }

    /// Reads an input once more. Whether it was left as it was.
    async fn again(bench: &Bench, input: &Accepted, reader: Told) -> bool {
        let replay = replay_of(bench, input).await;
        let mut tx = bench.store.snapshot().await.unwrap();
        let original = tx.original(input.input).await.unwrap().unwrap();
        drop(tx);
        let acceptor = bench.acceptor();
        let read = acceptor.replay(
            Arc::new(reader),
            context("input"),
            input.input,
            original,
            (replay, replay.came_at),
        );
        read.await.unwrap();
        is_left(bench, replay).await
    }

    /// Notes that a large input is to be read once more. What it is to be read from.
    async fn noted(bench: &Bench, input: &Accepted, replay: Replay) -> (LargeDoc, BlobRow) {
        let mut tx = bench.store.snapshot().await.unwrap();
        let row = state_of(bench, input).await;
        let original = tx.blob(input.input, BlobPart::Original).await.unwrap();
        let (original, now) = (original.unwrap(), replay.came_at);
        drop(tx);
        let system = context("").system;
        let acceptor = bench.acceptor();
        let noted = acceptor.replay_large((&system, "input"), &row, &original, (replay, now));
        noted.await.unwrap();
        let mut tx = bench.store.snapshot().await.unwrap();
        let doc = tx.get::<LargeDoc>(&input.input.to_string()).await.unwrap();
        (doc.unwrap(), original)
    }

    async fn state_of(bench: &Bench, input: &Accepted) -> InputRow {
        let mut tx = bench.store.snapshot().await.unwrap();
        let rows = tx.inputs(100).await.unwrap();
        rows.into_iter().find(|row| row.id == input.input).unwrap()
    }

    /// The same for a large input.
    async fn again_large(bench: &Bench, input: &Accepted, reader: Told) -> bool {
        let replay = replay_of(bench, input).await;
        let (doc, original) = noted(bench, input, replay).await;
        let acceptor = bench.acceptor();
        let read = acceptor.read_again(Arc::new(reader), context("input"), original);
        let read = read.await.unwrap();
        acceptor.take_again(doc, read).await.unwrap();
        bench.work_off().await;
        is_left(bench, replay).await
    }

    #[tokio::test]
    async fn what_is_understood_by_now_takes_effect_once() {
        let bench = Bench::new().await;
        let reader = || told(&["1", "2"], "first");
        let input = accepted(&bench, "a", not_understood(&reader())).await;
        assert_eq!(bench.count(EventState::Waiting).await, 0);
        assert!(!again(&bench, &input, reader()).await);
        assert_eq!(bench.count(EventState::Waiting).await, 2);
        assert!(!again(&bench, &input, reader()).await);
        assert_eq!(bench.count(EventState::Waiting).await, 2);
        assert!(accepted(&bench, "a", reader()).await.is_duplicate);
    }

    #[tokio::test]
    async fn what_was_told_since_is_not_taken_back() {
        let bench = Bench::new().await;
        let old = || told(&["1", "2"], "first");
        let input = accepted(&bench, "a", not_understood(&old())).await;
        accepted(&bench, "b", told(&["1"], "second")).await;
        // While that waits nobody can say what is known.
        assert!(again(&bench, &input, old()).await);
        assert_eq!(bench.count(EventState::Waiting).await, 1);
        settle(&bench).await;
        assert!(!again(&bench, &input, old()).await);
        let waiting = bench.count(EventState::Waiting).await;
        assert_eq!(waiting, 1, "2 was never told");
        // What was told last of 1 is what counts as told.
        accepted(&bench, "c", told(&["1"], "second")).await;
        assert_eq!(bench.count(EventState::Waiting).await, 1);
    }

    #[tokio::test]
    async fn a_refresh_is_left_alone_when_something_later_took_effect() {
        let bench = Bench::new().await;
        let refresh = || Told {
            coverage: Coverage::Full,
            ..told(&["1", "2"], "first")
        };
        let input = accepted(&bench, "a", not_understood(&refresh())).await;
        accepted(&bench, "b", told(&["3"], "second")).await;
        assert!(again(&bench, &input, refresh()).await);
        assert_eq!(bench.count(EventState::Waiting).await, 1);
    }

    #[tokio::test]
    async fn a_record_that_is_known_by_now_stays_as_it_is() {
        let bench = Bench::new().await;
        let old = || told(&["0", "1"], "first");
        let input = accepted(&bench, "a", not_understood(&old())).await;
        bench.knows(1).await;
        accepted(&bench, "b", told(&["2"], "second")).await;
        settle(&bench).await;
        assert!(!again(&bench, &input, old()).await);
        let waiting = bench.count(EventState::Waiting).await;
        assert_eq!(waiting, 1, "of 0 something is known, of 1 nothing");
    }

    #[tokio::test]
    async fn what_may_have_been_sealed_since_does_not_come_in_by_an_older_input() {
        let bench = Bench::new().await;
        let old = || told(&["1"], "first");
        let input = accepted(&bench, "a", not_understood(&old())).await;
        let seal = Told {
            seals: true,
            ..told(&["1"], "first")
        };
        accepted(&bench, "b", seal).await;
        assert!(again(&bench, &input, old()).await);
        assert_eq!(bench.count(EventState::Waiting).await, 0);
    }

    #[tokio::test]
    async fn what_took_effect_is_not_said_to_be_rejected_by_a_reader_that_understands_less() {
        let bench = Bench::new().await;
        let reader = || told(&["1"], "first");
        let input = accepted(&bench, "a", reader()).await;
        assert!(!again(&bench, &input, not_understood(&reader())).await);
        let mut tx = bench.store.snapshot().await.unwrap();
        let row = tx.inputs(1).await.unwrap().remove(0);
        assert_eq!(
            (row.state.as_str(), row.outcome.as_deref()),
            ("published", Some("accepted"))
        );
    }

    #[tokio::test]
    async fn a_large_input_is_understood_by_now_and_takes_effect_once() {
        let bench = Bench::new().await;
        let reader = || told(&["1", "2"], "first");
        let input = accepted_large(&bench, "a", not_understood(&reader())).await;
        assert!(!again_large(&bench, &input, not_understood(&reader())).await);
        assert_eq!(state_of(&bench, &input).await.state, "rejected");
        assert_eq!(bench.count(EventState::Waiting).await, 0);
        for _ in 0..2 {
            assert!(!again_large(&bench, &input, reader()).await);
            assert_eq!(bench.count(EventState::Waiting).await, 2);
            assert_eq!(state_of(&bench, &input).await.state, "published");
        }
        assert!(accepted_large(&bench, "a", reader()).await.is_duplicate);
    }

    #[tokio::test]
    async fn a_large_input_takes_nothing_back_that_was_told_since() {
        let bench = Bench::new().await;
        let old = || told(&["1", "2"], "first");
        let input = accepted_large(&bench, "a", not_understood(&old())).await;
        accepted(&bench, "b", told(&["1"], "second")).await;
        settle(&bench).await;
        assert!(!again_large(&bench, &input, old()).await);
        let waiting = bench.count(EventState::Waiting).await;
        assert_eq!(waiting, 1, "2 was never told");
    }

    #[tokio::test]
    async fn a_large_refresh_stands_as_it_stood_when_something_later_took_effect() {
        let bench = Bench::new().await;
        let refresh = || Told {
            coverage: Coverage::Full,
            ..told(&["1", "2"], "first")
        };
        let input = accepted_large(&bench, "a", not_understood(&refresh())).await;
        accepted(&bench, "b", told(&["3"], "second")).await;
        assert!(again_large(&bench, &input, refresh()).await);
        assert_eq!(state_of(&bench, &input).await.state, "rejected");
        assert_eq!(bench.count(EventState::Waiting).await, 1);
    }

    #[tokio::test]
    async fn what_comes_while_a_large_input_is_to_be_read_once_more_waits_for_it() {
        let bench = Bench::new().await;
        let reader = || told(&["1"], "first");
        let input = accepted_large(&bench, "a", not_understood(&reader())).await;
        let replay = replay_of(&bench, &input).await;
        let (doc, _) = noted(&bench, &input, replay).await;
        let acceptor = bench.acceptor();
        let bytes = Arc::new(b"b".to_vec());
        let early = acceptor.accept(Arc::new(reader()), context("b"), Arc::clone(&bytes));
        assert!(matches!(early.await, Err(AcceptError::Busy(_))));
        acceptor
            .leave_as_it_was(&doc, "cannot-be-read")
            .await
            .unwrap();
        assert!(is_left(&bench, replay).await);
        assert_eq!(state_of(&bench, &input).await.state, "rejected");
        let then = acceptor.accept(Arc::new(reader()), context("b"), bytes);
        then.await.unwrap();
    }
}
