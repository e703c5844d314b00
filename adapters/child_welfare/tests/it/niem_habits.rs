//! Messages of senders with other habits than ours, and near misses of well-formedness.

use tandem_adapter_port::format::Format;
use tandem_adapter_port::package::MemoryPackage;
use tandem_adapter_port::read::{FormatReader, Input};
use tandem_adapter_port::report::{Collected, Counting, Outcome};
use tandem_child_welfare::{Config, NiemReader};

use crate::niem::{example, read};
use crate::support::context;

#[test]
fn another_niem_release_is_named_as_the_reason() {
    let text = example("referral_example.xml").replace(
        "https://docs.oasis-open.org/niemopen/ns/model/domains/humanServices/6.0/",
        "http://release.niem.gov/niem/domains/humanServices/5.2/",
    );
    let (found, report) = read(text.as_bytes());
    assert_eq!(report.outcome, Outcome::Rejected);
    assert_eq!(report.deviations[0].code, "niem-version-unsupported");
    assert!(report.deviations[0].expected.contains("NIEM 6.0"));
    assert_eq!((found.events.len(), report.version), (0, None));
}

#[test]
fn a_local_uri_refers_like_a_ref() {
    let plain = example("referral_example.xml");
    let text = plain
        .replace("structures:ref=\"p1\"", "structures:uri=\"#p1\"")
        .replace("structures:id=\"c1\"", "structures:uri=\"#c1\"");
    let (_, report) = read(text.as_bytes());
    assert_eq!(report.outcome, Outcome::Accepted, "{:?}", report.deviations);
    assert_eq!(report.events, read(plain.as_bytes()).1.events);
}

#[test]
fn characters_and_attributes_that_xml_forbids_reject_the_message_at_their_line() {
    let text = example("referral_example.xml");
    let line = |part: &str| text.lines().position(|line| line.contains(part)).unwrap() as u64 + 1;
    let name = "<nc:PersonGivenName>Ana";
    for (part, with) in [
        (name, "<nc:PersonGivenName>A\0na"),
        (name, "<nc:PersonGivenName>A&#1;na"),
        (
            "structures:id=\"p1\"",
            "structures:id=\"p1\" structures:id=\"p2\"",
        ),
    ] {
        let (found, report) = read(text.replace(part, with).as_bytes());
        assert_eq!(report.outcome, Outcome::Rejected, "{with:?}");
        assert_eq!(found.deviations[0].code, "xml-not-well-formed");
        assert_eq!(found.deviations[0].place.line, Some(line(part)), "{with:?}");
    }
}

#[test]
fn a_package_without_a_message_is_rejected() {
    let mut package = MemoryPackage::new([("empty/", "")]);
    let mut collected = Collected::default();
    let mut counting = Counting::new(Format::Niem, &mut collected);
    let input = Input::Package {
        name: "messages.zip",
        package: &mut package,
    };
    let reader = NiemReader::new(Config::default()).unwrap();
    reader.read(input, &context(), &mut counting).unwrap();
    assert_eq!(counting.report().outcome, Outcome::Rejected);
    assert_eq!(collected.deviations[0].code, "no-messages");
}
