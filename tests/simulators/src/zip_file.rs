//! Flat zip packages of CSV files.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use anyhow::{Context, ensure};
use zip::write::SimpleFileOptions;

/// More than any package of the demo holds; a larger one is refused, not unpacked.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Packs files into one flat zip.
///
/// # Errors
/// When packing fails.
pub(crate) fn pack(files: &[(String, Vec<u8>)]) -> anyhow::Result<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default())?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish().context("closing the zip")?.into_inner())
}

/// Unpacks a flat zip.
///
/// # Errors
/// When it is no zip, has folders, a file twice, or unpacks beyond 64 MiB.
pub(crate) fn unpack(bytes: &[u8]) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).context("not a zip file")?;
    let mut files = BTreeMap::new();
    let mut left = MOST_BYTES;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).context("reading a zip entry")?;
        let name = entry
            .name()
            .context("reading a zip entry name")?
            .into_owned();
        ensure!(!name.contains(['/', '\\']), "folder inside the zip");
        let mut content = Vec::new();
        entry
            .take(left + 1)
            .read_to_end(&mut content)
            .context("unpacking")?;
        left = left
            .checked_sub(content.len() as u64)
            .context("zip unpacks too large")?;
        ensure!(
            files.insert(name, content).is_none(),
            "file twice in the zip"
        );
    }
    Ok(files)
}
