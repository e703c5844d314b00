use std::collections::BTreeMap;

use proptest::prelude::*;

use super::root_keys::RootKey;
use super::*;

const AT: Spot<'_> = Spot {
    table: "decision",
    column: "sealed",
    row: b"row-1",
};

fn roots(look_up: u8, keys: &[(u32, u8)]) -> RootKeys {
    let key = |byte: u8| RootKey {
        made_at: None,
        secret: Zeroizing::new([byte; 32]),
    };
    let keys = keys.iter().map(|(number, byte)| (*number, key(*byte)));
    RootKeys {
        look_up: Zeroizing::new([look_up; 32]),
        keys: keys.collect::<BTreeMap<_, _>>(),
    }
}

/// Its newest key seals.
fn sealer(keys: &[(u32, u8)]) -> Sealer {
    Sealer::of(roots(7, keys), None, "demo-county".parse().unwrap()).unwrap()
}

fn seal(sealer: &Sealer, plain: &[u8]) -> Vec<u8> {
    sealer.seal(AT.table, AT.column, AT.row, plain).unwrap()
}

fn open(sealer: &Sealer, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    sealer.open(AT.table, AT.column, AT.row, sealed)
}

#[test]
fn a_sealed_value_opens_only_in_its_own_place() {
    for sealer in [sealer(&[(1, 7)]), sealer(&[(2, 7)])] {
        let sealed = seal(&sealer, b"secret");
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(open(&sealer, &sealed).unwrap(), b"secret");
        assert!(
            sealer
                .open("decision", "sealed", b"row-2", &sealed)
                .is_err()
        );
        assert!(sealer.open("event", "sealed", b"row-1", &sealed).is_err());
    }
}

#[test]
fn a_value_of_the_first_program_opens_for_as_long_as_its_key_is_there() {
    // Made by another implementation: HKDF-SHA-256 of 32 bytes 07, the nonce 00 to 17, and the place as associated
    // data.
    let sealed = hex::decode(
        "01000102030405060708090a0b0c0d0e0f1011121314151617e748cc736bb73554856413390ef76a8dcbfab117408b",
    )
    .unwrap();
    let later = sealer(&[(1, 7), (2, 8), (300, 9)]);
    assert_eq!(open(&later, &sealed).unwrap(), b"secret");
    let without = sealer(&[(2, 8), (300, 9)]);
    let error = open(&without, &sealed).unwrap_err();
    assert!(
        matches!(error, SealError::NoKey { number: 1, .. }),
        "{error}"
    );
}

#[test]
fn a_value_names_the_key_that_sealed_it_also_after_more_rotations_than_a_byte_counts() {
    for number in [1, 2, 255, 256, 70_000, u32::MAX] {
        let sealer = sealer(&[(number, 7)]);
        let sealed = seal(&sealer, b"secret");
        assert_eq!(key_of(&sealed), Some(number));
        assert_eq!(key_of(&sealed[..HEAD]), Some(number));
        assert_eq!(open(&sealer, &sealed).unwrap(), b"secret");
    }
    assert_eq!(key_of(b""), None);
    assert_eq!(key_of(&[9; 40]), None);
}

#[test]
fn look_up_hashes_and_ids_stay_when_the_key_that_seals_changes() {
    let (before, after) = (sealer(&[(1, 7)]), sealer(&[(2, 8)]));
    let mac = before.mac("record", "48211").unwrap();
    assert_eq!(mac, after.mac("record", "48211").unwrap());
    assert_eq!(before.id_key().unwrap(), after.id_key().unwrap());
    assert_ne!(mac, before.mac("case", "48211").unwrap());
    let other = Sealer::of(roots(7, &[(1, 7)]), None, "other".parse().unwrap()).unwrap();
    assert_ne!(mac, other.mac("record", "48211").unwrap());
}

#[test]
fn look_ups_of_the_first_file_are_found_again_after_a_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("root.key");
    std::fs::write(&file, "0b".repeat(32)).unwrap();
    let sealer = Sealer::from_file(&file, "demo-county".parse().unwrap()).unwrap();
    let (mac, ids) = (
        sealer.mac("record", "48211").unwrap(),
        sealer.id_key().unwrap(),
    );
    let sealed = seal(&sealer, b"secret");
    sealer.add(2, jiff::Timestamp::UNIX_EPOCH).unwrap();
    sealer.seal_with(2).unwrap();
    let anew = sealer.reseal(AT, &sealed, false).unwrap();
    sealer.take_out(1).unwrap();
    let again = Sealer::from_file(&file, "demo-county".parse().unwrap()).unwrap();
    assert_eq!(again.mac("record", "48211").unwrap(), mac);
    assert_eq!(again.id_key().unwrap(), ids);
    assert_eq!(open(&again, &anew).unwrap(), b"secret");
    assert!(open(&again, &sealed).is_err());
}

#[test]
fn a_key_that_is_taken_out_stands_in_a_file_of_its_own_and_the_one_that_seals_stays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("root.key");
    let county = || "demo-county".parse().unwrap();
    let sealer = Sealer::open_or_create(&file, county()).unwrap();
    let sealed = seal(&sealer, b"secret");
    assert!(matches!(sealer.take_out(1), Err(SealError::InUse(1))));
    sealer.add(2, jiff::Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(sealer.sealing(), 1, "a new key waits for its time");
    sealer.seal_with(2).unwrap();
    let aside = sealer.take_out(1).unwrap();
    assert!(open(&sealer, &sealed).is_err());
    let old = Sealer::from_file(&aside, county()).unwrap();
    assert_eq!(open(&old, &sealed).unwrap(), b"secret");
    assert_eq!(sealer.keys().into_keys().collect::<Vec<_>>(), [2]);
}

#[test]
fn a_key_that_somebody_put_into_the_file_is_read_when_a_value_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let county = || "demo-county".parse().unwrap();
    let first = Sealer::open_or_create(&one, county()).unwrap();
    std::fs::copy(&one, &two).unwrap();
    let second = Sealer::from_file(&two, county()).unwrap();
    first.add(2, jiff::Timestamp::UNIX_EPOCH).unwrap();
    first.seal_with(2).unwrap();
    let sealed = seal(&first, b"secret");
    let error = open(&second, &sealed).unwrap_err().to_string();
    assert!(error.contains("key 2") && error.contains("two"), "{error}");
    std::fs::copy(&one, &two).unwrap();
    assert_eq!(open(&second, &sealed).unwrap(), b"secret");
    // A file with other keys is not taken for this one.
    Sealer::open_or_create(&folder.path().join("other"), county()).unwrap();
    std::fs::copy(folder.path().join("other"), &two).unwrap();
    assert!(second.reread().is_err());
}

#[test]
fn new_keys_are_written_when_a_store_gets_to_know_them_and_no_sooner() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("root.key");
    let county = || "demo-county".parse().unwrap();
    let refused = Sealer::for_store(&file, county()).unwrap();
    let sealed = seal(&refused, b"of another store");
    assert!(open(&refused, &sealed).is_ok() && refused.reread().is_ok());
    drop(refused);
    assert!(!file.exists(), "the store never took them");

    let taken = Sealer::for_store(&file, county()).unwrap();
    let sign = taken.sign(1, AT, b"sign").unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(taken.keys()[&1].is_some(), "they are as old as their file");
    taken.sign(1, AT, b"sign").unwrap();
    let again = Sealer::for_store(&file, county()).unwrap();
    assert_eq!(open(&again, &sign).unwrap(), b"sign");
    assert_eq!(open(&again, &seal(&taken, b"secret")).unwrap(), b"secret");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn no_root_keys_are_made_where_other_keys_show_that_they_are_lost() {
    for name in ["audit.key", "audit-witness.key", "audit-witness.last"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("root.key");
        std::fs::write(folder.path().join(name), "of the gateway that served").unwrap();
        let county = || "demo-county".parse().unwrap();
        for error in [
            Sealer::for_store(&file, county()).unwrap_err(),
            Sealer::open_or_create(&file, county()).unwrap_err(),
        ] {
            let told = error.to_string();
            assert!(told.contains("root.key is not there"), "{told}");
            assert!(told.contains(name), "{told}");
        }
        assert!(!file.exists(), "{name}");
    }
}

proptest! {
    #[test]
    fn what_is_sealed_anew_opens_as_before_and_still_shows_its_first_form(
        plain in prop::collection::vec(any::<u8>(), 0..200),
        keeps_first: bool,
        rotations in 1_u32..4,
    ) {
        let keys: Vec<(u32, u8)> = (1..=5).map(|number| (number, 40 + number as u8)).collect();
        let ring = sealer(&keys);
        ring.seal_with(1).unwrap();
        let first = seal(&ring, &plain);
        let mut sealed = first.clone();
        for number in 2..2 + rotations {
            ring.seal_with(number).unwrap();
            sealed = ring.reseal(AT, &sealed, keeps_first).unwrap();
            prop_assert_eq!(key_of(&sealed), Some(number));
        }
        // The first key is gone.
        let later = sealer(&keys[1..]);
        prop_assert_eq!(&open(&later, &sealed).unwrap(), &plain);
        let shown = later.first_form(AT, &sealed).unwrap();
        prop_assert_eq!(shown.as_ref() == first.as_slice(), keeps_first);
    }

    #[test]
    fn an_altered_value_does_not_open(
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
        form in 0_usize..3,
    ) {
        let ring = sealer(&[(1, 7), (2, 8)]);
        ring.seal_with(1).unwrap();
        let first = seal(&ring, b"secret");
        ring.seal_with(2).unwrap();
        let mut sealed = match form {
            0 => first,
            1 => ring.reseal(AT, &first, false).unwrap(),
            _ => ring.reseal(AT, &first, true).unwrap(),
        };
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert!(open(&ring, &sealed).is_err());
        prop_assert!(ring.reseal(AT, &sealed, true).is_err());
    }
}
