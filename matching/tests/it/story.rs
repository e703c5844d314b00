//! The worked family of the acceptance story: mother Marisol and the children Ana and Leo.

use tandem_matching::{Decision, Engine, LinkResult, Record, RecordKey, Settings, Sex};

use crate::people::{With, person};

const HOME: (&str, &str) = ("100 Example Street Apt 2", "90001");

fn family() -> Vec<Record> {
    let home = |record: Record| record.home(HOME.0, HOME.1);
    let mother =
        |system, id| person(system, id, "Marisol", "Demofield", "1994-05-17").sex(Sex::Female);
    let ana = |system, id, last| person(system, id, "Ana", last, "2018-03-02").sex(Sex::Female);
    let leo = |system, id, last| person(system, id, "Leo", last, "2021-09-14").sex(Sex::Male);
    vec![
        home(
            mother("calworks-demo", "m")
                .ssn("900-12-3456")
                .cin("91234567A"),
        ),
        home(ana("calworks-demo", "a", "Demofield").cin("91234568B")),
        home(leo("calworks-demo", "l", "Demofield").cin("91234569C")),
        home(mother("cws-demo", "m").ssn("900123456").cin("91234567A")),
        home(ana("cws-demo", "a", "Demofield-Rivas").cin("91234568B")),
        home(leo("cws-demo", "l", "Demofield-Rivas").estimated()),
        mother("hmis-demo", "m").ssn("xxxxx3456"),
        mother("clinic-demo", "m")
            .phone("213-555-0142")
            .home(HOME.0, HOME.1),
        mother("bh-demo", "m").phone("213-555-0142"),
    ]
}

fn link(records: &[Record]) -> LinkResult {
    Engine::standard().unwrap().link(records).unwrap()
}

fn decided(result: &LinkResult, a: (&str, &str), b: (&str, &str)) -> Decision {
    let pair = result.pair(&RecordKey::new(a.0, a.1), &RecordKey::new(b.0, b.1));
    pair.map_or(Decision::NoLink, |pair| pair.decision())
}

#[test]
fn mother_and_ana_are_linked_and_leo_goes_to_review() {
    let result = link(&family());
    let decision = |id| decided(&result, ("calworks-demo", id), ("cws-demo", id));
    assert_eq!(decision("m"), Decision::Link);
    assert_eq!(decision("a"), Decision::Link);
    assert_eq!(decision("l"), Decision::Review);
}

#[test]
fn the_family_is_decided_alike_when_links_need_odds_of_a_thousand_to_one() {
    let mut settings = Settings::standard().unwrap();
    settings.thresholds.link_bits = 10.0;
    let result = Engine::new(settings).unwrap().link(&family()).unwrap();
    let decision = |a, b| decided(&result, a, b);
    assert_eq!(
        decision(("calworks-demo", "a"), ("cws-demo", "a")),
        Decision::Link
    );
    assert_eq!(
        decision(("calworks-demo", "l"), ("cws-demo", "l")),
        Decision::Review
    );
    for system in ["cws-demo", "hmis-demo", "clinic-demo", "bh-demo"] {
        assert_eq!(
            decision(("calworks-demo", "m"), (system, "m")),
            Decision::Link,
            "{system}"
        );
    }
}

#[test]
fn leo_goes_to_review_with_or_without_a_common_address() {
    let mut records = family();
    for record in &mut records {
        record.addresses.clear();
    }
    let result = link(&records);
    let leo = decided(&result, ("calworks-demo", "l"), ("cws-demo", "l"));
    assert_eq!(leo, Decision::Review);
}

#[test]
fn all_five_records_of_the_mother_are_one_cluster() {
    let records = family();
    let result = link(&records);
    let cluster = |system| result.clusters()[result.number(&RecordKey::new(system, "m")).unwrap()];
    let first = cluster("calworks-demo");
    for system in ["cws-demo", "hmis-demo", "clinic-demo", "bh-demo"] {
        assert_eq!(cluster(system), first, "{system}");
    }
}

#[test]
fn members_of_the_family_are_never_linked_with_each_other() {
    let result = link(&family());
    for pair in result.links().iter().chain(result.reviews()) {
        let (a, b) = (result.key(pair.a()).unwrap(), result.key(pair.b()).unwrap());
        assert_eq!(a.id, b.id, "{a} and {b}");
    }
}

#[test]
fn explanation_adds_up_and_holds_no_value_of_the_record() {
    let result = link(&family());
    for pair in result.links().iter().chain(result.reviews()) {
        let explanation = result.explain(pair);
        let sum: f64 = explanation
            .fields
            .iter()
            .map(|field| field.weight_bits)
            .sum();
        assert!((sum - explanation.score_bits).abs() < 1e-9);
        let text = serde_json::to_string(&explanation).unwrap().to_lowercase();
        for value in [
            "demofield",
            "marisol",
            "3456",
            "1994",
            "91234",
            "555",
            "example",
        ] {
            assert!(!text.contains(value), "{value} in {text}");
        }
    }
}
