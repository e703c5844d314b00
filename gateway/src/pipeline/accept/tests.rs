//! Accepting: whole or not at all, once and for ever.

mod limits;
mod named;

use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::read::{Coverage, Input, Sink, StaysCovered, Stopped};
use tandem_mappings::model::id::{DecisionId, PersonId, RecordKey, SourceEventId};
use tandem_mappings::model::involvement::{Involvement, Program};
use tandem_mappings::model::person::{PersonRecord, RecordGone, RecordReceived};

use std::io::Read as _;

use super::*;
use crate::blob::BlobFolder;
use crate::config::ByteSize;
use crate::pipeline::files::work_off;
use crate::seal::Sealer;
use crate::state::held::HeldDoc;
use crate::state::involvement::InvolvementDoc;
use crate::state::record::{RecordDoc, Standing};
use crate::store::BlobPart;

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
        sink.coverage(self.coverage.clone());
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

/// Larger inputs than this go by blobs.
const LARGE_OVER: u64 = 1_000;

pub(super) struct Bench {
    _folder: tempfile::TempDir,
    pub(super) store: Store,
    files: Arc<Files>,
}

impl Bench {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sealer = Sealer::open_or_create(
            &folder.path().join("root.key"),
            "demo-county".parse().unwrap(),
        )
        .unwrap();
        let store = Store::open(&folder.path().join("tandem.sqlite"), sealer)
            .await
            .unwrap();
        let blobs = BlobFolder::open(&folder.path().join("blobs")).unwrap();
        Self {
            files: Arc::new(Files::new(blobs, ByteSize::bytes(LARGE_OVER))),
            _folder: folder,
            store,
        }
    }

    pub(super) fn acceptor(&self) -> Acceptor {
        Acceptor::new(self.store.clone()).keeping_large(Arc::clone(&self.files))
    }

    pub(super) async fn work_off(&self) {
        work_off(&self.files, &self.store).await.unwrap();
    }

    async fn accept(&self, name: &str, count: usize, rejects: bool, bytes: Vec<u8>) -> Accepted {
        let reader = scripted(count, rejects, Coverage::Partial);
        let bytes = Arc::new(bytes);
        let acceptor = self.acceptor();
        let accepted = acceptor.accept(reader, context(name), bytes).await.unwrap();
        self.work_off().await;
        accepted
    }

    /// Records that are known, of people from 0 on.
    pub(super) async fn knows(&self, count: usize) {
        let mut tx = self.store.begin().await.unwrap();
        for number in 0..count {
            let at = "2026-02-02T17:00:00Z".parse().unwrap();
            let document = RecordDoc {
                key: RecordKey {
                    system: "calworks-demo".parse().unwrap(),
                    person: number.to_string().parse().unwrap(),
                },
                record_kind: "caseload".into(),
                person: PersonRecord::default(),
                labels: std::collections::BTreeSet::new(),
                labelled_by: std::collections::BTreeSet::new(),
                person_id: PersonId(uuid::Uuid::now_v7()),
                former: Vec::new(),
                standing: Standing::Active,
                may_match: true,
                intake_decision: DecisionId(uuid::Uuid::now_v7()),
                memberships: Vec::new(),
                first_received_at: at,
                received_at: at,
            };
            tx.put(&document, at).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    pub(super) async fn count(&self, state: EventState) -> i64 {
        self.store
            .snapshot()
            .await
            .unwrap()
            .count_events(state)
            .await
            .unwrap()
    }
}

pub(super) fn context(name: &str) -> ReadContext {
    ReadContext::new(
        "calworks-demo".parse().unwrap(),
        "org-calworks".parse().unwrap(),
        name,
        "2026-02-02T17:00:00Z".parse().unwrap(),
        jiff::tz::TimeZone::UTC,
        [0; 32],
    )
}

fn scripted(count: usize, rejects: bool, coverage: Coverage) -> Arc<Scripted> {
    let ids = (0..count).map(|number| number.to_string()).collect();
    Arc::new(Scripted {
        ids,
        rejects,
        coverage,
    })
}

fn large(fill: u8) -> Vec<u8> {
    vec![fill; LARGE_OVER as usize + 1]
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

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_off_refresh_is_held_whole_and_released_whole_whatever_its_size() {
    for bytes in [b"small".to_vec(), large(b'z')] {
        let bench = Bench::new().await;
        bench.knows(1_000).await;
        let acceptor = bench.acceptor();
        let reader = || scripted(700, false, Coverage::Full);
        let (name, bytes) = (context("full"), Arc::new(bytes));
        let held = acceptor.accept(reader(), name.clone(), Arc::clone(&bytes));
        let held = held.await.unwrap();
        let code = &held.report.deviations[0];
        assert_eq!(
            (code.code.as_str(), code.count),
            ("refresh-withdraws-too-many", 300)
        );
        assert_eq!(held.report.outcome, Outcome::Rejected);
        let of = |state| bench.count(state);
        assert_eq!(
            of(EventState::Waiting).await + of(EventState::Staged).await,
            0
        );
        // The same file again says the same and does nothing.
        let again = acceptor.accept(reader(), name.clone(), Arc::clone(&bytes));
        assert!(again.await.unwrap().is_duplicate);
        let mut tx = bench.store.snapshot().await.unwrap();
        let document = tx.all::<HeldDoc>().await.unwrap().remove(0);
        let original = match tx.blob(document.input, BlobPart::Original).await.unwrap() {
            Some(blob) => {
                let mut text = Vec::new();
                let mut reader = bench.files.folder().read(blob.id, &blob.key).unwrap();
                reader.read_to_end(&mut text).unwrap();
                text
            }
            None => tx.original(document.input).await.unwrap().unwrap(),
        };
        assert_eq!(original, *bytes);
        drop(tx);
        let release = async || {
            if let Some(large) = acceptor.release_large(&document).await? {
                return Ok(large);
            }
            let bytes = original.clone();
            acceptor
                .release(reader(), name.clone(), &document, bytes)
                .await
        };
        let released = release().await.unwrap();
        bench.work_off().await;
        assert_eq!(
            (released.input, released.report.outcome),
            (held.input, Outcome::Accepted)
        );
        assert_eq!(of(EventState::Waiting).await, 1_000);
        assert!(matches!(release().await, Err(AcceptError::NotHeld)));
        assert_eq!(of(EventState::Waiting).await, 1_000);
    }
}

impl Bench {
    /// A stay of a person of `knows` in a project from a day on.
    async fn knows_stay(&self, person: usize, project: &str, from: &str) {
        let at = "2026-02-02T17:00:00Z".parse().unwrap();
        let told = Involvement {
            program: Program::Housing,
            case: format!("E-{person}-{project}").parse().unwrap(),
            people: vec![person.to_string().parse().unwrap()],
            status: None,
            from: Some(from.parse().unwrap()),
            to: None,
            worker: None,
            project: Some(project.to_owned()),
            original: None,
        };
        let document = InvolvementDoc {
            system: "calworks-demo".parse().unwrap(),
            told,
            sensitivity: crate::state::sensitivity::Sensitivity::default(),
            is_open: true,
            since: at,
        };
        let mut tx = self.store.begin().await.unwrap();
        tx.put(&document, at).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_of_some_stays_withdraws_only_people_all_of_whose_stays_it_covers() {
    let bench = Bench::new().await;
    bench.knows(4).await;
    bench.knows_stay(0, "shelter", "2026-01-05").await;
    bench.knows_stay(1, "shelter", "2026-01-05").await;
    bench.knows_stay(1, "elsewhere", "2026-01-05").await;
    bench.knows_stay(2, "shelter", "2026-04-01").await;
    // Of the fourth no stay is known.
    let covered = StaysCovered {
        from: "2026-01-01".parse().unwrap(),
        to: "2026-03-31".parse().unwrap(),
        projects: ["shelter".to_owned()].into(),
    };
    let reader = scripted(0, false, Coverage::Stays(covered));
    let acceptor = Acceptor::new(bench.store.clone());
    let bytes = Arc::new(b"nobody".to_vec());
    acceptor.accept(reader, context("a"), bytes).await.unwrap();
    let waiting = bench
        .store
        .snapshot()
        .await
        .unwrap()
        .waiting_events(10)
        .await
        .unwrap();
    let gone: Vec<String> = waiting
        .iter()
        .filter(|one| matches!(one.event.told.body, Body::RecordWithdrawn(_)))
        .filter_map(|one| Some(one.event.told.source_person_id.as_ref()?.to_string()))
        .collect();
    assert_eq!(gone, ["0"]);
}

/// Tells that a person's record is sealed.
struct Sealing;

impl FormatReader for Sealing {
    fn format(&self) -> Format {
        Format::CwsCms
    }

    fn read(
        &self,
        _input: Input<'_>,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        let gone = RecordGone {
            record_kind: "client".into(),
            reason: "sealed".into(),
        };
        let id = SourceEventId::new("seal").unwrap();
        let body = Body::RecordSealed(Box::new(gone));
        sink.record("client");
        sink.event(NewEvent::new(context.received_at, id, body).about("0".parse().unwrap()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_record_that_nobody_knew_leaves_no_event() {
    let bench = Bench::new().await;
    let acceptor = Acceptor::new(bench.store.clone());
    let bytes = Arc::new(b"sealed".to_vec());
    acceptor
        .accept(Arc::new(Sealing), context("a"), bytes)
        .await
        .unwrap();
    assert_eq!(bench.count(EventState::Waiting).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_sealed_before_its_turn_came_is_not_forgotten() {
    let bench = Bench::new().await;
    bench.accept("a", 1, false, b"one".to_vec()).await;
    let acceptor = Acceptor::new(bench.store.clone());
    let bytes = Arc::new(b"sealed".to_vec());
    acceptor
        .accept(Arc::new(Sealing), context("b"), bytes)
        .await
        .unwrap();
    assert_eq!(bench.count(EventState::Waiting).await, 2);
}

/// Tells by its id alone that a stay was deleted.
struct StayGone;

impl FormatReader for StayGone {
    fn format(&self) -> Format {
        Format::HmisCsv
    }

    fn read(
        &self,
        _input: Input<'_>,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        let stay = Involvement {
            program: Program::Housing,
            case: "E-1".parse().unwrap(),
            people: Vec::new(),
            status: Some("deleted".into()),
            from: None,
            to: None,
            worker: None,
            project: None,
            original: None,
        };
        let id = SourceEventId::new("Enrollment:E-1:deleted").unwrap();
        sink.record("Enrollment");
        sink.event(NewEvent::new(
            context.received_at,
            id,
            Body::EnrollmentEnded(Box::new(stay)),
        ))
    }
}

impl Bench {
    async fn loses_a_stay(&self) {
        let acceptor = Acceptor::new(self.store.clone());
        let bytes = Arc::new(b"gone".to_vec());
        acceptor
            .accept(Arc::new(StayGone), context("gone"), bytes)
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stay_that_nobody_knew_and_that_is_deleted_by_id_leaves_no_event() {
    let bench = Bench::new().await;
    bench.loses_a_stay().await;
    assert_eq!(bench.count(EventState::Waiting).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stay_that_is_deleted_by_id_while_anything_waits_is_looked_at_at_its_turn() {
    let bench = Bench::new().await;
    bench.accept("a", 1, false, b"one".to_vec()).await;
    bench.loses_a_stay().await;
    assert_eq!(bench.count(EventState::Waiting).await, 2);
}

/// The small input of a name, as it is accepted.
async fn accept_small(acceptor: Acceptor, name: &'static str) -> Accepted {
    let reader = scripted(1, false, Coverage::Partial);
    let bytes = Arc::new(name.as_bytes().to_vec());
    acceptor.accept(reader, context(name), bytes).await.unwrap()
}

#[tokio::test]
async fn inputs_that_come_at_one_time_are_each_accepted_once() {
    let bench = Bench::new().await;
    let acceptor = bench.acceptor();
    let writer = bench.store.begin().await.unwrap();
    let names = ["a", "b", "a", "c", "b"];
    let all = names.map(|name| accept_small(acceptor.clone(), name));
    let (accepted, ()) = futures::join!(futures::future::join_all(all), async { drop(writer) });
    let repeats = accepted.iter().filter(|one| one.is_duplicate).count();
    assert_eq!(repeats, 2);
    for (name, one) in names.iter().zip(&accepted) {
        let same = names
            .iter()
            .zip(&accepted)
            .filter(|(other, _)| *other == name);
        assert!(same.into_iter().all(|(_, other)| other.input == one.input));
    }
}

#[tokio::test]
async fn who_hangs_up_takes_nobody_with_him() {
    let bench = Bench::new().await;
    let acceptor = bench.acceptor();
    let writer = bench.store.begin().await.unwrap();
    // The first writes for both.
    let mut first = Box::pin(accept_small(acceptor.clone(), "first"));
    let mut second = Box::pin(accept_small(acceptor, "second"));
    assert!(futures::poll!(&mut first).is_pending());
    assert!(futures::poll!(&mut second).is_pending());
    drop(first);
    drop(writer);
    assert!(!second.await.is_duplicate);
    let mut tx = bench.store.snapshot().await.unwrap();
    assert_eq!(tx.inputs(10).await.unwrap().len(), 2);
}
