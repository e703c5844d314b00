//! A folder as a package: the files that lie directly in it, under the limits of every package.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use tandem_adapter_port::package::{Package, PackageError, PackageLimits};

use super::folder::{name_of, open_plain};

/// The files of one folder. Folders below it are not entered, and a link is followed only to a file of the same
/// folder: a partner who may write there can make the gateway read nothing else.
#[derive(Debug)]
pub struct FolderPackage {
    files: BTreeMap<String, PathBuf>,
    skipped: Vec<String>,
    limits: PackageLimits,
}

impl FolderPackage {
    /// Lists a folder.
    ///
    /// # Errors
    /// When it can't be listed, or holds more files or bytes than allowed.
    pub fn open(folder: &Path, limits: PackageLimits) -> Result<Self, PackageError> {
        let root = folder.canonicalize()?;
        let mut package = Self {
            files: BTreeMap::new(),
            skipped: Vec::new(),
            limits,
        };
        let mut total = 0_u64;
        for entry in std::fs::read_dir(&root)? {
            let path = entry?.path();
            let name = name_of(&path);
            let Some((file, bytes)) = plain_file(&root, &path) else {
                package.skipped.push(name);
                continue;
            };
            if bytes > limits.entry_bytes {
                return Err(PackageError::TooLarge(format!(
                    "an entry has more than {} bytes",
                    limits.entry_bytes
                )));
            }
            total = total.saturating_add(bytes);
            // Two names that differ only in bytes that are no text would hide one another.
            if package.files.insert(name.clone(), file).is_some() {
                package.skipped.push(name);
            }
        }
        if package.files.len() > limits.entries {
            return Err(PackageError::TooLarge(format!(
                "more than {} entries",
                limits.entries
            )));
        }
        if total > limits.total_bytes {
            return Err(PackageError::TooLarge(format!(
                "more than {} bytes",
                limits.total_bytes
            )));
        }
        package.skipped.sort();
        Ok(package)
    }

    /// Names of what lies in the folder and is not an entry: folders, links that lead out, devices.
    #[must_use]
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }
}

impl Package for FolderPackage {
    fn names(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    fn open(&mut self, name: &str) -> Result<Box<dyn Read + '_>, PackageError> {
        let missing = || PackageError::NoSuchEntry(name.chars().take(80).collect());
        let path = self.files.get(name).ok_or_else(missing)?;
        // A link may have taken its place since the folder was listed.
        Ok(Box::new(open_plain(path)?.take(self.limits.entry_bytes)))
    }
}

/// The real path and size of a regular file that lies directly in the root.
fn plain_file(root: &Path, path: &Path) -> Option<(PathBuf, u64)> {
    let real = path.canonicalize().ok()?;
    let metadata = real.metadata().ok()?;
    let is_entry = metadata.is_file() && real.parent() == Some(root);
    is_entry.then_some((real, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(package: &mut FolderPackage, name: &str) -> String {
        let mut text = String::new();
        Package::open(package, name)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    #[test]
    fn files_of_the_folder_are_entries_and_folders_are_not() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("Client.csv"), "a").unwrap();
        std::fs::create_dir(place.path().join("old")).unwrap();
        std::fs::write(place.path().join("old/Client.csv"), "b").unwrap();
        let mut package = FolderPackage::open(place.path(), PackageLimits::default()).unwrap();
        assert_eq!(package.names(), ["Client.csv"]);
        assert_eq!(package.skipped(), ["old"]);
        assert_eq!(text_of(&mut package, "Client.csv"), "a");
        assert!(Package::open(&mut package, "old/Client.csv").is_err());
        assert!(Package::open(&mut package, "../x").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_out_of_the_folder_is_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let outside = place.path().join("secret");
        std::fs::write(&outside, "secret").unwrap();
        let inside = place.path().join("in");
        std::fs::create_dir(&inside).unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("Client.csv")).unwrap();
        std::os::unix::fs::symlink(inside.join("nothing"), inside.join("Exit.csv")).unwrap();
        let package = FolderPackage::open(&inside, PackageLimits::default()).unwrap();
        assert!(package.names().is_empty());
        assert_eq!(package.skipped(), ["Client.csv", "Exit.csv"]);
    }

    #[test]
    fn a_link_that_took_the_place_of_an_entry_is_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let outside = place.path().join("secret");
        std::fs::write(&outside, "secret").unwrap();
        let inside = place.path().join("in");
        std::fs::create_dir(&inside).unwrap();
        let entry = inside.join("Client.csv");
        std::fs::write(&entry, "a").unwrap();
        let mut package = FolderPackage::open(&inside, PackageLimits::default()).unwrap();
        std::fs::remove_file(&entry).unwrap();
        std::os::unix::fs::symlink(&outside, &entry).unwrap();
        assert!(Package::open(&mut package, "Client.csv").is_err());
    }

    #[test]
    fn a_folder_beyond_the_limits_is_refused() {
        let place = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            std::fs::write(place.path().join(name), "12345").unwrap();
        }
        let refused = |limits| {
            let opened = FolderPackage::open(place.path(), limits);
            matches!(opened, Err(PackageError::TooLarge(_)))
        };
        let wide = PackageLimits::default();
        assert!(refused(PackageLimits { entries: 1, ..wide }));
        assert!(refused(PackageLimits {
            entry_bytes: 4,
            ..wide
        }));
        assert!(refused(PackageLimits {
            total_bytes: 9,
            ..wide
        }));
        assert!(!refused(wide));
    }
}
