//! Exchange folders: each system has its own. In one that two have, or where one has its own inside the other's, the gateway takes
//! the files of the one for those of the other, and tells the one what is for the other.

use std::path::{Component, Path, PathBuf};

use tandem_mappings::model::id::SystemId;

use super::Config;

/// Which systems have a folder that is another's, or lies in it.
pub(super) fn problems(config: &Config) -> Vec<String> {
    let systems = config.systems.iter();
    let folders = systems.filter_map(|(id, system)| Some((id, system.folder.as_ref()?)));
    let folders: Vec<(&SystemId, &Path, PathBuf)> = folders
        .map(|(id, folder)| (id, folder.path.as_path(), real(&folder.path)))
        .collect();
    let mut problems = Vec::new();
    for (place, (id, path, own)) in folders.iter().enumerate() {
        for (other, _, of_other) in folders.iter().take(place) {
            let found = if own == of_other {
                format!("is also that of systems.{other}")
            } else if own.starts_with(of_other) {
                format!("lies in that of systems.{other}")
            } else if of_other.starts_with(own) {
                format!("holds that of systems.{other}")
            } else {
                continue;
            };
            problems.push(format!(
                "systems.{id}.folder.path: {} {found}, expected a folder of its own",
                path.display()
            ));
        }
    }
    problems
}

/// Where a path leads, as far as it is there: a link or a detour makes no other folder.
fn real(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut direct = PathBuf::new();
    for part in absolute.components() {
        if part == Component::ParentDir {
            direct.pop();
        } else {
            direct.push(part);
        }
    }
    let mut above = direct.ancestors();
    let there = above.find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
    match there {
        Some((folder, real)) => real.join(direct.strip_prefix(folder).unwrap_or(Path::new(""))),
        None => direct,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::example::GATEWAY_TOML;
    use super::*;

    /// The problems of the example when the folder of child welfare is this one, below a folder.
    fn told(below: &Path, path: &str) -> Vec<String> {
        let mut config: Config = toml::from_str(GATEWAY_TOML).unwrap();
        for (id, system) in &mut config.systems {
            if let Some(folder) = &mut system.folder {
                if id.as_str() == "cws-demo" {
                    folder.path = PathBuf::from(path);
                }
                folder.path = below.join(&folder.path);
            }
        }
        problems(&config)
    }

    #[test]
    fn two_systems_never_have_one_exchange_folder_nor_one_inside_the_other() {
        let below = tempfile::tempdir().unwrap();
        assert_eq!(
            told(below.path(), "exchange/cws-demo"),
            Vec::<String>::new()
        );
        assert_eq!(
            told(below.path(), "exchange/calworks-demo-2"),
            Vec::<String>::new()
        );
        for (path, found) in [
            (
                "exchange/calworks-demo",
                "is also that of systems.calworks-demo",
            ),
            (
                "exchange/./new/../calworks-demo",
                "is also that of systems.calworks-demo",
            ),
            (
                "exchange/calworks-demo/cws",
                "lies in that of systems.calworks-demo",
            ),
        ] {
            let told = told(below.path(), path);
            assert_eq!(told.len(), 1, "{told:?}");
            let start = "systems.cws-demo.folder.path: ";
            assert!(told[0].starts_with(start), "{told:?}");
            assert!(told[0].contains(found), "{told:?}");
            assert!(
                told[0].ends_with(", expected a folder of its own"),
                "{told:?}"
            );
        }
        // It holds those of both others.
        let around = told(below.path(), "exchange");
        assert_eq!(around.len(), 2, "{around:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_the_folder_of_another_is_that_folder_before_it_was_made_as_well() {
        let below = tempfile::tempdir().unwrap();
        std::fs::create_dir(below.path().join("exchange")).unwrap();
        std::os::unix::fs::symlink("exchange", below.path().join("shared")).unwrap();
        let told = told(below.path(), "shared/calworks-demo");
        assert_eq!(told.len(), 1, "{told:?}");
    }
}
