//! Accepting: whole or not at all, once and for ever.

use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::read::{Input, Sink, Stopped};
use tandem_mappings::model::id::SourceEventId;
use tandem_mappings::model::person::{PersonRecord, RecordReceived};

use super::*;
use crate::seal::Sealer;

/// Emits records of the given ids, and rejects the input as a whole if asked to.
struct Scripted {
    ids: Vec<String>,
    rejects: bool,
    coverage: Coverage,
}

impl FormatReader for Scripted {
    fn format(&self) -> Format {
        Format::Caseload
    }

    fn read(
        &self,
        _input: Input<'_>,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        sink.coverage(self.coverage);
        for id in &self.ids {
            sink.record("person");
            let told = RecordReceived {
                record_kind: "caseload".into(),
                person: PersonRecord::default(),
            };
            let event = NewEvent::new(
                context.received_at,
                SourceEventId::new(format!("person:{id}")).unwrap(),
                Body::RecordReceived(Box::new(told)),
            );
            sink.event(event.about(id.parse().unwrap()))?;
        }
        if self.rejects {
            sink.deviation(Deviation::input_error(
                "second-header",
                Place::file("f"),
                "one header",
            ));
        }
        Ok(())
    }
}

struct Bench {
    _folder: tempfile::TempDir,
    store: Store,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sealer = Sealer::open_or_create(
            &folder.path().join("root.key"),
            "demo-county".parse().unwrap(),
        )
        .unwrap();
        let store = Store::open(&folder.path().join("tandem.sqlite"), sealer)
            .await
            .unwrap();
        Self {
            _folder: folder,
            store,
        }
    }

    async fn accept(&self, name: &str, count: usize, rejects: bool, bytes: Vec<u8>) -> Accepted {
        let ids = (0..count).map(|number| number.to_string()).collect();
        let context = ReadContext::new(
            "calworks-demo".parse().unwrap(),
            "org-calworks".parse().unwrap(),
            name,
            "2026-02-02T17:00:00Z".parse().unwrap(),
            jiff::tz::TimeZone::UTC,
            [0; 32],
        );
        let reader = Arc::new(Scripted {
            ids,
            rejects,
            coverage: Coverage::Partial,
        });
        Acceptor::new(self.store.clone())
            .accept(reader, context, Arc::new(bytes))
            .await
            .unwrap()
    }

    async fn count(&self, state: EventState) -> i64 {
        self.store
            .snapshot()
            .await
            .unwrap()
            .count_events(state)
            .await
            .unwrap()
    }
}

fn large(fill: u8) -> Vec<u8> {
    vec![fill; ONE_COMMIT_BYTES + 1]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_input_changes_nothing_and_says_so() {
    let bench = Bench::new().await;
    assert!(
        !bench
            .accept("a", 3, false, b"one".to_vec())
            .await
            .is_duplicate
    );
    assert!(
        bench
            .accept("a", 3, false, b"one".to_vec())
            .await
            .is_duplicate
    );
    assert_eq!(bench.count(EventState::Waiting).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_sent_again_in_another_file_take_effect_once() {
    let bench = Bench::new().await;
    bench.accept("a", 3, false, b"one".to_vec()).await;
    bench.accept("b", 5, false, b"two".to_vec()).await;
    assert_eq!(bench.count(EventState::Waiting).await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_input_is_staged_and_published_whole() {
    let bench = Bench::new().await;
    bench.accept("a", 3, false, b"one".to_vec()).await;
    bench.accept("b", 1_200, false, large(b'x')).await;
    assert_eq!(bench.count(EventState::Staged).await, 0);
    assert_eq!(bench.count(EventState::Waiting).await, 1_200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_input_leaves_no_key_so_that_its_records_can_come_again() {
    let bench = Bench::new().await;
    bench.accept("a", 1_200, true, large(b'x')).await;
    assert_eq!(
        bench.count(EventState::Staged).await + bench.count(EventState::Waiting).await,
        0
    );
    bench.accept("b", 1_200, false, large(b'y')).await;
    assert_eq!(bench.count(EventState::Waiting).await, 1_200);
}
