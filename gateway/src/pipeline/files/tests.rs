//! Large files come into the store as if they were small, however often the gateway is stopped on the way.

use std::io::{Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::FormatReader;
use tandem_adapter_port::report::Outcome;

use super::*;
use crate::adapters::offline_reader;
use crate::blob::BlobFolder;
use crate::config::RefreshConfig;
use crate::pipeline::accept::{AcceptError, Accepted, Acceptor, Step, Work, WorkError};
use crate::state::partner::PartnerRowDoc;
use crate::store::tests::{Place, contract, on_sqlite};
use crate::store::{BlobPart, EventState, InputState};

/// Findings of one step, so that small files have many.
const FEW: usize = 7;

/// A file of each format.
const FORMATS: [(&str, &str); 8] = [
    ("hmis/csv", "hmis/fixtures/fy2026"),
    ("child-welfare/cws-cms", "child_welfare/fixtures/cws-cms"),
    (
        "calworks/acf-199",
        "calworks/fixtures/federal/small_tanf_section1.txt",
    ),
    ("calworks/caseload", "calworks/fixtures/caseload.csv"),
    ("calworks/linkages", "calworks/fixtures/linkages.json"),
    (
        "child-welfare/niem",
        "child_welfare/fixtures/niem/referral_example.xml",
    ),
    ("fhir/bundle", "fhir/fixtures/clinic.json"),
    ("fhir/bundle", "fhir/fixtures/bulk.ndjson"),
];

fn adapters() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters")
}

/// The bytes of a fixture; a folder as a zip.
fn fixture(path: &str) -> Vec<u8> {
    let path = adapters().join(path);
    if path.is_file() {
        return std::fs::read(path).unwrap();
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "csv"))
        .collect();
    files.sort();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&std::fs::read(&file).unwrap()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn just_now() -> Timestamp {
    crate::clock::Clock::System.now()
}

fn system() -> SystemId {
    "demo-system".parse().unwrap()
}

fn reader(format: &str) -> Arc<dyn FormatReader> {
    let format: Format = format.parse().unwrap();
    let organization = "org-demo".parse().unwrap();
    Arc::from(offline_reader(format, &system(), &organization).unwrap())
}

fn context(name: &str) -> ReadContext {
    ReadContext::new(
        system(),
        "org-demo".parse().unwrap(),
        name,
        "2026-02-02T17:00:00Z".parse().unwrap(),
        jiff::tz::TimeZone::UTC,
        [3; 32],
    )
}

fn files_of(place: &Place, large_over: u64) -> Arc<Files> {
    let folder = BlobFolder::open(&place.folder.path().join("blobs")).unwrap();
    Arc::new(Files::new(folder, ByteSize::bytes(large_over)))
}

async fn accept(
    store: &Store,
    files: &Arc<Files>,
    format: &str,
    name: &str,
    bytes: &[u8],
) -> Result<Accepted, AcceptError> {
    let acceptor = Acceptor::new(store.clone()).keeping_large(Arc::clone(files));
    let bytes = Arc::new(bytes.to_vec());
    acceptor.accept(reader(format), context(name), bytes).await
}

/// What is in work.
async fn docs(store: &Store) -> Vec<LargeDoc> {
    store.snapshot().await.unwrap().all().await.unwrap()
}

fn work(store: &Store, files: &Arc<Files>, doc: LargeDoc) -> Work {
    let refresh = RefreshConfig::default();
    Work::new(store.clone(), Arc::clone(files), refresh, doc).in_steps_of(FEW)
}

/// All that a user could tell two runs apart by: events in their order, what is remembered of the partner, and the
/// report.
async fn outcome(store: &Store) -> Came {
    let mut tx = store.snapshot().await.unwrap();
    let events = tx.waiting_events(100_000).await.unwrap();
    let events = events
        .iter()
        .map(|one| serde_json::to_string(&one.event.told).unwrap());
    let events = events.collect();
    let rows: Vec<PartnerRowDoc> = tx.all().await.unwrap();
    let mut rows: Vec<String> = rows
        .iter()
        .map(|row| serde_json::to_string(row).unwrap())
        .collect();
    rows.sort();
    let inputs = tx.inputs(100).await.unwrap();
    let report = |input: &crate::store::InputRow| {
        format!("{} {:?} {:?}", input.state, input.outcome, input.report)
    };
    (events, rows, inputs.iter().map(report).collect())
}

async fn count(store: &Store, state: EventState) -> i64 {
    let mut tx = store.snapshot().await.unwrap();
    tx.count_events(state).await.unwrap()
}

async fn whole(format: &str, bytes: &[u8]) -> Came {
    let place = on_sqlite().await;
    taken_whole(&place, format, bytes).await;
    outcome(&place.store).await
}

/// What comes of an input: its events, what is kept of the partner, how it stands.
type Came = (Vec<String>, Vec<String>, Vec<String>);

/// The first of the files, accepted as a large one, and what comes of it as a small one.
async fn accepted(place: &Place) -> (Arc<Files>, Accepted, Came) {
    let (format, path) = FORMATS[0];
    let (bytes, files) = (fixture(path), files_of(place, 0));
    let accepted = accept(&place.store, &files, format, "the-file", &bytes).await;
    (files, accepted.unwrap(), whole(format, &bytes).await)
}

/// Takes a file as a small one. Its kept original.
async fn taken_whole(place: &Place, format: &str, bytes: &[u8]) -> Vec<u8> {
    let files = files_of(place, u64::MAX);
    accept(&place.store, &files, format, "the-file", bytes)
        .await
        .unwrap();
    let mut tx = place.store.snapshot().await.unwrap();
    let input = tx.inputs(1).await.unwrap().remove(0).id;
    tx.original(input).await.unwrap().unwrap()
}

async fn a_large_file_of_any_format_is_the_same_as_a_small_one_when_it_is_stopped_after_each_step(
    place: Place,
) {
    let mut steps_in_all = 0;
    for (format, path) in FORMATS {
        let bytes = fixture(path);
        let expected = whole(format, &bytes).await;
        assert!(!expected.0.is_empty(), "{path}");
        let place = match place.address {
            Some(_) => crate::store::tests::on_postgres().await,
            None => on_sqlite().await,
        };
        let files = files_of(&place, 0);
        let accepted = accept(&place.store, &files, format, "the-file", &bytes).await;
        assert!(!accepted.unwrap().is_duplicate, "{path}");
        let mut steps = 0;
        loop {
            // Another gateway finds what the one before left.
            let (store, files) = (place.again().await, files_of(&place, 0));
            assert_eq!(files.sweep(&store, just_now()).await.unwrap(), 0, "{path}");
            let Some(doc) = docs(&store).await.into_iter().next() else {
                store.close().await;
                break;
            };
            if !doc.stage.is_published() {
                assert_eq!(count(&store, EventState::Waiting).await, 0, "{path}");
                assert!(outcome(&store).await.1.is_empty(), "{path}");
            }
            let again = accept(&store, &files, format, "the-file", &bytes).await;
            assert!(again.unwrap().is_duplicate, "{path}");
            work(&store, &files, doc).step().await.unwrap();
            steps += 1;
            store.close().await;
        }
        // Who has written meanwhile was another gateway.
        let store = place.again().await;
        assert_eq!(outcome(&store).await, expected, "{path}");
        assert_eq!(count(&store, EventState::Staged).await, 0, "{path}");
        store.close().await;
        steps_in_all += steps;
        // The original stays; what was found in it is in the store.
        let left = files.folder().files().unwrap();
        assert_eq!(left.len(), 1, "{path}");
    }
    assert!(steps_in_all > 60, "only {steps_in_all} steps");
}

async fn a_step_that_is_cut_off_anywhere_is_done_whole_or_not_at_all(place: Place) {
    let (store, (files, _, expected)) = (&place.store, accepted(&place).await);
    let (mut polls, mut cut_off) = (1_u32, 0);
    while let Some(doc) = docs(store).await.into_iter().next() {
        let mut work = work(store, &files, doc);
        let mut step = Box::pin(work.step());
        let mut is_done = false;
        for _ in 0..polls {
            if futures::poll!(&mut step).is_ready() {
                is_done = true;
                break;
            }
            tokio::task::yield_now().await;
        }
        // Each time a little further, until one is done; then from the beginning of the next on.
        polls = if is_done {
            1
        } else {
            polls + polls.div_ceil(3)
        };
        cut_off += u32::from(!is_done);
    }
    assert!(cut_off > 20, "only {cut_off} steps were cut off");
    assert_eq!(outcome(store).await, expected);
}

async fn two_gateways_on_one_file_do_no_step_twice(place: Place) {
    let (store, (files, _, expected)) = (&place.store, accepted(&place).await);
    let doc = docs(store).await.remove(0);
    let (mut one, mut other) = (work(store, &files, doc.clone()), work(store, &files, doc));
    let mut overtaken = 0;
    loop {
        let step = one.step().await.unwrap();
        match other.step().await {
            Err(WorkError::Overtaken | WorkError::Store(_) | WorkError::Blob(_)) => overtaken += 1,
            went => panic!("the same step was taken twice: {went:?}"),
        }
        if step == Step::Done {
            break;
        }
        let doc = docs(store).await.remove(0);
        other = work(store, &files, doc.clone());
        one = work(store, &files, doc);
    }
    assert!(overtaken > 5);
    assert_eq!(outcome(store).await, expected);
}

async fn later_files_of_the_system_wait_and_keys_are_taken_once(place: Place) {
    let (format, path) = FORMATS[3];
    let bytes = fixture(path);
    let (store, files) = (&place.store, files_of(&place, 0));
    accept(store, &files, format, "monday", &bytes)
        .await
        .unwrap();
    let early = accept(store, &files, format, "tuesday", &bytes).await;
    assert!(matches!(early, Err(AcceptError::Busy(_))), "{early:?}");
    work_off(&files, store).await.unwrap();
    let before = count(store, EventState::Waiting).await;
    // Whether large or small: what is known has no second effect.
    for (name, large_over) in [("tuesday", 0), ("wednesday", u64::MAX)] {
        let files = files_of(&place, large_over);
        let later = accept(store, &files, format, name, &bytes).await.unwrap();
        assert!(!later.is_duplicate);
        work_off(&files, store).await.unwrap();
        assert_eq!(count(store, EventState::Waiting).await, before, "{name}");
    }
}

async fn a_file_that_is_rejected_leaves_its_original_and_nothing_else(place: Place) {
    let (store, files) = (&place.store, files_of(&place, 0));
    let bytes = b"PK\x03\x04 and no zip";
    let accepted = accept(store, &files, "hmis/csv", "broken.zip", bytes)
        .await
        .unwrap();
    assert_eq!(accepted.report.outcome, Outcome::Rejected);
    assert!(docs(store).await.is_empty());
    assert_eq!(count(store, EventState::Staged).await, 0);
    let mut tx = store.snapshot().await.unwrap();
    let row = tx
        .blob(accepted.input, BlobPart::Original)
        .await
        .unwrap()
        .unwrap();
    let mut kept = Vec::new();
    let mut reader = files.folder().read(row.id, &row.key).unwrap();
    reader.read_to_end(&mut kept).unwrap();
    assert_eq!(kept, bytes);
    assert_eq!(files.folder().files().unwrap().len(), 1);
}

async fn a_file_whose_blob_is_gone_is_set_aside_and_goes_on_when_it_is_back(place: Place) {
    let (store, (files, accepted, expected)) = (&place.store, accepted(&place).await);
    let row = {
        let mut tx = store.snapshot().await.unwrap();
        tx.blob(accepted.input, BlobPart::Findings)
            .await
            .unwrap()
            .unwrap()
    };
    let mut first = work(store, &files, docs(store).await.remove(0));
    first.step().await.unwrap();
    let (file, aside) = (
        files.folder().file(row.id),
        place.folder.path().join("aside"),
    );
    std::fs::rename(&file, &aside).unwrap();
    let mut stopped = work(store, &files, docs(store).await.remove(0));
    let Err(WorkError::Blob(error)) = stopped.step().await else {
        panic!("a step without its blob")
    };
    stopped
        .park(&error, context("x").received_at)
        .await
        .unwrap();
    let (_, _, reports) = outcome(store).await;
    assert!(
        reports[0].starts_with(InputState::Parked.code()),
        "{reports:?}"
    );
    assert!(reports[0].contains("blob-unusable") && reports[0].contains(&row.id.to_string()));
    // It holds nobody else up, and takes no effect.
    files.changed(store).await.unwrap();
    assert!(!files.has_in_work(store, &system()).await.unwrap());
    assert_eq!(count(store, EventState::Waiting).await, 0);
    let mut waiting = work(store, &files, docs(store).await.remove(0));
    assert!(!waiting.revive().await.unwrap());
    std::fs::rename(&aside, &file).unwrap();
    assert!(waiting.revive().await.unwrap());
    work_off(&files, store).await.unwrap();
    assert_eq!(outcome(store).await, expected);
}

async fn a_file_that_was_set_aside_may_be_sent_again(place: Place) {
    let (store, (files, _, expected)) = (&place.store, accepted(&place).await);
    let mut first = work(store, &files, docs(store).await.remove(0));
    first.step().await.unwrap();
    for (_, file) in files.folder().files().unwrap() {
        let mut damaged = std::fs::read(&file).unwrap();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        std::fs::write(&file, damaged).unwrap();
    }
    let mut stopped = work(store, &files, docs(store).await.remove(0));
    let Err(WorkError::Blob(error)) = stopped.step().await else {
        panic!("a step with a damaged blob")
    };
    stopped
        .park(&error, context("x").received_at)
        .await
        .unwrap();
    files.changed(store).await.unwrap();
    let (format, path) = FORMATS[0];
    let again = accept(store, &files, format, "the-file", &fixture(path))
        .await
        .unwrap();
    assert!(!again.is_duplicate);
    work_off(&files, store).await.unwrap();
    assert_eq!(outcome(store).await, expected);
    // The damaged ones are nobody's now. Where gateways share the folder, another may be accepting: a day is waited.
    let at_once = files.sweep(store, just_now()).await.unwrap();
    assert_eq!(at_once, u64::from(!store.is_shared()) * 2);
    let in_two_days = just_now() + jiff::SignedDuration::from_hours(48);
    let later = files.sweep(store, in_two_days).await.unwrap();
    assert_eq!(at_once + later, 2);
}

contract!(
    a_large_file_of_any_format_is_the_same_as_a_small_one_when_it_is_stopped_after_each_step,
    a_step_that_is_cut_off_anywhere_is_done_whole_or_not_at_all,
    two_gateways_on_one_file_do_no_step_twice,
    later_files_of_the_system_wait_and_keys_are_taken_once,
    a_file_that_is_rejected_leaves_its_original_and_nothing_else,
    a_file_whose_blob_is_gone_is_set_aside_and_goes_on_when_it_is_back,
    a_file_that_was_set_aside_may_be_sent_again,
);

/// The entries of a zip with their lines.
fn unpacked(bytes: &[u8]) -> Vec<(String, String)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let count = zip.len();
    let entry = |at| {
        let mut entry = zip.by_index(at).unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (entry.name().unwrap().into_owned(), text)
    };
    (0..count).map(entry).collect()
}

#[tokio::test]
async fn what_must_never_enter_does_not_stand_in_the_blob() {
    for (format, path) in &FORMATS[..2] {
        let (place, other) = (on_sqlite().await, on_sqlite().await);
        let bytes = fixture(path);
        let small = taken_whole(&other, format, &bytes).await;
        let (store, files) = (&place.store, files_of(&place, 0));
        let accepted = accept(store, &files, format, "the-file", &bytes)
            .await
            .unwrap();
        assert!(
            accepted.report.refused > 0,
            "{path} has something to refuse"
        );
        let mut tx = store.snapshot().await.unwrap();
        let row = tx.blob(accepted.input, BlobPart::Original).await.unwrap();
        let row = row.unwrap();
        let mut text = Vec::new();
        let mut reader = files.folder().read(row.id, &row.key).unwrap();
        reader.read_to_end(&mut text).unwrap();
        let kept = unpacked(&text);
        assert_eq!(kept, unpacked(&small), "{path}");
        // Some line of what came is not in it; that nothing of it is among the findings, the same events as of a small
        // one say.
        let kept: BTreeSet<&str> = kept.iter().flat_map(|(_, text)| text.lines()).collect();
        let came = unpacked(&bytes);
        let mut came = came.iter().flat_map(|(_, text)| text.lines());
        assert!(came.any(|line| !kept.contains(line)), "{path}");
    }
}

#[tokio::test]
async fn a_blob_whose_row_never_came_goes_at_the_start_and_no_other() {
    let place = on_sqlite().await;
    let (store, files) = (&place.store, files_of(&place, 0));
    accept(
        store,
        &files,
        "calworks/caseload",
        "kept",
        &fixture("calworks/fixtures/caseload.csv"),
    )
    .await
    .unwrap();
    let kept = files.folder().files().unwrap();
    let mut orphan = files.folder().begin().unwrap();
    orphan.write_all(b"cut off before its commit").unwrap();
    orphan.finish().unwrap().keep();
    let unfinished = place
        .folder
        .path()
        .join(format!("blobs/{}.part", Uuid::now_v7()));
    std::fs::write(unfinished, b"cut off while it was written").unwrap();
    assert_eq!(files.sweep(store, just_now()).await.unwrap(), 2);
    assert_eq!(files.folder().files().unwrap(), kept);
}
