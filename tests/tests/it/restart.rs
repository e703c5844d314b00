//! A gateway on a folder, with partners that can fail and a gateway that can stop and start again.

use std::path::Path;

use tandem::clock::Clock;
use tandem::config::Loaded;
use tandem::demo::deployment::{self, Places};
use tandem::demo::directives;
use tandem::demo::office::Office;
use tandem::demo::world::PATIENCE;
use tandem::serve::Gateway;
use tandem::store::{EventState, OutboxState};
use tandem_simulators::calworks::{CalworksSettings, CalworksSystem, LinkagesMessage};
use tandem_simulators::cws::{
    ChildWelfareSettings, ChildWelfareSystem, ExchangePartner, ExchangePartnerSettings,
};
use tandem_simulators::family::{CIN_ANA, CIN_LEO, CIN_MARISOL};
use tandem_simulators::{Liar, SimClock};
use tempfile::TempDir;

use crate::county::{applied, drained, outbox, provider, until};

/// A gateway, CalWORKs by folder, and child welfare behind a liar.
pub(crate) struct Rig {
    pub(crate) folder: TempDir,
    pub(crate) gateway: Gateway,
    pub(crate) office: Office,
    pub(crate) calworks: CalworksSystem,
    pub(crate) cws: ChildWelfareSystem,
    pub(crate) partner: ExchangePartner,
    pub(crate) liar: Liar,
    clock: Clock,
    sim_clock: SimClock,
}

async fn calworks(folder: &Path, clock: &SimClock) -> CalworksSystem {
    let settings = CalworksSettings {
        folder: folder.join("exchange/calworks-demo"),
        organization: "org-calworks".to_owned(),
        clock: clock.clone(),
        seed: 7,
    };
    CalworksSystem::start(settings).await.unwrap()
}

async fn gateway(folder: &Path, clock: &Clock) -> (Gateway, Office) {
    let loaded = Loaded::from_file(&folder.join("gateway.toml")).unwrap();
    let gateway = Gateway::start(loaded, clock.clone()).await.unwrap();
    let office = Office::new(format!("http://{}", gateway.address), folder).unwrap();
    (gateway, office)
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::configured("").await
    }

    /// With more lines at the end of its configuration.
    pub(crate) async fn configured(more: &str) -> Self {
        provider();
        let folder = tempfile::tempdir().unwrap();
        let begin = "2026-02-02T09:00:00-08:00".parse().unwrap();
        let sim_clock = SimClock::starting_at(begin).unwrap();
        let liar = Liar::start().await.unwrap();
        let token = deployment::token().unwrap();
        let settings = ExchangePartnerSettings {
            organization: "org-cws".to_owned(),
            token: Some(token.clone()),
            clock: sim_clock.clone(),
        };
        let partner = ExchangePartner::start(settings).await.unwrap();
        liar.stands_before(partner.inbox_url());
        let calworks = calworks(folder.path(), &sim_clock).await;
        let settings = ChildWelfareSettings {
            folder: folder.path().join("exchange/cws-demo"),
            clock: sim_clock.clone(),
            seed: 7,
        };
        let cws = ChildWelfareSystem::start(settings).await.unwrap();
        // Nobody answers at the two FHIR servers: a partner that is down must not hold up the others.
        let nobody = "http://127.0.0.1:9/fhir".to_owned();
        let places = Places {
            cws_inbox: liar.address(),
            clinic: nobody.clone(),
            behavioral_health: nobody,
            partner_token: token,

            postgres: None,
        };
        deployment::write(folder.path(), &places).unwrap();
        let file = folder.path().join("gateway.toml");
        let config = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, config + more).unwrap();
        let clock = Clock::standing_at(begin);
        let (gateway, office) = gateway(folder.path(), &clock).await;
        Self {
            folder,
            gateway,
            office,
            calworks,
            cws,
            partner,
            liar,
            clock,
            sim_clock,
        }
    }

    /// The family is known to both systems, linked, and has consented. Both notices are delivered.
    pub(crate) async fn consented() -> Self {
        Self::start().await.with_consent().await
    }

    /// The same on a gateway that has just started.
    pub(crate) async fn with_consent(self) -> Self {
        let rig = self;
        let caseload = rig.calworks.drop_caseload().await.unwrap();
        rig.calworks
            .wait_for_answer(&caseload, PATIENCE)
            .await
            .unwrap();
        let extract = rig.cws.drop_extract().await.unwrap();
        rig.cws.wait_for_answer(&extract, PATIENCE).await.unwrap();
        applied(&rig.gateway.core).await;
        for link in rig.office.candidates().await.unwrap() {
            rig.office
                .confirm(link["id"].as_str().unwrap(), "same family")
                .await
                .unwrap();
        }
        for (id, capacity, cin) in [
            ("consent-marisol", "self", CIN_MARISOL),
            ("consent-ana", "parent", CIN_ANA),
            ("consent-leo", "parent", CIN_LEO),
        ] {
            rig.office
                .consent(
                    &directives::coordination(id, capacity),
                    "calworks-demo",
                    cin,
                )
                .await
                .unwrap();
        }
        rig.rest().await;
        rig
    }

    /// Waits until every event took effect and both lanes are empty.
    pub(crate) async fn rest(&self) {
        applied(&self.gateway.core).await;
        drained(&self.gateway.core, "cws-demo").await;
        drained(&self.gateway.core, "calworks-demo").await;
    }

    /// CalWORKs says something; the gateway has taken it in.
    pub(crate) async fn calworks_says(&self, message: LinkagesMessage) {
        let file = self.calworks.send(&[message]).await.unwrap();
        let answer = self
            .calworks
            .wait_for_answer(&file, PATIENCE)
            .await
            .unwrap();
        assert!(answer.accepted, "{}", answer.body);
        applied(&self.gateway.core).await;
    }

    /// Moves everybody's clock.
    pub(crate) fn seconds_pass(&self, seconds: i64) {
        let later = self
            .clock
            .now()
            .checked_add(jiff::SignedDuration::from_secs(seconds))
            .unwrap();
        self.sim_clock.set(later);
        self.clock.set(later);
    }

    /// The gateway stops and starts again on its folder.
    pub(crate) async fn restart(self) -> Self {
        self.gateway.stop().await;
        let (gateway, office) = gateway(self.folder.path(), &self.clock).await;
        Self {
            gateway,
            office,
            ..self
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_before_a_stop_takes_effect_once_after_the_start() {
    let rig = Rig::start().await;
    let caseload = rig.calworks.drop_caseload().await.unwrap();
    let extract = rig.cws.drop_extract().await.unwrap();
    rig.calworks
        .wait_for_answer(&caseload, PATIENCE)
        .await
        .unwrap();
    // Stops at once: the acknowledged file's events wait, the other file may be anywhere.
    let rig = rig.restart().await;
    rig.cws.wait_for_answer(&extract, PATIENCE).await.unwrap();
    rig.rest().await;
    let rig = rig.restart().await;
    rig.rest().await;

    let whole = Rig::start().await;
    for file in [whole.calworks.drop_caseload().await.unwrap()] {
        whole
            .calworks
            .wait_for_answer(&file, PATIENCE)
            .await
            .unwrap();
    }
    let file = whole.cws.drop_extract().await.unwrap();
    whole.cws.wait_for_answer(&file, PATIENCE).await.unwrap();
    whole.rest().await;
    let (broken, unbroken) = (count(&rig).await, count(&whole).await);
    assert_eq!(broken, unbroken, "a stop lost or doubled something");
    rig.gateway.stop().await;
    whole.gateway.stop().await;
}

/// Records, links, applied events.
async fn count(rig: &Rig) -> (usize, usize, i64) {
    let mut tx = rig.gateway.core.store.snapshot().await.unwrap();
    let records = tx
        .all::<tandem::state::record::RecordDoc>()
        .await
        .unwrap()
        .len();
    let links = tx
        .all::<tandem::state::link::LinkDoc>()
        .await
        .unwrap()
        .len();
    (
        records,
        links,
        tx.count_events(EventState::Applied).await.unwrap(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn queued_message_survives_a_stop_and_is_delivered_once() {
    let rig = Rig::consented().await;
    let core = std::sync::Arc::clone(&rig.gateway.core);
    rig.office
        .post(
            "operator",
            "/v1/lanes/cws-demo/pause",
            &serde_json::json!({ "reason": "the gateway is to stop" }),
        )
        .await
        .unwrap();
    rig.calworks_says(
        rig.calworks
            .common_case_referral("org-cws", "family-maintenance"),
    )
    .await;
    until(&core, "the message waits", || async {
        outbox(&core, "cws-demo")
            .await
            .iter()
            .any(|row| row.state == OutboxState::Queued)
    })
    .await;
    let before = rig.partner.received().len();
    let rig = rig.restart().await;
    applied(&rig.gateway.core).await;
    assert_eq!(
        rig.partner.received().len(),
        before,
        "a paused lane went on after the start"
    );
    rig.office
        .post(
            "operator",
            "/v1/lanes/cws-demo/resume",
            &serde_json::json!({}),
        )
        .await
        .unwrap();
    rig.rest().await;
    let rig = rig.restart().await;
    rig.rest().await;
    let starts = rig
        .partner
        .received()
        .iter()
        .filter(|one| one.content.raw.contains("coordinating"))
        .count();
    assert_eq!(starts, 1);
    let requests = rig.liar.seen();
    let once: std::collections::BTreeSet<_> = requests.iter().collect();
    assert_eq!(once.len(), requests.len(), "a message was sent twice");
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn steward_ruling_survives_a_stop() {
    let rig = Rig::consented().await;
    let links = rig
        .office
        .get("steward", "/v1/links?standing=linked")
        .await
        .unwrap();
    let link = links["links"][0]["id"].as_str().unwrap().to_owned();
    let body = serde_json::json!({ "reason": "two people after all" });
    rig.office
        .post("steward", &format!("/v1/links/{link}/undo"), &body)
        .await
        .unwrap();
    rig.rest().await;
    let rig = rig.restart().await;
    rig.seconds_pass(86_400);
    let extract = rig.cws.drop_extract().await.unwrap();
    rig.cws.wait_for_answer(&extract, PATIENCE).await.unwrap();
    let caseload = rig.calworks.drop_caseload().await.unwrap();
    rig.calworks
        .wait_for_answer(&caseload, PATIENCE)
        .await
        .unwrap();
    applied(&rig.gateway.core).await;
    let undone = rig
        .office
        .get("steward", "/v1/links?standing=undone")
        .await
        .unwrap();
    assert_eq!(undone["links"][0]["id"], link);
    assert_eq!(undone["links"].as_array().unwrap().len(), 1);
    rig.gateway.stop().await;
}
