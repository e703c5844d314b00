//! What the tests share: a context and a sink that counts.

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::read::{FormatReader, Input};
use tandem_adapter_port::report::{Collected, Counting, Report};
use tandem_mappings::model::id::{OrganizationId, SystemId};

pub(crate) fn context(name: &str) -> ReadContext {
    ReadContext::new(
        SystemId::new("calworks-demo").unwrap(),
        OrganizationId::new("org-calworks").unwrap(),
        name,
        "2026-02-02T17:00:00Z".parse().unwrap(),
        jiff::tz::TimeZone::get("America/Los_Angeles").unwrap(),
        [7; 32],
    )
}

pub(crate) fn read(reader: &dyn FormatReader, name: &str, bytes: &[u8]) -> (Report, Collected) {
    let mut collected = Collected::default();
    let mut counting = Counting::new(reader.format(), &mut collected);
    let mut stream = bytes;
    reader
        .read(
            Input::Stream {
                name,
                reader: &mut stream,
            },
            &context(name),
            &mut counting,
        )
        .unwrap();
    let report = counting.report();
    (report, collected)
}

/// The deviations as `code` and count, worst first.
pub(crate) fn codes(report: &Report) -> Vec<(&str, u64)> {
    report
        .deviations
        .iter()
        .map(|kind| (kind.code.as_str(), kind.count))
        .collect()
}

/// How many events of a type there are.
pub(crate) fn events(report: &Report, event_type: &str) -> u64 {
    report.events.get(event_type).copied().unwrap_or(0)
}
