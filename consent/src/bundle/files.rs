//! The files of a bundle, from the binary or from a folder, and their hash.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::BundleError;
use crate::canonical::{canonical_json, sha256};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The jurisdiction whose layer the binary carries as an example.
const DEMO_JURISDICTION: &str = "demo-county";

/// The files of the rules and of the county layer, by relative path with `/` between its parts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Files {
    pub(super) base: BTreeMap<String, String>,
    pub(super) county: BTreeMap<String, String>,
}

impl Files {
    pub(super) fn embedded(jurisdiction: &str) -> Self {
        let county: &[_] = if jurisdiction == DEMO_JURISDICTION {
            DEMO_COUNTY
        } else {
            &[]
        };
        Self {
            base: owned(REGIMES),
            county: owned(county),
        }
    }

    pub(super) fn read(folder: &Path) -> Result<Self, BundleError> {
        let mut files = BTreeMap::new();
        walk(folder, "", &mut files)?;
        if files.contains_key("schema.cedarschema") {
            let county = |path: &str| path == "county.toml" || path.starts_with("regimes/");
            let (county, base) = files.into_iter().partition(|(path, _)| county(path));
            Ok(Self { base, county })
        } else if files.contains_key("county.toml") {
            Ok(Self {
                base: owned(REGIMES),
                county: files,
            })
        } else {
            Err(BundleError::NotABundle(folder.to_path_buf()))
        }
    }

    /// The hash of every path and text.
    pub(super) fn hash(&self) -> String {
        let digests = |files: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            files
                .iter()
                .map(|(path, text)| (path.clone(), sha256(text.as_bytes())))
                .collect()
        };
        let tree = BTreeMap::from([
            ("base", digests(&self.base)),
            ("county", digests(&self.county)),
        ]);
        sha256(canonical_json(&tree).as_bytes())
    }
}

fn owned(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files
        .iter()
        .map(|(path, text)| (path.replace('\\', "/"), (*text).to_owned()))
        .collect()
}

fn walk(
    folder: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, String>,
) -> Result<(), BundleError> {
    let unreadable = |path: &Path, source| BundleError::Unreadable {
        path: path.into(),
        source,
    };
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let relative = format!("{prefix}{}", name.unwrap_or_default());
        if path.is_dir() {
            walk(&path, &format!("{relative}/"), files)?;
        } else {
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            files.insert(relative, text);
        }
    }
    Ok(())
}
