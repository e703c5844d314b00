//! The gateway, told of people record by record, comes to what a batch of all records finds; where it has acted before
//! it could know, a steward is asked.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::collections::{BTreeMap, BTreeSet};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::pipeline::matcher::engine_record;
use tandem::state::link::{LinkDoc, LinkStanding};
use tandem::state::record::RecordDoc;
use tandem_matching::{Engine, Note, Record, Settings};
use tandem_population::{COLUMNS, Lookalikes, Parameters, Population, Row, System};

use crate::api_office::{Office, record_received};

/// What a system has told of a person: the system, the record's id and the record.
type Told = (&'static str, String, Value);

/// Probabilities alone decide, whoever else there is: neither frequencies nor blocks change with the records.
fn settings() -> Settings {
    let mut settings = Settings::standard().unwrap();
    settings.thresholds.link_bits = 6.7;
    settings.thresholds.review_bits = 3.0;
    settings.frequency.limit_bits = 1e-9;
    settings.frequency.ordinary_holders = 1_000_000;
    settings.blocking.largest_block = 100_000;
    settings.blocking.largest_small_block = 100_000;
    settings
}

fn told(row: &Row) -> Told {
    let part = |column: &str| {
        let place = COLUMNS.iter().position(|name| *name == column).unwrap();
        row.values[place].clone()
    };
    let who = match row.system {
        System::Tanf => "calworks",
        System::ChildWelfare => "cws",
        System::Fhir => "clinic",
        System::Hmis => "bh",
    };
    let mut person = json!({
        "names": [{ "given": part("first_name"), "middle": part("middle_name"), "family": part("last_name"),
            "suffix": part("suffix"), "name_use": "official", "quality": "full" }],
        "addresses": [{ "street": part("street"), "city": part("city"), "state": part("state"), "zip": part("zip") }],
        "phones": [part("phone")],
    });
    if part("dob").len() == 10 {
        person["birth"] = json!({ "date": part("dob"), "quality": "exact" });
    }
    if part("ssn").len() == 9 {
        person["ssn"] = json!({ "ssn": part("ssn"), "quality": "full" });
    }
    (who, part("record_id"), person)
}

fn people() -> Vec<Told> {
    let mut rows = Vec::new();
    let parameters = Parameters {
        people: 120,
        seed: 91,
        difficulty: 2.5,
    };
    let mut population = Population::new(parameters).unwrap();
    while let Some(family) = population.next_family() {
        rows.extend(family);
    }
    let mut lookalikes = Lookalikes::new(24, 91, 2.5).unwrap();
    while let Some(family) = lookalikes.next_family() {
        rows.extend(family);
    }
    rows.iter().map(|(row, _)| told(row)).collect()
}

async fn tell(office: &Office, people: &[&Told]) {
    for same_system in people.chunk_by(|a, b| a.0 == b.0) {
        let events = same_system.iter();
        let events = events.map(|(_, id, person)| record_received(id, person));
        let events: Vec<Value> = events.collect();
        let who = same_system[0].0;
        let answer = office.post(who, "/v1/events", &json!(events)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    }
    office.settle().await;
}

async fn office(settings: &Settings) -> Office {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("matching.toml");
    std::fs::write(&file, settings.to_toml().unwrap()).unwrap();
    Office::with(&format!(
        "matching = {file:?}\nlinking = {{ learn = false, false_match_rate = 0.01 }}\n\
         limits = {{ requests_per_second = 1000, burst = 1000, body_bytes = 4000000 }}"
    ))
    .await
}

type Two = (String, String);

fn two(a: String, b: String) -> Two {
    if a < b { (a, b) } else { (b, a) }
}

/// What a gateway has stored.
struct Stored {
    records: Vec<Record>,
    persons: BTreeSet<BTreeSet<String>>,
    links: BTreeMap<Two, LinkDoc>,
}

impl Stored {
    async fn of(office: &Office) -> Self {
        let mut tx = office.core().store.snapshot().await.unwrap();
        let mut documents = tx.all::<RecordDoc>().await.unwrap();
        // What may not be matched is nobody's but its source's.
        documents.retain(|record| record.may_match);
        let mut persons: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for record in &documents {
            let key = record.key.to_string();
            persons.entry(record.person_id).or_default().insert(key);
        }
        let links = tx.all::<LinkDoc>().await.unwrap().into_iter();
        Self {
            records: documents.iter().map(engine_record).collect(),
            persons: persons.into_values().collect(),
            links: links
                .map(|link| (two(link.a.to_string(), link.b.to_string()), link))
                .collect(),
        }
    }

    fn are_one(&self, (a, b): &Two) -> bool {
        self.persons
            .iter()
            .any(|one| one.contains(a) && one.contains(b))
    }

    fn waits(&self, pair: &Two) -> bool {
        let is_open =
            |link: &LinkDoc| link.standing == LinkStanding::Candidate || link.doubt.is_some();
        self.links.get(pair).is_some_and(is_open)
    }
}

/// Compares what a gateway has come to with a batch of its records. Returns how many links were doubted and how many
/// pairs clusters hold back.
async fn compare(office: &Office, settings: &Settings) -> (usize, usize) {
    let stored = Stored::of(office).await;
    let batch = Engine::new(settings.clone())
        .unwrap()
        .link(&stored.records)
        .unwrap();
    let key = |number| {
        let key = batch.key(number).unwrap();
        format!("{}:{}", key.system, key.id)
    };
    let pairs = |found: &[tandem_matching::Pair]| -> BTreeSet<Two> {
        found
            .iter()
            .map(|pair| two(key(pair.a()), key(pair.b())))
            .collect()
    };
    let (links, reviews) = (pairs(batch.links()), pairs(batch.reviews()));
    for pair in &links {
        assert!(
            stored.are_one(pair) || stored.waits(pair),
            "{pair:?} was lost"
        );
    }
    for pair in &reviews {
        assert!(
            stored.are_one(pair) || stored.waits(pair),
            "{pair:?} waits for nobody"
        );
    }
    for (pair, link) in &stored.links {
        let is_sure = link.standing == LinkStanding::Linked && link.doubt.is_none();
        assert!(
            !is_sure || links.contains(pair),
            "{pair:?} is linked as no batch would"
        );
    }
    // Whoever hangs on no link in doubt, and on no pair that waits because of one, is exactly a batch's cluster.
    let disputed: BTreeSet<&String> = stored
        .links
        .iter()
        .filter(|(pair, _)| stored.waits(pair) && (links.contains(pair) || stored.are_one(pair)))
        .flat_map(|((a, b), _)| [a, b])
        .collect();
    let mut clusters: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for number in 0..stored.records.len() {
        clusters
            .entry(batch.clusters()[number])
            .or_default()
            .insert(key(number));
    }
    let clusters: BTreeSet<BTreeSet<String>> = clusters.into_values().collect();
    let undisputed = |one: &&BTreeSet<String>| one.iter().all(|key| !disputed.contains(key));
    assert!(
        disputed.len() * 10 < stored.records.len(),
        "{}",
        disputed.len()
    );
    for person in stored.persons.iter().filter(undisputed) {
        assert!(
            clusters.contains(person),
            "{person:?} is no person of the batch"
        );
    }
    let held = batch.reviews().iter().map(|pair| batch.explain(pair).notes);
    let held = held
        .filter(|notes| notes.contains(&Note::Bridge) || notes.contains(&Note::ClusterConflict));
    let doubted = stored.links.values().filter(|link| link.doubt.is_some());
    (doubted.count(), held.count())
}

#[tokio::test(flavor = "multi_thread")]
async fn records_told_one_by_one_in_any_order_come_to_what_a_batch_finds() {
    let (settings, people) = (settings(), people());
    let in_order: Vec<&Told> = people.iter().collect();
    let (even, odd): (Vec<_>, Vec<_>) = people.iter().enumerate().partition(|(at, _)| at % 2 == 0);
    let mixed = odd.into_iter().rev().chain(even).map(|(_, one)| one);
    let mut doubted = 0;
    for order in [in_order, mixed.collect()] {
        let office = office(&settings).await;
        tell(&office, &order).await;
        let (doubts, held) = compare(&office, &settings).await;
        assert!(
            held > 0,
            "clusters hold nothing back: the test shows nothing"
        );
        doubted += doubts;
    }
    assert!(
        doubted > 0,
        "no link was doubted in any order: the test shows nothing"
    );
}
