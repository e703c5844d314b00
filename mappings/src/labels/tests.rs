use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::category::Category;
use crate::model::coding::Coding;

const ICD: &str = "http://hl7.org/fhir/sid/icd-10-cm";

fn tables() -> LabelTables {
    LabelTables::shipped().unwrap()
}

fn clinic() -> LabelSource {
    LabelSource {
        default_category: Category::HealthGeneral,
        is_part2: false,
        free_text_category: None,
    }
}

fn nothing_said() -> Claim {
    Claim {
        category: None,
        labels: BTreeSet::new(),
        is_identity: false,
        has_free_text: false,
    }
}

fn labelled(source: LabelSource, codes: &[(&str, &str)]) -> Labelled {
    let codes: Vec<Coding> = codes.iter().map(|one| Coding::new(one.0, one.1)).collect();
    label(&tables(), source, &nothing_said(), &codes)
}

fn set(labels: &[&str]) -> BTreeSet<String> {
    labels.iter().map(|label| (*label).to_owned()).collect()
}

#[test]
fn every_example_in_the_tables_comes_true() {
    assert_eq!(tables().failed_examples(), []);
}

#[test]
fn every_row_says_where_its_standard_says_so_and_names_labels_of_the_list() {
    for row in tables().rows() {
        assert!(row.source.contains(", "), "{}", row.id);
        for label in &row.labels {
            assert!(
                label.starts_with("X_")
                    || crate::model::directive::is_known_label(label)
                    || ["GDIS", "SCA", "COGN", "DVD"].contains(&label.as_str()),
                "{}: {label}",
                row.id
            );
        }
    }
}

#[test]
fn an_opioid_diagnosis_from_a_general_clinic_is_a_substance_use_fact() {
    let found = labelled(clinic(), &[(ICD, "F11.20")]);
    assert_eq!(found.category, Category::SudNonpart2);
    assert_eq!(found.labels, set(&["ETH", "OPIOIDUD", "SUD"]));
    assert_eq!(found.why, set(&["icd10cm:F11"]));
}

#[test]
fn a_plain_diagnosis_and_tobacco_stay_general_health() {
    for code in ["E11.9", "J45.909", "F17.210"] {
        let found = labelled(clinic(), &[(ICD, code)]);
        assert_eq!(
            (found.category, found.labels),
            (Category::HealthGeneral, set(&[])),
            "{code}"
        );
    }
}

#[test]
fn an_item_of_a_part_2_program_is_part_2_data_without_any_code() {
    let source = LabelSource {
        is_part2: true,
        ..clinic()
    };
    let found = labelled(source, &[]);
    assert_eq!(found.category, Category::SudPart2);
    assert_eq!(found.labels, set(&["42CFRPart2"]));
    assert_eq!(found.why, set(&[PART2_SOURCE]));
}

#[test]
fn who_somebody_is_stays_an_identity_and_carries_the_law_of_a_part_2_program() {
    let source = LabelSource {
        is_part2: true,
        ..clinic()
    };
    let claim = Claim {
        is_identity: true,
        ..nothing_said()
    };
    let found = label(&tables(), source, &claim, &[]);
    assert_eq!(
        (found.category, found.labels),
        (Category::PersonIndex, set(&["42CFRPart2"]))
    );
}

#[test]
fn of_two_sensitive_codes_the_labels_of_both_stay() {
    let found = labelled(clinic(), &[(ICD, "B20"), (ICD, "F11.20"), (ICD, "F33.1")]);
    assert_eq!(found.category, Category::SudNonpart2);
    assert!(found.labels.is_superset(&set(&["HIV", "MH", "SUD"])));
}

#[test]
fn a_source_whose_law_is_another_keeps_its_category_and_gets_the_label() {
    let source = LabelSource {
        default_category: Category::HomelessServices,
        is_part2: false,
        free_text_category: None,
    };
    let found = labelled(source, &[("hmis-2026", "1.3:10")]);
    assert_eq!(
        (found.category, found.labels),
        (Category::HomelessServices, set(&["ETH", "SUD"]))
    );
    let survivor = labelled(
        source,
        &[("hmis-2026", "HealthAndDV.DomesticViolenceSurvivor:1")],
    );
    assert_eq!(survivor.category, Category::DvInfo);
}

#[test]
fn a_code_without_its_system_still_counts_and_an_unreadable_one_is_noted() {
    assert_eq!(
        labelled(clinic(), &[("", "F11.20")]).category,
        Category::SudNonpart2
    );
    let found = labelled(clinic(), &[(ICD, "opioid dependence!")]);
    assert_eq!(
        (found.category, found.why),
        (Category::HealthGeneral, set(&["unreadable:icd10cm"]))
    );
}

#[test]
fn a_claim_below_what_the_system_sends_by_default_does_not_count() {
    let source = LabelSource {
        default_category: Category::MentalHealth,
        is_part2: false,
        free_text_category: None,
    };
    let claim = Claim {
        category: Some(Category::HealthGeneral),
        ..nothing_said()
    };
    let found = label(&tables(), source, &claim, &[Coding::new(ICD, "?")]);
    assert_eq!(found.category, Category::MentalHealth);
}

#[test]
fn a_label_of_the_sender_counts_like_a_code() {
    let claim = Claim {
        labels: set(&["HIPAASelfPay", "HIV", "SOMETHING"]),
        ..nothing_said()
    };
    let found = label(&tables(), clinic(), &claim, &[]);
    assert_eq!(found.category, Category::Hiv);
    assert_eq!(
        found.labels,
        set(&["HIPAASelfPay", "HIV", "SOMETHING", "X_SELF_PAID"])
    );
}

#[test]
fn a_note_in_free_text_is_as_strict_as_the_notes_of_its_source_may_be() {
    let source = LabelSource {
        free_text_category: Some(Category::SudNonpart2),
        ..clinic()
    };
    let note = Claim {
        has_free_text: true,
        ..nothing_said()
    };
    let found = label(&tables(), source, &note, &[]);
    assert_eq!(
        (found.category, found.labels),
        (Category::SudNonpart2, set(&["SUD"]))
    );
    assert_eq!(found.why, set(&[FREE_TEXT]));
    assert_eq!(
        label(&tables(), source, &nothing_said(), &[]).category,
        Category::HealthGeneral
    );
}

fn category() -> impl Strategy<Value = Category> {
    prop::sample::select(Category::ALL.to_vec())
}

fn coding() -> impl Strategy<Value = Coding> {
    let listed: Vec<Coding> = tables()
        .rows()
        .map(|row| {
            let system = row.id.split(':').next().unwrap_or_default();
            Coding::new(system, &row.first)
        })
        .collect();
    prop_oneof![
        3 => prop::sample::select(listed),
        1 => ("(|http://hl7.org/fhir/sid/icd-10-cm|x)", "\\PC{0,8}").prop_map(|(system, code)| Coding::new(system, code)),
    ]
}

fn claim() -> impl Strategy<Value = Claim> {
    let labels = prop::collection::btree_set("(HIV|SUD|R|SEALED|NODSCLCDS|[A-Z]{1,4})", 0..4);
    (prop::option::of(category()), labels, any::<bool>()).prop_map(
        |(category, labels, is_identity)| Claim {
            category,
            labels,
            is_identity,
            has_free_text: !is_identity,
        },
    )
}

fn source() -> impl Strategy<Value = LabelSource> {
    (category(), any::<bool>(), prop::option::of(category())).prop_map(
        |(default_category, is_part2, free_text_category)| LabelSource {
            default_category,
            is_part2,
            free_text_category,
        },
    )
}

proptest! {
    #[test]
    fn nothing_is_ever_lowered(source in source(), claim in claim(), codes in prop::collection::vec(coding(), 0..6)) {
        let tables = tables();
        let order = tables.strictness();
        let found = label(&tables, source, &claim, &codes);
        if let Some(claimed) = claim.category {
            prop_assert!(order.is_at_least(found.category, claimed));
            prop_assert!(order.confidentiality(found.category) >= order.confidentiality(claimed));
        }
        prop_assert!(found.labels.is_superset(&claim.labels));
    }

    #[test]
    fn the_order_of_codes_does_not_matter(source in source(), claim in claim(), codes in prop::collection::vec(coding(), 0..6)) {
        let tables = tables();
        let mut turned = codes.clone();
        turned.reverse();
        turned.extend(codes.first().cloned());
        prop_assert_eq!(label(&tables, source, &claim, &codes), label(&tables, source, &claim, &turned));
    }

    #[test]
    fn labelling_again_changes_nothing(source in source(), claim in claim(), codes in prop::collection::vec(coding(), 0..6)) {
        let tables = tables();
        let once = label(&tables, source, &claim, &codes);
        let again = Claim { category: Some(once.category), labels: once.labels.clone(), ..claim };
        let twice = label(&tables, source, &again, &codes);
        prop_assert_eq!(once.category, twice.category);
        prop_assert_eq!(once.labels, twice.labels);
    }

    #[test]
    fn another_code_never_takes_anything_away(source in source(), claim in claim(), codes in prop::collection::vec(coding(), 0..6), more in coding()) {
        let tables = tables();
        let less = label(&tables, source, &claim, &codes);
        let all: Vec<Coding> = codes.into_iter().chain([more]).collect();
        let found = label(&tables, source, &claim, &all);
        prop_assert!(found.labels.is_superset(&less.labels) && found.why.is_superset(&less.why));
        prop_assert!(tables.strictness().confidentiality(found.category) >= tables.strictness().confidentiality(less.category) || found.labels.len() > less.labels.len());
    }
}

const COUNTY_TABLE: &str = "# source: Demo County privacy office, list of sensitive codes\n# version: 2026-02\n\
    # example: 1.3:7 -> county:hmis:chronic\nrow,first,last,category,labels,meaning,section\n\
    chronic,1.3:7,1.3:7,HEALTH_GENERAL,ETH,chronic condition,memo 4\n";

fn county(text: &str) -> Result<LabelTables, crate::tables::TableError> {
    LabelTables::shipped()
        .unwrap()
        .with_county("hmis-2026", "hmis-county.csv", text)
}

#[test]
fn a_countys_row_adds_to_ours_under_its_own_id() {
    let tables = county(COUNTY_TABLE).unwrap();
    assert_eq!(tables.failed_examples(), []);
    let row = tables.row("county:hmis:chronic").unwrap();
    assert_eq!(row.county_file.as_deref(), Some("hmis-county.csv"));
    let shipped = LabelTables::shipped().unwrap();
    assert_ne!(tables.content(), shipped.content());
    assert!(shipped.rows().all(|row| tables.row(&row.id) == Some(row)));
}

#[test]
fn a_countys_row_for_a_code_of_ours_lowers_nothing() {
    let plain = COUNTY_TABLE.replace(
        "1.3:7 -> county:hmis:chronic",
        "1.3:8 -> hmis:1.3:8 county:hmis:chronic",
    );
    let lower = plain.replace("1.3:7,1.3:7,HEALTH_GENERAL", "1.3:8,1.3:8,PERSON_INDEX");
    let (ours, theirs) = (LabelTables::shipped().unwrap(), county(&lower).unwrap());
    assert_eq!(theirs.failed_examples(), []);
    let source = LabelSource {
        default_category: Category::HealthGeneral,
        is_part2: false,
        free_text_category: None,
    };
    let claim = Claim {
        category: None,
        labels: Default::default(),
        is_identity: false,
        has_free_text: false,
    };
    let code = [Coding::new("hmis", "1.3:8")];
    let before = label(&ours, source, &claim, &code);
    let after = label(&theirs, source, &claim, &code);
    assert_eq!(after.category, before.category);
    assert!(after.labels.is_superset(&before.labels) && after.labels.contains("ETH"));
}

#[test]
fn a_bad_row_of_a_county_is_refused_with_file_line_and_column() {
    for (from, to, place) in [
        (
            ",ETH,",
            ",ETHX,",
            "hmis-county.csv:5: column `labels`: expected labels that Tandem's tables have",
        ),
        (",ETH,", ",,", "hmis-county.csv:5: column `labels`"),
        (
            "HEALTH_GENERAL",
            "HEALTH",
            "hmis-county.csv:5: column `category`",
        ),
        (
            "1.3:7,1.3:7",
            "1.3:7,1.3:6",
            "hmis-county.csv:5: column `last`",
        ),
        ("memo 4", "", "hmis-county.csv:5: column `section`"),
        (
            "# version: 2026-02\n",
            "",
            "hmis-county.csv: missing leading comment",
        ),
        (
            "row,first",
            "first,row",
            "hmis-county.csv:4: header differs",
        ),
    ] {
        assert!(COUNTY_TABLE.contains(from), "{from}");
        let refused = county(&COUNTY_TABLE.replacen(from, to, 1))
            .unwrap_err()
            .to_string();
        assert!(refused.starts_with(place), "{refused}");
    }
    let again = county(COUNTY_TABLE).unwrap();
    let twice = again
        .with_county("hmis", "more.csv", COUNTY_TABLE)
        .unwrap_err();
    assert!(
        twice.to_string().starts_with("more.csv:5: column `row`"),
        "{twice}"
    );
}
