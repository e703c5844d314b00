//! What a programme or a source takes away: a case that closes, a record that leaves.

use serde_json::json;
use tandem::demo::world::{PATIENCE, World};
use tandem::state::episode::EpisodeDoc;
use tandem::state::referral::ReferralDoc;
use tandem_mappings::model::comanagement::{ComanagementState, EndReason};
use tandem_mappings::model::referral::{ReasonCode, ReferralStatus};
use tandem_simulators::family::{CALWORKS_CASE, CIN_ANA, CIN_LEO, CIN_MARISOL};

use crate::county::{County, applied};
use crate::episodes::coordinating;
use crate::restart::Rig;

/// CalWORKs tells a case of the whole family.
async fn case(world: &World, kind: &str, case: &str) {
    let told = json!([{
        "occurred_at": "2026-02-03T09:00:00-08:00", "source_event_id": format!("{kind}-{case}"), "type": kind,
        "payload": { "program": "calworks", "case": case, "people": [CIN_MARISOL, CIN_ANA, CIN_LEO] },
    }]);
    world
        .office
        .post("calworks", "/v1/events", &told)
        .await
        .unwrap();
    applied(&world.core()).await;
    world.settle().await.unwrap();
}

async fn episode(world: &World) -> EpisodeDoc {
    let mut tx = world.core().store.snapshot().await.unwrap();
    tx.all::<EpisodeDoc>().await.unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn co_management_ends_when_the_last_case_in_one_system_closes_and_not_before() {
    let county = coordinating().await;
    let world = &county.world;
    case(world, "case.opened", "C-2").await;
    case(world, "case.closed", CALWORKS_CASE).await;
    let state = episode(world).await.episode.state();
    assert_eq!(state, Some(ComanagementState::Coordinating), "C-2 is open");
    let told = world.partner.received().len();
    case(world, "case.closed", "C-2").await;
    let ended = episode(world).await;
    assert_eq!(ended.episode.state(), Some(ComanagementState::Ended));
    assert_eq!(ended.episode.end_reason(), Some(EndReason::CaseClosed));
    assert!(ended.members.is_empty());
    let new: Vec<String> = world
        .partner
        .received()
        .into_iter()
        .skip(told)
        .map(|one| one.content.raw)
        .collect();
    let over: Vec<_> = new.iter().filter(|raw| raw.contains("ended")).collect();
    assert_eq!(over.len(), 1, "child welfare hears once that it is over");
    for word in [CIN_MARISOL, "C-2", "case-closed"] {
        assert!(!over[0].contains(word), "the end says {word}");
    }
    assert_eq!(world.violations(), Vec::<String>::new());
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_referral_is_cancelled_when_its_record_leaves_its_source() {
    for (kind, is_delivered) in [
        ("record.withdrawn", true),
        ("record.withdrawn", false),
        ("record.sealed", true),
        ("record.sealed", false),
    ] {
        let county = County::housed().await;
        let world = &county.world;
        if !is_delivered {
            county.lane("hmis-demo", "pause").await;
        }
        let referral = world
            .calworks
            .intake_referral("org-hmis", "CW-R-1", "shelter", "A shelter bed")
            .with("service_id", "svc-shelter-bed");
        county.calworks_says(referral).await;
        if is_delivered {
            let asked = |row: &tandem_simulators::hmis::HmisRow| row["Event"] == "10";
            let waits = world.hmis.wait_for_event("the referral", asked, PATIENCE);
            waits.await.unwrap();
            world.settle().await.unwrap();
        }
        let gone = json!([{
            "occurred_at": "2026-02-03T09:00:00-08:00", "source_event_id": "gone-1",
            "source_person_id": CIN_MARISOL, "type": kind,
            "payload": { "record_kind": "person", "reason": kind.trim_start_matches("record.") },
        }]);
        world
            .office
            .post("calworks", "/v1/events", &gone)
            .await
            .unwrap();
        applied(&world.core()).await;
        county.lane("hmis-demo", "resume").await;
        if is_delivered {
            let over = |row: &tandem_simulators::hmis::HmisRow| {
                row["Event"] == "10" && row.get("DateDeleted").is_some_and(|at| !at.is_empty())
            };
            let waits = world
                .hmis
                .wait_for_event("the cancellation", over, PATIENCE);
            waits.await.unwrap();
        }
        world.settle().await.unwrap();
        let mut tx = world.core().store.snapshot().await.unwrap();
        let found = tx.all::<ReferralDoc>().await.unwrap().remove(0);
        drop(tx);
        assert_eq!(found.state.status(), Some(ReferralStatus::Cancelled));
        assert_eq!(found.state.reason(), Some(ReasonCode::LegalRestriction));
        if !is_delivered {
            assert!(
                world.hmis.received().is_empty(),
                "{kind}: housing was asked"
            );
        }
        let told = world.calworks.received();
        let is_told = told
            .iter()
            .any(|one| one.content.field("referral_status") == "cancelled");
        let is_sealed = kind == "record.sealed";
        assert_eq!(is_told, !is_sealed, "{kind}: what its source hears");
        assert_eq!(world.violations(), Vec::<String>::new(), "{kind}");
        county.stop().await;
    }
}

/// The registry with a service in another standing.
fn service_is(rig: &Rig, from: &str, to: &str) {
    let file = rig.folder.path().join("registry/services.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let at = text.find("svc-family-maintenance").unwrap();
    let (before, after) = text.split_at(at);
    let changed = after.replacen(&format!("\"{from}\""), &format!("\"{to}\""), 1);
    assert_ne!(changed, after);
    std::fs::write(&file, format!("{before}{changed}")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn draft_whose_target_closed_meanwhile_is_not_sent_and_its_source_is_told_once() {
    let rig = Rig::start().await;
    let caseload = rig.calworks.drop_caseload().await.unwrap();
    let waits = rig.calworks.wait_for_answer(&caseload, PATIENCE);
    waits.await.unwrap();
    let referral = rig
        .calworks
        .intake_referral("org-cws", "CW-R-1", "parenting-family", "Help at home")
        .with("service_id", "svc-family-maintenance");
    rig.calworks_says(referral).await;
    rig.rest().await;
    let count = |rig: &Rig| {
        let received = rig.calworks.received();
        let closed = received
            .iter()
            .filter(|one| format!("{:?}", one.content).contains("program-closed"));
        closed.count()
    };
    assert_eq!(count(&rig), 0);
    service_is(&rig, "active", "inactive");
    let rig = rig.restart().await;
    let core = std::sync::Arc::clone(&rig.gateway.core);
    for _ in 0..2 {
        tandem::pipeline::timers::look(&core).await.unwrap();
        rig.rest().await;
    }
    assert_eq!(count(&rig), 1, "its source is told once");
    // Consent comes, and still nobody is asked.
    let consent = tandem::demo::directives::coordination("consent-marisol", "self");
    let office = &rig.office;
    office
        .consent(&consent, "calworks-demo", CIN_MARISOL)
        .await
        .unwrap();
    rig.rest().await;
    let status = || async {
        let mut tx = core.store.snapshot().await.unwrap();
        tx.all::<ReferralDoc>()
            .await
            .unwrap()
            .remove(0)
            .state
            .status()
    };
    assert_eq!(status().await, Some(ReferralStatus::Draft));
    assert!(rig.partner.received().is_empty());
    drop(core);
    // The service opens again: the target is asked after all.
    service_is(&rig, "inactive", "active");
    let rig = rig.restart().await;
    let asked = |message: &tandem_simulators::cws::NiemMessage| !message.referrals.is_empty();
    tandem::pipeline::timers::look(&rig.gateway.core)
        .await
        .unwrap();
    let waits = rig.partner.wait_for("the referral", asked, PATIENCE);
    waits.await.unwrap();
    rig.gateway.stop().await;
}
