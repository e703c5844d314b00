//! Large files: whether the folder has what the store names, and whether one is set aside.

use super::examination::{Examination, Finding};
use crate::blob::BlobFolder;
use crate::config::Config;
use crate::state::large::LargeDoc;
use crate::store::{Store, StoreError};

/// Looks at the large files.
pub(super) async fn examine(
    examination: &mut Examination,
    store: &Store,
    config: &Config,
) -> Result<(), StoreError> {
    let folder = BlobFolder::at(&config.files.folder(&config.data));
    let mut tx = store.snapshot().await?;
    let heads = tx.blob_heads().await?;
    let docs: Vec<LargeDoc> = tx.all().await?;
    let lacking = heads.iter().filter_map(|head| {
        let file = folder.file(head.id);
        match file.metadata() {
            Ok(data) if data.len() == head.length => None,
            Ok(data) => Some(format!(
                "{} has {} bytes of {}",
                file.display(),
                data.len(),
                head.length
            )),
            Err(error) => Some(format!("{}: {error}", file.display())),
        }
    });
    let lacking: Vec<String> = lacking.collect();
    examination.add(files(heads.len(), &lacking));
    examination.add(work(&docs));
    Ok(())
}

fn files(count: usize, lacking: &[String]) -> Finding {
    let check = "blobs";
    let Some(first) = lacking.first() else {
        return Finding::ok(check, format!("the {count} that the store names are there"));
    };
    let found = format!(
        "of the {count} that the store names {} are missing or cut: {first}",
        lacking.len()
    );
    let help = "bring them back from FILE.blobs beside a backup; gateways on one database must share the folder (files.blobs)";
    Finding::failed(check, found, "every large file that the store names", help)
}

fn work(docs: &[LargeDoc]) -> Finding {
    let check = "large-files";
    let mut aside = docs
        .iter()
        .filter_map(|doc| Some((doc.input, &doc.system, doc.problem.as_ref()?)));
    if let Some((input, system, problem)) = aside.next() {
        let found = format!(
            "{} set aside; input {input} of {system}: {problem}",
            1 + aside.count()
        );
        let help =
            "bring its blob back and start the gateway again, or have the same file sent again";
        return Finding::failed(check, found, "large files that go on", help);
    }
    let in_work = docs.iter().filter(|doc| doc.is_in_work());
    let left: u64 = in_work.clone().map(LargeDoc::bytes_left).sum();
    let found = match in_work.count() {
        0 => "none is on its way into the store".to_owned(),
        count => format!("{count} on the way into the store, {left} bytes still to be read"),
    };
    Finding::ok(check, found)
}
