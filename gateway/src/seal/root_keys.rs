//! The root keys of an installation, as they stand in their file.
//!
//! ```text
//! tandem-root-keys/v2
//! look-up 64 hexadecimal digits
//! key 1 2026-11-29T10:00:00Z 64 hexadecimal digits
//! key 2 2027-11-29T10:00:00Z 64 hexadecimal digits
//! ```
//!
//! The secret of look-ups stays the same for ever; keys are added and taken out. In the first form a file held 64
//! digits and nothing else: they are key 1, and the secret of look-ups as well.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::UNIX_EPOCH;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::error::{MalformedKeys, SealError};
use super::fill_random;

/// The first line.
const FORM: &str = "tandem-root-keys/v2";
/// What stands for an instant that nobody knows.
const UNKNOWN: &str = "-";

/// 32 secret bytes.
pub(super) type Secret = Zeroizing<[u8; 32]>;

/// A root key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RootKey {
    /// When it was made, if that is known.
    pub(super) made_at: Option<Timestamp>,
    /// Its secret.
    pub(super) secret: Secret,
}

/// The root keys of an installation.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RootKeys {
    /// From which the keyed hashes of look-ups and the ids made of personal data come.
    pub(super) look_up: Secret,
    /// By number: at least one.
    pub(super) keys: BTreeMap<u32, RootKey>,
}

impl std::fmt::Debug for RootKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RootKeys({:?})", self.keys.keys())
    }
}

/// A new secret.
pub(super) fn fresh() -> Result<Secret, SealError> {
    let mut secret = Zeroizing::new([0_u8; 32]);
    fill_random(secret.as_mut())?;
    Ok(secret)
}

fn in_file(file: &Path) -> impl FnOnce(io::Error) -> SealError + '_ {
    move |error| SealError::File {
        file: file.to_owned(),
        error,
    }
}

impl RootKeys {
    /// New ones: one key, and a secret of look-ups that tells nothing of it.
    pub(super) fn make() -> Result<Self, SealError> {
        let key = RootKey {
            made_at: None,
            secret: fresh()?,
        };
        Ok(Self {
            look_up: fresh()?,
            keys: BTreeMap::from([(1, key)]),
        })
    }

    /// Those that a text holds.
    pub(super) fn parse(text: &str) -> Result<Self, MalformedKeys> {
        if let Some(secret) = secret(text.trim()) {
            let key = RootKey {
                made_at: None,
                secret: secret.clone(),
            };
            return Ok(Self {
                look_up: secret,
                keys: BTreeMap::from([(1, key)]),
            });
        }
        let (mut look_up, mut keys) = (None, BTreeMap::new());
        let mut lines = text.lines().zip(1..);
        match lines.next() {
            Some((FORM, _)) => {}
            _ => return Err(wrong(1, "64 hexadecimal digits, or `tandem-root-keys/v2`")),
        }
        let mut last = 1;
        for (line, number) in lines {
            last = number;
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [] => {}
                ["look-up", digits] => {
                    let known = look_up.replace(digits_of(digits, number)?);
                    if known.is_some() {
                        return Err(wrong(number, "one line `look-up`, and this is another"));
                    }
                }
                ["key", of, made_at, digits] => {
                    let (of, key) = key(of, made_at, digits, number)?;
                    if keys.insert(of, key).is_some() {
                        return Err(wrong(number, "another number: a key of this one is there"));
                    }
                }
                _ => {
                    let expected = "`look-up DIGITS` or `key NUMBER INSTANT DIGITS`";
                    return Err(wrong(number, expected));
                }
            }
        }
        let look_up = look_up.ok_or_else(|| wrong(last, "a line `look-up`"))?;
        if keys.is_empty() {
            return Err(wrong(last, "at least one line `key`"));
        }
        Ok(Self { look_up, keys })
    }

    /// The text that holds them.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        // Long enough that nothing of it is left behind where the text grew.
        let mut text = Zeroizing::new(String::with_capacity(256 + 160 * self.keys.len()));
        let look_up = Zeroizing::new(hex::encode(self.look_up.as_ref()));
        let _infallible = writeln!(text, "{FORM}\nlook-up {}", *look_up);
        for (number, key) in &self.keys {
            let made_at = key
                .made_at
                .map_or_else(|| UNKNOWN.to_owned(), |at| at.to_string());
            let digits = Zeroizing::new(hex::encode(key.secret.as_ref()));
            let _infallible = writeln!(text, "key {number} {made_at} {}", *digits);
        }
        text
    }

    /// Those that a file holds. A file that was never written again is as old as its key, where that says nothing
    /// itself.
    pub(super) fn read(file: &Path) -> Result<Self, SealError> {
        let text = Zeroizing::new(fs::read_to_string(file).map_err(in_file(file))?);
        let mut keys = Self::parse(&text).map_err(|problem| SealError::Malformed {
            file: file.to_owned(),
            problem,
        })?;
        if let [key] = keys.keys.values_mut().collect::<Vec<_>>().as_mut_slice()
            && key.made_at.is_none()
        {
            key.made_at = written_at(file);
        }
        Ok(keys)
    }

    /// Writes a new file that its owner alone can read.
    pub(super) fn write_new(&self, file: &Path) -> Result<(), SealError> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(in_file(file))?;
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut out = options.open(file).map_err(in_file(file))?;
        out.write_all(self.to_text().as_bytes())
            .and_then(|()| out.sync_all())
            .map_err(in_file(file))
    }

    /// Writes them in the place of a file: whoever reads it, also after a crash, finds the old ones or these. A link is
    /// followed, so that a key on another volume stays there.
    pub(super) fn replace(&self, file: &Path) -> Result<(), SealError> {
        let write = || -> io::Result<()> {
            let target = fs::canonicalize(file)?;
            let folder = target.parent().unwrap_or(Path::new("."));
            let mut new = tempfile::NamedTempFile::new_in(folder)?;
            new.write_all(self.to_text().as_bytes())?;
            new.as_file().sync_all()?;
            new.persist(&target).map_err(|error| error.error)?;
            File::open(folder)?.sync_all()
        };
        write().map_err(in_file(file))
    }
}

fn written_at(file: &Path) -> Option<Timestamp> {
    let since = fs::metadata(file).ok()?.modified().ok()?;
    let since = since.duration_since(UNIX_EPOCH).ok()?;
    Timestamp::from_second(since.as_secs().try_into().ok()?).ok()
}

fn key(
    number: &str,
    made_at: &str,
    digits: &str,
    line: usize,
) -> Result<(u32, RootKey), MalformedKeys> {
    let of = number.parse().ok().filter(|number| *number > 0);
    let of = of.ok_or_else(|| wrong(line, "the number of a key, from 1"))?;
    let made_at = match made_at {
        UNKNOWN => None,
        instant => {
            let instant = instant.parse();
            Some(instant.map_err(|_| wrong(line, "the instant at which the key was made, or -"))?)
        }
    };
    let secret = digits_of(digits, line)?;
    Ok((of, RootKey { made_at, secret }))
}

fn digits_of(digits: &str, line: usize) -> Result<Secret, MalformedKeys> {
    secret(digits).ok_or_else(|| wrong(line, "64 hexadecimal digits at the end"))
}

fn secret(digits: &str) -> Option<Secret> {
    let bytes = Zeroizing::new(hex::decode(digits).ok()?);
    Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
}

const fn wrong(line: usize, expected: &'static str) -> MalformedKeys {
    MalformedKeys { line, expected }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(look_up: [u8; 32], keys: BTreeMap<u32, (Option<i64>, [u8; 32])>) -> RootKeys {
        let key = |(made_at, secret): (Option<i64>, [u8; 32])| RootKey {
            made_at: made_at.map(|at| Timestamp::from_second(at).unwrap()),
            secret: Zeroizing::new(secret),
        };
        let keys = keys.into_iter().map(|(number, one)| (number, key(one)));
        RootKeys {
            look_up: Zeroizing::new(look_up),
            keys: keys.collect(),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            look_up: [u8; 32],
            some in prop::collection::btree_map(
                1_u32..,
                (prop::option::of(0_i64..4_000_000_000), any::<[u8; 32]>()),
                1..6,
            ),
        ) {
            let keys = keys(look_up, some);
            prop_assert!(RootKeys::parse(&keys.to_text()).unwrap() == keys);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a-z0-9 \\-/\n]{0,200}") {
            let tried = RootKeys::parse(&format!("{FORM}\n{text}"));
            prop_assert!(tried.is_err() || text.contains("look-up"));
        }

        #[test]
        fn a_file_that_was_cut_off_is_refused_and_no_other_keys_are_read(part in 0_usize..300) {
            let whole = keys([7; 32], BTreeMap::from([(1, (None, [8; 32])), (2, (Some(9), [9; 32]))]));
            let text = whole.to_text();
            let part = part.min(text.len());
            match RootKeys::parse(&text[..part]) {
                Err(_) => {}
                // Lines that are whole: what they say is what was written.
                Ok(read) => {
                    prop_assert!(read.look_up == whole.look_up);
                    for (number, key) in &read.keys {
                        prop_assert!(whole.keys.get(number) == Some(key));
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_form_is_key_1_and_the_secret_of_look_ups() {
        let read = RootKeys::parse(&format!("{}\n", "0a".repeat(32))).unwrap();
        assert_eq!(read.keys.keys().collect::<Vec<_>>(), [&1]);
        assert!(read.keys.values().all(|key| key.secret == read.look_up));
    }

    #[test]
    fn new_keys_tell_nothing_of_the_secret_of_look_ups() {
        let made = RootKeys::make().unwrap();
        assert!(made.keys.values().all(|key| key.secret != made.look_up));
    }

    #[test]
    fn a_problem_is_named_by_its_line() {
        let digits = "0a".repeat(32);
        for (text, line) in [
            (String::new(), 1),
            ("0a0b".to_owned(), 1),
            (format!("{FORM}\nkey 1 - {digits}"), 2),
            (format!("{FORM}\nlook-up {digits}"), 2),
            (format!("{FORM}\nlook-up {digits}\nlook-up {digits}"), 3),
            (format!("{FORM}\nlook-up {digits}\nkey 0 - {digits}"), 3),
            (format!("{FORM}\nlook-up {digits}\nkey 1 soon {digits}"), 3),
            (
                format!("{FORM}\nlook-up {digits}\nkey 1 - {digits}\nkey 1 - {digits}"),
                4,
            ),
            (format!("{FORM}\nlook-up {digits}\n\nkeys"), 4),
        ] {
            assert_eq!(RootKeys::parse(&text).unwrap_err().line, line, "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_replaced_whole_where_its_link_leads_and_its_owner_alone_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (elsewhere, file) = (
            folder.path().join("volume/root.key"),
            folder.path().join("root.key"),
        );
        let mut keys = RootKeys::make().unwrap();
        keys.write_new(&elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
        let key = keys.keys[&1].clone();
        keys.keys.insert(2, key);
        keys.replace(&file).unwrap();
        assert!(file.is_symlink());
        assert_eq!(RootKeys::read(&file).unwrap().keys.len(), 2);
        let mode = fs::metadata(&elsewhere).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let beside = fs::read_dir(elsewhere.parent().unwrap()).unwrap();
        assert_eq!(beside.count(), 1, "nothing is left beside it");
    }
}
