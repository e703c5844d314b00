//! `tandem init` and `tandem check`: what is written is sound, and what is broken is found.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

use std::path::Path;

use tempfile::{TempDir, tempdir};

use crate::cli_program::{Ended, tandem_in};

fn deployment() -> TempDir {
    let place = tempdir().unwrap();
    let ended = tandem_in(place.path(), &["init", "county"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    place
}

fn check(place: &TempDir, more: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["check", "--config", "county/gateway.toml"]
        .iter()
        .chain(more)
        .copied()
        .collect();
    tandem_in(place.path(), &arguments)
}

fn edit(place: &TempDir, name: &str, from: &str, to: &str) {
    let path = place.path().join("county").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{name} does not hold {from}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn every_file(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(every_file(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            files.push((path, bytes));
        }
    }
    files.sort();
    files
}

#[test]
fn a_fresh_deployment_is_sound_without_a_warning_and_checking_changes_nothing() {
    let place = deployment();
    let before = every_file(place.path());
    let ended = check(&place, &["--deny-warnings", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.json()["problems"], serde_json::json!([]));
    assert!(ended.json()["checked"]["rules"].as_u64().unwrap() > 50);
    assert_eq!(every_file(place.path()), before);
    assert!(place.path().join("county/exchange/hmis-demo/in").is_dir());
}

#[test]
fn tokens_are_fresh_at_each_run_and_stand_in_clear_in_the_owners_file_only() {
    let (one, other) = (deployment(), deployment());
    let read = |place: &TempDir, name: &str| {
        std::fs::read_to_string(place.path().join("county").join(name)).unwrap()
    };
    let secrets = read(&one, "tokens.secret.txt");
    assert_ne!(secrets, read(&other, "tokens.secret.txt"));
    let token = secrets
        .lines()
        .find_map(|line| line.strip_prefix("steward "))
        .unwrap()
        .trim();
    assert_eq!(token.len(), 64);
    let hashes = read(&one, "tokens.toml");
    assert!(!hashes.contains(token) && hashes.contains(&tandem::config::hash_of(token)));
    #[cfg(unix)]
    for name in ["tokens.secret.txt", "data/root.key"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = one
            .path()
            .join("county")
            .join(name)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn init_overwrites_only_when_forced_and_never_the_key() {
    let place = deployment();
    edit(&place, "gateway.toml", "zone =", "# changed\nzone =");
    let key = std::fs::read(place.path().join("county/data/root.key")).unwrap();
    let refused = tandem_in(place.path(), &["init", "county"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.told.contains("gateway.toml is there already"),
        "{}",
        refused.told
    );
    assert_eq!(
        tandem_in(place.path(), &["init", "county", "--force"]).code,
        0
    );
    let text = std::fs::read_to_string(place.path().join("county/gateway.toml")).unwrap();
    assert!(!text.contains("# changed"));
    assert_eq!(
        std::fs::read(place.path().join("county/data/root.key")).unwrap(),
        key
    );
}

#[test]
fn each_broken_part_is_found_and_named_by_its_file() {
    let broken = [
        (
            "gateway.toml",
            "jurisdiction = ",
            "colour = \"red\"\njurisdiction = ",
            "gateway.toml",
        ),
        (
            "gateway.toml",
            "\"hmis/csv\"",
            "\"hmis/xls\"",
            "systems.hmis-demo",
        ),
        (
            "gateway.toml",
            "America/Los_Angeles",
            "America/Demofield",
            "zone",
        ),
        (
            "registry/teams.toml",
            "org-hmis",
            "org-nobody",
            "teams.toml: team team-linkages",
        ),
        (
            "overrides/demo-county/county.toml",
            "HMIS-02",
            "HMIS-99",
            "HMIS-99",
        ),
        (
            "matching.toml",
            "link_bits = 6.6",
            "link_bits = -9.0",
            "matching.toml",
        ),
        (
            "tables/calworks/caseload_csv.csv",
            "sex|F -> female",
            "sex|F -> male",
            "caseload_csv.csv:4",
        ),
        (
            "tables/fhir/service_codes.csv",
            "\nhousing,",
            "\nhouse,",
            "service_codes.csv:7: column `domain`",
        ),
        (
            "tokens.toml",
            "role = \"steward\"",
            "role = \"system\"",
            "tokens.steward",
        ),
    ];
    for (file, from, to, named) in broken {
        let place = deployment();
        edit(&place, file, from, to);
        let ended = check(&place, &[]);
        assert_eq!(ended.code, 1, "{file}: {ended:?}");
        assert!(ended.out.contains(named), "{file}: {}", ended.out);
    }
}

#[test]
fn two_problems_in_different_parts_are_both_listed() {
    let place = deployment();
    edit(
        &place,
        "tokens.toml",
        "role = \"steward\"",
        "role = \"system\"",
    );
    edit(
        &place,
        "matching.toml",
        "link_bits = 6.6",
        "link_bits = -9.0",
    );
    let out = check(&place, &[]).out;
    assert!(
        out.contains("tokens.steward") && out.contains("matching.toml"),
        "{out}"
    );
}

#[test]
fn what_only_warns_fails_when_warnings_are_denied() {
    let place = deployment();
    edit(
        &place,
        "gateway.toml",
        "public_url = \"https://tandem.demo-county.example/\"",
        "",
    );
    let ended = check(&place, &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.out.contains("warning") && ended.out.contains("public_url"),
        "{}",
        ended.out
    );
    assert_eq!(check(&place, &["--deny-warnings"]).code, 1);
}

#[test]
fn a_system_of_a_victim_service_provider_is_no_sound_deployment() {
    let place = deployment();
    let (open, closed) = (
        "victim_service_provider = false",
        "victim_service_provider = true",
    );
    edit(&place, "registry/organizations.toml", open, closed);
    let ended = check(&place, &[]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.out.contains("is a victim service provider"),
        "{}",
        ended.out
    );
}

#[test]
fn a_configuration_that_is_not_there_could_not_be_checked_or_served() {
    let place = tempdir().unwrap();
    assert_eq!(
        tandem_in(place.path(), &["check", "--config", "none.toml"]).code,
        3
    );
    assert_eq!(
        tandem_in(place.path(), &["serve", "--config", "none.toml"]).code,
        3
    );
}
