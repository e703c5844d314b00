//! Partners that fail: what is retried, what waits, what is parked, and what helps.

use std::collections::BTreeSet;

use tandem::store::{OutboxRow, OutboxState};
use tandem_simulators::Mood;
use tandem_simulators::calworks::LinkagesMessage;
use tandem_simulators::cws::NiemMessage;

use crate::county::{applied, outbox, until};
use crate::restart::Rig;

async fn row_of(rig: &Rig, kind: &str) -> OutboxRow {
    outbox(&rig.gateway.core, "cws-demo")
        .await
        .into_iter()
        .rfind(|row| row.kind == kind)
        .unwrap()
}

async fn row_is(rig: &Rig, kind: &str, state: OutboxState) -> OutboxRow {
    let core = &rig.gateway.core;
    until(core, &format!("the {kind} is {}", state.code()), || async {
        outbox(core, "cws-demo")
            .await
            .iter()
            .rfind(|row| row.kind == kind)
            .is_some_and(|row| row.state == state)
    })
    .await;
    row_of(rig, kind).await
}

fn start(rig: &Rig) -> LinkagesMessage {
    rig.calworks
        .common_case_referral("org-cws", "family-maintenance")
}

fn says(status: &'static str) -> impl Fn(&NiemMessage) -> bool {
    move |message| {
        message
            .plan
            .as_ref()
            .is_some_and(|plan| plan.tasks.iter().any(|task| task.status == status))
    }
}

/// Sanctioned, then cured: two messages of one case, whose order matters.
async fn sanction_and_cure(rig: &Rig) {
    for status in ["sanctioned", "cured"] {
        rig.calworks_says(rig.calworks.participation("org-cws", status))
            .await;
        rig.seconds_pass(1);
        let core = &rig.gateway.core;
        until(core, "the message is queued", || async {
            let rows = outbox(core, "cws-demo").await;
            rows.iter()
                .filter(|row| row.kind == "participation")
                .count()
                == if status == "cured" { 2 } else { 1 }
        })
        .await;
    }
}

async fn order_of(rig: &Rig) -> Vec<&'static str> {
    let told = rig.partner.received();
    let standing = |message: &NiemMessage| {
        ["sanctioned", "cured"]
            .into_iter()
            .find(|status| says(status)(message))
    };
    told.iter()
        .filter_map(|one| standing(&one.content))
        .collect()
}

async fn retried_in_order(moods: &[Mood]) {
    let rig = Rig::consented().await;
    rig.calworks_says(start(&rig)).await;
    rig.rest().await;
    let requests_before = rig.liar.seen().len();
    rig.liar.will(moods);
    sanction_and_cure(&rig).await;
    // Each retry waits for the clock; the cure waits for the sanction.
    for _ in 0..40 {
        let rows = outbox(&rig.gateway.core, "cws-demo").await;
        if rows
            .iter()
            .all(|row| !matches!(row.state, OutboxState::Queued | OutboxState::Failed))
        {
            break;
        }
        let seen = rig.liar.seen().len();
        rig.seconds_pass(600);
        until(&rig.gateway.core, "another attempt", || async {
            rig.liar.seen().len() > seen
                || outbox(&rig.gateway.core, "cws-demo")
                    .await
                    .iter()
                    .all(|row| row.state == OutboxState::Acknowledged)
        })
        .await;
    }
    rig.rest().await;
    assert!(rig.liar.is_done());
    assert_eq!(
        order_of(&rig).await,
        ["sanctioned", "cured"],
        "order or number of effects"
    );
    assert!(
        rig.partner.violations().is_empty(),
        "{:?}",
        rig.partner.violations()
    );
    let ids: BTreeSet<String> = rig.liar.seen().into_iter().skip(requests_before).collect();
    assert_eq!(ids.len(), 2, "a retry came under another message id");
    let row = row_of(&rig, "participation").await;
    assert_eq!(row.state, OutboxState::Acknowledged);
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_server_is_tried_again_in_order_with_one_effect() {
    retried_in_order(&[Mood::Answers(500), Mood::Answers(503), Mood::Answers(502)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connection_is_tried_again_also_when_the_partner_had_taken_the_message() {
    retried_in_order(&[Mood::CutsBefore, Mood::CutsAfter]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_partner_is_left_alone_for_as_long_as_it_asks() {
    let rig = Rig::consented().await;
    rig.calworks_says(start(&rig)).await;
    rig.rest().await;
    rig.liar.will(&[Mood::Busy(3600)]);
    rig.calworks_says(rig.calworks.participation("org-cws", "sanctioned"))
        .await;
    let row = row_is(&rig, "participation", OutboxState::Failed).await;
    assert_eq!(row.fault.as_deref(), Some("partner"));
    let wait = row.due_at.duration_since(row.changed_at);
    assert!(
        wait.as_secs() >= 3600,
        "only {wait} after Retry-After: 3600"
    );
    let seen = rig.liar.seen().len();
    rig.seconds_pass(3000);
    applied(&rig.gateway.core).await;
    assert_eq!(rig.liar.seen().len(), seen);
    rig.seconds_pass(4000);
    row_is(&rig, "participation", OutboxState::Acknowledged).await;
    assert_eq!(order_of(&rig).await, ["sanctioned"]);
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_message_holds_its_case_and_no_other_until_it_is_replayed() {
    let rig = Rig::consented().await;
    rig.calworks_says(start(&rig)).await;
    rig.rest().await;
    rig.liar.will(&[Mood::Answers(400)]);
    rig.calworks_says(rig.calworks.participation("org-cws", "sanctioned"))
        .await;
    let parked = row_is(&rig, "participation", OutboxState::Parked).await;
    assert_eq!(parked.fault.as_deref(), Some("partner"));
    rig.calworks_says(rig.calworks.participation("org-cws", "cured"))
        .await;
    row_is(&rig, "participation", OutboxState::Queued).await;
    // Another case in the same lane: a recall belongs to no family's case.
    let body = serde_json::json!({ "categories": [], "channel": "telephone" });
    rig.office
        .post("privacy", "/v1/consents/consent-leo/revoke", &body)
        .await
        .unwrap();
    row_is(&rig, "recall", OutboxState::Acknowledged).await;
    assert_eq!(
        row_of(&rig, "participation").await.state,
        OutboxState::Queued,
        "the case did not wait"
    );
    let lanes = rig.office.get("operator", "/v1/lanes").await.unwrap();
    let lane = lanes["lanes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|lane| lane["name"] == "cws-demo")
        .unwrap()
        .clone();
    assert_eq!(lane["messages"]["parked"], 1, "{lane}");
    let body = serde_json::json!({ "message": parked.id.to_string() });
    rig.office
        .post("operator", "/v1/lanes/cws-demo/replay", &body)
        .await
        .unwrap();
    rig.rest().await;
    assert_eq!(order_of(&rig).await, ["sanctioned", "cured"]);
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn skipped_message_lets_its_case_go_on() {
    let rig = Rig::consented().await;
    rig.calworks_says(start(&rig)).await;
    rig.rest().await;
    rig.liar.will(&[Mood::Answers(422)]);
    rig.calworks_says(rig.calworks.participation("org-cws", "sanctioned"))
        .await;
    let parked = row_is(&rig, "participation", OutboxState::Parked).await;
    rig.calworks_says(rig.calworks.participation("org-cws", "cured"))
        .await;
    row_is(&rig, "participation", OutboxState::Queued).await;
    let body = serde_json::json!({ "message": parked.id.to_string() });
    rig.office
        .post("operator", "/v1/lanes/cws-demo/skip", &body)
        .await
        .unwrap();
    rig.rest().await;
    assert_eq!(order_of(&rig).await, ["cured"]);
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn file_refused_in_its_acknowledgement_is_parked_and_replayed() {
    let rig = Rig::consented().await;
    let core = std::sync::Arc::clone(&rig.gateway.core);
    let root = rig.folder.path().join("exchange/calworks-demo");
    // From here on CalWORKs' folder is worked by hand.
    let Rig {
        gateway,
        office,
        calworks,
        partner,
        liar,
        folder,
        ..
    } = rig;
    drop(calworks);
    let _alive = (&partner, &liar, &folder);
    let body = serde_json::json!({ "categories": [], "channel": "telephone" });
    office
        .post("privacy", "/v1/consents/consent-leo/revoke", &body)
        .await
        .unwrap();
    let (row, file) = handed_over(&core).await;
    let refused = serde_json::json!({ "accepted": [], "rejected": [{ "message_id": row.id.to_string(), "reason": "not today, Marisol" }] });
    answer(&root, &file, &refused);
    let parked = calworks_row_is(&core, &row, OutboxState::Parked).await;
    assert_eq!(parked.fault.as_deref(), Some("partner"));
    assert!(
        !parked.note.unwrap_or_default().contains("Marisol"),
        "a partner's words stay in its own file"
    );
    let body = serde_json::json!({ "message": row.id.to_string() });
    office
        .post("operator", "/v1/lanes/calworks-demo/replay", &body)
        .await
        .unwrap();
    let (again, file) = handed_over(&core).await;
    assert_eq!(again.id, row.id);
    answer(
        &root,
        &file,
        &serde_json::json!({ "accepted": [row.id.to_string()], "rejected": [] }),
    );
    calworks_row_is(&core, &row, OutboxState::Acknowledged).await;
    gateway.stop().await;
}

async fn recall_row(core: &tandem::pipeline::core::Core) -> Option<OutboxRow> {
    outbox(core, "calworks-demo")
        .await
        .into_iter()
        .rfind(|row| row.kind == "recall")
}

/// The recall, once it lies in the folder, and the file that carries it.
async fn handed_over(core: &tandem::pipeline::core::Core) -> (OutboxRow, String) {
    until(core, "the recall is handed over", || async {
        recall_row(core)
            .await
            .is_some_and(|row| row.state == OutboxState::Delivered)
    })
    .await;
    let row = recall_row(core).await.unwrap();
    let file = row.file.clone().unwrap();
    (row, file)
}

async fn calworks_row_is(
    core: &tandem::pipeline::core::Core,
    row: &OutboxRow,
    state: OutboxState,
) -> OutboxRow {
    until(core, &format!("the recall is {}", state.code()), || async {
        recall_row(core)
            .await
            .is_some_and(|now| now.id == row.id && now.state == state)
    })
    .await;
    recall_row(core).await.unwrap()
}

fn answer(root: &std::path::Path, file: &str, ack: &serde_json::Value) {
    let out = root.join("out");
    std::fs::write(out.join(format!("{file}.ack.part")), ack.to_string()).unwrap();
    std::fs::rename(
        out.join(format!("{file}.ack.part")),
        out.join(format!("{file}.ack")),
    )
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn referral_for_somebody_unknown_to_housing_is_parked_where_the_operator_sees_it() {
    let county = crate::county::County::housed().await;
    let world = &county.world;
    // Housing's next export is without her.
    let done = county.folder.path().join("exchange/hmis-demo/done");
    let export = std::fs::read(
        std::fs::read_dir(done)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path(),
    )
    .unwrap();
    let name = "hmis-full-20260202-009.zip";
    world
        .hmis
        .drop_bytes(
            name,
            &crate::refresh::without(&export, tandem_simulators::family::HMIS_MARISOL),
        )
        .await
        .unwrap();
    world
        .hmis
        .wait_for_answer(name, tandem::demo::world::PATIENCE)
        .await
        .unwrap();
    applied(&world.core()).await;
    let referral = world
        .calworks
        .intake_referral(
            "org-hmis",
            "CW-R-1",
            "shelter",
            "Family needs a shelter bed",
        )
        .with("service_id", "svc-shelter-bed");
    world.calworks.send(&[referral]).await.unwrap();
    let core = world.core();
    until(&core, "the referral is parked", || async {
        outbox(&core, "hmis-demo")
            .await
            .iter()
            .any(|row| row.state == OutboxState::Parked)
    })
    .await;
    let rows = outbox(&core, "hmis-demo").await;
    assert_eq!(rows.len(), 1);
    assert!(
        rows[0]
            .note
            .as_deref()
            .unwrap_or_default()
            .contains("no enrollment at target"),
        "{:?}",
        rows[0].note
    );
    let lanes = world.office.get("operator", "/v1/lanes").await.unwrap();
    let lane = lanes["lanes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|lane| lane["name"] == "hmis-demo")
        .unwrap()
        .clone();
    assert_eq!(lane["messages"]["parked"], 1, "{lane}");
    assert!(world.hmis.received().is_empty());
    let message = world
        .office
        .get("operator", &format!("/v1/messages/{}", rows[0].id))
        .await
        .unwrap();
    assert!(
        message.to_string().contains("no enrollment at target"),
        "{message}"
    );
    // Once housing knows her, the operator's button helps.
    county.housing_loads().await;
    let body = serde_json::json!({ "message": rows[0].id.to_string() });
    world
        .office
        .post("operator", "/v1/lanes/hmis-demo/replay", &body)
        .await
        .unwrap();
    let asked = |row: &tandem_simulators::hmis::HmisRow| row["Event"] == "10";
    world
        .hmis
        .wait_for_event("the referral", asked, tandem::demo::world::PATIENCE)
        .await
        .unwrap();
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lane_that_is_paused_begins_nothing_more_of_what_it_had_found_due() {
    let rig = Rig::configured("\n[systems.cws-demo.lane]\nin_flight = 2\n").await;
    let rig = rig.with_consent().await;
    let order = async |verb: &str| {
        let path = format!("/v1/lanes/cws-demo/{verb}");
        let why = serde_json::json!({ "reason": "their upgrade" });
        let body = if verb == "resume" {
            serde_json::json!({})
        } else {
            why
        };
        rig.office.post("operator", &path, &body).await.unwrap();
    };
    order("pause").await;
    // Three notices, each of which stands for itself.
    for id in ["consent-marisol", "consent-ana", "consent-leo"] {
        let body = serde_json::json!({ "categories": [], "channel": "telephone" });
        let path = format!("/v1/consents/{id}/revoke");
        rig.office.post("privacy", &path, &body).await.unwrap();
        applied(&rig.gateway.core).await;
    }
    let core = std::sync::Arc::clone(&rig.gateway.core);
    let recalls = async || {
        let rows = outbox(&core, "cws-demo").await;
        rows.into_iter().filter(|row| row.kind == "recall")
    };
    let waiting = recalls().await.count();
    assert!(waiting >= 3, "only {waiting} notices");
    let seen = rig.liar.seen().len();
    let slow = Mood::Slow(std::time::Duration::from_millis(1_500));
    rig.liar.will(&[slow, slow]);
    order("resume").await;
    until(&core, "two are under way", || async {
        rig.liar.seen().len() == seen + 2
    })
    .await;
    order("pause").await;
    rig.seconds_pass(600);
    until(&core, "both have arrived", || async {
        let arrived = recalls().await;
        arrived
            .filter(|row| row.state == OutboxState::Acknowledged)
            .count()
            == 2
    })
    .await;
    rig.seconds_pass(600);
    let resumed_at = rig.gateway.core.clock.now();
    order("resume").await;
    rig.rest().await;
    let mut tx = core.store.snapshot().await.unwrap();
    let mut later = 0;
    for row in recalls().await {
        let attempts = tx.attempts(row.id).await.unwrap();
        later += usize::from(attempts[0].started_at >= resumed_at);
    }
    assert_eq!(later, waiting - 2, "some were begun while it was paused");
    drop(tx);
    rig.gateway.stop().await;
}
