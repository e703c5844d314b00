//! What the tests share: contexts, the small extract, and reading into a collection.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::package::MemoryPackage;
use tandem_adapter_port::read::{FormatReader, Input};
use tandem_adapter_port::report::{Collected, Counting, Report};
use tandem_child_welfare::{Config, CwsCmsReader};
use tandem_mappings::model::id::{OrganizationId, SystemId};

pub(crate) fn context() -> ReadContext {
    ReadContext::new(
        SystemId::new("cws-demo").unwrap(),
        OrganizationId::new("org-cws").unwrap(),
        "extract",
        "2026-02-02T08:00:00-08:00".parse().unwrap(),
        TimeZone::get("America/Los_Angeles").unwrap(),
        [7; 32],
    )
}

pub(crate) fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(path)
}

/// The small extract as named entries.
pub(crate) fn extract() -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = std::fs::read_dir(fixture("cws-cms"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "csv"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    entries.sort();
    entries
}

/// Reads an extract; gives what was found and the report.
pub(crate) fn read_extract(entries: Vec<(String, String)>) -> (Collected, Report) {
    let mut package = MemoryPackage::new(entries);
    let reader = CwsCmsReader::new(Config::default()).unwrap();
    let mut collected = Collected::default();
    let mut counting = Counting::new(Format::CwsCms, &mut collected);
    let input = Input::Package {
        name: "extract",
        package: &mut package,
    };
    reader.read(input, &context(), &mut counting).unwrap();
    let report = counting.report();
    (collected, report)
}
