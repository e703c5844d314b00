//! The files of the keys: whether all three are there, whether their owner alone can read them, and whether they belong to the log
//! that the data folder tells of. Whether the root keys are those of the store is seen where it is opened.

use std::path::Path;

use super::examination::{Examination, Finding};
use crate::audit::{AuditKeys, PublicKeys, read_key};
use crate::config::Config;

/// The keys, in the order in which they are made.
const NAMES: [&str; 3] = ["root.key", "audit.key", "audit-witness.key"];
/// What shows that a gateway has served, besides keys.
const MEMORY: &str = "audit-witness.last";

/// Whether the data folder tells of keys that were made: all of them but those of `tandem init`, which makes the first alone.
pub(super) fn are_made(config: &Config) -> bool {
    let [_, later @ ..] = NAMES;
    let mut later = later.into_iter().chain([MEMORY]);
    later.any(|name| config.data.join(name).exists())
}

/// Looks at the files. `has_log` says whether the store has a log, and with it keys that were made.
pub(super) fn examine(examination: &mut Examination, config: &Config, has_log: bool) {
    let are_needed = has_log || are_made(config);
    for name in NAMES {
        let check = format!("key-file/{name}");
        let file = config.data.join(name);
        examination.add(if file.exists() {
            there(check, name, &file, &config.data)
        } else if are_needed {
            missing(check, &file)
        } else {
            Finding::not_applicable(check, "the first start makes it")
        });
    }
}

fn missing(check: String, file: &Path) -> Finding {
    let found = format!("{} is not there", file.display());
    let help = "bring it back from where copies of the keys are kept: no new one fits, so the gateway makes none and does not start";
    Finding::failed(check, found, "the key with which the store was made", help)
}

fn there(check: String, name: &str, file: &Path, data: &Path) -> Finding {
    let place = file.display();
    if let Some(found) = strange(name, file, data) {
        let help = "bring back the file that belongs there; where the key is right, remove the one ending in .pub: the start writes it again";
        return Finding::failed(
            check,
            found,
            "the key of the audit log of this folder",
            help,
        );
    }
    match readers(file) {
        None => Finding::ok(check, format!("{place} is its owner's alone")),
        Some(mode) => {
            let found = format!("{place} can be read or written by others (mode {mode:o})");
            let help = format!("chmod 600 {place}; if somebody may have read it, take new keys");
            Finding::warning(
                check,
                found,
                "a file that is its owner's alone (mode 600)",
                help,
            )
        }
    }
}

/// The mode of a file that others than its owner can use.
#[cfg(unix)]
fn readers(file: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata().ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn readers(_file: &Path) -> Option<u32> {
    None
}

/// What is wrong with a key of the audit log, if anything. The public keys and the witness's memory tell whose it is.
fn strange(name: &str, file: &Path, data: &Path) -> Option<String> {
    if name == "root.key" {
        return None;
    }
    let own = match read_key(file) {
        Ok(signer) => signer.public().to_string(),
        Err(error) => return Some(error.to_string()),
    };
    let is_log = name == "audit.key";
    let published = PublicKeys::read(data).ok().map(|keys| match is_log {
        true => keys.origin.to_string(),
        false => keys.witness.to_string(),
    });
    if published.is_some_and(|published| published != own) {
        return Some(format!(
            "{} is not the key of the file ending in .pub beside it",
            file.display()
        ));
    }
    let remembered = AuditKeys::remembered(data).ok().flatten();
    let is_other = |origin: String| is_log && origin != own;
    if remembered.is_some_and(|state| is_other(state.origin_key)) {
        return Some(format!(
            "{} is not the key of the log that {MEMORY} remembers",
            file.display()
        ));
    }
    None
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::config::example::GATEWAY_TOML;

    fn standings(config: &Config, has_log: bool) -> Vec<String> {
        let mut examination = Examination::default();
        examine(&mut examination, config, has_log);
        let told = examination.as_json();
        let checks = told["checks"].as_array().unwrap();
        let standing = |check: &serde_json::Value| check["standing"].as_str().unwrap().to_owned();
        checks.iter().map(standing).collect()
    }

    fn deployed() -> (tempfile::TempDir, Config) {
        let folder = tempfile::tempdir().unwrap();
        let mut config: Config = toml::from_str(GATEWAY_TOML).unwrap();
        config.data = folder.path().to_owned();
        (folder, config)
    }

    #[test]
    fn a_key_that_is_missing_fails_once_keys_were_made_and_not_before() {
        let (folder, config) = deployed();
        let none = ["not-applicable"; 3];
        assert_eq!(standings(&config, false), none);
        assert_eq!(standings(&config, true), ["failed"; 3]);
        AuditKeys::open_or_create(folder.path(), &config.jurisdiction).unwrap();
        assert_eq!(standings(&config, false), ["failed", "ok", "ok"]);
        std::fs::remove_file(folder.path().join("audit-witness.key")).unwrap();
        assert_eq!(standings(&config, false), ["failed", "ok", "failed"]);
    }

    #[test]
    fn a_key_that_others_can_read_warns() {
        let (folder, config) = deployed();
        AuditKeys::open_or_create(folder.path(), &config.jurisdiction).unwrap();
        for (mode, standing) in [(0o644, "warning"), (0o640, "warning"), (0o400, "ok")] {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(folder.path().join("audit.key"), mode).unwrap();
            assert_eq!(standings(&config, false)[1], standing);
        }
    }

    #[test]
    fn a_key_of_another_log_fails() {
        let ((one, config), (two, _)) = (deployed(), deployed());
        for folder in [one.path(), two.path()] {
            AuditKeys::open_or_create(folder, &config.jurisdiction).unwrap();
        }
        std::fs::copy(two.path().join("audit.key"), one.path().join("audit.key")).unwrap();
        assert_eq!(standings(&config, false), ["failed", "failed", "ok"]);
        std::fs::write(one.path().join("audit-witness.key"), "no key").unwrap();
        assert_eq!(standings(&config, false), ["failed", "failed", "failed"]);
    }
}
