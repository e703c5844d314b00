//! A full refresh that leaves a person out withdraws the record, and what was told about it is recalled.

use std::io::{Cursor, Read as _, Write as _};
use std::sync::Arc;

use tandem::demo::world::PATIENCE;
use tandem::pipeline::core::Core;
use tandem::state::record::{RecordDoc, Standing};
use tandem_mappings::model::id::RecordKey;
use tandem_simulators::family::{CWS_ANA, HMIS_ANA};

use crate::county::{County, applied};
use crate::restart::Rig;

/// A zip without the lines that name a person.
pub(crate) fn without(bytes: &[u8], person: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut left_out = 0;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        out.start_file(name.as_str(), zip::write::SimpleFileOptions::default())
            .unwrap();
        for line in text.split_inclusive('\n') {
            if line
                .trim_end()
                .split(',')
                .any(|cell| cell.trim_matches('"') == person)
            {
                left_out += 1;
            } else {
                out.write_all(line.as_bytes()).unwrap();
            }
        }
    }
    assert!(left_out > 0, "nothing names {person}");
    out.finish().unwrap().into_inner()
}

/// Child welfare says that its extracts hold every client.
const WHOLE: &str = "\n[systems.cws-demo.child_welfare]\nextract_is_full = true\n";

async fn drop_extract(rig: &Rig, name: &str, bytes: &[u8]) {
    rig.cws.drop_bytes(name, bytes).await.unwrap();
    let answer = rig.cws.wait_for_answer(name, PATIENCE).await.unwrap();
    assert!(answer.accepted, "{}", answer.body);
    applied(&rig.gateway.core).await;
}

async fn standing(core: &Core, system: &str, person: &str) -> Standing {
    let key = RecordKey {
        system: system.parse().unwrap(),
        person: person.parse().unwrap(),
    };
    let mut tx = core.store.snapshot().await.unwrap();
    tx.get::<RecordDoc>(&RecordDoc::key_of(&key))
        .await
        .unwrap()
        .unwrap()
        .standing
}

#[tokio::test(flavor = "multi_thread")]
async fn child_left_out_of_a_whole_extract_is_withdrawn_and_recalled() {
    let rig = Rig::configured(WHOLE).await.with_consent().await;
    let core = Arc::clone(&rig.gateway.core);
    assert_eq!(standing(&core, "cws-demo", CWS_ANA).await, Standing::Active);
    let rows = rig.cws.extract_bytes().unwrap();
    drop_extract(&rig, "cws-extract-20260203-9.zip", &without(&rows, CWS_ANA)).await;
    assert_eq!(
        standing(&core, "cws-demo", CWS_ANA).await,
        Standing::Withdrawn
    );
    rig.calworks
        .wait_for(
            "the recall",
            |message| message.message_type == "recall",
            PATIENCE,
        )
        .await
        .unwrap();
    rig.rest().await;
    let linked = rig
        .office
        .get("steward", "/v1/links?standing=linked")
        .await
        .unwrap();
    assert!(!linked.to_string().contains(CWS_ANA), "she is still linked");
    // The same extract under another name finds nothing more to withdraw.
    let recalls = rig.calworks.received().len();
    drop_extract(&rig, "cws-extract-20260204-9.zip", &without(&rows, CWS_ANA)).await;
    rig.rest().await;
    assert_eq!(rig.calworks.received().len(), recalls);
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_left_out_of_a_whole_hmis_export_is_withdrawn() {
    let county = County::housed().await;
    let world = &county.world;
    assert_eq!(
        standing(&world.core(), "hmis-demo", HMIS_ANA).await,
        Standing::Active
    );
    let done = county.folder.path().join("exchange/hmis-demo/done");
    let file = std::fs::read_dir(done).unwrap().next().unwrap().unwrap();
    let bytes = std::fs::read(file.path()).unwrap();
    world
        .hmis
        .drop_bytes("hmis-full-20260203-009.zip", &without(&bytes, HMIS_ANA))
        .await
        .unwrap();
    let answer = world
        .hmis
        .wait_for_answer("hmis-full-20260203-009.zip", PATIENCE)
        .await
        .unwrap();
    assert!(answer.accepted, "{}", answer.body);
    applied(&world.core()).await;
    assert_eq!(
        standing(&world.core(), "hmis-demo", HMIS_ANA).await,
        Standing::Withdrawn
    );
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_comes_back_after_a_withdrawal_counts_and_is_linked_again() {
    let rig = Rig::configured(WHOLE).await.with_consent().await;
    let rows = rig.cws.extract_bytes().unwrap();
    drop_extract(&rig, "cws-extract-20260203-9.zip", &without(&rows, CWS_ANA)).await;
    // A stop in between changes nothing about what the withdrawal means.
    let rig = rig.restart().await;
    drop_extract(&rig, "cws-extract-20260204-9.zip", &rows).await;
    assert_eq!(
        standing(&rig.gateway.core, "cws-demo", CWS_ANA).await,
        Standing::Active
    );
    let linked = rig
        .office
        .get("steward", "/v1/links?standing=linked")
        .await
        .unwrap();
    assert!(
        linked.to_string().contains(CWS_ANA),
        "she is not linked again: {linked}"
    );
    rig.gateway.stop().await;
}

/// Every person who leaves is too many.
const STRICT: &str = "\n[systems.cws-demo.child_welfare]\nextract_is_full = true\n\n[refresh]\nmost_withdrawn_percent = 1\nalways_withdrawn = 0\n";

#[tokio::test(flavor = "multi_thread")]
async fn whole_extract_that_withdraws_too_many_is_held_until_an_operator_releases_it() {
    let rig = Rig::configured(STRICT).await.with_consent().await;
    let core = Arc::clone(&rig.gateway.core);
    let rows = rig.cws.extract_bytes().unwrap();
    let name = "cws-extract-20260203-9.zip";
    rig.cws
        .drop_bytes(name, &without(&rows, CWS_ANA))
        .await
        .unwrap();
    let answer = rig.cws.wait_for_answer(name, PATIENCE).await.unwrap();
    assert!(!answer.accepted, "{}", answer.body);
    assert!(
        answer
            .body
            .to_string()
            .contains("refresh-withdraws-too-many"),
        "{}",
        answer.body
    );
    rig.rest().await;
    assert_eq!(standing(&core, "cws-demo", CWS_ANA).await, Standing::Active);
    let inputs = rig.office.get("operator", "/v1/inputs").await.unwrap();
    let listed = inputs["inputs"].as_array().unwrap();
    let held = listed.iter().find(|one| one["state"] == "held").unwrap();
    let path = format!("/v1/inputs/{}/release", held["id"].as_str().unwrap());
    // A stop in between loses nothing of it.
    let rig = rig.restart().await;
    let core = Arc::clone(&rig.gateway.core);
    let nothing = serde_json::json!({});
    let released = rig.office.post("operator", &path, &nothing).await.unwrap();
    assert_eq!(released["outcome"], "accepted", "{released}");
    applied(&core).await;
    assert_eq!(
        standing(&core, "cws-demo", CWS_ANA).await,
        Standing::Withdrawn
    );
    assert!(rig.office.post("operator", &path, &nothing).await.is_err());
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn held_extract_is_not_released_over_a_later_one_unless_that_is_wanted() {
    let rig = Rig::configured(STRICT).await.with_consent().await;
    let core = Arc::clone(&rig.gateway.core);
    let rows = rig.cws.extract_bytes().unwrap();
    let cut = "cws-extract-20260203-9.zip";
    rig.cws
        .drop_bytes(cut, &without(&rows, CWS_ANA))
        .await
        .unwrap();
    rig.cws.wait_for_answer(cut, PATIENCE).await.unwrap();
    drop_extract(&rig, "cws-extract-20260204-9.zip", &rows).await;
    let inputs = rig.office.get("operator", "/v1/inputs").await.unwrap();
    let listed = inputs["inputs"].as_array().unwrap();
    let held = listed.iter().find(|one| one["state"] == "held").unwrap();
    let path = format!("/v1/inputs/{}/release", held["id"].as_str().unwrap());
    let nothing = serde_json::json!({});
    let refused = rig.office.post("operator", &path, &nothing).await;
    assert!(refused.unwrap_err().to_string().contains("came after it"));
    assert_eq!(standing(&core, "cws-demo", CWS_ANA).await, Standing::Active);
    let wanted = format!("{path}?over_later=true");
    rig.office
        .post("operator", &wanted, &nothing)
        .await
        .unwrap();
    applied(&core).await;
    assert_eq!(
        standing(&core, "cws-demo", CWS_ANA).await,
        Standing::Withdrawn
    );
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_leaves_takes_back_only_what_was_told_under_it() {
    let county = County::housed().await;
    let world = &county.world;
    let done = county.folder.path().join("exchange/hmis-demo/done");
    let file = std::fs::read_dir(done).unwrap().next().unwrap().unwrap();
    let bytes = std::fs::read(file.path()).unwrap();
    let name = "hmis-full-20260203-009.zip";
    world
        .hmis
        .drop_bytes(name, &without(&bytes, HMIS_ANA))
        .await
        .unwrap();
    world.hmis.wait_for_answer(name, PATIENCE).await.unwrap();
    applied(&world.core()).await;
    assert_eq!(
        standing(&world.core(), "hmis-demo", HMIS_ANA).await,
        Standing::Withdrawn
    );
    // What CalWORKs and child welfare told each other rests on their own records of her.
    for (lane, other) in [("calworks-demo", "cws-demo"), ("cws-demo", "calworks-demo")] {
        let rows = county.outbox(lane).await;
        let about_each_other: Vec<String> = rows
            .iter()
            .filter(|row| row.kind == "mutual-client")
            .filter(|row| String::from_utf8_lossy(&row.content).contains(other))
            .map(|row| row.id.to_string())
            .collect();
        assert!(!about_each_other.is_empty());
        let recalled = rows.iter().filter(|row| row.kind == "recall").any(|row| {
            let text = String::from_utf8_lossy(&row.content).into_owned();
            about_each_other.iter().any(|id| text.contains(id))
        });
        assert!(!recalled, "{lane} was told to stop using what still holds");
    }
    county.stop().await;
}
