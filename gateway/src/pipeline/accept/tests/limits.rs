//! What is small to look at and large inside goes the way of the large; a zip out of which nothing can be cut is not kept.

use std::io::{Cursor, Write as _};

use zip::CompressionMethod;

use super::*;

fn zip_of(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

async fn is_in_blob(bench: &Bench, accepted: &Accepted) -> bool {
    let mut tx = bench.store.snapshot().await.unwrap();
    let blob = tx.blob(accepted.input, BlobPart::Original).await.unwrap();
    blob.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_zip_that_unpacks_to_much_goes_by_blobs() {
    let bench = Bench::new().await;
    for (name, bytes, is_large) in [("little", 500, false), ("much", 4_000, true)] {
        let zip = zip_of(
            &[("a.csv", &vec![b'x'; bytes])],
            CompressionMethod::Deflated,
        );
        assert!(zip.len() < 400, "{name}");
        let accepted = bench.accept(name, 3, false, zip).await;
        assert_eq!(is_in_blob(&bench, &accepted).await, is_large, "{name}");
    }
    assert_eq!(bench.count(EventState::Waiting).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_input_in_which_very_much_is_found_goes_by_blobs() {
    let bench = Bench::new().await;
    let bytes = Arc::new(zip_of(&[("a.csv", b"x")], CompressionMethod::Stored));
    let acceptor = bench.acceptor().with_room_for(50);
    for (name, count, is_large) in [("few", 50, false), ("many", 51, true)] {
        let reader = scripted(count, false, Coverage::Partial);
        let accepted = acceptor.accept(reader, context(name), Arc::clone(&bytes));
        let accepted = accepted.await.unwrap();
        assert_eq!(is_in_blob(&bench, &accepted).await, is_large, "{name}");
        bench.work_off().await;
    }
    // Fifty of the second were told by the first, and none was told twice.
    assert_eq!(bench.count(EventState::Waiting).await, 51);
    // Where there is no place for large ones, whatever comes is committed whole.
    let whole = Acceptor::new(bench.store.clone()).with_room_for(50);
    let reader = scripted(60, false, Coverage::Partial);
    let accepted = whole.accept(reader, context("whole"), bytes).await.unwrap();
    assert!(!is_in_blob(&bench, &accepted).await);
    assert_eq!(bench.count(EventState::Waiting).await, 60);
}

/// Tells of a person, and refuses a row of another.
struct Refusing;

impl FormatReader for Refusing {
    fn format(&self) -> Format {
        Format::HmisCsv
    }

    fn read(
        &self,
        input: Input<'_>,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        sink.record("Client");
        sink.refused(Place::line("Client.csv", 2), 2);
        scripted(1, false, Coverage::Partial).read(input, context, sink)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_zip_out_of_which_something_must_be_cut_is_rejected_and_not_kept() {
    let entries = [
        ("Client.csv", b"PersonalID\n1\n".as_slice()),
        ("Other.csv", b"whole".as_slice()),
    ];
    let mut bytes = zip_of(&entries, CompressionMethod::Stored);
    let place = bytes.windows(5).position(|part| part == b"whole").unwrap();
    bytes[place] ^= 1;
    let bytes = Arc::new(bytes);
    for large_over in [u64::MAX, 0] {
        let bench = Bench::new().await;
        let folder = bench.files.folder().clone();
        let files = Arc::new(Files::new(folder, ByteSize::bytes(large_over)));
        let acceptor = Acceptor::new(bench.store.clone()).keeping_large(files);
        let send = || {
            acceptor.accept(
                Arc::new(Refusing),
                context("export.zip"),
                Arc::clone(&bytes),
            )
        };
        let rejected = send().await.unwrap();
        assert_eq!(rejected.report.outcome, Outcome::Rejected);
        let worst = &rejected.report.deviations[0];
        assert_eq!(
            (worst.code.as_str(), worst.first.file.as_str()),
            (Damage::CODE, "Other.csv")
        );
        assert!(send().await.unwrap().is_duplicate, "it stays so");
        assert_eq!(bench.count(EventState::Waiting).await, 0);
        let mut tx = bench.store.snapshot().await.unwrap();
        let input = rejected.input;
        let blob = tx.blob(input, BlobPart::Original).await.unwrap();
        assert_eq!(blob.is_some(), large_over == 0);
        assert!(blob.is_none_or(|blob| blob.bytes == 0));
        assert_eq!(tx.original(input).await.unwrap().unwrap(), b"");
    }
}
