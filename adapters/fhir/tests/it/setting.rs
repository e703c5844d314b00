//! The story's setting: the clinic, the gateway, the clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::{FormatReader, Input};
use tandem_adapter_port::report::{Collected, Counting, Report};
use tandem_fhir::config::{FhirConfig, IdentifierSystem};
use tandem_fhir::read::FhirReader;
use tandem_mappings::model::id::{OrganizationId, SystemId};

/// When the story is told.
pub(crate) fn now() -> Timestamp {
    "2026-02-04T17:00:00Z".parse().unwrap()
}

/// The clinic as partner.
pub(crate) fn config() -> FhirConfig {
    let mut config = FhirConfig::offline(
        SystemId::new("clinic-demo").unwrap(),
        OrganizationId::new("org-gateway").unwrap(),
    )
    .unwrap();
    config.base = "https://clinic.example/fhir".parse().unwrap();
    config.identifier_systems = vec![IdentifierSystem {
        system: "https://cin.example".into(),
        kind: "cin".into(),
    }];
    config
}

/// What a reader of the clinic's payloads knows.
pub(crate) fn context() -> ReadContext {
    ReadContext::new(
        SystemId::new("clinic-demo").unwrap(),
        OrganizationId::new("org-clinic").unwrap(),
        "input.json",
        now(),
        TimeZone::UTC,
        [7; 32],
    )
}

/// Reads a payload.
pub(crate) fn read(bytes: &[u8]) -> (Collected, Report) {
    let mut collected = Collected::default();
    let mut counting = Counting::new(Format::FhirBundle, &mut collected);
    let mut source = bytes;
    FhirReader::new(config())
        .read(
            Input::Stream {
                name: "input.json",
                reader: &mut source,
            },
            &context(),
            &mut counting,
        )
        .unwrap();
    let report = counting.report();
    (collected, report)
}
