//! What is refused before anything is touched: settings with which the gateway would do otherwise than anybody expects, a folder
//! that is somebody's, a database that is away.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use crate::cli_program::{Ended, tandem_in};

fn deployment() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    let ended = tandem_in(place.path(), &["init", "county"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    place
}

/// Changes the configuration.
fn edit(place: &TempDir, from: &str, to: &str) {
    let path = place.path().join("county/gateway.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "it does not hold {from}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn run(place: &TempDir, command: &str) -> Ended {
    tandem_in(place.path(), &[command, "--config", "county/gateway.toml"])
}

fn names(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names(&path, found);
        }
        found.insert(path);
    }
}

#[test]
fn a_setting_that_is_no_sound_one_is_found_by_its_key_and_refused_at_the_start() {
    for (from, to, said) in [
        (
            "body_bytes = 67108864",
            "body_bytes = 0",
            "limits.body_bytes: 0, expected at least 1",
        ),
        (
            "\nattempts = 80",
            "\nattempts = 0",
            "delivery.attempts: 0, expected at least 1",
        ),
        (
            "threshold = 11",
            "threshold = 0",
            "masking.threshold: 0, expected at least 1",
        ),
        (
            "most_withdrawn_percent = 20",
            "most_withdrawn_percent = 250",
            "refresh.most_withdrawn_percent: 250, expected 0 to 100",
        ),
        (
            "path = \"exchange/cws-demo\"",
            "path = \"exchange/calworks-demo/cws\"",
            "lies in that of systems.calworks-demo, expected a folder of its own",
        ),
        (
            "base = \"https://clinic.example/fhir\"",
            "base = \"http://clinic.example/fhir\"",
            "systems.clinic-demo.fhir.base: a partner on another machine needs https",
        ),
    ] {
        let place = deployment();
        edit(&place, from, to);
        let checked = run(&place, "check");
        assert_eq!(checked.code, 1, "{to}: {checked:?}");
        assert!(checked.out.contains(said), "{to}: {checked:?}");
        let served = run(&place, "serve");
        assert_eq!(served.code, 3, "{to}: {served:?}");
        assert!(served.told.contains(said), "{to}: {served:?}");
    }
}

#[test]
fn plain_http_to_another_machine_is_sound_where_it_is_allowed_beside_the_address() {
    let place = deployment();
    let from = "base = \"https://clinic.example/fhir\"";
    edit(
        &place,
        from,
        "base = \"http://clinic.example/fhir\"\nallow_plain = true",
    );
    let checked = run(&place, "check");
    assert_eq!(checked.code, 0, "{checked:?}");
}

#[test]
fn a_certificate_with_the_key_of_another_is_not_sound() {
    let place = deployment();
    let tls = place.path().join("county/tls");
    std::fs::create_dir(&tls).unwrap();
    let params = CertificateParams::new(vec!["gateway.example".to_owned()]).unwrap();
    let (own, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let chain = params.self_signed(&own).unwrap().pem();
    std::fs::write(tls.join("chain.pem"), chain).unwrap();
    std::fs::write(tls.join("key.pem"), own.serialize_pem()).unwrap();
    edit(&place, "# certificate = ", "certificate = ");
    edit(&place, "# key = ", "key = ");
    let checked = run(&place, "check");
    assert_eq!(checked.code, 0, "{checked:?}");
    std::fs::write(tls.join("key.pem"), other.serialize_pem()).unwrap();
    let checked = run(&place, "check");
    assert_eq!(checked.code, 1, "{checked:?}");
    assert!(
        checked.out.contains("listen.key") && checked.out.contains("is not the key of"),
        "{checked:?}"
    );
}

#[test]
fn a_demo_leaves_a_deployment_as_it_is() {
    let place = deployment();
    let county = place.path().join("county");
    let mut before = BTreeSet::new();
    names(&county, &mut before);
    let tokens = std::fs::read(county.join("tokens.toml")).unwrap();
    let refused = tandem_in(place.path(), &["demo", "--folder", "county"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(
        refused.told.contains("county holds a deployment already")
            && refused.told.contains("new or empty"),
        "{refused:?}"
    );
    let mut after = BTreeSet::new();
    names(&county, &mut after);
    assert_eq!(after, before);
    assert_eq!(std::fs::read(county.join("tokens.toml")).unwrap(), tokens);
}

#[test]
fn a_database_that_is_away_is_told_once_with_its_address() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = listener.local_addr().unwrap();
    drop(listener);
    let address = format!("postgres://tandem@{free}/tandem");
    let place = deployment();
    edit(
        &place,
        "data = \"data\"",
        &format!("data = \"data\"\nstore = {{ postgres = \"{address}\" }}"),
    );
    let backup = ["backup", "backup.sqlite", "--config", "county/gateway.toml"];
    let ended = tandem_in(place.path(), &backup);
    assert_eq!(ended.code, 3, "{ended:?}");
    let place_of_it = format!("cannot reach the database at {free}: ");
    assert_eq!(ended.told.matches(&place_of_it).count(), 1, "{ended:?}");
    assert_eq!(ended.told.matches("refused").count(), 1, "{ended:?}");
    let doctor = ["doctor", "--offline", "--config", "county/gateway.toml"];
    let examined = tandem_in(place.path(), &doctor);
    assert_eq!(examined.code, 1, "{examined:?}");
    assert!(
        examined.out.contains(&format!(
            "FAILED   store: cannot reach the database at {free}"
        )),
        "{examined:?}"
    );
}
