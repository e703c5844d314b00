use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::model::domain::Domain;
use crate::model::id::{ServiceId, SystemId};

const HEAD: &str = "jurisdiction = \"demo-county\"\n";
const ORG: &str = r#"
[[organization]]
id = "org-a"
name = "Agency Example"
kinds = ["TANF_AGENCY"]
facts = { hipaa_covered_entity = false, part2_program = false, victim_service_provider = false }
"#;

fn load(text: &str) -> Result<Registry, String> {
    let files = BTreeMap::from([("a.toml".to_owned(), format!("{HEAD}{text}"))]);
    Registry::from_files(&files).map_err(|error| error.to_string())
}

#[test]
fn an_unknown_field_is_refused_with_its_file() {
    let error = load("[[organization]]\nid = \"x\"\nkind = \"TANF_AGENCY\"\n").unwrap_err();
    assert!(error.starts_with("a.toml: "), "{error}");
}

#[test]
fn a_reference_to_a_missing_organisation_names_file_and_entry() {
    let error = load(
        "[[system]]\nid = \"s\"\nname = \"S\"\norganization = \"org-b\"\ndefault_category = \"CASH_AID\"\n",
    )
    .unwrap_err();
    assert_eq!(error, "a.toml: system s: unknown organization org-b");
}

#[test]
fn an_id_used_twice_is_refused() {
    let error = load(&format!("{ORG}{ORG}")).unwrap_err();
    assert_eq!(error, "a.toml: organization org-a: the id is used twice");
}

#[test]
fn the_facts_that_decide_over_whole_laws_must_be_stated() {
    let silent = ORG.replace("part2_program = false, ", "");
    let error = load(&silent).unwrap_err();
    assert_eq!(
        error,
        "a.toml: organization org-a: the fact part2_program is not stated"
    );
}

#[test]
fn a_misspelt_kind_is_refused() {
    let error = load(&ORG.replace("TANF_AGENCY", "TANF_AGENCI")).unwrap_err();
    assert_eq!(
        error,
        "a.toml: organization org-a: unknown kind TANF_AGENCI"
    );
}

#[test]
fn files_of_two_jurisdictions_are_refused() {
    let files = BTreeMap::from([
        (
            "a.toml".to_owned(),
            "jurisdiction = \"demo-county\"\n".to_owned(),
        ),
        (
            "b.toml".to_owned(),
            "jurisdiction = \"other-county\"\n".to_owned(),
        ),
    ]);
    let error = Registry::from_files(&files).unwrap_err().to_string();
    assert_eq!(
        error,
        "b.toml: jurisdiction differs from demo-county of another file"
    );
}

#[test]
fn the_demo_county_loads_and_its_systems_belong_to_its_organisations() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/registry");
    let registry = Registry::load(&folder).unwrap();
    for system in [
        "calworks-demo",
        "cws-demo",
        "clinic-demo",
        "bh-demo",
        "hmis-demo",
    ] {
        let system = SystemId::new(system).unwrap();
        let organization = registry.organization_of_system(&system).unwrap();
        assert_eq!(
            registry.teams_of(&organization.id).count(),
            1,
            "{}",
            organization.id
        );
        assert!(
            organization
                .agreements
                .iter()
                .any(|agreement| agreement.with.as_str() == "gateway")
        );
    }
    let providers = registry
        .organizations()
        .filter(|organization| organization.facts.victim_service_provider == Some(true));
    assert_eq!(providers.count(), 1);
    let bed = registry
        .service(&ServiceId::new("svc-shelter-bed").unwrap())
        .unwrap();
    assert_eq!(bed.domain, Domain::Shelter);
    assert!(bed.hmis_project.is_some() && bed.takes_referrals());
}
