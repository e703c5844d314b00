//! `tandem policy coverage`, `test` and `switches`: answers, exit codes, and what a county's layer changes.

use std::fs;

use tempfile::tempdir;

use crate::cli_program::tandem_in;

const COUNTY: &str = "jurisdiction = \"demo-county\"\nzone = \"PST8PDT,M3.2.0,M11.1.0\"\n";

/// A rule of a county's own: it closes, and has no examples yet.
const RULE: &str = r#"@id("DEMO-07")
@title("Cash aid stays here")
@citation("a rule of a test")
@kind("bar")
@basis("NONE")
@summary_en("Cash aid is not told.")
@summary_es("La ayuda económica no se divulga.")
@effective_from("2026-01-01")
@jurisdiction("demo-county")
@confidence("high")
@owner("county counsel")
forbid (
  principal,
  action,
  resource
)
when {
  resource.category == "CASH_AID"
};
"#;

#[test]
fn the_table_of_laws_is_covered_and_a_stranger_is_a_gap() {
    let place = tempdir().unwrap();
    let covered = tandem_in(place.path(), &["policy", "coverage"]);
    assert_eq!(covered.code, 0, "{covered:?}");
    let line = covered
        .out
        .lines()
        .find(|line| line.starts_with("LPS-06 "))
        .unwrap();
    assert!(
        line.contains("medium") && line.ends_with("lps/LPS-06.cedar"),
        "{line}"
    );
    let own = place.path().join("county/regimes/tanf");
    fs::create_dir_all(&own).unwrap();
    fs::write(place.path().join("county/county.toml"), COUNTY).unwrap();
    let elsewhere = RULE.replace("@jurisdiction(\"demo-county\")", "@jurisdiction(\"US\")");
    fs::write(own.join("DEMO-07.cedar"), elsewhere).unwrap();
    let strange = tandem_in(
        place.path(),
        &["policy", "coverage", "--json", "--bundle", "county"],
    );
    assert_eq!(strange.code, 1, "{strange:?}");
    assert_eq!(
        strange.json()["gaps"],
        serde_json::json!(["DEMO-07: a rule of no row, and not the product's own"])
    );
}

#[test]
fn a_rule_without_examples_fails_its_test() {
    let place = tempdir().unwrap();
    let one = tandem_in(place.path(), &["policy", "test", "--rule", "P2-02"]);
    assert_eq!(one.code, 0, "{one:?}");
    assert!(
        one.out.starts_with("1 rules: ") && one.out.ends_with(" passed, 0 failed\n"),
        "{one:?}"
    );
    let own = place.path().join("county/regimes/tanf");
    fs::create_dir_all(&own).unwrap();
    fs::write(place.path().join("county/county.toml"), COUNTY).unwrap();
    fs::write(own.join("DEMO-07.cedar"), RULE).unwrap();
    let arguments = [
        "policy", "test", "--rule", "DEMO-07", "--bundle", "county", "--json",
    ];
    let bare = tandem_in(place.path(), &arguments);
    assert_eq!(bare.code, 1, "{bare:?}");
    assert_eq!(
        bare.json()["failures"][0]["reason"],
        "the rule has no examples"
    );
    let unknown = tandem_in(place.path(), &["policy", "test", "--rule", "P2-99"]);
    assert_eq!(unknown.code, 1);
    assert!(
        unknown.told.contains("there is no rule P2-99"),
        "{unknown:?}"
    );
}

#[test]
fn the_switches_show_what_a_county_chose() {
    let place = tempdir().unwrap();
    fs::create_dir_all(place.path().join("county")).unwrap();
    let law = format!("{COUNTY}[law]\ncalaim = \"off\"\n");
    fs::write(place.path().join("county/county.toml"), law).unwrap();
    let shown = tandem_in(place.path(), &["policy", "switches", "--bundle", "county"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(shown.out.contains("calaim = \"off\""), "{}", shown.out);
    assert!(
        shown
            .out
            .contains("   * off: the county does not use it [without AB133-01]"),
        "{}",
        shown.out
    );
    fs::write(
        place.path().join("county/county.toml"),
        format!("{COUNTY}[law]\ncalaim = \"all\"\n"),
    )
    .unwrap();
    let refused = tandem_in(place.path(), &["policy", "switches", "--bundle", "county"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(
        refused
            .told
            .contains("calaim is one of members, off, not \"all\""),
        "{refused:?}"
    );
}
