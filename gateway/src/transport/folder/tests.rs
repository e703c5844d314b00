//! A folder of which its partner makes what it likes.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::acknowledgement::STILL_WRITING;
use super::*;

fn opened() -> (TempDir, ExchangeFolder) {
    let place = tempfile::tempdir().unwrap();
    let folder = ExchangeFolder::open(place.path()).unwrap();
    (place, folder)
}

fn text(place: &TempDir, relative: &str) -> String {
    std::fs::read_to_string(place.path().join(relative)).unwrap()
}

fn names(place: &TempDir, part: &str) -> Vec<OsString> {
    let entries = std::fs::read_dir(place.path().join(part)).unwrap();
    let mut names: Vec<OsString> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

/// Makes a file as old as one that is surely whole.
fn age(file: &Path) {
    let file = std::fs::File::options().write(true).open(file).unwrap();
    let written = file.metadata().unwrap().modified().unwrap();
    file.set_modified(written - 2 * STILL_WRITING).unwrap();
}

#[test]
fn an_unfinished_file_is_not_read() {
    let (place, folder) = opened();
    let part = place.path().join("in/a.csv.part");
    std::fs::write(&part, b"x").unwrap();
    assert!(folder.waiting().unwrap().files.is_empty());
    std::fs::rename(part, place.path().join("in/a.csv")).unwrap();
    assert_eq!(folder.waiting().unwrap().files.len(), 1);
}

#[test]
fn a_newer_file_of_a_name_waits_until_the_claimed_one_is_done() {
    let (place, folder) = opened();
    let waiting = place.path().join("in/a.csv");
    std::fs::write(&waiting, "one").unwrap();
    let claimed = folder.claim(&waiting).unwrap().unwrap();
    std::fs::write(&waiting, "two").unwrap();
    assert_eq!(folder.claim(&waiting).unwrap(), None);
    assert_eq!(folder.claimed().unwrap(), std::slice::from_ref(&claimed));
    assert_eq!(name_of(&claimed), "a.csv");
    folder.finish(&claimed, "{}").unwrap();
    assert_eq!(text(&place, "done/a.csv"), "one");
    assert_eq!(text(&place, "in/a.csv"), "two");
    let claimed = folder.claim(&waiting).unwrap().unwrap();
    assert_eq!(std::fs::read_to_string(claimed).unwrap(), "two");
}

#[test]
fn a_file_that_its_partner_took_back_is_not_claimed() {
    let (place, folder) = opened();
    let gone = place.path().join("in/a.csv");
    assert_eq!(folder.claim(&gone).unwrap(), None);
    std::fs::write(&gone, "one").unwrap();
    std::fs::remove_dir(place.path().join("work")).unwrap();
    assert!(
        folder.claim(&gone).is_err(),
        "it is there and can't be moved"
    );
}

#[test]
fn nobody_else_reaches_what_is_claimed() {
    let (place, _folder) = opened();
    let work = place.path().join("work").metadata().unwrap();
    assert_eq!(work.permissions().mode() & 0o777, 0o700);
}

#[test]
fn what_does_not_open_is_not_claimed_and_leaves_its_name_free() {
    let (place, folder) = opened();
    let waiting = place.path().join("in/a.csv");
    // It can be moved, and opens for nobody, be it root.
    symlink("elsewhere", &waiting).unwrap();
    assert!(folder.claim(&waiting).is_err());
    assert!(is_there(&waiting).unwrap());
    assert!(folder.claimed().unwrap().is_empty());
    let better = place.path().join("in/a.csv.part");
    std::fs::write(&better, "better").unwrap();
    std::fs::rename(&better, &waiting).unwrap();
    let claimed = folder.claim(&waiting).unwrap().unwrap();
    assert_eq!(std::fs::read_to_string(claimed).unwrap(), "better");
}

#[test]
fn a_file_is_moved_only_to_where_nothing_lies() {
    let (place, _folder) = opened();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    std::fs::write(&from, "from").unwrap();
    symlink("nowhere", &to).unwrap();
    assert!(!move_to_free(&from, &to).unwrap());
    assert_eq!(text(&place, "from"), "from");
    std::fs::remove_file(&to).unwrap();
    assert!(move_to_free(&from, &to).unwrap());
    assert_eq!(text(&place, "to"), "from");
    assert!(move_to_free(&from, &place.path().join("other")).is_err());
}

#[test]
fn a_folder_of_the_gateway_that_others_reach_is_closed_to_them() {
    let place = tempfile::tempdir().unwrap();
    let work = place.path().join("work");
    std::fs::create_dir(&work).unwrap();
    std::fs::set_permissions(&work, std::fs::Permissions::from_mode(0o755)).unwrap();
    ExchangeFolder::open(place.path()).unwrap();
    assert_eq!(work.metadata().unwrap().mode() & 0o777, 0o700);
}

#[test]
fn a_folder_that_can_not_be_made_is_named() {
    for part in ["in", "work"] {
        let place = tempfile::tempdir().unwrap();
        let taken = place.path().join(part);
        std::fs::write(&taken, "x").unwrap();
        let error = ExchangeFolder::open(place.path()).unwrap_err().to_string();
        let told = format!("cannot make {}: ", taken.display());
        assert!(error.starts_with(&told), "{error}");
    }
}

#[test]
fn what_is_no_file_is_no_input() {
    let (place, folder) = opened();
    std::fs::write(place.path().join("secret"), "secret").unwrap();
    let link = place.path().join("in/a.csv");
    symlink(place.path().join("secret"), &link).unwrap();
    std::fs::create_dir(place.path().join("in/b.csv")).unwrap();
    let waiting = folder.waiting().unwrap();
    assert!(waiting.files.is_empty());
    assert_eq!(waiting.others.len(), 2);
    // One that took the place of a file just before it was claimed.
    let claimed = place.path().join("work/a.csv");
    std::fs::rename(&link, &claimed).unwrap();
    assert_eq!(size_of(&claimed).unwrap(), None);
    assert!(open_plain(&claimed).is_err());
    assert_eq!(folder.claimed().unwrap(), std::slice::from_ref(&claimed));
    folder.fail(&claimed, "{}").unwrap();
    assert!(is_there(&place.path().join("error/a.csv")).unwrap());
    assert_eq!(text(&place, "secret"), "secret");
}

#[test]
fn nothing_is_written_through_a_link() {
    let (place, folder) = opened();
    let secret = place.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    for link in ["out/a.csv.part", "out/b.csv", "ack/c.csv.ack.json.part"] {
        symlink(&secret, place.path().join(link)).unwrap();
    }
    folder.put("a.csv", b"told").unwrap();
    folder.put("b.csv", b"told").unwrap();
    std::fs::write(place.path().join("in/c.csv"), "c").unwrap();
    let claimed = folder.claim(&place.path().join("in/c.csv")).unwrap();
    folder.finish(&claimed.unwrap(), "{}").unwrap();
    assert_eq!(text(&place, "secret"), "secret");
    for written in ["out/a.csv", "out/b.csv"] {
        assert_eq!(text(&place, written), "told");
        assert!(size_of(&place.path().join(written)).unwrap().is_some());
    }
    assert_eq!(text(&place, "ack/c.csv.ack.json"), "{}");
}

#[test]
fn what_a_crash_left_half_written_is_written_anew() {
    let (place, folder) = opened();
    let unfinished = place.path().join("out/a.csv.part");
    std::fs::write(&unfinished, "half of a longer text").unwrap();
    folder.put("a.csv", b"whole").unwrap();
    assert_eq!(text(&place, "out/a.csv"), "whole");
    assert!(!unfinished.exists());
}

#[test]
fn a_file_with_a_long_name_is_kept_under_a_shorter_one() {
    let (place, folder) = opened();
    for end in ["one", "two"] {
        let long = place.path().join(format!("in/{}{end}", "ä".repeat(120)));
        std::fs::write(&long, end).unwrap();
        assert!(has_long_name(&long));
        let claimed = folder.claim(&long).unwrap().unwrap();
        folder.fail(&claimed, "{}").unwrap();
    }
    let kept = names(&place, "error");
    assert_eq!(kept.len(), 4, "each has an error file of its own: {kept:?}");
    assert!(kept.iter().all(|name| name.len() <= 200));
    let short = place
        .path()
        .join(format!("in/{}", "a".repeat(LONGEST_NAME)));
    std::fs::write(&short, "x").unwrap();
    assert!(!has_long_name(&short));
    let claimed = folder.claim(&short).unwrap().unwrap();
    folder.finish(&claimed, "{}").unwrap();
    assert_eq!(names(&place, "done").len(), 1);
}

#[test]
fn a_second_file_of_one_name_overwrites_nothing() {
    let (place, folder) = opened();
    for content in ["one", "two"] {
        let file = place.path().join("in/a.csv");
        std::fs::write(&file, content).unwrap();
        let claimed = folder.claim(&file).unwrap().unwrap();
        folder.finish(&claimed, "{}").unwrap();
    }
    assert_eq!(text(&place, "done/a.csv"), "one");
    assert_eq!(text(&place, "done/a.csv.1"), "two");
}

#[test]
fn an_acknowledgement_that_is_still_written_waits_until_it_is_whole() {
    let (place, folder) = opened();
    let file = place.path().join("out/a.csv.ack");
    std::fs::write(&file, r#"{"file":"acc"#).unwrap();
    assert_eq!(
        folder.acknowledgements().unwrap(),
        std::slice::from_ref(&file)
    );
    assert_eq!(subject_of(&file), "a.csv");
    assert_eq!(read_acknowledgement(&file).unwrap(), None);
    std::fs::write(&file, r#"{"file":"accepted"}"#).unwrap();
    let ack = read_acknowledgement(&file).unwrap().unwrap();
    assert_eq!(ack.file, Some(FileVerdict::Accepted));
    std::fs::write(&file, r#"{"file":"Marisol"}"#).unwrap();
    age(&file);
    let error = read_acknowledgement(&file).unwrap_err().to_string();
    assert!(!error.contains("Marisol"), "{error}");
}

#[test]
fn an_acknowledgement_of_a_clock_that_is_a_little_ahead_may_still_be_on_its_way() {
    let (place, _folder) = opened();
    let path = place.path().join("out/a.csv.ack");
    std::fs::write(&path, "{").unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    let written = file.metadata().unwrap().modified().unwrap();
    file.set_modified(written + STILL_WRITING / 2).unwrap();
    assert_eq!(read_acknowledgement(&path).unwrap(), None);
    file.set_modified(written + 2 * STILL_WRITING).unwrap();
    let error = read_acknowledgement(&path).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn only_what_is_surely_no_acknowledgement_is_told_as_none() {
    let (place, _folder) = opened();
    let gone = place.path().join("out/a.csv.ack");
    assert_eq!(read_acknowledgement(&gone).unwrap(), None);
    std::fs::write(place.path().join("file"), "x").unwrap();
    let unread = read_acknowledgement(&place.path().join("file/a.csv.ack")).unwrap_err();
    assert_eq!(unread.kind(), io::ErrorKind::NotADirectory);
}

#[test]
fn an_acknowledgement_that_is_no_file_is_not_read() {
    let (place, folder) = opened();
    let file = place.path().join("out/a.csv.ack");
    // What it leads to never ends.
    symlink("/dev/zero", &file).unwrap();
    assert!(open_plain(&file).is_err());
    assert_eq!(read_acknowledgement(&file).unwrap(), None);
    folder.acknowledgement_taken(&file).unwrap();
    assert_eq!(names(&place, "out/acked"), ["a.csv.ack"]);
}

#[test]
fn names_that_are_no_text_are_kept_as_they_are() {
    let (place, folder) = opened();
    let name = OsStr::from_bytes(b"Pe\xf1a.csv");
    let waiting = place.path().join("in").join(name);
    std::fs::write(&waiting, "x").unwrap();
    let claimed = folder.claim(&waiting).unwrap().unwrap();
    folder.finish(&claimed, "{}").unwrap();
    assert_eq!(names(&place, "done"), [name]);
    let name = OsStr::from_bytes(b"Pe\xf1a.csv.ack");
    let ack = place.path().join("out").join(name);
    std::fs::write(&ack, "{}").unwrap();
    assert_eq!(
        folder.acknowledgements().unwrap(),
        std::slice::from_ref(&ack)
    );
    assert_eq!(
        read_acknowledgement(&ack).unwrap(),
        Some(PartnerAck::default())
    );
    folder.acknowledgement_taken(&ack).unwrap();
    assert_eq!(names(&place, "out/acked"), [name]);
}
