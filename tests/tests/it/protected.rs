//! Sealed, sensitive and sheltered people: nobody learns of them, and nothing keeps what must never enter.

use std::io::{Cursor, Read as _};

use serde_json::json;
use tandem::demo::directives;
use tandem::demo::world::{PATIENCE, World};
use tandem::store::OutboxState;
use tandem_simulators::family;

use crate::county::{County, applied};

/// Everything readable in a kept original, unpacked.
fn readable(original: &[u8]) -> String {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(original)) else {
        return String::from_utf8_lossy(original).into_owned();
    };
    let mut text = String::new();
    for index in 0..archive.len() {
        archive
            .by_index(index)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
    }
    text
}

async fn original_of(world: &World, system: &str) -> String {
    let mut tx = world.core().store.snapshot().await.unwrap();
    let inputs = tx.inputs(100).await.unwrap();
    let input = inputs.iter().find(|input| input.system == system).unwrap();
    readable(&tx.original(input.id).await.unwrap().unwrap())
}

fn names(family: &tandem_simulators::Family) -> Vec<String> {
    let people = family.members.iter();
    people
        .flat_map(|one| {
            [
                one.first_name.clone(),
                one.last_name.clone(),
                one.cin.clone(),
                one.ssn.clone(),
            ]
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_originals_hold_nothing_of_sealed_and_sheltered_people() {
    let county = County::housed().await;
    let world = &county.world;
    let extract = original_of(world, "cws-demo").await;
    assert!(
        extract.contains("Demofield-Rivas"),
        "the original is not kept"
    );
    for word in names(&family::sealed_family()) {
        assert!(!extract.contains(&word), "the kept extract says {word}");
    }
    let export = original_of(world, "hmis-demo").await;
    assert!(export.contains("Marisol"), "the original is not kept");
    for word in world.hmis.secret_words() {
        assert!(!export.contains(&word), "the kept export says {word}");
    }
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn protected_people_are_never_linked_told_or_written_about() {
    let county = County::housed().await;
    let world = &county.world;
    world
        .office
        .post("operator", "/v1/baseline/hmis-demo/release", &json!({}))
        .await
        .unwrap();
    // Even their own consent, by which CalWORKs may tell, makes nobody else's knowledge of them tellable.
    let guarded = [
        family::sealed_family(),
        family::sensitive_family(),
        family::sheltered_family(),
    ];
    for member in guarded.iter().flat_map(|family| &family.members) {
        let directive = directives::coordination(&format!("consent-{}", member.cin), "self");
        world
            .office
            .consent(&directive, "calworks-demo", &member.cin)
            .await
            .unwrap();
    }
    world.settle().await.unwrap();
    let links = world
        .office
        .get("steward", "/v1/links?standing=linked")
        .await
        .unwrap()
        .to_string()
        + &world
            .office
            .candidates()
            .await
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect::<String>();
    // Sensitive clients enter the index and are answered like nobody; sealed and sheltered ones never enter.
    for member in guarded
        .iter()
        .filter(|family| **family != family::sensitive_family())
        .flat_map(|family| &family.members)
    {
        assert!(
            !links.contains(&member.cin),
            "a protected person is linked or offered: {}",
            member.cin
        );
    }
    let words: Vec<String> = guarded.iter().flat_map(names).collect();
    for word in &words {
        let told = world.anybody_was_told(word);
        assert!(
            told.is_none(),
            "{} was told {word}",
            told.unwrap_or_default()
        );
    }
    let metrics = world
        .office
        .get("operator", "/v1/lanes")
        .await
        .unwrap()
        .to_string();
    let mut tx = world.core().store.snapshot().await.unwrap();
    let mut written = vec![("lanes".to_owned(), metrics)];
    for row in tx.outbox_in(&OutboxState::ALL).await.unwrap() {
        written.push((
            format!("outbox {}", row.kind),
            String::from_utf8(row.content).unwrap(),
        ));
    }
    for row in tx.decisions(None, 100_000).await.unwrap() {
        written.push((format!("decision {}", row.stage), row.record.to_string()));
    }
    for entry in tx.audit_entries(None, 100_000).await.unwrap() {
        // A consent's id is the officer's choice; everything else in the audit is the gateway's.
        written.push((
            format!("audit {}", entry.action),
            format!("{} {}", entry.object, entry.detail).replace("consent-9", ""),
        ));
    }
    for waiting in tx.events_after(0, 100_000).await.unwrap() {
        // What CalWORKs itself says of them is CalWORKs' own.
        if waiting.event.system.as_str() != "calworks-demo" {
            written.push((
                waiting.event.told.body.event_type().to_owned(),
                serde_json::to_string(&waiting.event).unwrap(),
            ));
        }
    }
    let secret: Vec<&String> = words.iter().filter(|word| !word.starts_with('9')).collect();
    for (place, text) in &written {
        if place == "record.received" {
            continue;
        }
        for word in &secret {
            assert!(!text.contains(word.as_str()), "{place} says {word}");
        }
    }
    drop(tx);
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sensitive_client_and_unknown_person_get_the_same_answer_byte_for_byte() {
    let county = County::linked().await;
    let world = &county.world;
    let child = family::sensitive_family().members.remove(1);
    let directive = directives::coordination("consent-quiet", "parent");
    world
        .office
        .consent(&directive, "calworks-demo", &child.cin)
        .await
        .unwrap();
    applied(&world.core()).await;
    let token = std::fs::read_to_string(county.folder.path().join("calworks.token")).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut answers = Vec::new();
    for (given, surname, born) in [
        (
            child.first_name.as_str(),
            child.last_name.as_str(),
            child.birth_date.to_string(),
        ),
        ("Nobody", "Testunknown", "2001-01-01".to_owned()),
    ] {
        let question = json!({ "person": { "names": [{ "given": given, "family": surname, "name_use": "official", "quality": "full" }],
            "birth": { "date": born, "quality": "exact" } } });
        let answer = client
            .post(format!("{}/v1/match", world.office.url()))
            .bearer_auth(token.trim())
            .json(&question);
        let answer = answer.send().await.unwrap();
        let status = answer.status();
        let mut headers: Vec<_> = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect();
        headers.retain(|(name, _)| name != "date" && name != "x-request-id");
        headers.sort();
        answers.push((status, headers, answer.bytes().await.unwrap()));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, 200);
    let audit = world
        .office
        .get("auditor", "/v1/audit?action=match.query")
        .await
        .unwrap();
    let entries = audit["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(
        entries[0]["detail"], entries[1]["detail"],
        "the audit tells them apart"
    );
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_is_sealed_later_is_unlinked_and_what_waits_about_it_never_leaves() {
    let county = County::linked().await;
    let world = &county.world;
    for lane in ["calworks-demo", "cws-demo"] {
        county.lane(lane, "pause").await;
    }
    county.consent().await;
    applied(&world.core()).await;
    let sealed = seal(&world.cws.extract_bytes().unwrap(), family::CWS_ANA);
    world
        .cws
        .drop_bytes("cws-extract-20260203-9.zip", &sealed)
        .await
        .unwrap();
    let answer = world
        .cws
        .wait_for_answer("cws-extract-20260203-9.zip", PATIENCE)
        .await
        .unwrap();
    assert!(answer.accepted, "{}", answer.body);
    applied(&world.core()).await;
    for lane in ["calworks-demo", "cws-demo"] {
        county.lane(lane, "resume").await;
    }
    world.settle().await.unwrap();
    assert!(!world.calworks.contains_text(family::CWS_ANA));
    let named = world.calworks.received().iter().any(|one| {
        one.content
            .parts
            .iter()
            .any(|part| part.field("first_name") == "Ana")
    });
    assert!(
        !named,
        "CalWORKs was told that child welfare knows a child whose record is sealed"
    );
    county.stop().await;
}

/// The extract with a client's sensitivity indicator set to sealed.
fn seal(bytes: &[u8], client: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut sealed = 0;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        out.start_file(name.as_str(), zip::write::SimpleFileOptions::default())
            .unwrap();
        let mut lines = text.split_inclusive('\n');
        let header = lines.next().unwrap_or_default();
        out.write_all(header.as_bytes()).unwrap();
        let columns: Vec<&str> = header.trim_end().split(',').collect();
        let indicator = columns
            .iter()
            .position(|column| column.trim_matches('"') == "SENSTV_IND");
        for line in lines {
            let mut cells: Vec<&str> = line.trim_end().split(',').collect();
            if let (Some(indicator), true) = (
                indicator,
                cells.iter().any(|cell| cell.trim_matches('"') == client),
            ) {
                assert_eq!(cells.len(), columns.len());
                cells[indicator] = "R";
                sealed += 1;
                out.write_all((cells.join(",") + "\r\n").as_bytes())
                    .unwrap();
            } else {
                out.write_all(line.as_bytes()).unwrap();
            }
        }
    }
    assert_eq!(sealed, 1, "one row of the client table is sealed");
    out.finish().unwrap().into_inner()
}
