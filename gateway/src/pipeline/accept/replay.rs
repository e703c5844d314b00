//! An input of which something could not be used is read once more, from the original that was kept, by the readers and tables of today.
//!
//! What it told took its place in the order when it came. What the system has told since must not be taken back by it: where a later
//! input took effect, only what was never told gets in, and an input that speaks for all records of its system is left alone.

use std::sync::Arc;

use jiff::Timestamp;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::read::FormatReader;
use tandem_adapter_port::report::Report;
use tandem_mappings::model::id::InputId;
use uuid::Uuid;

use super::admit::Takes;
use super::{AcceptError, Accepted, Acceptor, Intake};
use crate::store::{StoreError, Tx};

/// Why a full refresh is left as it is.
const SUPERSEDED: &str = "a-later-input-took-effect";

/// The replay in which an input is read once more.
#[derive(Debug, Clone, Copy)]
pub struct Replay {
    /// Its id.
    pub id: Uuid,
    /// When the input came.
    pub came_at: Timestamp,
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
        if let Some(files) = &self.files
            && files.has_in_work(&self.store, &context.system).await?
        {
            return Err(AcceptError::Busy(context.system));
        }
        let mut intake = Intake::new(&self.store, &context.system, &context.input_name, now);
        (intake.id, intake.replay) = (input, Some(replay));
        reader.format().name().clone_into(&mut intake.format);
        intake.refresh = Some(self.refresh);
        self.run(intake, reader, &context, Arc::new(original)).await
    }
}

impl Replay {
    /// What of the input takes effect.
    pub(super) async fn takes(&self, intake: &Intake, tx: &mut Tx) -> Result<Takes, StoreError> {
        let later = tx.has_later_input(&intake.system, intake.id, self.came_at);
        Ok(match later.await? {
            true => Takes::NeverTold,
            false => Takes::All,
        })
    }

    /// Notes that the input was chosen, and whether it is left as it is.
    pub(super) async fn note(
        &self,
        intake: &Intake,
        tx: &mut Tx,
        is_superseded: bool,
    ) -> Result<(), StoreError> {
        let skipped = is_superseded.then_some(SUPERSEDED);
        tx.add_to_replay(self.id, intake.id.0, skipped).await
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
    use tandem_adapter_port::read::{Coverage, Input, Sink, Stopped};
    use tandem_mappings::model::event::{Body, NewEvent};
    use tandem_mappings::model::id::SourceEventId;
    use tandem_mappings::model::person::{PersonRecord, RecordReceived};

    use super::super::tests::{Bench, context};
    use super::*;
    use crate::store::{EventState, Of, ReplayRow};

    /// Tells records of these ids, each of a kind that stands for what is said of it; or can make nothing of the input.
    struct Told {
        ids: &'static [&'static str],
        kind: &'static str,
        understands: bool,
        coverage: Coverage,
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
                let told = RecordReceived {
                    record_kind: self.kind.into(),
                    person: PersonRecord::default(),
                };
                let key = SourceEventId::new(format!("person:{id}")).unwrap();
                let body = Body::RecordReceived(Box::new(told));
                let event = NewEvent::new(context.received_at, key, body);
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
        let bytes = Arc::new(name.as_bytes().to_vec());
        let acceptor = bench.acceptor();
        let accepted = acceptor.accept(Arc::new(reader), context(name), bytes);
        accepted.await.unwrap()
    }

    /// Reads an input once more, in a replay of its own. How many were left as they were.
    async fn again(bench: &Bench, input: &Accepted, reader: Told) -> i64 {
        let replay = Replay {
            id: Uuid::now_v7(),
            came_at: context("").received_at,
        };
        let now = context("").received_at;
        let mut tx = bench.store.begin().await.unwrap();
        let row = ReplayRow {
            id: replay.id,
            started_at: now,
            started_by: "operator".to_owned(),
            conditions: "{}".to_owned(),
            up_to: 0,
            at_lane: String::new(),
            at_position: 0,
            is_done: false,
        };
        tx.put_replay(&row).await.unwrap();
        let original = tx.original(input.input).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let acceptor = bench.acceptor();
        let read = acceptor.replay(
            Arc::new(reader),
            context("input"),
            input.input,
            original,
            (replay, now),
        );
        read.await.unwrap();
        let mut tx = bench.store.snapshot().await.unwrap();
        let (tried, skipped) = tx.replayed(replay.id, Of::Inputs).await.unwrap();
        let (tried, skipped): (i64, i64) = (tried.values().sum(), skipped.values().sum());
        assert_eq!(tried + skipped, 1);
        skipped
    }

    #[tokio::test]
    async fn what_is_understood_by_now_takes_effect_once() {
        let bench = Bench::new().await;
        let reader = || told(&["1", "2"], "first");
        let input = accepted(&bench, "a", not_understood(&reader())).await;
        assert_eq!(bench.count(EventState::Waiting).await, 0);
        assert_eq!(again(&bench, &input, reader()).await, 0);
        assert_eq!(bench.count(EventState::Waiting).await, 2);
        assert_eq!(again(&bench, &input, reader()).await, 0);
        assert_eq!(bench.count(EventState::Waiting).await, 2);
        assert!(accepted(&bench, "a", reader()).await.is_duplicate);
    }

    #[tokio::test]
    async fn what_was_told_since_is_not_taken_back() {
        let bench = Bench::new().await;
        let old = || told(&["1", "2"], "first");
        let input = accepted(&bench, "a", not_understood(&old())).await;
        accepted(&bench, "b", told(&["1"], "second")).await;
        assert_eq!(bench.count(EventState::Waiting).await, 1);
        again(&bench, &input, old()).await;
        assert_eq!(
            bench.count(EventState::Waiting).await,
            2,
            "2 was never told"
        );
        // What was told last of 1 is what counts as told.
        accepted(&bench, "c", told(&["1"], "second")).await;
        assert_eq!(bench.count(EventState::Waiting).await, 2);
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
        assert_eq!(again(&bench, &input, refresh()).await, 1);
        assert_eq!(bench.count(EventState::Waiting).await, 1);
    }
}
