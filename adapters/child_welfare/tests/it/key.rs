//! The published pairs of keys and screen forms (`fixtures/cws_cms_key_vectors.csv`).

use proptest::prelude::*;
use tandem_child_welfare::CmsKey;

struct Vector {
    kind: String,
    key: String,
    screen: String,
    created: String,
    staff: String,
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../fixtures/cws_cms_key_vectors.csv");
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let cell = |index: usize| row.get(index).unwrap().to_owned();
        Vector {
            kind: cell(0),
            key: cell(1),
            screen: cell(2),
            created: cell(3),
            staff: cell(4),
        }
    });
    rows.collect()
}

#[test]
fn every_published_key_reads_and_writes_as_its_screen_form() {
    let mut seen = 0;
    for vector in vectors()
        .iter()
        .filter(|vector| !vector.kind.starts_with("invalid"))
    {
        let key: CmsKey = vector.key.parse().unwrap();
        assert_eq!(
            CmsKey::from_screen(&vector.screen),
            Ok(key),
            "{}",
            vector.screen
        );
        assert_eq!(key.to_string(), vector.key);
        assert_eq!(
            key.to_screen().replace('-', ""),
            vector.screen.replace('-', "")
        );
        assert_eq!(
            CmsKey::parse_any(&vector.screen),
            CmsKey::parse_any(&vector.key)
        );
        seen += 1;
    }
    assert_eq!(seen, 16);
}

#[test]
fn the_screen_form_is_written_four_four_four_seven() {
    let key: CmsKey = "5Y3vKVs0X5".parse().unwrap();
    assert_eq!(key.to_screen(), "0315-2076-8676-8002051");
}

#[test]
fn a_key_tells_when_and_by_whom_the_row_was_made() {
    for vector in vectors()
        .iter()
        .filter(|vector| !vector.kind.starts_with("invalid"))
    {
        let key: CmsKey = vector.key.parse().unwrap();
        let created = key
            .created_at()
            .unwrap()
            .strftime("%Y-%m-%dT%H:%M:%S.%2f")
            .to_string();
        assert_eq!(created, vector.created, "{}", vector.key);
        assert_eq!(key.staff_id(), vector.staff);
    }
}

#[test]
fn a_key_from_the_future_is_a_key_but_not_plausible() {
    for vector in vectors()
        .iter()
        .filter(|vector| !vector.kind.starts_with("invalid"))
    {
        let key: CmsKey = vector.key.parse().unwrap();
        assert_eq!(
            key.is_plausible(),
            vector.kind != "implausible",
            "{}",
            vector.key
        );
    }
}

#[test]
fn what_is_no_screen_form_is_refused() {
    let mut seen = 0;
    for vector in vectors()
        .iter()
        .filter(|vector| vector.kind.starts_with("invalid"))
    {
        assert!(
            CmsKey::from_screen(&vector.screen).is_err(),
            "{}",
            vector.screen
        );
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[test]
fn debug_shows_no_key() {
    let key: CmsKey = "5Y3vKVs0X5".parse().unwrap();
    assert_eq!(format!("{key:?}"), "CmsKey(..)");
}

proptest! {
    #[test]
    fn every_key_survives_both_forms(text in "[0-9A-Za-z]{10}") {
        let key: CmsKey = text.parse().unwrap();
        prop_assert_eq!(key.to_string(), text);
        prop_assert_eq!(CmsKey::from_screen(&key.to_screen()), Ok(key));
        let _ = (key.created_at(), key.is_plausible());
    }

    #[test]
    fn no_text_makes_the_key_panic(text in "\\PC{0,24}") {
        let _ = CmsKey::parse_any(&text);
    }
}
