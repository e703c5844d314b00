//! A round: load, and blows while it lasts; then everything must be right.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tandem::clock::Clock;
use tandem::demo::office::Office;
use tandem_simulators::postgres::Cluster;

use crate::checks;
use crate::county::County;
use crate::family::Family;
use crate::process::Process;

/// What each agency tells of a family in a round.
const TOLD: u32 = 3;
/// Blows in a round.
const BLOWS: u32 = 3;
/// Longest wait for an answer before it is asked again.
const ANSWER: Duration = Duration::from_secs(5);
/// Longest time until something is accepted.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a round and checks it. Returns what was counted.
pub(crate) async fn run(county: &mut County, chance: &mut StdRng) -> Value {
    let families = std::mem::take(&mut county.families);
    let revoked = chance.random_range(0..families.len());
    county.liar.misbehaves_by_chance(chance.random());
    let mut tasks = Vec::new();
    for (place, family) in families.into_iter().enumerate() {
        let offices: Vec<Office> = (0..county.gateways.len())
            .map(|gateway| county.office(gateway))
            .collect();
        let chance = StdRng::seed_from_u64(chance.random());
        let is_revoked = place == revoked;
        tasks.push(tokio::spawn(tell(family, offices, chance, is_revoked)));
    }
    strike(&mut county.gateways, &mut county.cluster, chance).await;
    county.kills += BLOWS;
    for task in tasks {
        let family = task.await.unwrap();
        if family.revoked.is_some() {
            county.gone.push(family);
        } else {
            county.families.push(family);
        }
    }
    county.liar.is_honest_again();
    let counted = checks::check(county).await;
    county.add_family().await;
    counted
}

/// Both agencies tell of a family, each in its order, whatever it takes; in between its consent may be taken back.
async fn tell(
    mut family: Family,
    offices: Vec<Office>,
    mut chance: StdRng,
    is_revoked: bool,
) -> Family {
    let end = is_revoked.then(|| chance.random_range(0..TOLD));
    for number in 0..TOLD {
        if end == Some(number) {
            revoke(&family, &offices, &mut chance).await;
            family.revoked = Some(Clock::System.now());
        }
        for (who, events) in [
            ("calworks", family.next_of_calworks()),
            ("cws", family.next_of_cws()),
        ] {
            accepted(&offices, &mut chance, who, "/v1/events", &events).await;
        }
    }
    family
}

/// Asks whichever gateway until it is accepted: nobody knows what became of a request without an answer.
async fn accepted(
    offices: &[Office],
    chance: &mut impl Rng,
    who: &str,
    path: &str,
    body: &Value,
) -> Value {
    let asked = async {
        loop {
            let office = &offices[chance.random_range(0..offices.len())];
            let answer = tokio::time::timeout(ANSWER, office.post(who, path, body)).await;
            if let Ok(Ok(answer)) = answer {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    };
    let answer = tokio::time::timeout(PATIENCE, asked).await;
    answer.unwrap_or_else(|_| panic!("{path} of {who} is not accepted: {body}"))
}

async fn revoke(family: &Family, offices: &[Office], chance: &mut impl Rng) {
    let id = family.consent();
    let body = json!({ "categories": [], "channel": "telephone" });
    let asked_since = Instant::now();
    loop {
        let office = &offices[chance.random_range(0..offices.len())];
        let path = format!("/v1/consents/{id}/revoke");
        let answer = tokio::time::timeout(ANSWER, office.post("privacy", &path, &body)).await;
        if matches!(answer, Ok(Ok(_))) {
            return;
        }
        // It may have been taken back by a request whose answer was lost.
        let path = format!("/v1/consents/{id}");
        let standing = office.get("privacy", &path);
        let standing = tokio::time::timeout(ANSWER, standing).await;
        if matches!(&standing, Ok(Ok(standing)) if standing["current"]["state"] == "revoked") {
            return;
        }
        assert!(
            asked_since.elapsed() < PATIENCE,
            "{id} is not revoked: {answer:?}, {standing:?}"
        );
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// Kills at random points; whatever is killed is started again.
async fn strike(gateways: &mut [Process], cluster: &mut Option<Cluster>, chance: &mut StdRng) {
    for _ in 0..BLOWS {
        tokio::time::sleep(Duration::from_millis(chance.random_range(0..400))).await;
        match (cluster.as_mut(), chance.random_range(0..4)) {
            (Some(cluster), 0) => cluster.cut().unwrap(),
            (Some(cluster), 1) => {
                cluster.kill().unwrap();
                cluster.resume().unwrap();
            }
            _ => {
                let place = chance.random_range(0..gateways.len());
                gateways[place].kill();
                gateways[place].start().await;
            }
        }
    }
}
