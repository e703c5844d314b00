//! The account of any pair: parts that add up, the rule that decided, the keys that reached it or did not.

use std::collections::BTreeSet;

use tandem_matching::{DecidedBy, Decision, KeyOutcome, LinkTablesError, Note, PairAccount};

use crate::tables_run::{Ran, Tables, Wanted, generated, run, small_blocks, tables};

const HEADER: &str = "record_id,first_name,last_name,dob,ssn,sex,phone,street,zip\n";

fn small(a: &str, b: &str) -> Tables {
    let (a, b) = (format!("{HEADER}{a}"), format!("{HEADER}{b}"));
    tables(&[("a", a.as_str()), ("b", b.as_str())])
}

fn explained(tables: &Tables, pair: (&str, &str)) -> PairAccount {
    let wanted = Wanted {
        explain: &[pair],
        ..Wanted::default()
    };
    run(tables, wanted).unwrap().report.explained.remove(0)
}

fn refused(tables: &Tables, pair: (&str, &str)) -> String {
    let wanted = Wanted {
        explain: &[pair],
        ..Wanted::default()
    };
    let error = run(tables, wanted).unwrap_err();
    assert!(
        matches!(error, LinkTablesError::Reference { .. }),
        "{error}"
    );
    error.to_string()
}

fn sum(account: &PairAccount) -> f64 {
    let fields = account.fields.iter().map(|field| field.total_bits);
    account.prior_bits + fields.sum::<f64>() + account.household_bits
}

/// All pairs of a run's links table, explained.
fn all_explained(estimate: bool) -> (Ran, Vec<PairAccount>) {
    let people = generated(700, 31);
    let first = run(
        &people,
        Wanted {
            estimate,
            ..Wanted::default()
        },
    )
    .unwrap();
    let pairs: Vec<(String, String)> = first
        .links
        .iter()
        .map(|row| {
            (
                format!("{}:{}", row[0], row[1]),
                format!("{}:{}", row[2], row[3]),
            )
        })
        .collect();
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let wanted = Wanted {
        estimate,
        explain: &pairs,
        ..Wanted::default()
    };
    let second = run(&people, wanted).unwrap();
    let accounts = second.report.explained.clone();
    assert_eq!(accounts.len(), first.links.len());
    (second, accounts)
}

#[test]
fn an_account_says_what_the_links_table_says_and_its_parts_add_up() {
    let (ran, accounts) = all_explained(true);
    assert!(ran.report.estimate.is_some());
    for (row, account) in ran.links.iter().zip(&accounts) {
        let score: f64 = row[4].parse().unwrap();
        assert!((account.score_bits - score).abs() < 0.001, "{row:?}");
        assert!(
            (sum(account) - account.score_bits).abs() < 1e-9,
            "{account:?}"
        );
        assert_eq!(account.decision.label(), row[5]);
        let rate: f64 = row[6].parse().unwrap();
        assert!((account.false_match_rate.unwrap() - rate).abs() < 1e-6);
        assert_eq!(account.decision_if_compared, None);
        assert!(
            account
                .keys
                .iter()
                .any(|key| key.outcome == KeyOutcome::Compared)
        );
        match account.decided_by {
            DecidedBy::LinkThreshold => assert!(account.score_bits >= account.link_bits),
            DecidedBy::ReviewBand => {
                assert!((account.review_bits..account.link_bits).contains(&account.score_bits));
            }
            DecidedBy::Rule => assert!(!account.notes.is_empty()),
            DecidedBy::Cluster => assert!(
                account.notes.contains(&Note::ClusterConflict)
                    || account.notes.contains(&Note::Bridge)
            ),
            other => panic!("{other:?} for a pair of the links table"),
        }
    }
    let decided = |by: DecidedBy| accounts.iter().any(|account| account.decided_by == by);
    assert!(decided(DecidedBy::LinkThreshold) && decided(DecidedBy::Rule));
    // An estimation may link down to the review band; the settings as they are leave one.
    let (_, accounts) = all_explained(false);
    let band = accounts
        .iter()
        .filter(|account| account.decided_by == DecidedBy::ReviewBand);
    assert!(band.count() > 0);
}

#[test]
fn weight_of_a_level_is_the_logarithm_of_m_over_u() {
    let one = "1,Marisol,Demofield,1994-05-17,900123456,F,,,\n";
    let account = explained(&small(one, one), ("a:1", "b:1"));
    let field = |name: &str| {
        account
            .fields
            .iter()
            .find(|field| field.field == name)
            .unwrap()
    };
    for name in ["first_name", "last_name", "birth_date", "ssn", "sex"] {
        let found = field(name);
        let (m, u) = (found.m.unwrap(), found.u.unwrap());
        assert!((found.weight_bits - (m / u).log2()).abs() < 1e-9, "{name}");
        let together = found.weight_bits + found.frequency_bits;
        assert!((found.total_bits - together).abs() < 1e-12);
    }
    assert_eq!(field("phone").level, None, "an absent value is no evidence");
    assert_eq!(field("phone").total_bits, 0.0);
    let odds = account.score_bits.exp2();
    assert!((account.probability_by_model - odds / (1.0 + odds)).abs() < 1e-9);
}

#[test]
fn a_pair_that_no_key_reaches_is_explained_as_never_compared() {
    let tables = small(
        "1,Marisol,Demofield,1994-05-17,900123456,F,,,\n",
        "1,Xenia,Testa,1971-11-03,,F,,,\n",
    );
    let account = explained(&tables, ("a:1", "b:1"));
    assert_eq!(account.decided_by, DecidedBy::NotCompared);
    assert_eq!(account.decision, Decision::NoLink);
    assert_eq!(account.decision_if_compared, Some(Decision::NoLink));
    assert!(account.keys.is_empty() && !account.is_same_cluster);
    assert_eq!(account.false_match_rate, None);
}

#[test]
fn an_account_says_that_a_pair_was_compared_exactly_when_the_run_compared_it() {
    let mut people = generated(500, 36);
    // Seven records that nothing tells apart: only neighbours among them are compared.
    let alike: String = (1..=7)
        .map(|id| format!("{id},Ana,Testa,1990-01-02,,,,,\n"))
        .collect();
    people.extend(tables(&[("w", format!("{HEADER}{alike}").as_str())]));
    let wanted = || Wanted {
        settings: Some(small_blocks()),
        ..Wanted::default()
    };
    let first = run(&people, wanted()).unwrap();
    let blocking = first.report.statistics.blocking;
    assert!(blocking.split > 0 && blocking.windows > 0, "{blocking:?}");
    let name = |row: &[String], place: usize| format!("{}:{}", row[place], row[place + 1]);
    let compared: BTreeSet<(String, String)> = first
        .candidates
        .iter()
        .map(|row| (name(row, 0), name(row, 2)))
        .collect();
    // Every compared pair, and pairs across neighbouring ones: many share a key that did not bring them together.
    let mut asked: Vec<(String, String)> = compared.iter().cloned().collect();
    let across = asked
        .windows(2)
        .map(|two| (two[0].1.clone(), two[1].1.clone()));
    let across: Vec<(String, String)> = across.filter(|(a, b)| a != b).collect();
    asked.extend(across);
    asked.extend((2..=7).map(|id| ("w:1".to_owned(), format!("w:{id}"))));
    let asked: Vec<(&str, &str)> = asked
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let second = run(
        &people,
        Wanted {
            explain: &asked,
            ..wanted()
        },
    )
    .unwrap();
    let mut outcomes = BTreeSet::new();
    for account in &second.report.explained {
        let (a, b) = (account.a.to_string(), account.b.to_string());
        let is_compared = compared.contains(&(a.clone(), b.clone())) || compared.contains(&(b, a));
        assert_eq!(
            account.decision_if_compared.is_none(),
            is_compared,
            "{account:?}"
        );
        outcomes.extend(account.keys.iter().map(|key| key.outcome.label()));
    }
    assert_eq!(outcomes.len(), 3, "every outcome is met: {outcomes:?}");
}

#[test]
fn a_rule_that_stands_above_the_score_is_named() {
    let tables = small(
        "1,Testa,Demofield,2015-04-11,,F,2135550199,7 Example Avenue,90002\n",
        "1,Xenia,Demofield,2015-04-11,,F,2135550199,7 Example Avenue,90002\n",
    );
    let account = explained(&tables, ("a:1", "b:1"));
    assert_eq!(account.decision, Decision::NoLink);
    assert!(account.notes.contains(&Note::TwinConflict), "{account:?}");
    assert!(
        account
            .keys
            .iter()
            .any(|key| key.outcome == KeyOutcome::Compared)
    );
}

#[test]
fn a_key_that_too_many_records_share_is_shown_as_one_that_does_not_count() {
    // Eight people of one ZIP code and name sound, without birth dates: the small block is too large.
    let row = |id: usize| format!("{id},{},Testa,,,,,5 Example Court,90009\n", NAMES[id]);
    let first: String = (0..4).map(row).collect();
    let second: String = (4..8).map(row).collect();
    let account = explained(&small(&first, &second), ("a:0", "b:4"));
    let outcome = |key: &str| account.keys.iter().find(|shared| shared.key == key);
    let town = outcome("ZIP code, sound of a name").unwrap();
    assert_eq!(town.outcome, KeyOutcome::TooManyRecords);
    assert_eq!(town.records, 8);
    assert_eq!(account.decided_by, DecidedBy::NotCompared);
}

const NAMES: [&str; 8] = [
    "Ana", "Boris", "Chidi", "Dolores", "Emeka", "Farid", "Goro", "Hilda",
];

#[test]
fn a_record_goes_by_its_id_alone_where_one_table_holds_it() {
    let tables = small(
        "7,Ana,Testa,1990-01-02,,,,,\n",
        "8,Ana,Testa,1990-01-02,,,,,\n",
    );
    let account = explained(&tables, ("7", "b:8"));
    assert_eq!(
        (account.a.to_string(), account.b.to_string()),
        ("a:7".into(), "b:8".into())
    );
}

#[test]
fn an_unknown_or_ambiguous_record_is_refused_and_said_how() {
    let tables = small(
        "1,Ana,Testa,,,,,,\n2,Eva,Testa,,,,,,\n",
        "1,Ana,Testa,,,,,,\n3,Leo,Testa,,,,,,\n",
    );
    assert_eq!(
        refused(&tables, ("a:9", "b:1")),
        "a:9 is unknown: table a has no such record id"
    );
    assert_eq!(
        refused(&tables, ("c:1", "b:1")),
        "c:1 is unknown: expected SYSTEM:ID, SYSTEM being one of a, b"
    );
    assert_eq!(
        refused(&tables, ("1", "b:3")),
        "1 is in several tables (a and b), expected SYSTEM:ID of one"
    );
    assert_eq!(refused(&tables, ("a:2", "2")), "2 is the same record twice");
}

#[test]
fn an_account_holds_no_value_of_a_record() {
    let one = "1,Marisol,Demofield,1994-05-17,900123456,F,2135550199,7 Example Avenue,90002\n";
    let account = explained(&small(one, one), ("a:1", "b:1"));
    let text = serde_json::to_string(&account).unwrap();
    for value in [
        "Marisol",
        "Demofield",
        "1994",
        "900123456",
        "555",
        "Example",
        "90002",
    ] {
        assert!(!text.contains(value), "{value} in {text}");
    }
}
