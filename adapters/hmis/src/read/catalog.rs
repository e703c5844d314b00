//! Which entry of the package is which file.

use std::collections::BTreeMap;

use tandem_adapter_port::deviation::{Deviation, Place};

use crate::tables::Tables;

/// Entries of the package by file name without `.csv`, in lower case.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    entries: BTreeMap<String, String>,
    /// Entries that are no file, or one that another entry is already.
    unread: Vec<String>,
}

impl Catalog {
    /// Sorts the entries. A folder inside the zip is read through and reported; of two entries for one file, and of
    /// files that nobody knows, the report tells.
    pub(crate) fn of(names: &[String]) -> (Self, Vec<Deviation>) {
        let mut catalog = Self::default();
        let mut deviations = Vec::new();
        for name in names {
            let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
            if base.is_empty() {
                continue;
            }
            if base.starts_with("._") || name.starts_with("__MACOSX/") {
                catalog.unread.push(name.clone());
                continue;
            }
            let place = Place::file(name.as_str());
            if base.len() != name.len() {
                let expected = "files at the top of the package, without folders";
                deviations.push(Deviation::warning("nested-folder", place.clone(), expected));
            }
            let stem = match base.rsplit_once('.') {
                Some((stem, extension)) if extension.eq_ignore_ascii_case("csv") => stem,
                _ => {
                    catalog.unread.push(name.clone());
                    let expected = "CSV files only; this one is not read";
                    deviations.push(Deviation::info("file-unknown", place, expected));
                    continue;
                }
            };
            if catalog.entries.contains_key(&stem.to_ascii_lowercase()) {
                catalog.unread.push(name.clone());
                let expected = "one entry for each file; this one is not read";
                deviations.push(Deviation::record_error("file-repeated", place, expected));
                continue;
            }
            catalog
                .entries
                .insert(stem.to_ascii_lowercase(), name.clone());
        }
        (catalog, deviations)
    }

    /// The entry of a file.
    pub(crate) fn entry(&self, file: &str) -> Option<&str> {
        self.entries
            .get(&file.to_ascii_lowercase())
            .map(String::as_str)
    }

    /// The entries that are not read: files that the edition does not have among them.
    pub(crate) fn unread(&self, tables: &Tables) -> Vec<String> {
        let others = self.entries.iter();
        let others = others.filter(|(stem, _)| tables.file(stem).is_none());
        let names = others.map(|(_, entry)| entry);
        names.chain(&self.unread).cloned().collect()
    }

    /// What is told of files that the edition has and the package does not, and the other way round.
    pub(crate) fn compare(&self, tables: &Tables) -> Vec<Deviation> {
        const CORE: [&str; 4] = ["Organization", "Project", "Client", "Enrollment"];
        let mut deviations = Vec::new();
        for layout in &tables.files {
            if self.entry(&layout.name).is_some() {
                continue;
            }
            let place = Place::file(layout.file_name());
            let expected = "the file, at least with its header";
            deviations.push(if CORE.contains(&layout.name.as_str()) {
                Deviation::value_error("file-missing", place, expected)
            } else {
                Deviation::warning("file-missing", place, expected)
            });
        }
        for (stem, entry) in &self.entries {
            if tables.file(stem).is_some() {
                continue;
            }
            let place = Place::file(entry.as_str());
            deviations.push(if stem.starts_with("custom") {
                Deviation::info(
                    "file-custom",
                    place,
                    "no custom file in an official export; not read",
                )
            } else {
                Deviation::info("file-unknown", place, "the files of the specification only")
            });
        }
        deviations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_inside_the_zip_is_read_through_and_told() {
        let names = [
            "export/Client.csv",
            "__MACOSX/._Client.csv",
            "export/",
            "readme.txt",
        ];
        let names: Vec<String> = names.map(str::to_owned).to_vec();
        let (catalog, deviations) = Catalog::of(&names);
        assert_eq!(catalog.entry("Client"), Some("export/Client.csv"));
        let codes: Vec<&str> = deviations.iter().map(|told| told.code.as_str()).collect();
        assert_eq!(codes, ["nested-folder", "file-unknown"]);
    }

    #[test]
    fn of_two_entries_for_one_file_the_second_is_an_error() {
        let names = ["a/Client.csv".to_owned(), "b/client.CSV".to_owned()];
        let (catalog, deviations) = Catalog::of(&names);
        assert_eq!(catalog.entry("client"), Some("a/Client.csv"));
        assert!(deviations.iter().any(|told| told.code == "file-repeated"));
    }
}
