//! Rules that hold whatever the score.

use proptest::prelude::*;
use tandem_matching::{
    Decision, Engine, Index, Name, Note, Quality, Record, RecordKey, Ruling, Rulings, Sex,
};

use crate::people::{With, decision, explain, person};

fn home(record: Record) -> Record {
    record
        .home("7 Example Avenue", "90002")
        .phone("213-555-0199")
}

#[test]
fn twins_are_not_linked() {
    let one = home(person("a", "1", "Testa", "Demofield", "2015-04-11").sex(Sex::Female));
    let two = home(person("b", "2", "Xenia", "Demofield", "2015-04-11").sex(Sex::Female));
    assert_eq!(decision(&one, &two), Decision::NoLink);
    let (one, two) = (one.ssn("900451234"), two.ssn("900451235"));
    assert_eq!(decision(&one, &two), Decision::NoLink);
}

#[test]
fn twins_whose_names_are_spelt_alike_are_not_linked() {
    let one = home(person("a", "1", "Jaylen", "Demofield", "2015-04-11").ssn("900451234"));
    let two = home(person("b", "2", "Jayden", "Demofield", "2015-04-11").ssn("900451235"));
    assert_ne!(decision(&one, &two), Decision::Link);
    let girl = home(person("a", "1", "Maria", "Demofield", "2015-04-11").sex(Sex::Female));
    let boy = home(person("b", "2", "Mario", "Demofield", "2015-04-11").sex(Sex::Male));
    assert_ne!(decision(&girl, &boy), Decision::Link);
}

#[test]
fn junior_and_senior_are_not_linked() {
    let senior = home(person("a", "1", "Carlos", "Demofield", "1961-02-09")).suffix("Sr");
    let junior = home(person("b", "2", "Carlos", "Demofield", "1988-07-21")).suffix("Jr.");
    assert_eq!(decision(&senior, &junior), Decision::NoLink);
    let mut unknown_birth = junior;
    unknown_birth.birth_date = None;
    assert_eq!(decision(&senior, &unknown_birth), Decision::NoLink);
    let written_in_the_name = home(person("b", "2", "Carlos", "Demofield Jr", ""));
    assert_eq!(decision(&senior, &written_in_the_name), Decision::NoLink);
}

#[test]
fn mother_and_daughter_of_one_name_are_not_linked() {
    let mother = home(person("a", "1", "Luz", "Demofield", "1984-10-30").sex(Sex::Female));
    let daughter = home(person("b", "2", "Luz", "Demofield", "2006-01-12").sex(Sex::Female));
    assert_eq!(decision(&mother, &daughter), Decision::NoLink);
    let with_mothers_number = daughter.ssn("900443210");
    let decided = decision(&mother.ssn("900443210"), &with_mothers_number);
    assert_ne!(
        decided,
        Decision::Link,
        "a child is often entered with the mother's number"
    );
}

#[test]
fn sisters_at_one_address_are_not_linked() {
    let one = home(person("a", "1", "Ana", "Demofield", "2012-04-11").sex(Sex::Female));
    let two = home(person("b", "2", "Eva", "Demofield", "2014-06-23").sex(Sex::Female));
    assert_eq!(decision(&one, &two), Decision::NoLink);
}

#[test]
fn estimated_birth_date_does_not_count_as_exact_agreement() {
    let exact = person("a", "1", "Leo", "Demofield", "2021-09-14").sex(Sex::Male);
    let same = person("b", "2", "Leo", "Demofield", "2021-09-14").sex(Sex::Male);
    assert_eq!(decision(&exact, &same), Decision::Link);
    let estimated = same.estimated();
    let explanation = explain(&exact, &estimated).unwrap();
    assert_eq!(explanation.decision, Decision::Review);
    let birth = explanation
        .fields
        .iter()
        .find(|field| field.field == "birth_date")
        .unwrap();
    assert_eq!(birth.level, "estimate_close");
}

#[test]
fn first_of_january_is_no_birth_date() {
    let one = person("a", "1", "Ana", "Demofield", "1990-01-01");
    let two = person("b", "2", "Ana", "Demofield", "1990-01-01");
    assert_ne!(decision(&one, &two), Decision::Link);
}

#[test]
fn partial_ssn_agrees_on_the_last_four() {
    let whole = person("a", "1", "Marisol", "Demofield", "1994-05-17").ssn("900123456");
    let partial = person("b", "2", "Marisol", "Demofield", "1994-05-17").ssn("xxxxx3456");
    let explanation = explain(&whole, &partial).unwrap();
    let ssn = explanation
        .fields
        .iter()
        .find(|field| field.field == "ssn")
        .unwrap();
    assert_eq!(
        (explanation.decision, ssn.level.as_str()),
        (Decision::Link, "last_four")
    );
    assert!(ssn.weight_bits > 5.0);
}

#[test]
fn placeholder_ssn_carries_nothing() {
    for placeholder in ["999999999", "000000000"] {
        let one = person("a", "1", "Ana", "Testa", "1990-05-17").ssn(placeholder);
        let two = person("b", "2", "Eva", "Demofield", "1971-11-03").ssn(placeholder);
        assert_eq!(decision(&one, &two), Decision::NoLink);
        let same = person("b", "2", "Ana", "Testa", "1990-05-17").ssn(placeholder);
        let fields = explain(&one, &same).unwrap().fields;
        assert!(fields.iter().all(|field| field.field != "ssn"));
    }
}

#[test]
fn swapped_names_link() {
    let one = person("a", "1", "Marisol", "Demofield", "1994-05-17").phone("213-555-0142");
    let two = person("b", "2", "Demofield", "Marisol", "1994-05-17").phone("213-555-0142");
    assert_eq!(decision(&one, &two), Decision::Link);
}

#[test]
fn nickname_links() {
    let one = person("a", "1", "Guadalupe", "Demofield", "1974-03-21").sex(Sex::Female);
    let two = person("b", "2", "Lupita", "Demofield", "1974-03-21").sex(Sex::Female);
    assert_eq!(decision(&one, &two), Decision::Link);
}

#[test]
fn double_surname_goes_to_link_or_review() {
    let one = person("a", "1", "Ana", "Demofield", "2018-03-02");
    for last in ["Demofield-Rivas", "Demofield Rivas", "Rivas Demofield"] {
        let two = person("b", "2", "Ana", last, "2018-03-02");
        assert_ne!(decision(&one, &two), Decision::NoLink, "{last}");
    }
}

#[test]
fn another_name_of_the_person_is_compared_too() {
    let one = person("a", "1", "Marisol", "Testa", "1994-05-17").ssn("900123456");
    let mut two = person("b", "2", "Marisol", "Demofield", "1994-05-17");
    assert_ne!(decision(&one, &two), Decision::Link);
    two.names.push(Name::new("Marisol", "", "Testa"));
    assert_eq!(decision(&one, &two), Decision::Link);
}

#[test]
fn code_name_is_no_conflict() {
    let one = person("a", "1", "Marisol", "Demofield", "1994-05-17").ssn("900123456");
    let mut two = person("b", "2", "Blue", "Heron", "1994-05-17").ssn("xxxxx3456");
    assert_ne!(decision(&one, &two), Decision::Link);
    two.name_quality = Quality::Approximate;
    let explanation = explain(&one, &two).unwrap();
    assert!(
        explanation
            .fields
            .iter()
            .all(|field| field.field != "first_name")
    );
}

#[test]
fn name_and_address_alone_are_never_linked_without_a_steward() {
    let one = home(person("a", "1", "Marisol", "Demofield", ""));
    let two = home(person("b", "2", "Marisol", "Demofield", ""));
    let explanation = explain(&one, &two).unwrap();
    assert_eq!(explanation.decision, Decision::Review);
    assert!(explanation.notes.contains(&Note::NoAnchor));
}

#[test]
fn two_client_index_numbers_and_another_name_need_a_steward() {
    let one = home(person("a", "1", "Ana", "Demofield", "2018-03-02").cin("91234568B"));
    let two = home(person("b", "2", "Anna", "Demofield", "2018-03-02").cin("91234599D"));
    let explanation = explain(&one, &two).unwrap();
    assert_eq!(explanation.decision, Decision::Review);
    assert!(explanation.notes.contains(&Note::IdentifierConflict));
}

#[test]
fn stewards_decisions_stand_above_scores() {
    let engine = Engine::standard().unwrap();
    let one = person("a", "1", "Marisol", "Demofield", "1994-05-17").ssn("900123456");
    let two = person("b", "2", "Marisol", "Demofield", "1994-05-17").ssn("900123456");
    let far = person("c", "3", "Xenia", "Testa", "1987-11-03");
    let records = [one.clone(), two.clone(), far.clone()];
    let mut rulings = Rulings::new();
    rulings.set(&one.key, &two.key, Ruling::Rejected);
    rulings.set(&two.key, &far.key, Ruling::Confirmed);
    let result = engine.link_with(&records, &rulings).unwrap();
    assert!(result.pair(&one.key, &two.key).is_none());
    let confirmed = result.pair(&two.key, &far.key).unwrap();
    assert_eq!(confirmed.decision(), Decision::Link);
    assert!(
        result
            .explain(confirmed)
            .notes
            .contains(&Note::StewardConfirmed)
    );
    assert_eq!(result.clusters()[1], result.clusters()[2]);
    assert_ne!(result.clusters()[0], result.clusters()[1]);
    assert!(rulings.withdraw(&two.key, &one.key));
    let result = engine.link_with(&records, &rulings).unwrap();
    assert_eq!(
        result.pair(&one.key, &two.key).unwrap().decision(),
        Decision::Link
    );
}

#[test]
fn twins_do_not_come_together_through_a_third_record() {
    // A record without a given name fits both twins; joining it to both would join them.
    let one = home(person("a", "1", "Testa", "Demofield", "2015-04-11").cin("91234568B"));
    let two = home(person("a", "2", "Xenia", "Demofield", "2015-04-11").cin("91234569C"));
    let mut bridge = home(person("b", "3", "", "Demofield", "2015-04-11").cin("91234568B"));
    bridge.identifiers.insert("meds".into(), "77".into());
    let mut two = two;
    two.identifiers.insert("meds".into(), "77".into());
    let result = Engine::standard()
        .unwrap()
        .link(&[one, two, bridge])
        .unwrap();
    assert_ne!(result.clusters()[0], result.clusters()[1]);
}

#[test]
fn duplicate_record_is_refused() {
    let one = person("a", "1", "Ana", "Demofield", "2018-03-02");
    let error = Engine::standard()
        .unwrap()
        .link(&[one.clone(), one])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("record {} is there twice", RecordKey::new("a", "1"))
    );
}

fn a_name() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec!["Testa", "Teste", "Rivas", "Ana", "Anita", "A", "De"]);
    prop::collection::vec(word, 1..4).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn the_score_of_a_pair_does_not_depend_on_which_record_comes_first(
        first in (a_name(), a_name()),
        other in (a_name(), a_name()),
        days in (1..4_u8, 1..4_u8),
        numbers in ("90012345[67]", "90012345[67]"),
    ) {
        let birth = |day: u8| format!("1990-02-0{day}");
        let one = person("a", "1", &first.0, &first.1, &birth(days.0)).ssn(&numbers.0);
        let two = person("b", "2", &other.0, &other.1, &birth(days.1)).ssn(&numbers.1);
        let mut index = Index::new(&Engine::standard().unwrap());
        prop_assert!(index.insert(&one) && index.insert(&two));
        let there = index.explain(&one.key, &two.key);
        prop_assert!(there.is_some());
        prop_assert_eq!(there, index.explain(&two.key, &one.key));
    }
}
