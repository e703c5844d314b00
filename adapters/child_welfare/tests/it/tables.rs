//! The fact tables hold together.

use tandem_child_welfare::Tables;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::involvement::PlacementChange;
use tandem_mappings::model::person::Relation;
use tandem_mappings::model::plan::{ActivityStatus, GoalLifecycle, PlanStatus};
use tandem_mappings::model::referral::ReferralStatus;

fn tables() -> Tables {
    Tables::embedded().unwrap()
}

#[test]
fn every_example_pair_comes_true() {
    assert_eq!(tables().failed_examples(), []);
}

#[test]
fn every_domain_has_a_category_of_the_closed_list() {
    let tables = tables();
    for domain in Domain::ALL {
        let category = tables.category(*domain).unwrap();
        assert!(
            tables.has_code("hs:ServiceCategoryCodeType", category),
            "{domain}"
        );
        assert!(tables.domain(category).is_some(), "{domain}");
    }
}

#[test]
fn every_own_status_code_reads_as_itself() {
    let tables = tables();
    let same = |list: &str, code: &str| {
        assert_eq!(tables.status(list, code).as_deref(), Some(code), "{list}")
    };
    ReferralStatus::ALL
        .iter()
        .for_each(|one| same("referral", one.code()));
    ActivityStatus::ALL
        .iter()
        .for_each(|one| same("task", one.code()));
    GoalLifecycle::ALL
        .iter()
        .for_each(|one| same("goal", one.code()));
    PlanStatus::ALL
        .iter()
        .for_each(|one| same("plan", one.code()));
    PlacementChange::ALL
        .iter()
        .for_each(|one| same("placement", one.code()));
}

#[test]
fn a_relationship_and_its_inverse_agree() {
    let text = include_str!("../../../../mappings/tables/child_welfare/cws_cms_relationships.csv");
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let (tables, mut seen) = (tables(), 0);
    for row in reader.records() {
        let row = row.unwrap();
        let code = |index: usize| row.get(index).unwrap().parse::<u32>().unwrap();
        let (there, back) = (
            tables.relation(code(0)).unwrap(),
            tables.relation(code(2)).unwrap(),
        );
        let fits = match there {
            Relation::Parent => back == Relation::Child,
            Relation::Child => back == Relation::Parent,
            Relation::Caretaker => back == Relation::NonRelative,
            Relation::Sibling | Relation::Spouse | Relation::OtherRelative | Relation::Unknown => {
                back == there
            }
            _ => matches!(back, Relation::Caretaker | Relation::NonRelative),
        };
        assert!(fits, "{}", row.get(1).unwrap());
        seen += 1;
    }
    assert_eq!(seen, 132);
}

#[test]
fn codes_have_words_and_letters() {
    let tables = tables();
    assert_eq!(tables.logical_id("SRV_CMPC", 1694), Some("FR"));
    assert_eq!(tables.description("LANG_TPC", 1274), Some("Spanish"));
    assert_eq!(tables.logical_id("GVR_ENTC", 1125), Some("58"));
    assert!(tables.description("SRV_CMPC", 0).is_none());
}
