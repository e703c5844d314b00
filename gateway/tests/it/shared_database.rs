//! Gateways of several processes on one database of PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use tandem_simulators::postgres::Cluster;

use crate::processes::{
    Process, Two, in_postgres, kept_and_matched, opened_with, people, provider, start_with, tell,
};

/// A second gateway holds the keys of the first.
pub(crate) fn copy_keys(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("data")).unwrap();
    for name in ["root.key", "audit.key", "audit-witness.key"] {
        std::fs::copy(from.join("data").join(name), to.join("data").join(name)).unwrap();
    }
}

/// Tells both gateways of some people in turns, all at once. Who was accepted.
pub(crate) async fn tell_all(
    gateways: &[&Process],
    people: &[(&str, String, Value)],
) -> BTreeSet<String> {
    let asked = people.iter().enumerate().map(|(at, (who, id, person))| {
        let url = &gateways[at % gateways.len()].url;
        async move { tell(url, who, id, person).await.then(|| id.clone()) }
    });
    let accepted = futures::future::join_all(asked).await;
    accepted.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn when_either_of_two_gateways_is_killed_the_other_goes_on_and_nothing_is_lost_or_twice() {
    let Two {
        mut first,
        mut second,
        folders: [one, _two],
        store,
        cluster: _serves,
    } = Two::start().await;

    let people = people(48);
    let (mut accepted, mut rest) = (BTreeSet::new(), people.chunks(12));
    accepted.extend(tell_all(&[&first, &second], rest.next().unwrap()).await);
    // Its events are being applied just then.
    first.child.kill().unwrap();
    accepted.extend(tell_all(&[&second], rest.next().unwrap()).await);
    drop(first);
    let mut third = start_with(one.path(), "third.toml", &store);
    assert!(third.serves().await);
    accepted.extend(tell_all(&[&second, &third], rest.next().unwrap()).await);
    second.child.kill().unwrap();
    accepted.extend(tell_all(&[&third], rest.next().unwrap()).await);
    third.child.kill().unwrap();
    drop((second, third));

    let gateway = opened_with(one.path(), "last.toml", &store).await;
    assert_eq!(
        accepted.len(),
        people.len(),
        "each had somebody to accept it"
    );
    assert_eq!(kept_and_matched(&gateway).await, accepted);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_with_another_key_is_told_so_before_it_writes_anything() {
    provider();
    let cluster = Cluster::start(false).unwrap();
    let store = in_postgres(&cluster);
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut first = start_with(one.path(), "first.toml", &store);
    assert!(first.serves().await);
    let mut stranger = start_with(two.path(), "stranger.toml", &store);
    assert!(!stranger.serves().await);
    let (code, said) = stranger.last_words();
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("root.key is not the one of this store"),
        "{said}"
    );
    copy_keys(one.path(), two.path());
    std::fs::remove_file(two.path().join("data/audit.key")).unwrap();
    let mut forgetful = start_with(two.path(), "forgetful.toml", &store);
    assert!(!forgetful.serves().await);
    let (_, said) = forgetful.last_words();
    assert!(
        said.contains("audit.key is not the one of this store"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_gateways_each_reads_its_configuration_by_itself_and_duties_go_on_in_it() {
    let Two {
        first,
        second,
        folders: [one, two],
        store,
        cluster: _serves,
    } = Two::start().await;

    let people = people(48);
    let mut accepted = BTreeSet::new();
    for (round, some) in people.chunks(12).enumerate() {
        let (gateway, file) = match round % 2 {
            0 => (&first, one.path().join("first.toml")),
            _ => (&second, two.path().join("second.toml")),
        };
        let text = std::fs::read_to_string(&file).unwrap();
        // A lane goes, and comes back.
        let (with, out) = ("output = \"child-welfare/niem\"", "# no output");
        let changed = match text.contains(with) {
            true => text.replace(with, out),
            false => text.replace(out, with),
        };
        std::fs::write(file, changed).unwrap();
        let asked = reqwest::Client::new()
            .post(format!("{}/v1/reload", gateway.url))
            .bearer_auth("administrator")
            .json(&serde_json::json!({}))
            .send();
        let both = [&first, &second];
        let (answer, told) = tokio::join!(asked, tell_all(&both, some));
        let answer: Value = answer.unwrap().json().await.unwrap();
        assert_eq!(answer["outcome"], "applied", "{answer}");
        accepted.extend(told);
    }
    assert_eq!(accepted.len(), people.len(), "nobody was refused");
    // Who stops leaves its duties to the next at once.
    for mut gateway in [first, second] {
        let process = gateway.child.id().to_string();
        let told = std::process::Command::new("kill")
            .args(["-TERM", &process])
            .status();
        assert!(told.unwrap().success());
        assert!(gateway.child.wait().unwrap().success());
    }
    let gateway = opened_with(one.path(), "last.toml", &store).await;
    assert_eq!(kept_and_matched(&gateway).await, accepted);
    gateway.stop().await;
}
