//! What is written validates against the NIEM schemas and tells no more than it may.

use std::process::Command;

use tandem_adapter_port::memory::RowsInMemory;
use tandem_adapter_port::outbound::{Outbound, OutboundBody};
use tandem_adapter_port::write::{Delivery, FormatWriter, Written};
use tandem_child_welfare::describe::carrier;
use tandem_child_welfare::{CmsKey, Config, NiemWriter};

use crate::samples::{bare, every_kind, outbound, referral_view, write_context};
use crate::support::fixture;

fn written(message: &Outbound) -> Written {
    let writer = NiemWriter::new(Config::default()).unwrap();
    writer.write(
        std::slice::from_ref(message),
        &RowsInMemory::default(),
        &write_context(),
    )
}

pub(crate) fn xml(message: &Outbound) -> String {
    let written = written(message);
    assert!(written.not_written.is_empty(), "{:?}", written.not_written);
    String::from_utf8(written.files[0].bytes.clone()).unwrap()
}

/// Runs xmllint; a machine without it fails the test, since nothing would be proven.
fn validate(name: &str, text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("{name}.xml"));
    std::fs::write(&file, text).unwrap();
    let output = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(fixture("niem-6.0/linkages.xsd"))
        .arg(&file)
        .output()
        .expect("xmllint (package libxml2-utils) is installed");
    assert!(
        output.status.success(),
        "{name}: {}\n{text}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn every_kind_of_message_validates() {
    for (name, message) in every_kind() {
        validate(name, &xml(&message));
    }
}

#[test]
fn every_kind_validates_after_redaction_took_all_it_may() {
    for (name, message) in every_kind() {
        validate(name, &xml(&bare(message)));
    }
}

#[test]
fn a_wrong_message_fails_the_schema() {
    let (_, message) = every_kind()
        .into_iter()
        .find(|(name, _)| *name == "referral")
        .unwrap();
    let text = xml(&message).replace(">Housing Services<", ">Castles<");
    let outcome = std::panic::catch_unwind(|| validate("wrong", &text));
    assert!(outcome.is_err());
}

#[test]
fn every_kind_stands_where_the_description_says() {
    for (name, message) in every_kind() {
        let text = xml(&message);
        let carrier = carrier(&message.body);
        assert!(text.contains(&format!("<{} ", carrier.message)), "{name}");
        let kind = format!("<nc:DocumentCategoryText>{}<", carrier.kind);
        assert!(text.contains(&kind), "{name}");
        for element in carrier.element.split('/') {
            assert!(text.contains(&format!("<{element}>")), "{name}: {element}");
        }
    }
}

#[test]
fn the_message_id_is_the_effect_key_of_the_format() {
    for (name, message) in every_kind() {
        let file = &written(&message).files[0];
        assert_eq!(file.messages, [message.id], "{name}");
        assert_eq!(file.name, format!("tandem-00000007-{}.xml", message.id));
        let id = format!("<nc:IdentificationID>{}</nc:IdentificationID>", message.id);
        assert!(String::from_utf8_lossy(&file.bytes).contains(&id), "{name}");
    }
}

#[test]
fn the_same_message_gives_the_same_bytes() {
    for (name, message) in every_kind() {
        assert_eq!(xml(&message), xml(&message), "{name}");
    }
}

#[test]
fn the_case_number_is_written_as_screens_show_it() {
    let (_, message) = every_kind().remove(0);
    let key: CmsKey = message.recipient_case.as_deref().unwrap().parse().unwrap();
    let element = format!("<hs:ChildWelfareAgencyCaseID>{}<", key.to_screen());
    assert!(xml(&message).contains(&element));
}

#[test]
fn a_message_without_a_legal_basis_is_parked() {
    for (name, mut message) in every_kind() {
        message.basis.clear();
        let is_recall = matches!(message.body, OutboundBody::Recall(_));
        let written = written(&message);
        assert_eq!(written.files.len(), usize::from(is_recall), "{name}");
        assert!(is_recall || matches!(written.not_written[0].1, Delivery::Park { .. }));
    }
}

#[test]
fn a_referral_that_may_name_nobody_is_parked() {
    let mut message = outbound(OutboundBody::Referral(Box::new(referral_view())));
    message.people.clear();
    let written = written(&message);
    assert!(written.files.is_empty());
    assert_eq!(written.not_written[0].0, message.id);
}

#[test]
fn a_recall_names_messages_and_duties_and_nobody() {
    let (_, message) = every_kind()
        .into_iter()
        .find(|(name, _)| *name == "recall")
        .unwrap();
    let text = xml(&message);
    for personal in [
        "Marisol",
        "Demofield",
        "4g8Ojkb0dm",
        "ChildWelfareAgencyCaseID",
        "1994",
    ] {
        assert!(!text.contains(personal), "{personal}");
    }
    assert!(text.contains("stop-use") && text.contains("do-not-redisclose"));
}

#[test]
fn characters_that_xml_cannot_carry_are_dropped() {
    let mut message = outbound(OutboundBody::Referral(Box::new(referral_view())));
    message.people[0].given = Some("Mari\u{0}\u{b}sol\u{ffff}".into());
    let text = xml(&message);
    assert!(text.contains(">Marisol<"));
    validate("characters", &text);
}

#[test]
fn odd_but_legal_words_leave_every_kind_valid_and_whole() {
    let long = "Bartholomäus-".repeat(2_000);
    for odd in [
        "]]> & <nc:PersonName> \"it's\" &amp; &#0;",
        "مريم 李小龍 Ünïcödé 👩‍👧",
        "tab\there\r\nand\u{85}there\u{b}\u{7f}",
        "<!-- --><?xml?><![CDATA[",
        "   ",
        long.as_str(),
    ] {
        for (name, mut message) in every_kind() {
            for person in &mut message.people {
                person.given = Some(format!("A{odd}"));
                person.middle = Some(odd.into());
                person.family = Some(format!("{odd}Z"));
                person.phone = Some(odd.into());
            }
            message.sender.name = odd.into();
            message.recipient.name = odd.into();
            message.basis = vec![format!("CALW-05{odd}")];
            for notice in &mut message.notices {
                notice.text = odd.into();
            }
            let text = xml(&message);
            validate(name, &text);
            let (_, report) = crate::niem::read(text.as_bytes());
            let codes: Vec<&str> = report
                .deviations
                .iter()
                .filter(|one| one.severity == tandem_adapter_port::deviation::Severity::Error)
                .map(|one| one.code.as_str())
                .collect();
            assert!(codes.is_empty(), "{name}: {codes:?} for {odd:.20}");
        }
    }
}

#[test]
fn the_notices_of_every_kind_travel_word_for_word() {
    for (name, mut message) in every_kind() {
        let mut second = message.notices[0].clone();
        second.code = "N_PART2".into();
        second.text = "42 CFR Part 2 prohibits further use & disclosure.".into();
        message.notices.push(second);
        let text = xml(&message);
        validate(name, &text);
        for words in [
            ">N_10850<",
            ">Confidential under WIC 10850.<",
            ">N_PART2<",
            ">42 CFR Part 2 prohibits further use &amp; disclosure.<",
        ] {
            assert!(text.contains(words), "{name}: {words}");
        }
    }
}

#[test]
fn somebody_of_whom_nothing_is_left_is_neither_written_nor_referred_to() {
    let mut message = outbound(OutboundBody::Referral(Box::new(referral_view())));
    let count = message.people.len();
    let nobody = &mut message.people[0];
    (nobody.person, nobody.cin, nobody.middle) = (None, None, None);
    (nobody.given, nobody.family) = (Some("  ".into()), Some(String::new()));
    let text = xml(&message);
    validate("nobody", &text);
    assert_eq!(text.matches("<nc:ReferralPerson ").count(), count - 1);
    assert!(!text.contains("\"p1\""));
    let (_, report) = crate::niem::read(text.as_bytes());
    let codes: Vec<&str> = report
        .deviations
        .iter()
        .map(|one| one.code.as_str())
        .collect();
    assert!(!codes.contains(&"person-unnamed") && !codes.contains(&"reference-dangling"));
}

#[test]
fn a_referral_of_people_with_blank_names_is_parked() {
    let mut message = outbound(OutboundBody::Referral(Box::new(referral_view())));
    for person in &mut message.people {
        (person.person, person.cin, person.middle) = (None, None, None);
        (person.given, person.family) = (Some(" ".into()), Some("\u{1}".into()));
    }
    assert!(written(&message).files.is_empty());
}

#[test]
fn a_reminder_says_which_consent_ends_when_and_what_rests_on_it() {
    let (_, message) = every_kind()
        .into_iter()
        .find(|(name, _)| *name == "consent-reminder")
        .unwrap();
    let text = xml(&message);
    for told in ["consent-7", "2026-06-29", "REF-1", "consent-reminder"] {
        assert!(text.contains(told), "{told}: {text}");
    }
}
