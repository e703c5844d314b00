//! A blob gives back what was written, and nothing of one that was tampered with.

use std::io::{Cursor, Read as _, Seek as _, SeekFrom, Write as _};

use proptest::prelude::*;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::chunk::{SEALED_CHUNK, place};
use super::writer::BlobWriter;
use super::*;

const ID: Uuid = Uuid::from_u128(7);

fn key() -> DataKey {
    Zeroizing::new([9; 32])
}

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 % 251) as u8).collect()
}

fn sealed(text: &[u8]) -> Vec<u8> {
    let mut writer = BlobWriter::new(Vec::new(), ID, &key()).unwrap();
    writer.write_all(text).unwrap();
    writer.finish().unwrap().0
}

fn opened(file: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    BlobReader::new(Cursor::new(file), ID, &key())?.read_to_end(&mut text)?;
    Ok(text)
}

#[test]
fn what_was_written_is_read_whatever_its_length() {
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5] {
        let text = text(length);
        assert_eq!(opened(&sealed(&text)).unwrap(), text, "{length}");
    }
}

#[test]
fn it_is_read_from_any_place_on() {
    let text = text(2 * CHUNK + 100);
    let file = sealed(&text);
    let mut reader = BlobReader::new(Cursor::new(&file), ID, &key()).unwrap();
    assert_eq!(reader.length(), text.len() as u64);
    for at in [
        0,
        5,
        CHUNK - 2,
        CHUNK,
        2 * CHUNK + 99,
        text.len(),
        text.len() + 9,
    ] {
        reader.seek(SeekFrom::Start(at as u64)).unwrap();
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, text.get(at..).unwrap_or_default(), "{at}");
    }
    assert!(reader.seek(SeekFrom::Current(-1_000_000)).is_err());
}

/// The whole chunk of a number in a file.
fn chunk(file: &[u8], number: u64) -> std::ops::Range<usize> {
    let start = place(number) as usize;
    assert!(start + SEALED_CHUNK <= file.len());
    start..start + SEALED_CHUNK
}

#[test]
fn chunks_that_were_swapped_repeated_or_left_out_do_not_open() {
    let file = sealed(&text(4 * CHUNK + 10));
    let (first, second) = (chunk(&file, 1), chunk(&file, 2));
    let mut swapped = file.clone();
    swapped[first.clone()].copy_from_slice(&file[second.clone()]);
    swapped[second.clone()].copy_from_slice(&file[first.clone()]);
    let mut repeated = file.clone();
    repeated.splice(second.start..second.start, file[first.clone()].to_vec());
    let mut without = file.clone();
    without.drain(first);
    let mut replaced = file.clone();
    replaced[second].copy_from_slice(&file[chunk(&file, 3)]);
    for (name, file) in [
        ("swapped", swapped),
        ("repeated", repeated),
        ("left out", without),
        ("replaced", replaced),
    ] {
        assert!(opened(&file).is_err(), "{name}");
    }
}

#[test]
fn a_cut_file_is_found_before_anything_of_it_is_read() {
    let file = sealed(&text(3 * CHUNK + 10));
    let by_chunks = (0..=3).map(|number| place(number) as usize);
    let others = [0, 1, 7, 9, 23, file.len() - 1, file.len() - 10, CHUNK];
    for length in by_chunks.chain(others) {
        let cut = BlobReader::new(Cursor::new(&file[..length]), ID, &key());
        assert!(cut.is_err(), "{length}");
    }
    let mut longer = file;
    longer.push(0);
    assert!(BlobReader::new(Cursor::new(&longer), ID, &key()).is_err());
}

#[test]
fn it_opens_under_its_own_id_and_key_alone() {
    let file = sealed(b"Rosalind Testerly");
    assert!(!file.windows(8).any(|part| part == b"Rosalind"));
    let with = |id, key: &DataKey| BlobReader::new(Cursor::new(&file), id, key).is_ok();
    assert!(with(ID, &key()));
    assert!(!with(Uuid::from_u128(8), &key()));
    assert!(!with(ID, &Zeroizing::new([8; 32])));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_flipped_bit_anywhere_is_found(length in 0..3 * CHUNK, place: prop::sample::Index, bit in 0_u8..8) {
        let mut file = sealed(&text(length));
        let at = place.index(file.len());
        file[at] ^= 1 << bit;
        prop_assert!(opened(&file).is_err());
    }
}

#[test]
fn a_blob_that_is_given_up_leaves_no_file() {
    let place = tempfile::tempdir().unwrap();
    let folder = BlobFolder::open(&place.path().join("blobs")).unwrap();
    let mut given_up = folder.begin().unwrap();
    given_up.write_all(&text(CHUNK * 2)).unwrap();
    drop(given_up);
    let mut dropped = folder.begin().unwrap();
    dropped.write_all(b"x").unwrap();
    drop(dropped.finish().unwrap());
    assert!(folder.files().unwrap().is_empty());
    let mut kept = folder.begin().unwrap();
    kept.write_all(b"kept").unwrap();
    let mut kept = kept.finish().unwrap();
    kept.keep();
    let (id, key) = (kept.id, kept.key.clone());
    drop(kept);
    let mut read = String::new();
    folder
        .read(id, &key)
        .unwrap()
        .read_to_string(&mut read)
        .unwrap();
    assert_eq!(read, "kept");
    folder.remove(id).unwrap();
    folder.remove(id).unwrap();
    let gone = folder.read(id, &key).unwrap_err().to_string();
    assert!(gone.contains(&id.to_string()), "{gone}");
}
