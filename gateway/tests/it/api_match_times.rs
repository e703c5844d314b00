//! Whoever asks about many people must not learn from the time of an answer whether one is known elsewhere.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::api_office::{Office, marisol, person};

/// Questions of each kind in a sample.
const ASKED: usize = 60;
/// Beyond this the two-sample statistic would tell equal samples apart once in some 15,000 times.
const TOLD_APART: f64 = 4.0;

/// The Mann-Whitney statistic of two samples of one size, in its standard deviations (normal approximation): far from 0
/// when the times of one lie before those of the other.
fn statistic(one: &[Duration], other: &[Duration]) -> f64 {
    let mut before = 0.0;
    for a in one {
        for b in other {
            before += match a.cmp(b) {
                std::cmp::Ordering::Less => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Greater => 0.0,
            };
        }
    }
    let (n, m) = (one.len() as f64, other.len() as f64);
    let deviation = (n * m * (n + m + 1.0) / 12.0).sqrt();
    (before - n * m / 2.0) / deviation
}

async fn time(office: &Office, about: &Value) -> Duration {
    let question = json!({ "person": about, "purpose": "COC" });
    let asked = Instant::now();
    let answer = office.post("calworks", "/v1/match", &question).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.text, "{\"matches\":[]}");
    asked.elapsed()
}

/// The times of answers about a person whom the other agency may not tell of and about one whom it does not know; which
/// is asked first changes from round to round.
async fn sample(office: &Office) -> f64 {
    let stranger = person("Testa", "Example", "1971-01-09", "99999999Z");
    let known = marisol();
    let (mut denied, mut unknown) = (Vec::new(), Vec::new());
    for round in 0..ASKED {
        if round % 2 == 0 {
            denied.push(time(office, &known).await);
        }
        unknown.push(time(office, &stranger).await);
        if round % 2 == 1 {
            denied.push(time(office, &known).await);
        }
    }
    statistic(&denied, &unknown)
}

#[test]
fn the_statistic_tells_samples_apart_of_which_one_lies_later() {
    let times = |shift: u64| -> Vec<Duration> {
        let each =
            (0..100).map(|number| Duration::from_micros(50_000 + number * 37 % 2_000 + shift));
        each.collect()
    };
    assert!(statistic(&times(0), &times(0)).abs() < 1.0);
    assert!(statistic(&times(0), &times(1_500)) > TOLD_APART);
    assert!(statistic(&times(1_500), &times(0)) < -TOLD_APART);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_person_and_an_unknown_one_are_not_told_apart_by_the_time_of_the_answer() {
    let office = Office::open().await;
    office.record("bh", "mrn-1", &marisol()).await;
    sample(&office).await;
    // What else the machine does may disturb one sample; a difference of the answers would show in each.
    let mut seen = Vec::new();
    for _ in 0..3 {
        let apart = sample(&office).await;
        seen.push(apart);
        if apart.abs() < TOLD_APART {
            return;
        }
    }
    panic!("told apart in every sample: {seen:?} standard deviations");
}
